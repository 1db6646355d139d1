"""Who computes noise and shots."""

from __future__ import annotations

from bench.engines import Engine

REFERENCE = "tfq"
TRAJECTORIES = 60
"""Random circuits per sample in whose mean TensorFlow Quantum finds a noisy value."""

_OURS = "bench.noise.with_expectation"
CONTENDERS = {
    "tensorflow": Engine(
        "tfq-fusion on TensorFlow",
        _OURS,
        "`expectation(...)` inside `tf.function`: density matrices where there is noise, and `shots=` where there are.",
        peer=False,
    ),
    "jax": Engine("tfq-fusion on JAX", _OURS, "the same inside `jax.jit`.", peer=False, backend="jax"),
    REFERENCE: Engine(
        "TensorFlow Quantum",
        "bench.noise.with_tfq",
        f"inside `tf.function`: `tfq.noise.expectation` with {TRAJECTORIES} trajectories where there is noise, with "
        "`ParameterShift` for gradients; `tfq.get_sampled_expectation_op()` where there are shots.",
        peer=False,
    ),
}
LEFT_OUT = "PennyLane's `default.mixed` was not tried."
