import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.layers.fusion.low_rank import LowRankFusion

pytestmark = pytest.mark.keras


def factors_of(layer: LowRankFusion, widths: tuple[int, ...]) -> list[np.ndarray]:
    """``W_m`` of each modality, ``[rank, features_m + 1, units]``."""
    constants, features, *_ = layer.get_weights()
    return [
        np.vstack([constant, rows]).reshape(-1, layer.rank, layer.units).swapaxes(0, 1)
        for constant, rows in zip(constants, np.split(features, np.cumsum(widths)[:-1]), strict=True)
    ]


@pytest.mark.parametrize("initialization", ["xavier", "unit"])
@pytest.mark.parametrize("widths", [(4, 1, 3), (3, 3, 3)])
def test_is_the_weighted_sum_of_products_of_projections(features, widths, initialization):
    inputs = features(*widths)
    layer = LowRankFusion(6, rank=2, initialization=initialization, seed=1)
    layer(inputs)
    *matrices, _, _ = layer.get_weights()
    rank_weights, bias = np.float32([0.5, -2]), np.arange(6, dtype=np.float32)
    layer.set_weights([*matrices, rank_weights, bias])
    factors = factors_of(layer, widths)

    expected = np.zeros((5, 6)) + bias
    for r in range(2):
        product = np.ones((5, 6))
        for modality, factor in zip(inputs, factors, strict=True):
            product = product * (np.hstack([np.ones((5, 1)), modality]) @ factor[r])
        expected = expected + rank_weights[r] * product
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=6),
    units=st.integers(1, 7),
    rank=st.integers(1, 5),
    initialization=st.sampled_from(["xavier", "unit"]),
)
def test_parameter_count_and_all_of_it_trained(widths, units, rank, initialization):
    layer = LowRankFusion(units, rank=rank, initialization=initialization)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == rank * units * sum(width + 1 for width in widths) + rank + units
    assert sum(math.prod(weight.shape) for weight in layer.trainable_weights) == layer.count_params()


def test_xavier_scale_is_that_of_the_authors_code():
    # PyTorch, for a tensor [rank, width + 1, units]: fan_in = (width + 1) * units, fan_out = rank * units.
    layer = LowRankFusion(200, rank=4, seed=0)
    layer.build([(None, 30), (None, 60)])
    narrow, wide = factors_of(layer, (30, 60))
    assert np.std(narrow) == pytest.approx(math.sqrt(2 / (31 * 200 + 4 * 200)), rel=0.02)
    assert np.std(wide) == pytest.approx(math.sqrt(2 / (61 * 200 + 4 * 200)), rel=0.02)
    assert np.abs(wide).max() > 3 * np.std(wide), "a normal that is not truncated"
    assert not layer.get_weights()[-1].any()


def test_xavier_scale_of_the_rank_weights():
    # PyTorch, for a tensor [1, rank]: fan_in = rank, fan_out = 1. Few ranks, many seeds: the 1 should show.
    weights = []
    for seed in range(300):
        layer = LowRankFusion(1, rank=2, seed=seed)
        layer.build([(None, 1), (None, 1)])
        weights.append(layer.get_weights()[-2])
    assert np.std(weights) == pytest.approx(math.sqrt(2 / (2 + 1)), rel=0.06)


def test_unit_initialization():
    layer = LowRankFusion(200, rank=4, initialization="unit", seed=0)
    layer.build([(None, 30), (None, 60)])
    *_, rank_weights, bias = layer.get_weights()
    for factor, width in zip(factors_of(layer, (30, 60)), (30, 60), strict=True):
        assert (factor[:, 0] == 1).all()
        assert np.std(factor[:, 1:]) == pytest.approx(math.sqrt(1 / (2 * width)), rel=0.02)
        assert np.std(factor[:, 1:], axis=0).min() > 0, "the rank-one terms should differ"
    np.testing.assert_allclose(rank_weights, 1 / 4)
    assert not bias.any()


def products(modalities: int, initialization: str) -> np.ndarray:
    """The initial products of factors (one rank, weight one) for features of unit mean square, in float64."""
    layer = LowRankFusion(4096, rank=1, initialization=initialization, seed=0, dtype="float64")
    inputs = np.random.default_rng(0).choice([-1.0, 1.0], (1, modalities, 4))
    layer.build(inputs.shape)
    constants, factors, _, bias = layer.get_weights()
    layer.set_weights([constants, factors, np.ones(1), bias])
    return np.asarray(layer(inputs))


@pytest.mark.parametrize("modalities", [2, 12, 64])
def test_unit_products_stay_of_order_one(modalities):
    found = products(modalities, "unit")
    assert found.mean() == pytest.approx(1, abs=0.1)
    assert np.mean(found**2) == pytest.approx((1 + 1 / modalities) ** modalities, rel=0.35)


@pytest.mark.parametrize(("modalities", "largest"), [(2, 1e-1), (12, 1e-7), (64, 1e-50)])
def test_xavier_products_vanish_with_the_modalities(modalities, largest):
    found = np.abs(products(modalities, "xavier"))
    # A standard normal has E[log |x|] = -(euler + log 2) / 2, so the logarithm of the product is known.
    factor = math.sqrt(2 * (1 + 4) / (4096 * (4 + 1 + 1)))
    expected = modalities * (math.log(factor) - (np.euler_gamma + math.log(2)) / 2)
    assert np.log(found).mean() == pytest.approx(expected, abs=5 * 1.11 * math.sqrt(modalities / found.size))
    assert found.max() < largest


def test_unknown_initialization_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"one of \['xavier', 'unit'\], got 'glorot'"):
        LowRankFusion(4, initialization="glorot")
