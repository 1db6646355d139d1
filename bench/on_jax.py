"""What engines on JAX share: the gradient and the compilation; the peers also the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.gates import Multiplexer
from bench.problem import Outcome, Problem

Node = Callable[[Any, Any, Any], Any]
"""The data ``[n_data]``, weights and initial state (or None) of one sample to its expectation values."""


def compile_step(problem: Problem, node: Node) -> Callable[[], Outcome]:
    """One step of a problem, compiled as a whole."""
    return compile_batch(problem, jax.vmap(node, in_axes=(0, None, None if problem.states is None else 0)))


def compile_batch(problem: Problem, forward: Node) -> Callable[[], Outcome]:
    """The same, where the data, initial states and expectation values are those of the whole batch."""
    states = None if problem.states is None else jnp.asarray(problem.states)

    @jax.jit
    def step(data: Any, weights: Any, states: Any, upstream: Any) -> tuple[Any, ...]:
        values, pull_back = jax.vjp(lambda data, weights: forward(data, weights, states), data, weights)
        return values, *pull_back(upstream)

    inputs = jnp.asarray(problem.data), jnp.asarray(problem.weights), states, jnp.asarray(problem.upstream)
    return lambda: Outcome(*(np.asarray(array) for array in step(*inputs)))


def multiplexer_phases(multiplexer: Multiplexer, data: Any) -> Any:
    """The diagonal of a multiplexed rotation about z, its target last: ``[2 ** (controls + 1)]``."""
    angles = jnp.append(data, 0.0)[np.array(multiplexer.columns)]
    return jnp.exp(0.5j * jnp.stack([-angles, angles], axis=-1)).reshape(-1)
