"""Adam from many starts at once, on ever fewer of them: one compiled JAX program for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

TOGETHER = 16
"""Starts that one program takes: the states of more would not stay in a processor's cache."""
STEPS = 20
"""Steps of Adam in the first round; each round has twice as many, from a quarter of the starts."""
_RATE, _FIRST, _SECOND, _TINY = 0.05, 0.9, 0.99, 1e-10


def make_descent(loss: Callable[..., Any]) -> Callable[..., Vector]:
    """A search that any number of starts begins and the most promising end.

    Args:
        loss: From weights ``[weights]`` and further arrays to a scalar; JAX differentiates it.

    Returns:
        A function of starts ``[starts, weights]``, of a loss that is low enough to end the search, and of the further
        arrays. It gives the weights that at most :data:`TOGETHER` starts led to, the best first.
    """
    value_and_gradient = jax.value_and_grad(loss)

    @jax.jit
    def run(weights: Any, first: Any, second: Any, step: Any, *data: Any) -> tuple[Any, Any]:
        def adam(carried: Any, _: None) -> tuple[Any, Any]:
            weights, first, second, step = carried
            values, gradients = jax.vmap(lambda each: value_and_gradient(each, *data))(weights)
            step = step + 1
            first = _FIRST * first + (1 - _FIRST) * gradients
            second = _SECOND * second + (1 - _SECOND) * gradients**2
            size = jnp.sqrt(second / (1 - _SECOND**step)) + _TINY
            return (weights - _RATE * first / (1 - _FIRST**step) / size, first, second, step), values

        carried, values = jax.lax.scan(adam, (weights, first, second, step), None, length=STEPS)
        return carried, values[-1]

    def descend(starts: Vector, enough: float, *data: Any) -> Vector:
        repeats = 1
        while True:
            ends, losses = [], []
            for at in range(0, len(starts), TOGETHER):
                carried: Any = (starts[at : at + TOGETHER], *np.zeros((2, *starts[at : at + TOGETHER].shape)), 0.0)
                for _ in range(repeats):
                    carried, values = run(*carried, *data)
                ends.append(carried[0])
                losses.append(values)
                if values.min() <= enough:
                    break
            values = np.concatenate(losses)
            starts = np.concatenate(ends)[np.argsort(values)]
            if len(starts) <= TOGETHER or values.min() <= enough:
                return starts[:TOGETHER]
            starts, repeats = starts[: len(starts) // 4], 2 * repeats

    return descend
