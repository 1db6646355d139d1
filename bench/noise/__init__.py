"""The benchmark of noise and shots: values and gradients of noisy circuits, and estimates from measurements."""
