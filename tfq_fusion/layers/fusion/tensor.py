"""Tensor fusion: every product of features, one from each modality."""

from __future__ import annotations

import math
from typing import Any

from tfq_fusion._keras import keras, ops, register
from tfq_fusion.arguments import integer, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import split_modalities

MAX_PARAMETERS = 50_000_000
"""Weights a :class:`TensorFusion` may have: 200 MB in float32, and four times that with Adam's state and gradient."""


class IntractableFusionError(ValueError):
    """A tensor fusion whose weights would not fit into memory.

    Example:
        >>> from tfq_fusion.layers import IntractableFusionError, TensorFusion
        >>> try:
        ...     TensorFusion(units=32).build([(None, 16)] * 8)
        ... except IntractableFusionError as error:
        ...     print(f"{error.parameters:,} weights")
        223,224,238,144 weights

    Args:
        widths: Number of features of each modality.
        units: Output width.

    Attributes:
        parameters: The exact number of weights the layer would have.
    """

    # Keras replaces an exception that leaves a model's `call` by a copy made from its message, without this mark.
    _keras_call_info_injected = True

    def __init__(self, widths: tuple[int, ...], units: int) -> None:
        super().__init__(widths, units)
        self.widths = widths
        self.units = units
        self.parameters = _parameters(widths, units)

    def __str__(self) -> str:
        return (
            f"TensorFusion(units={self.units}) over {len(self.widths)} modalities of {self.widths} features would "
            f"have {self.parameters} weights, more than the {MAX_PARAMETERS} it allows. Use LowRankFusion or "
            "QuantumFusionLayer, whose weights grow linearly with the modalities, or narrower or fewer modalities."
        )


@register
class TensorFusion(Fusion):
    """Tensor Fusion Network (TFN): the outer product of all modalities, then a linear map.

    ``h = vec([1; z_1] (x) ... (x) [1; z_M]) W + b`` (Zadeh et al. 2017, arXiv 1707.07250; the first linear
    layer of the source's inference network is part of the fusion here, so that all fusions give ``units``).

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``.
    - Weights: ``units * prod(features_m + 1) + units``, Glorot-uniform kernel and zero bias.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import TensorFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = TensorFusion(units=16)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 16]), 336)

    Args:
        units: Output width.
        seed: Seed of the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        IntractableFusionError: When built, if it would have more than 50 million weights (``MAX_PARAMETERS``).
        ValueError: If an argument is out of range; when called as :class:`ConcatFusion` does.
    """

    def __init__(self, units: int, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        if _parameters(widths, self.units) > MAX_PARAMETERS:
            raise IntractableFusionError(widths, self.units)
        (seed,) = weight_seeds(self.seed, 1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(_products(widths), self.units),
            initializer=keras.initializers.GlorotUniform(seed=seed),
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        first, *others = (_with_one(modality) for modality in split_modalities(inputs, self.widths))
        products = first
        for modality in others:
            size = products.shape[1] * modality.shape[1]
            products = ops.reshape(ops.multiply(products[:, :, None], modality[:, None, :]), (-1, size))
        return ops.matmul(products, self.kernel) + self.bias


def _products(widths: tuple[int, ...]) -> int:
    return math.prod(width + 1 for width in widths)


def _parameters(widths: tuple[int, ...], units: int) -> int:
    return _products(widths) * units + units


def _with_one(modality: Any) -> Any:
    return ops.pad(modality, ((0, 0), (1, 0)), constant_values=1)


TFN = FusionEntry(name="tfn", caption="TFN", kind="classical", make=TensorFusion)
