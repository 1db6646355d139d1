"""Concatenation: the fusion that leaves everything to the classifier behind it."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import register
from tfq_fusion.layers.fusion.base import FusionLayer
from tfq_fusion.layers.fusion.modalities import Shape, batch_size, concatenate_modalities, modality_widths


@register
class ConcatFusion(FusionLayer):
    """Concatenates the modalities. It has no weights.

    Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    Output: ``[batch, sum of features_m]``, in the order of the modalities.

    Raises:
        ValueError: When called with fewer than two modalities, other ranks, batch sizes that differ, what is no real
            number, or (in eager execution) features that are NaN or infinite.
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        return concatenate_modalities(inputs, self._widths, fixed=False)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        """``(batch, sum of features_m)``."""
        return batch_size(input_shape, self._widths), sum(modality_widths(input_shape, self._widths))
