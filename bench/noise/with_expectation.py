"""This library, on TensorFlow or JAX."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable

import keras
import numpy as np

from bench.noise.workloads import SHOTS
from bench.ours import model_circuit
from bench.problem import Outcome, Problem
from tfq_fusion.engines import expectation

_NAMES = {
    "tensorflow": ("bench.on_tensorflow", "tensorflow:function"),
    "jax": ("bench.compiled_on_jax", "jax:jit"),
}
_gradient, _compiled = map(pkgutil.resolve_name, _NAMES[keras.backend.backend()])
LIBRARIES = _gradient.LIBRARIES


def build_step(problem: Problem, task: str) -> Callable[[], Outcome]:
    """A function that does a workload's task once."""
    if task == "gradient":
        return _gradient.build_step(problem, "compiled")
    spec = model_circuit(problem)
    shots, seed = (SHOTS, 0) if task == "shots" else (None, None)
    forward = _compiled(lambda data, weights: expectation(spec, data, weights, shots=shots, seed=seed))
    data, weights = map(keras.ops.convert_to_tensor, (problem.data, problem.weights))
    return lambda: Outcome(np.asarray(forward(data, weights)), np.zeros(0), np.zeros(0))
