"""Low-rank fusion: tensor fusion whose weight tensor is a sum of `rank` products of one factor per modality."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from tfq_fusion._keras import keras, ops, register
from tfq_fusion.arguments import integer, one_of, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import kernel_initializer, multiply_modalities, project_modalities

Initialization = Literal["xavier", "unit"]


@register
class LowRankFusion(Fusion):
    r"""Low-rank Multimodal Fusion (LMF).

    ``h = sum_r w_r prod_m ([1; z_m]^T W_m^(r)) + b``, the product taken element by element (Liu et al. 2018,
    arXiv 1806.00064, with the weights ``w`` and the bias ``b`` of the authors' public code). All of it is trained.

    The product of M factors keeps its scale only if each factor is near one:

    - ``"xavier"`` initialises as the authors' code does, with PyTorch's ``xavier_normal_`` on tensors of shape
      ``[rank, features_m + 1, units]`` and ``[1, rank]``: normal (not truncated) with variance
      ``2 / (units (features_m + 1 + rank))`` for the factors and ``2 / (rank + 1)`` for ``w``. Made for three
      modalities; the root mean square of the product is
      ``prod_m sqrt(2 (1 + |z_m|^2) / (units (features_m + 1 + rank)))``, which vanishes as M grows (for more
      than two units and features of at most unit mean square).
    - ``"unit"`` is this library's variant, not the paper's: the row of each factor that meets the constant 1
      is one, the others are normal with variance ``1 / (M features_m)``, and ``w_r = 1 / rank``. A factor is then
      ``1 + O(1 / sqrt(M))``, and the product has mean 1 and, for features of unit mean square, a root mean square
      of at most ``sqrt(e)``, whatever M is.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``.
    - Weights: ``rank * units * sum(features_m + 1) + rank + units``.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import LowRankFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = LowRankFusion(units=32, rank=4)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 32]), 1188)

    Args:
        units: Output width.
        rank: Number of rank-one terms R.
        initialization: ``"xavier"`` or ``"unit"``.
        seed: Seed of the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range; when called as :class:`ConcatFusion` does.
    """

    def __init__(
        self,
        units: int,
        *,
        rank: int = 4,
        initialization: Initialization = "xavier",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)
        self.rank = integer("rank", rank)
        self.initialization = one_of("initialization", initialization, get_args(Initialization))

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        modalities = len(widths)
        *seeds, weight_seed = weight_seeds(self.seed, 2 * modalities + 1)
        xavier = self.initialization == "xavier"
        deviations = [self._standard_deviation(width) for width in widths]
        normals = [
            keras.initializers.RandomNormal(stddev=deviation, seed=seed)
            for deviation, seed in zip(2 * deviations, seeds, strict=True)
        ]
        # The rows of all W_m that meet the constant 1, and those that meet features.
        self.constants = self.add_weight(
            name="constants",
            shape=(modalities, self.rank * self.units),
            initializer=kernel_initializer(normals[:modalities], [1] * modalities) if xavier else "ones",
        )
        self.factors = self.add_weight(
            name="factors",
            shape=(sum(widths), self.rank * self.units),
            initializer=kernel_initializer(normals[modalities:], widths),
        )
        self.rank_weights = self.add_weight(
            name="rank_weights",
            shape=(self.rank,),
            initializer=keras.initializers.RandomNormal(stddev=math.sqrt(2 / (self.rank + 1)), seed=weight_seed)
            if xavier
            else keras.initializers.Constant(1 / self.rank),
        )
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        projected = self.constants + project_modalities(inputs, self.widths, self.factors)
        terms = ops.reshape(multiply_modalities(projected), (-1, self.rank, self.units))
        return ops.einsum("r,bru->bu", self.rank_weights, terms) + self.bias

    def _standard_deviation(self, width: int) -> float:
        if self.initialization == "xavier":
            return math.sqrt(2 / (self.units * (width + 1 + self.rank)))
        return 1 / math.sqrt(len(self.widths) * width)


LMF = FusionEntry(name="lmf", caption="LMF", kind="classical", make=LowRankFusion)
LMF_UNIT = FusionEntry(
    name="lmf-unit",
    caption="LMF, unit scale",
    kind="classical",
    make=lambda units, seed, **arguments: LowRankFusion(units, initialization="unit", seed=seed, **arguments),
)
