import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.layers.fusion.bilinear import FactorizedBilinearFusion

pytestmark = pytest.mark.keras


def reference(inputs: list[np.ndarray], projections: list[np.ndarray], factors: int) -> np.ndarray:
    """The source's formula in float64, without dropout: product, sum-pooling, signed square root, L2 norm."""
    product = np.prod([x.astype(np.float64) @ u for x, u in zip(inputs, projections, strict=True)], axis=0)
    pooled = np.stack(
        [product[:, start : start + factors].sum(axis=1) for start in range(0, product.shape[1], factors)], axis=1
    )
    rooted = np.sign(pooled) * np.sqrt(np.abs(pooled))
    return rooted / np.linalg.norm(rooted, axis=1, keepdims=True)


@pytest.mark.parametrize("widths", [(4, 3), (4, 1, 3), (3,) * 30], ids=["source", "three", "thirty"])
def test_is_the_normalised_pooled_product_of_projections(features, widths):
    inputs = features(*widths)
    layer = FactorizedBilinearFusion(6, factors=3, seed=1)
    fused = layer(inputs)
    projections = np.split(layer.get_weights()[0], np.cumsum(widths)[:-1])
    np.testing.assert_allclose(fused, reference(inputs, projections, 3), atol=4e-5)


def test_207_modalities_do_not_underflow(features):
    inputs = features(*[4] * 207)
    layer = FactorizedBilinearFusion(6, seed=1)
    with tf.GradientTape() as tape:
        fused = layer(inputs)
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-4)
    # The formula needs no rescaling in float64, and the outputs do not depend on the scale of a projection.
    projections = np.split(10 * layer.get_weights()[0].astype(np.float64), 207)
    np.testing.assert_allclose(fused, reference(inputs, projections, 5), atol=1e-3)
    for gradient in tape.gradient(fused, layer.trainable_variables):
        assert np.isfinite(gradient).all()
        assert np.any(gradient)


@settings(max_examples=20, deadline=None)
@given(widths=st.lists(st.integers(1, 6), min_size=2, max_size=6), units=st.integers(1, 7), factors=st.integers(1, 6))
def test_parameter_count(widths, units, factors):
    layer = FactorizedBilinearFusion(units, factors=factors)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == factors * units * sum(widths)


def test_each_projection_starts_glorot_uniform():
    layer = FactorizedBilinearFusion(40, factors=5, seed=0)
    layer.build([(None, 30), (None, 90)])
    for matrix in np.split(layer.get_weights()[0], [30]):
        limit = math.sqrt(6 / sum(matrix.shape))
        assert 0.99 * limit < np.abs(matrix).max() <= limit
        assert np.std(matrix) == pytest.approx(limit / math.sqrt(3), rel=0.02)


def test_a_sample_without_signal_gives_zeros_and_finite_gradients(features):
    inputs = [tf.constant(modality) for modality in features(4, 3)]
    inputs[0] = tf.concat([tf.zeros((1, 4)), inputs[0][1:]], axis=0)
    layer = FactorizedBilinearFusion(6, seed=1)
    layer.build([(None, 4), (None, 3)])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        fused = layer(inputs)
        loss = tf.reduce_sum(fused * tf.range(1.0, 7.0))
    assert not np.any(fused[0])
    for gradient in tape.gradient(loss, [*inputs, *layer.trainable_variables]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "mixed_float16"])
def test_half_precision_gives_what_single_gives_and_zeros_without_signal(features, dtype):
    inputs = [np.concatenate([np.zeros((1, modality.shape[1]), "f"), modality[1:]]) for modality in features(4, 3)]
    single, half = (FactorizedBilinearFusion(6, seed=1, dtype=dtype) for dtype in ("float32", dtype))
    for layer in (single, half):
        layer.build([(None, 4), (None, 3)])
    half.set_weights(single.get_weights())
    expected, found = single(inputs), np.asarray(half([tf.cast(one, half.compute_dtype) for one in inputs])).astype("f")
    assert not np.any(found[0])
    np.testing.assert_allclose(found, expected, atol=0.1)  # a square root of what was rounded


def test_dropout_acts_in_training_only(features):
    inputs = features(4, 3)
    layer = FactorizedBilinearFusion(6, dropout=0.5, seed=1)
    at_rest = layer(inputs)
    np.testing.assert_array_equal(layer(inputs, training=False), at_rest)
    assert not np.allclose(layer(inputs, training=True), at_rest)
    np.testing.assert_array_equal(
        FactorizedBilinearFusion(6, dropout=0, seed=1)(inputs, training=True),
        FactorizedBilinearFusion(6, dropout=0, seed=1)(inputs, training=False),
    )


def test_dropout_drops_whole_products(features):
    # With one factor and one output left out of a hundred pooled ones, an output is zero exactly if it is dropped.
    inputs = features(4, 3, batch=200)
    layer = FactorizedBilinearFusion(100, factors=1, dropout=0.3, seed=1)
    assert np.mean(np.asarray(layer(inputs, training=True)) == 0) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, np.nan, "a", None, True])
def test_dropout_is_a_fraction_below_one(dropout):
    with pytest.raises(ValueError, match="dropout should be at least 0 and below 1"):
        FactorizedBilinearFusion(4, dropout=dropout)
