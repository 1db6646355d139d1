"""PyTorch's tensors, handed to functions of JAX and back without a copy, by DLPack."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import torch

from tfq_fusion.engines.jax_operations import doubles


def differentiable(function: Callable[..., tuple[Any, Callable[[Any], tuple[Any, ...]]]]) -> Callable[..., Any]:
    """A function of PyTorch's tensors, from one of JAX's arrays that also returns what computes its gradients.

    Its gradients cannot be differentiated again: to ask for that raises a RuntimeError.
    """
    return functools.partial(_apply, function)


def _call(function: Callable[..., Any], *tensors: torch.Tensor) -> torch.Tensor:
    return _Function.apply(function, *tensors)


# Once: to make such a function takes PyTorch longer than to call it.
_apply: Callable[..., torch.Tensor] = torch.compiler.disable(_call)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *tensors: torch.Tensor) -> torch.Tensor:
        with doubles(tensors[0].dtype == torch.float64):
            values, ctx.gradient = function(*map(to_jax, tensors))
        # The arrays share their memory: saved, PyTorch notices if they are changed before the way back.
        ctx.save_for_backward(*tensors)
        return _to_torch(values, tensors[0])

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "Gradients of expectation values cannot be differentiated again on PyTorch. Leave out "
                "`create_graph=True`, or compute on JAX, which can: set KERAS_BACKEND=jax."
            )
        tensors = ctx.saved_tensors
        with doubles(upstream.dtype == torch.float64):
            gradients = ctx.gradient(to_jax(upstream))
        return None, *(_to_torch(gradient, tensor) for gradient, tensor in zip(gradients, tensors, strict=True))


def to_jax(tensor: torch.Tensor) -> jax.Array:
    """The same numbers, on the same device where JAX has it, else on the processor."""
    tensor = tensor.detach().contiguous()
    if tensor.device.type != "cpu" and not (tensor.device.type == "cuda" and jax.default_backend() == "gpu"):
        tensor = tensor.cpu()
    array: jax.Array = jax.dlpack.from_dlpack(tensor)
    return array


def _to_torch(array: jax.Array, like: torch.Tensor) -> torch.Tensor:
    # JAX computes in the background, and PyTorch would not wait for it. Given a capsule it asks no further questions.
    return torch.from_dlpack(array.block_until_ready().__dlpack__()).to(like.device)
