"""What Keras' operations lack: compilation, constants that outlive a trace, and the transpose of a derivative.

Keras runs on TensorFlow or JAX; whichever it is does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

BATCH_MULTIPLE = 8
"""Batches are padded to a multiple of this, so that the odd last batch of an epoch seldom compiles anew."""


def check_backend() -> None:
    """Raise a RuntimeError unless Keras runs on TensorFlow or JAX."""
    if keras.backend.backend() not in ("tensorflow", "jax"):
        raise RuntimeError(
            f"The compiled engine runs on TensorFlow or JAX, but Keras uses {keras.backend.backend()!r}. "
            "Set KERAS_BACKEND to one of them."
        )


def _on_tensorflow() -> bool:
    return bool(keras.backend.backend() == "tensorflow")


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays with XLA."""
    if _on_tensorflow():
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    import jax

    return jax.jit(function)


def constant(array: np.ndarray) -> Any:
    """An array on the device, valid outside of any trace that it is made in."""
    if _on_tensorflow():
        import tensorflow as tf

        with tf.init_scope():
            return tf.constant(array)
    import jax

    with jax.ensure_compile_time_eval():
        return jax.numpy.asarray(array)


def pull_back(function: Callable[..., Any], inputs: tuple[Any, ...], gradients: Any) -> tuple[Any, ...]:
    """The gradients in the inputs of a function, from those in its outputs (a matching nest, which may hold Nones)."""
    if _on_tensorflow():
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(*inputs)
        targets, cotangents = (
            [leaf for leaf in tf.nest.flatten(nest) if leaf is not None] for nest in (outputs, gradients)
        )
        return tuple(tape.gradient(targets, inputs, cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO))
    import jax

    _, transpose = jax.vjp(function, *inputs)
    return transpose(gradients)


def pad_batch(array: Any) -> Any:
    """Zeros after the samples of ``[batch, ...]``, up to a multiple of :data:`BATCH_MULTIPLE`."""
    size = array.shape[0]
    if size is not None and size % BATCH_MULTIPLE == 0:
        return array
    if _on_tensorflow():
        import tensorflow as tf

        # The batch size may be unknown until the graph runs.
        missing = (-tf.shape(array)[0]) % BATCH_MULTIPLE
        return tf.pad(array, [[0, missing], *[[0, 0]] * (len(array.shape) - 1)])
    return keras.ops.pad(array, ((0, -size % BATCH_MULTIPLE), *((0, 0),) * (array.ndim - 1)))
