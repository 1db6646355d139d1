"""The benchmark of tutorials: those of TensorFlow Quantum, with its layers and with this library's."""
