"""Attention fusion: a transformer block with one token per modality."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import at_least_single, keras, ops, register
from tfq_fusion.arguments import integer, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import kernel_initializer, project_modalities

_EXPANSION = 4
"""Width of the MLP's hidden layer over that of its output, of Vaswani et al."""

_EPSILON = 1e-5
"""Well below the variance 4e-4 of a position, so that the token of a modality without signal is normalised too."""


@register
class AttentionFusion(Fusion):
    r"""One pre-norm transformer block over the modalities, then the mean over the tokens.

    Token m is ``t_m = W_m^T z_m + p_m``, with a learned position ``p_m``; all of them are the rows of ``T``, and::

        A = T + MultiHead(LN(T))
        H = A + GELU(LN(A) W_1 + b_1) W_2 + b_2
        h = mean of the rows of H

    ``MultiHead`` is the self-attention of Vaswani et al. (2017, arXiv 1706.03762, section 3.2.2), GELU takes the place
    of its ReLU (Hendrycks & Gimpel 2016, arXiv 1606.08415), and the layer normalisations come first (Xiong et al.
    2020, arXiv 2002.04745). The hidden layer is ``4 * units`` wide, as in Vaswani et al. The parts are theirs; **one
    token per modality and the mean are this library's arrangement**, whereas the transformers of MultiBench (Liang et
    al. 2021, arXiv 2107.07502) attend over the entries of a sequence.

    Left out is what would not change what the layer can compute. The softmax does not see a bias of the keys, and since
    its weights sum to one, a bias of the values would be one of the output. A bias of the ``W_m`` would be one of the
    positions. ``LN`` (Ba et al. 2016, arXiv 1607.06450, epsilon 1e-5) has no scale and shift: the linear maps behind it
    would take them in.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``.
    - Weights: ``units * (sum(features_m + 1) + 12 * units + 7)``; Glorot-uniform kernels (that of each modality by
      itself), positions normal with standard deviation 0.02, zero biases.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import AttentionFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = AttentionFusion(units=16)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 16]), 3328)

    Args:
        units: Width of the tokens and of the output, at least 2 and a multiple of ``heads``.
        heads: Number of attention heads.
        seed: Seed of the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range, or if ``units`` is no multiple of ``heads``; when called as
            :class:`ConcatFusion` does.
    """

    def __init__(self, units: int, *, heads: int = 4, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)
        self.heads = integer("heads", heads)
        if self.units % self.heads:
            raise ValueError(
                f"units should be a multiple of heads={self.heads}, an equal share for each head, got {self.units}. "
                f"Take units={self.heads * (self.units // self.heads + 1)}, or other heads."
            )
        if self.units == 1:
            raise ValueError(
                "units should be at least 2, got 1: a token of one entry is zero once it is normalised. Raise units."
            )

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        units, hidden = self.units, _EXPANSION * self.units
        *seeds, position, query, key, value, output, first, second = weight_seeds(self.seed, len(widths) + 7)
        self.projections = self.add_weight(
            name="projections",
            shape=(sum(widths), units),
            initializer=kernel_initializer([keras.initializers.GlorotUniform(seed=seed) for seed in seeds], widths),
        )
        self.positions = self.add_weight(
            name="positions",
            shape=(len(widths), units),
            initializer=keras.initializers.RandomNormal(stddev=0.02, seed=position),
        )
        self.query_kernel = self._kernel("query_kernel", units, units, query)
        self.query_bias = self._bias("query_bias", units)
        # A bias of the keys would add one number to all logits of a softmax, which does not see it: no gradient.
        self.key_kernel = self._kernel("key_kernel", units, units, key)
        self.value_kernel = self._kernel("value_kernel", units, units, value)
        self.output_kernel = self._kernel("output_kernel", units, units, output)
        self.output_bias = self._bias("output_bias", units)
        self.mlp_kernel_0 = self._kernel("mlp_kernel_0", units, hidden, first)
        self.mlp_bias_0 = self._bias("mlp_bias_0", hidden)
        self.mlp_kernel_1 = self._kernel("mlp_kernel_1", hidden, units, second)
        self.mlp_bias_1 = self._bias("mlp_bias_1", units)

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        tokens = project_modalities(inputs, self.widths, self.projections) + self.positions
        tokens = tokens + self._attend(_normalize(tokens))
        hidden = ops.matmul(_normalize(tokens), self.mlp_kernel_0) + self.mlp_bias_0
        hidden = ops.gelu(hidden, approximate=False)
        tokens = tokens + ops.matmul(hidden, self.mlp_kernel_1) + self.mlp_bias_1
        return ops.mean(tokens, axis=1)

    def _attend(self, tokens: Any) -> Any:
        width = self.units // self.heads
        query = ops.matmul(tokens, self.query_kernel) + self.query_bias
        key = ops.matmul(tokens, self.key_kernel)
        value = ops.matmul(tokens, self.value_kernel)
        query, key, value = (
            ops.reshape(each, (-1, len(self.widths), self.heads, width)) for each in (query, key, value)
        )
        # Without a scale Keras takes that of single precision. The softmax is at least that precise in any case.
        attended = ops.dot_product_attention(query, key, value, scale=width**-0.5)
        attended = ops.reshape(attended, (-1, len(self.widths), self.units))
        return ops.matmul(attended, self.output_kernel) + self.output_bias

    def _kernel(self, name: str, rows: int, columns: int, seed: int) -> Any:
        return self.add_weight(
            name=name, shape=(rows, columns), initializer=keras.initializers.GlorotUniform(seed=seed)
        )

    def _bias(self, name: str, width: int) -> Any:
        return self.add_weight(name=name, shape=(width,), initializer="zeros")


def _normalize(tokens: Any) -> Any:
    # The square of a number above 255 is infinite in half precision.
    single = at_least_single(tokens)
    deviations = single - ops.mean(single, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(deviations), axis=-1, keepdims=True)
    return ops.cast(deviations * ops.rsqrt(variance + _EPSILON), tokens.dtype)


ATTENTION = FusionEntry(name="attention", caption="Attention", kind="classical", make=AttentionFusion)
