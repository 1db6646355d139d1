"""The compiled engine on JAX, inside ``jax.jit``."""

from __future__ import annotations

from collections.abc import Callable

import keras  # noqa: F401  (the engine imports it late, and imports are no part of a first call)

from bench.on_jax import compile_batch
from bench.ours import model_circuit
from bench.problem import Outcome, Problem
from tfq_fusion.engines import expectation

LIBRARIES = ("jax", "keras", "numpy")


def build_step(problem: Problem, engine: str) -> Callable[[], Outcome]:
    """A function that runs one step."""
    spec = model_circuit(problem)
    return compile_batch(problem, lambda data, weights, states: expectation(spec, data, weights, states=states))
