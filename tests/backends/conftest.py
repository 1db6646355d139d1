"""What tests that run on every backend need to say only once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tfq_fusion._keras import keras

Differentiate = Callable[..., tuple[np.ndarray, list[np.ndarray]]]


@pytest.fixture
def differentiate() -> Differentiate:
    """``differentiate(function, arrays, upstream)``: its value, and the gradients of the sum of its products."""
    return {"jax": _by_jax, "torch": _by_pytorch, "tensorflow": _by_tensorflow}[keras.backend.backend()]


def _by_jax(function: Callable[..., Any], arrays: list[np.ndarray], upstream: np.ndarray) -> Any:
    import jax

    values, transpose = jax.vjp(function, *map(jax.numpy.asarray, arrays))
    return np.asarray(values), [np.asarray(each) for each in transpose(jax.numpy.asarray(upstream, values.dtype))]


def _by_pytorch(function: Callable[..., Any], arrays: list[np.ndarray], upstream: np.ndarray) -> Any:
    import torch

    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    values = function(*tensors)
    values.backward(torch.tensor(upstream, dtype=values.dtype))
    return values.detach().numpy(), [tensor.grad.numpy() for tensor in tensors]


def _by_tensorflow(function: Callable[..., Any], arrays: list[np.ndarray], upstream: np.ndarray) -> Any:
    import tensorflow as tf

    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        values = function(*tensors)
    gradients = tape.gradient(values, tensors, tf.constant(upstream, values.dtype))
    return values.numpy(), [each.numpy() for each in gradients]
