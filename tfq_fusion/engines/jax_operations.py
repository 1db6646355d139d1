"""Keras' operations, as far as the compiled engine needs them, on JAX's arrays whatever Keras itself runs on."""

from __future__ import annotations

import contextlib
from typing import Any

import jax
from jax.numpy import (
    all,
    broadcast_to,
    concatenate,
    cos,
    einsum,
    eye,
    imag,
    isfinite,
    matmul,
    ones,
    real,
    reshape,
    sin,
    stack,
    sum,
    swapaxes,
    take,
    transpose,
    where,
    zeros_like,
)


def doubles(wanted: bool) -> contextlib.AbstractContextManager[Any]:
    """A context in which JAX has double precision, if that is wanted, whether or not it was switched on."""
    if not wanted:
        return contextlib.nullcontext()
    context: contextlib.AbstractContextManager[Any] = (
        jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
    )
    return context


def cast(array: Any, dtype: Any) -> jax.Array:
    """The array in another precision."""
    return jax.numpy.asarray(array, dtype)


def convert_to_tensor(array: Any, dtype: Any = None) -> jax.Array:
    """An array of JAX."""
    return jax.numpy.asarray(array, dtype)


def one_hot(index: int, count: int, dtype: Any) -> jax.Array:
    """Zeros ``[count]`` with a one at the index."""
    return jax.nn.one_hot(index, count, dtype=dtype)


def shape(array: jax.Array) -> tuple[int, ...]:
    """The shape, which is always known."""
    return tuple(array.shape)


def unstack(array: jax.Array, num: int, axis: int = 0) -> tuple[jax.Array, ...]:
    """The parts along an axis of length ``num``."""
    del num
    return tuple(jax.numpy.unstack(array, axis=axis))


__all__ = [
    "all",
    "broadcast_to",
    "cast",
    "concatenate",
    "convert_to_tensor",
    "cos",
    "doubles",
    "einsum",
    "eye",
    "imag",
    "isfinite",
    "matmul",
    "one_hot",
    "ones",
    "real",
    "reshape",
    "shape",
    "sin",
    "stack",
    "sum",
    "swapaxes",
    "take",
    "transpose",
    "unstack",
    "where",
    "zeros_like",
]
