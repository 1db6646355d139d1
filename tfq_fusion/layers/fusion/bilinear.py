"""Factorised bilinear pooling: the product of one projection per modality, pooled and normalised."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import at_least_single, keras, ops, register
from tfq_fusion.arguments import integer, number, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import kernel_initializer, multiply_modalities, project_modalities

_SMOOTHING = 1e-8
_NEGLIGIBLE = 1e-37
"""Close to the smallest number of single precision that has a reciprocal."""
_DROPPED = -1e30
"""A logarithm below that of any product."""


@register
class FactorizedBilinearFusion(Fusion):
    r"""Multi-modal Factorized Bilinear pooling (MFB).

    With ``p = dropout(prod_m U_m^T z_m)``, ``factors * units`` wide, and ``s_o`` the sum of the ``factors``
    neighbouring entries of ``p`` that belong to output ``o``: ``h = y / ||y||_2`` with
    ``y_o = sign(s_o) sqrt(|s_o|)`` (Yu et al. 2017, arXiv 1708.01471).

    The source fuses two modalities. **For more than two, the product of all projections is this library's
    extension.** A product of hundreds of projections leaves the range of single precision, so it is one of signs, and
    a sum of logarithms of magnitudes. Any positive factor per sample cancels in the normalisation: the largest product
    that dropout has kept is scaled to 1, however small it is.

    The derivative of the square root is infinite at zero. Its place takes ``s / sqrt(|s| + 1e-8)``, ``s`` scaled to
    ``sum |s| = 1``: outputs differ by less than 4e-5 from the source's, and a sample without signal gives
    zeros and finite gradients.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``, each row of unit length.
    - Weights: ``factors * units * sum(features_m)``, Glorot-uniform, no biases.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import FactorizedBilinearFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = FactorizedBilinearFusion(units=32)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 32]), 1120)

    Args:
        units: Output width.
        factors: Number of factors k that are sum-pooled into one output.
        dropout: Fraction of the product that is dropped in training.
        seed: Seed of the initial weights and the dropout; None draws one, repeatable by
            ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range; when called as :class:`ConcatFusion` does.
    """

    def __init__(
        self,
        units: int,
        *,
        factors: int = 5,
        dropout: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)
        self.factors = integer("factors", factors)
        self.dropout = number("dropout", dropout, minimum=0, below=1)
        # Keras casts what a layer gets to the type of that layer.
        precision = "float64" if self.compute_dtype == "float64" else "float32"
        self._dropout = keras.layers.Dropout(self.dropout, seed=self.seed, dtype=precision)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        seeds = weight_seeds(self.seed, len(widths))
        self.projections = self.add_weight(
            name="projections",
            shape=(sum(widths), self.units * self.factors),
            initializer=kernel_initializer([keras.initializers.GlorotUniform(seed=seed) for seed in seeds], widths),
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Fuse the modalities."""
        # What follows divides small numbers by small ones: half precision has none as small as the smoothing.
        projections = at_least_single(project_modalities(inputs, self.widths, self.projections))
        magnitudes = ops.stop_gradient(ops.abs(projections))
        magnitudes = _one_unless(magnitudes > _NEGLIGIBLE, magnitudes)
        signs = multiply_modalities(projections / magnitudes)
        logarithms = ops.sum(ops.log(magnitudes), axis=1)
        kept = self._dropout(ops.ones_like(logarithms), training=training) > 0
        logarithms = ops.where(kept, logarithms, _DROPPED)
        product = signs * ops.exp(logarithms - ops.max(logarithms, axis=1, keepdims=True, initial=_DROPPED))
        product = ops.where(kept, product, 0)
        pooled = ops.sum(ops.reshape(product, (-1, self.units, self.factors)), axis=2)
        # The squared length after the signed square root is the sum of absolute values before it.
        length = ops.sum(ops.abs(pooled), axis=1, keepdims=True)
        pooled = pooled / _one_unless(length > 0, length)
        return ops.cast(pooled / ops.sqrt(ops.abs(pooled) + _SMOOTHING), self.compute_dtype)


def _one_unless(condition: Any, divisor: Any) -> Any:
    return ops.where(condition, divisor, ops.ones_like(divisor))


MFB = FusionEntry(name="mfb", caption="MFB", kind="classical", make=FactorizedBilinearFusion)
