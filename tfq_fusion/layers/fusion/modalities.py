"""The common input of every fusion layer: a list of modalities, or one tensor that stacks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tfq_fusion._keras import all_finite, ops, real_tensor

__all__ = [
    "batch_size",
    "concatenate_modalities",
    "kernel_initializer",
    "modality_widths",
    "multiply_modalities",
    "project_modalities",
    "split_modalities",
    "stack_modalities",
]

Shape = Any
"""Keras' shape of an input: nested sequences of sizes, of which TensorFlow's own shape type is one."""

_EXPECTED = "Pass a list of [batch, features] tensors or one [batch, modalities, features] tensor."


def modality_widths(input_shape: Shape, built: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The number of features of each modality, from the shape of a fusion layer's input.

    Args:
        input_shape: A sequence of shapes ``[batch, features_m]``, or one shape ``[batch, modalities, features]``.
        built: What the layer was built for, if it was. A width that the shape leaves unknown is the one in there.

    Returns:
        One width per modality.

    Raises:
        ValueError: If there are fewer than two modalities, if a shape has another rank or an unknown width, or if
            known batch sizes differ.
    """
    shapes = _modality_shapes(input_shape, built)
    if len(shapes) < 2:
        raise ValueError(
            f"A fusion layer expects at least two modalities, got {len(shapes)} (input shape {input_shape}). "
            + _EXPECTED
        )
    for position, shape in enumerate(shapes):
        if len(shape) != 2 or not isinstance(shape[1], int) or shape[1] < 1:
            raise ValueError(
                f"Modality {position} should have shape [batch, features] with a known number of features, "
                f"got {shape}. Flatten or encode it first."
            )
    sizes = [shape[0] for shape in shapes]
    if len(set(sizes) - {None}) > 1:
        raise ValueError(f"All modalities should have the same batch size, got {sizes}. Pair the samples first.")
    return tuple(shape[1] for shape in shapes)


def batch_size(input_shape: Shape, built: tuple[int, ...] = ()) -> int | None:
    """The batch size of a fusion layer's input; None where no modality's is known.

    Args and errors are those of :func:`modality_widths`.
    """
    modality_widths(input_shape, built)
    return next((shape[0] for shape in _modality_shapes(input_shape, built) if shape[0] is not None), None)


def split_modalities(inputs: Any, widths: tuple[int, ...] = (), fixed: bool = True) -> list[Any]:
    """The modalities as a list of ``[batch, features_m]`` tensors, whichever form the input has.

    Args:
        inputs: A list of tensors or arrays ``[batch, features_m]``, or one ``[batch, modalities, features]``. Their
            static shapes may leave out what ``widths`` says.
        widths: What the layer was built for; empty if it was not.
        fixed: Whether the layer takes no other widths, because of its weights.

    Raises:
        ValueError: As :func:`modality_widths`; if the widths are not those of ``widths``; and in eager execution if
            a feature is NaN or infinite. Inside a compiled function values cannot be looked at, so a diverging
            training run shows up in its loss instead.
    """
    modalities = _checked(inputs, widths, fixed)
    return modalities if isinstance(modalities, list) else ops.unstack(modalities, axis=1)


def concatenate_modalities(inputs: Any, widths: tuple[int, ...] = (), fixed: bool = True) -> Any:
    """The features of all modalities, one after the other, ``[batch, sum of features_m]``.

    Args and errors are those of :func:`split_modalities`.
    """
    modalities = _checked(inputs, widths, fixed)
    if isinstance(modalities, list):
        return ops.concatenate(modalities, axis=1)
    return ops.reshape(modalities, (-1, modalities.shape[1] * modalities.shape[2]))


def stack_modalities(inputs: Any, widths: tuple[int, ...]) -> Any:
    """The modalities as one tensor ``[batch, modalities, widest]``, narrower ones padded with zeros.

    Args and errors are those of :func:`split_modalities`.
    """
    modalities = _checked(inputs, widths)
    if not isinstance(modalities, list):
        return modalities
    padding = [max(widths) - width for width in widths]
    return ops.stack(
        [
            ops.pad(modality, ((0, 0), (0, missing))) if missing else modality
            for modality, missing in zip(modalities, padding, strict=True)
        ],
        axis=1,
    )


def project_modalities(inputs: Any, widths: tuple[int, ...], kernel: Any) -> Any:
    """Each modality times a matrix of its own.

    One operation where all widths are equal, and one variable in any case: hundreds of modalities stay cheap.

    Args:
        inputs: As for :func:`split_modalities`, whose errors this raises.
        widths: Likewise.
        kernel: The matrices one above the other, ``[sum of features_m, units]``.

    Returns:
        ``[batch, modalities, units]``.
    """
    if len(set(widths)) == 1:
        matrices = ops.reshape(kernel, (len(widths), widths[0], -1))
        return ops.einsum("bmf,mfu->bmu", stack_modalities(inputs, widths), matrices)
    matrices = ops.split(kernel, np.cumsum(widths[:-1]).tolist())
    pairs = zip(split_modalities(inputs, widths), matrices, strict=True)
    return ops.stack([ops.matmul(modality, matrix) for modality, matrix in pairs], axis=1)


def multiply_modalities(factors: Any) -> Any:
    """The product over the modalities, ``[batch, modalities, units]`` to ``[batch, units]``, in pairs.

    Of ``ops.prod``, and of a product of slices, the derivative takes several times as long.
    """
    while (modalities := factors.shape[1]) > 1:
        half = modalities // 2
        products = factors[:, :half] * factors[:, half : 2 * half]
        factors = ops.concatenate([products, factors[:, 2 * half :]], axis=1) if modalities % 2 else products
    return factors[:, 0]


def kernel_initializer(initializers: Sequence[Callable[..., Any]], widths: Sequence[int]) -> Callable[..., Any]:
    """An initialiser for a kernel of :func:`project_modalities`, from one for each modality's matrix."""

    def initialize(shape: tuple[int, int], dtype: Any = None) -> Any:
        return ops.concatenate(
            [
                initializer((width, shape[1]), dtype=dtype)
                for initializer, width in zip(initializers, widths, strict=True)
            ]
        )

    return initialize


def _checked(inputs: Any, widths: tuple[int, ...], fixed: bool = True) -> Any:
    """A list of tensors or one stacked tensor, as the input is, of known widths."""
    _require_order(inputs)
    if isinstance(inputs, (list, tuple)):
        modalities = [
            real_tensor(modality, f"Modality {position} should be a tensor of real numbers")
            for position, modality in enumerate(inputs)
        ]
        found = modality_widths([modality.shape for modality in modalities], widths)
        modalities = [_of_shape(each, (width,)) for each, width in zip(modalities, found, strict=True)]
    else:
        modalities = real_tensor(inputs, f"A fusion layer expects real numbers. {_EXPECTED[:-1]}")
        found = modality_widths(modalities.shape, widths)
        modalities = _of_shape(modalities, (len(found), found[0]))
    if fixed and widths and found != widths:
        raise ValueError(
            f"This layer was built for modalities of {widths} features, got {found}. "
            "Keep their order, or build a new layer."
        )
    _require_finite(modalities)
    return modalities


def _of_shape(tensor: Any, expected: tuple[int, ...]) -> Any:
    """The tensor, its static shape completed: what it turns out to be is compared when the graph runs."""
    if getattr(tensor.shape, "rank", 0) is not None and None not in tuple(tensor.shape)[1:]:
        return tensor
    # Only TensorFlow leaves sizes unknown until the graph runs.
    import tensorflow as tf

    return tf.ensure_shape(tensor, (None, *expected))


def _modality_shapes(input_shape: Shape, built: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
    _require_order(input_shape)
    # Keras 3 has no shape at all for an empty list, and TensorFlow's unknown shape cannot be iterated over.
    if input_shape is None:
        return []
    if getattr(input_shape, "rank", 0) is None:
        return [(None, width) for width in built]
    shape = list(input_shape)
    if shape and all(size is None or isinstance(size, int) for size in shape):
        if built and len(shape) == 3:
            axes = len(built), built[0]
            shape = [shape[0], *(old if size is None else size for size, old in zip(shape[1:], axes, strict=True))]
        if len(shape) != 3 or shape[1] is None:
            raise ValueError(
                "A fusion layer expects a list of [batch, features] tensors or one [batch, modalities, features] "
                f"tensor with a known number of modalities, got one tensor of shape {tuple(shape)}."
            )
        return [(shape[0], shape[2])] * shape[1]
    modalities = []
    for position, modality in enumerate(shape):
        known = built[position] if position < len(built) else None
        if modality is None or getattr(modality, "rank", 0) is None:
            modalities.append(() if known is None else (None, known))
        else:
            sizes = tuple(modality)
            modalities.append((sizes[0], known) if len(sizes) == 2 and sizes[1] is None else sizes)
    return modalities


def _require_order(modalities: Any) -> None:
    if isinstance(modalities, Mapping):
        raise ValueError(
            f"A fusion layer expects modalities in an order, got a dict of {list(modalities)}. {_EXPECTED}"
        )


def _require_finite(modalities: Any) -> None:
    if not isinstance(modalities, list):
        # One look at all of them, and one at each only to name the first that is not finite.
        modalities = [] if all_finite(modalities) else ops.unstack(modalities, axis=1)
    for position, modality in enumerate(modalities):
        if not all_finite(modality):
            raise ValueError(
                f"Modality {position} holds NaN or infinite features; a fusion layer expects finite ones. "
                "Impute or drop the samples before the layer."
            )
