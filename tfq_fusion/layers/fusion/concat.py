"""Concatenation: the fusion that leaves everything to the classifier behind it."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import register
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities


@register
class ConcatFusion(Fusion):
    """Concatenates the modalities. It has no weights.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, sum of features_m]``, in the order of the modalities.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import ConcatFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = ConcatFusion()
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 7]), 0)

    Raises:
        ValueError: When called with fewer than two modalities, other ranks, batch sizes that differ, what is no real
            number, or (in eager execution) features that are NaN or infinite.
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        return concatenate_modalities(inputs, self.widths, fixed=False)

    def output_width(self, widths: tuple[int, ...]) -> int:
        """All features."""
        return sum(widths)


CONCAT = FusionEntry(name="concat", caption="Concat", kind="classical", make=ConcatFusion)
