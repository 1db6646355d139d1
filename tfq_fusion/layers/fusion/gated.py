"""Gated fusion: each modality's hidden features, let through by gates that see all modalities."""

from __future__ import annotations

import math
from typing import Any

from tfq_fusion._keras import keras, ops, register
from tfq_fusion.arguments import integer, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities, kernel_initializer, project_modalities


@register
class GatedFusion(Fusion):
    r"""Gated Multimodal Unit (GMU).

    ``h = sum_m sigmoid(W'_m^T [z_1; ...; z_M]) * tanh(W_m^T z_m)``, the products taken element by element (Arevalo et
    al. 2017, arXiv 1702.01992, in the form for any number of modalities; the form for two, whose one gate closes one
    modality as it opens the other, is another layer). No biases, as in the source.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``, each entry within (-M, M).
    - Weights: ``units * sum(features_m) * (M + 1)``, quadratic in the number of modalities M. Each ``W_m`` and each
      ``W'_m`` starts Glorot-uniform.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import GatedFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = GatedFusion(units=16)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 16]), 336)

    Args:
        units: Output width.
        seed: Seed of the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range; when called as :class:`ConcatFusion` does.
    """

    def __init__(self, units: int, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        features = sum(widths)
        *seeds, gate_seed = weight_seeds(self.seed, len(widths) + 1)
        self.projections = self.add_weight(
            name="projections",
            shape=(features, self.units),
            initializer=kernel_initializer([keras.initializers.GlorotUniform(seed=seed) for seed in seeds], widths),
        )
        # The limit of one gate's matrix, not of all of them side by side.
        limit = math.sqrt(6 / (features + self.units))
        self.gates = self.add_weight(
            name="gates",
            shape=(features, len(widths) * self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit, seed=gate_seed),
        )

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        hidden = ops.tanh(project_modalities(inputs, self.widths, self.projections))
        gates = ops.sigmoid(ops.matmul(concatenate_modalities(inputs, self.widths), self.gates))
        return ops.sum(ops.reshape(gates, (-1, len(self.widths), self.units)) * hidden, axis=1)


GATED = FusionEntry(name="gated", caption="Gated", kind="classical", make=GatedFusion)
