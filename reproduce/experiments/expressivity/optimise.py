"""L-BFGS with restarts, for small problems without noise, where a search that failed must not look like a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.optimize

Vector = npt.NDArray[np.float64]

SHORT = 50
"""Iterations of a short search: those that end well are mostly ahead by then."""


def flat_loss(variables: Sequence[Any], loss: Callable[..., Any]) -> Callable[..., tuple[float, Vector]]:
    """A loss of trained weights as a function of all of them in one vector, with its gradient.

    Args:
        variables: The weights, Keras' or TensorFlow's, in double precision. Their values are overwritten.
        loss: Takes further tensors and gives a scalar; it is compiled once.

    Returns:
        A function of the vector of weights and of those tensors that gives the loss and its gradient.
    """
    import tensorflow as tf  # here, since what searches with JAX does without

    variables = [variable if isinstance(variable, tf.Variable) else variable.value for variable in variables]
    sizes = [int(np.prod(variable.shape)) for variable in variables]

    @tf.function
    def compiled(flat: Any, *arguments: Any) -> tuple[Any, Any]:
        for variable, part in zip(variables, tf.split(flat, sizes), strict=True):
            variable.assign(tf.reshape(part, variable.shape))
        with tf.GradientTape() as tape:
            value = loss(*arguments)
        gradients = tape.gradient(value, variables)
        return value, tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], axis=0)

    def value_and_gradient(flat: Vector, *arguments: Any) -> tuple[float, Vector]:
        value, gradient = compiled(tf.constant(flat), *arguments)
        return float(value), gradient.numpy()

    return value_and_gradient


def minimise(
    loss: Callable[[Vector], tuple[float, Vector]], starts: Iterable[Vector], enough: float, iterations: int
) -> Vector:
    """The best weights found: a short search from every start, and a long one from where the best of them ended.

    Args:
        loss: Gives the loss and its gradient.
        starts: Where to start, at least one.
        enough: A loss with which any search ends, and the whole of it.
        iterations: At most so many in the long search; a short one has :data:`SHORT`.
    """

    def search(start: Vector, iterations: int) -> scipy.optimize.OptimizeResult:
        return scipy.optimize.minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=stop,
            options={"maxiter": iterations, "ftol": 1e-12, "gtol": 1e-9},
        )

    def stop(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        if intermediate_result.fun <= enough:
            raise StopIteration

    found = []
    for start in starts:
        found.append(search(start, SHORT))
        if found[-1].fun <= enough:
            return found[-1].x
    return search(min(found, key=lambda result: result.fun).x, iterations).x
