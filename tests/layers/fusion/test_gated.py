import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tfq_fusion.layers.fusion.gated import GatedFusion

pytestmark = pytest.mark.keras


@pytest.mark.parametrize("widths", [(4, 3), (4, 1, 3), (3, 3, 3)])
def test_is_a_sum_of_hidden_features_each_behind_a_gate_that_sees_all_modalities(features, widths):
    inputs = features(*widths)
    layer = GatedFusion(6, seed=1)
    fused = layer(inputs)
    projections, gates = (weight.astype(np.float64) for weight in layer.get_weights())
    projections = np.split(projections, np.cumsum(widths)[:-1])
    gates = np.split(gates, len(widths), axis=1)
    everything = np.concatenate(inputs, axis=1)
    expected = sum(
        expit(everything @ gate) * np.tanh(modality @ projection)
        for modality, projection, gate in zip(inputs, projections, gates, strict=True)
    )
    np.testing.assert_allclose(fused, expected, rtol=1e-5, atol=1e-6)


def test_an_open_gate_lets_a_modality_through_and_a_closed_one_does_not(features):
    inputs = [np.ones((5, 1), "f"), *features(3)]
    layer = GatedFusion(6, seed=1)
    layer(inputs)
    projections, gates = layer.get_weights()
    gates[:] = 0
    gates[0] = [-100] * 6 + [100] * 6  # the first feature is one: it closes its own gate and opens the other
    layer.set_weights([projections, gates])
    np.testing.assert_allclose(layer(inputs), np.tanh(inputs[1] @ projections[1:]), rtol=1e-5, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(widths=st.lists(st.integers(1, 6), min_size=2, max_size=6), units=st.integers(1, 7))
def test_parameter_count(widths, units):
    layer = GatedFusion(units)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == units * sum(widths) * (len(widths) + 1)


def test_each_matrix_starts_glorot_uniform():
    layer = GatedFusion(40, seed=0)
    layer.build([(None, 30), (None, 90)])
    projections, gates = layer.get_weights()
    for matrix in (*np.split(projections, [30]), *np.split(gates, 2, axis=1)):
        limit = math.sqrt(6 / sum(matrix.shape))
        assert 0.99 * limit < np.abs(matrix).max() <= limit
        assert np.std(matrix) == pytest.approx(limit / math.sqrt(3), rel=0.03)


@pytest.mark.parametrize("units", [-1, 2.5, "a", None, True])
def test_units_are_a_positive_integer(units):
    with pytest.raises(ValueError, match=f"units should be an integer of at least 1, got {units!r}"):
        GatedFusion(units)
