"""L-BFGS with restarts, for small problems without noise, where a search that failed must not look like a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.optimize
import tensorflow as tf

Vector = npt.NDArray[np.float64]


def flat_loss(variables: Sequence[Any], loss: Callable[..., Any]) -> Callable[..., tuple[float, Vector]]:
    """A loss of trained weights as a function of all of them in one vector, with its gradient.

    Args:
        variables: The weights, Keras' or TensorFlow's, in double precision. Their values are overwritten.
        loss: Takes further tensors and gives a scalar; it is compiled once.

    Returns:
        A function of the vector of weights and of those tensors that gives the loss and its gradient.
    """
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


def flat(variables: Sequence[Any]) -> Vector:
    """The values of trained weights in one vector."""
    return np.concatenate([np.ravel(variable.numpy()) for variable in variables])


def minimise(
    loss: Callable[[Vector], tuple[float, Vector]], starts: Iterable[Vector], enough: float, iterations: int
) -> Vector:
    """The best weights found from several starts; the search ends with the first loss that is low enough.

    Args:
        loss: Gives the loss and its gradient.
        starts: Where to start, one after the other.
        enough: The loss that is low enough.
        iterations: At most so many per start.
    """

    def stop(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        if intermediate_result.fun <= enough:
            raise StopIteration

    best = None
    for start in starts:
        found = scipy.optimize.minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=stop,
            options={"maxiter": iterations, "ftol": 1e-12, "gtol": 1e-9},
        )
        if best is None or found.fun < best.fun:
            best = found
        if best.fun <= enough:
            break
    if best is None:
        raise ValueError("minimise expects at least one start, got none.")
    return best.x
