"""The arrays that the compiled engine computes with, and what Keras' operations lack of them.

Those of TensorFlow if Keras runs on it, else those of JAX, to which PyTorch's tensors are handed over. What Keras'
operations lack is compilation, constants that outlive a trace, the transpose of a derivative, and complex128.
"""

from __future__ import annotations

import bisect
import functools
import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import keras3 as keras
from tfq_fusion._quiet import compile_quietly

_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"

ops: Any = importlib.import_module("keras.ops" if _ON_TENSORFLOW else "tfq_fusion.engines.jax_operations")
"""Keras' operations, on the arrays of this module."""

SMALL_BATCH, BATCH = 8, 32
SIZES = (SMALL_BATCH, BATCH, *(size << octave for octave in range(25) for size in (2 * BATCH, 3 * BATCH)))
"""What a batch is padded to: the last of an epoch, or those of episodes that end at any time, compile little new."""

WIDE_SIZES = (1, 2, 4, 8, 16, *SIZES[1:])
"""The same on a wide register, where a sample more costs as much as any other."""


def check_backend() -> None:
    """Raise a RuntimeError unless Keras runs on a backend whose arrays can be used or handed over."""
    if keras.backend.backend() not in ("tensorflow", "jax", "torch"):
        raise RuntimeError(
            f"The compiled engine runs on TensorFlow, JAX or PyTorch, but Keras uses {keras.backend.backend()!r}. "
            "Set KERAS_BACKEND to 'tensorflow', 'jax' or 'torch'."
        )


def jit(
    forward: Callable[..., Any], backward: Callable[..., Any], arguments: Sequence[Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile two functions of arrays with XLA, for batches of any size.

    Args:
        forward: Gives its result and what else ``backward`` wants to know.
        backward: Takes the first three arguments of ``forward``, what that gives but for its result, and an array like
            the result.
        arguments: What ``forward`` takes, as nests of ``keras.KerasTensor``, in which None is the size of a batch.
    """
    if _ON_TENSORFLOW:
        import tensorflow as tf

        compile_quietly()

        def compiled(function: Callable[..., Any], signature: Any) -> Any:
            # As a partial function: of all circuits' it would warn as of one function that it traces again and again.
            function = functools.partial(function)
            return tf.function(function, input_signature=signature, jit_compile=True, autograph=False)

        # Else TensorFlow would trace each size of a batch, which takes longer than to compile it.
        taken = tf.nest.map_structure(lambda each: tf.TensorSpec(each.shape, each.dtype), list(arguments))
        there = compiled(forward, taken)

        @functools.cache
        def back() -> Any:
            result, *kept = tf.nest.map_structure(
                tf.TensorSpec.from_tensor, there.get_concrete_function().structured_outputs
            )
            return compiled(backward, [*taken[:3], *kept, result])

        def and_back(*given: Any) -> Any:
            return (backward if tf.config.functions_run_eagerly() else back())(*given)

        return there, and_back
    import jax

    return jax.jit(forward), jax.jit(backward)


def unconverted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep AutoGraph out of a function: it would rewrite all that a call reaches, for seconds, and find nothing."""
    if _ON_TENSORFLOW:
        import tensorflow as tf

        function = tf.autograph.experimental.do_not_convert(function)
    return function


def constant(array: npt.NDArray[Any]) -> Any:
    """An array on the device, valid outside of any trace that it is made in."""
    if _ON_TENSORFLOW:
        import tensorflow as tf

        with tf.init_scope():
            return tf.constant(array)
    import jax

    from tfq_fusion.engines.jax_operations import doubles

    with jax.ensure_compile_time_eval(), doubles(array.dtype == np.float64):
        return jax.numpy.asarray(array)


def read(array: Any) -> Any:
    """The value of an array, or of a variable that stands for one: a custom gradient takes no variables."""
    if _ON_TENSORFLOW:
        import tensorflow as tf

        return tf.identity(array)
    return array


def known(array: Any) -> Any:
    """An array whose derivative nobody asks for.

    A tape of TensorFlow records what happens inside of a custom gradient, too, and would have all its steps kept.
    """
    if _ON_TENSORFLOW:
        import tensorflow as tf

        return tf.stop_gradient(array)
    return array


def available(dtype: str) -> str:
    """The dtype that arrays get where this one is asked for: JAX has doubles only where they were switched on."""
    if keras.backend.backend() != "jax":
        return dtype
    import jax

    return str(jax.dtypes.canonicalize_dtype(dtype).name)


def complex_array(real: Any, imaginary: Any) -> Any:
    """Real and imaginary parts as complex numbers: the derivative of a cast would discard one with a warning."""
    if _ON_TENSORFLOW:
        import tensorflow as tf

        return tf.complex(real, imaginary)
    import jax

    return jax.lax.complex(real, imaginary)


def require_equal_batches(first: Any, second: Any) -> None:
    """Raise an error if two arrays have not the same number of samples, where it is not known before the graph runs."""
    if None in (first.shape[0], second.shape[0]):
        import tensorflow as tf

        # Only TensorFlow leaves a batch size unknown until the graph runs.
        tf.debugging.assert_equal(
            tf.shape(first)[0], tf.shape(second)[0], "states should have one row per sample of the data."
        )


def einsum(equation: str, *operands: Any) -> Any:
    """An Einstein sum in the operands' precision: Keras' own casts complex128 to complex64."""
    if _ON_TENSORFLOW:
        import tensorflow as tf

        return tf.einsum(equation, *operands)
    import jax

    return jax.numpy.einsum(equation, *operands)


def differentiable(function: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """A function of the backend's tensors, from one of arrays that also returns what computes its gradients."""
    if keras.backend.backend() == "torch":
        from tfq_fusion.engines import pytorch

        return pytorch.differentiable(function)
    of_tensors: Callable[..., Any] = keras.ops.custom_gradient(function)
    return of_tensors


def handed_over(tensor: Any) -> Any:
    """A tensor of the backend as an array, for what needs no gradient."""
    if keras.backend.backend() == "torch":
        from tfq_fusion.engines import pytorch

        return pytorch.to_jax(tensor)
    return tensor


def pull_back(function: Callable[..., Any], inputs: tuple[Any, ...], gradients: Any) -> tuple[Any, ...]:
    """The gradients in the inputs of a function, from those in its outputs (a matching nest, which may hold Nones)."""
    if _ON_TENSORFLOW:
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
    return tuple(transpose(gradients))


def scan(function: Callable[[Any, Any], tuple[Any, Any]], carry: Any, given: Any, length: int) -> tuple[Any, Any]:
    """Call a function again and again, in one loop.

    Args:
        function: From what is carried, and one slice of what is given, to what is carried on and what is left.
        carry: What is carried at first, a nest of arrays.
        given: A nest of arrays ``[length, ...]``.
        length: How often.

    Returns:
        What is carried in the end, and all that was left, ``[length, ...]``.
    """
    if not _ON_TENSORFLOW:
        import jax

        carry, left = jax.lax.scan(function, carry, given, length)
        return carry, left
    import tensorflow as tf

    def spec(array: Any) -> Any:
        return tf.TensorSpec.from_tensor(tf.convert_to_tensor(array))

    def slices(number: Any) -> Any:
        return tf.nest.map_structure(lambda array: tf.gather(array, number), given)

    if tf.executing_eagerly():
        found = []
        for number in range(length):
            carry, left = function(carry, slices(number))
            found.append(left)
        return carry, tf.nest.map_structure(lambda *parts: tf.stack(parts), *found)
    once = tf.function(function, autograph=False)
    traced = once.get_concrete_function(*tf.nest.map_structure(spec, (carry, slices(0))))
    _, left = traced.structured_outputs
    kept = [tf.TensorArray(each.dtype, length, element_shape=each.shape) for each in tf.nest.flatten(left)]

    def body(number: Any, carry: Any, kept: Any) -> Any:
        carry, left = once(carry, slices(number))
        written = [array.write(number, each) for array, each in zip(kept, tf.nest.flatten(left), strict=True)]
        return number + 1, carry, written

    loop = (tf.constant(0), carry, kept)
    _, carry, kept = tf.while_loop(lambda number, *_: number < length, body, loop, maximum_iterations=length)
    return carry, tf.nest.pack_sequence_as(left, [array.stack() for array in kept])


def known_zero(array: Any) -> Any:
    """Zero, known when an array is.

    No product with zero: of a gradient that is not finite it would be NaN, for all samples.
    """
    return ops.cast(ops.reshape(array, (-1,))[0] > math.inf, array.dtype)


def padded_size(size: int, sizes: Sequence[int] = SIZES) -> int:
    """How many samples :func:`pad_batch` makes of a batch."""
    return sizes[bisect.bisect_left(sizes, size)]


def pad_batch(array: Any, sizes: Sequence[int] = SIZES) -> Any:
    """Zeros after the samples of ``[batch, ...]``, up to the next of these sizes.

    An empty batch is padded too: an empty last shard of a distributed batch has a gradient, of zeros.
    """
    size = array.shape[0]
    if size is not None:
        missing = padded_size(size, sizes) - size
        return keras.ops.pad(array, ((0, missing), *((0, 0),) * (len(array.shape) - 1))) if missing else array
    import tensorflow as tf

    # Only TensorFlow leaves a batch size unknown until the graph runs.
    size = tf.shape(array)[0]
    missing = tf.gather(sizes, tf.searchsorted(sizes, size[tf.newaxis])[0]) - size
    return tf.pad(array, [[0, missing], *[[0, 0]] * (len(array.shape) - 1)])
