import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import norm

from tfq_fusion._keras import keras
from tfq_fusion.layers.fusion.attention import AttentionFusion

pytestmark = pytest.mark.keras


def drawn(layer: AttentionFusion, seed: int = 0) -> dict[str, np.ndarray]:
    """Gives a built layer weights of which none is zero, and returns them by name."""
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in layer.get_weights()])
    names = [weight.name.split("/")[-1].removesuffix(":0") for weight in layer.weights]
    return dict(zip(names, (weight.astype(np.float64) for weight in layer.get_weights()), strict=True))


def normalized(tokens: np.ndarray) -> np.ndarray:
    return (tokens - tokens.mean(axis=-1, keepdims=True)) / np.sqrt(tokens.var(axis=-1, keepdims=True) + 1e-5)


def attention(tokens: np.ndarray, w: dict[str, np.ndarray], heads: int) -> np.ndarray:
    """Of one sample's tokens, head by head: softmax(Q K^T / sqrt(d)) V, the heads side by side, times W^O."""
    queries, keys, values = (
        tokens @ w["query_kernel"] + w["query_bias"],
        tokens @ w["key_kernel"],
        tokens @ w["value_kernel"],
    )
    found = []
    for query, key, value in zip(*(np.split(each, heads, axis=1) for each in (queries, keys, values)), strict=True):
        found.append(softmax(query @ key.T / math.sqrt(query.shape[1]), axis=1) @ value)
    return np.concatenate(found, axis=1) @ w["output_kernel"] + w["output_bias"]


@pytest.mark.parametrize("widths", [(4, 3), (4, 1, 3), (3, 3, 3)])
@pytest.mark.parametrize("heads", [1, 2, 6])
def test_is_the_mean_of_the_tokens_behind_a_pre_norm_block(features, widths, heads):
    inputs = features(*widths)
    layer = AttentionFusion(6, heads=heads)
    layer(inputs)
    w = drawn(layer)
    projections = np.split(w["projections"], np.cumsum(widths)[:-1])
    expected = []
    for sample in zip(*inputs, strict=True):
        tokens = np.stack([modality @ matrix for modality, matrix in zip(sample, projections, strict=True)])
        tokens = tokens + w["positions"]
        tokens = tokens + attention(normalized(tokens), w, heads)
        hidden = normalized(tokens) @ w["mlp_kernel_0"] + w["mlp_bias_0"]
        tokens = tokens + hidden * norm.cdf(hidden) @ w["mlp_kernel_1"] + w["mlp_bias_1"]
        expected.append(tokens.mean(axis=0))
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_is_the_block_of_keras_layers_whose_scales_shifts_and_further_biases_are_folded_in(features):
    """Nothing that the layer leaves out could compute more."""
    inputs, rng = features(4, 4, 4), np.random.default_rng(1)
    norms = [keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2)]
    attend = keras.layers.MultiHeadAttention(num_heads=2, key_dim=3)
    expand, contract = keras.layers.Dense(24, activation="gelu"), keras.layers.Dense(6)
    matrices, biases = rng.normal(size=(3, 4, 6)).astype("f"), rng.normal(size=(3, 6)).astype("f")
    tokens = tf.einsum("bmf,mfu->bmu", np.stack(inputs, axis=1), matrices) + biases

    def block():
        normed = norms[0](tokens)
        attended = tokens + attend(normed, normed)
        return tf.reduce_mean(attended + contract(expand(norms[1](attended))), axis=1)

    block()
    for part in (*norms, attend, expand, contract):
        part.set_weights([rng.normal(scale=0.5, size=weight.shape) for weight in part.get_weights()])

    (scale, shift), (mlp_scale, mlp_shift) = (part.get_weights() for part in norms)
    query, query_bias, key, _, value, value_bias, output, output_bias = (
        weight.reshape(-1, 6) if weight.ndim == 3 else weight.reshape(-1) for weight in attend.get_weights()
    )
    (first, first_bias), (second, second_bias) = expand.get_weights(), contract.get_weights()
    layer = AttentionFusion(6, heads=2)
    layer(inputs)
    layer.set_weights([
        matrices.reshape(-1, 6), biases,
        scale[:, None] * query, shift @ query + query_bias,
        scale[:, None] * key,
        scale[:, None] * value,
        output, (shift @ value + value_bias) @ output + output_bias,
        mlp_scale[:, None] * first, mlp_shift @ first + first_bias,
        second, second_bias,
    ])  # fmt: skip
    np.testing.assert_allclose(layer(inputs), block(), rtol=1e-4, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=6),
    heads=st.integers(1, 3),
    width=st.integers(2, 4),
)
def test_parameter_count(widths, heads, width):
    units = heads * width
    layer = AttentionFusion(units, heads=heads)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == units * (sum(width + 1 for width in widths) + 12 * units + 7)


def test_each_kernel_starts_glorot_uniform_and_the_positions_small():
    layer = AttentionFusion(40, seed=0)
    layer.build([(None, 30), (None, 90)])
    projections, positions, *others = layer.get_weights()
    kernels = [weight for weight in others if weight.ndim == 2]
    assert len(kernels) == 6
    for matrix in (*np.split(projections, [30]), *kernels):
        limit = math.sqrt(6 / sum(matrix.shape))
        assert 0.99 * limit < np.abs(matrix).max() <= limit
        assert np.std(matrix) == pytest.approx(limit / math.sqrt(3), rel=0.05)
    assert np.std(positions) == pytest.approx(0.02, rel=0.2)
    assert not any(weight.any() for weight in others if weight.ndim == 1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16"])
def test_half_precision_gives_what_single_gives(features, dtype):
    inputs = features(4, 3)
    single, half = (AttentionFusion(8, seed=1, dtype=dtype) for dtype in ("float32", dtype))
    for layer in (single, half):
        layer.build([(None, 4), (None, 3)])
    # Tokens of some hundreds, whose squares half precision cannot hold, and a block that adds as much to them.
    scales = {"projections": 300, "output_kernel": 300, "mlp_kernel_1": 300}
    weights = [
        weight * next((scale for name, scale in scales.items() if name in variable.name), 1)
        for weight, variable in zip(single.get_weights(), single.weights, strict=True)
    ]
    for layer in (single, half):
        layer.set_weights(weights)
    expected = np.asarray(single(inputs))
    found = np.asarray(half([tf.cast(one, half.compute_dtype) for one in inputs])).astype("f")
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 6}, r"units should be a multiple of heads=4, an equal share for each head, got 6\. Take units=8"),
        ({"units": 2, "heads": 4}, r"multiple of heads=4, .* got 2\. Take units=4"),
        ({"units": 1, "heads": 1}, "units should be at least 2, got 1"),
        ({"units": 2.5}, "units should be an integer of at least 1, got 2.5"),
        ({"units": 4, "heads": 0}, "heads should be an integer of at least 1, got 0"),
        ({"units": 4, "heads": 2.5}, "heads should be an integer of at least 1, got 2.5"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionFusion(**arguments)
