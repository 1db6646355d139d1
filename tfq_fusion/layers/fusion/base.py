"""What all fusion layers share."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import keras
from tfq_fusion.arguments import floating_point
from tfq_fusion.layers.fusion.modalities import Shape, modality_widths


class FusionLayer(keras.layers.Layer):
    """A layer of modalities: it computes in floating point, and knows their widths once it was built."""

    _widths: tuple[int, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        floating_point("dtype", self.compute_dtype)

    def build(self, input_shape: Shape) -> None:
        """Note the widths of the modalities."""
        self._widths = modality_widths(input_shape)
        super().build(input_shape)
