import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.layers.fusion.hashed import HashedFusion, _hash

pytestmark = pytest.mark.keras


def matrix(layer: HashedFusion, *widths: int) -> np.ndarray:
    """The layer's matrix W, read off its outputs: one modality after another sees the rows of a unit matrix."""
    return np.arctanh(layer(np.split(np.eye(sum(widths), dtype=np.float32), np.cumsum(widths)[:-1], axis=1)))


def test_is_a_dense_tanh_layer_over_the_concatenation(features):
    inputs = features(4, 1, 3)
    layer = HashedFusion(6, parameters=11, seed=1)
    expected = np.tanh(np.concatenate(inputs, axis=1) @ matrix(layer, 4, 1, 3))
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    units=st.integers(1, 5),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_has_exactly_the_parameters_asked_for_and_uses_them_evenly(widths, units, seed, data):
    entries = sum(widths) * units
    parameters = data.draw(st.integers(1, entries))
    layer = HashedFusion(units, parameters=parameters, seed=seed)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == parameters

    layer.set_weights([np.linspace(0.1, 0.9, parameters)])
    found = np.abs(matrix(layer, *widths))
    values, counts = np.unique(found.round(4), return_counts=True)
    np.testing.assert_allclose(values, np.linspace(0.1, 0.9, parameters), atol=1e-4)
    assert counts.max() - counts.min() <= 1


def test_entries_carry_their_signs():
    layer = HashedFusion(6, parameters=11, seed=1)
    layer.build([(None, 4), (None, 3)])
    layer.set_weights([np.full(11, 0.5)])
    _, signs = _hash(7 * 6, 11, seed=1)
    np.testing.assert_allclose(matrix(layer, 4, 3), 0.5 * signs.reshape(7, 6), rtol=1e-5)


def test_signs_are_fair_and_entries_scattered():
    hashes, signs = _hash(10_000, 50, seed=0)
    assert abs(signs.mean()) < 0.05
    assert abs(np.corrcoef(hashes[:-1], hashes[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(hashes, signs)[0, 1]) < 0.05


def test_another_seed_is_another_hash():
    assert (_hash(100, 10, seed=0)[0] != _hash(100, 10, seed=1)[0]).any()
    assert (_hash(100, 10, seed=0)[1] != _hash(100, 10, seed=1)[1]).any()


def test_the_hash_of_saved_models_never_changes():
    hashes, signs = _hash(8, 3, seed=0)
    assert hashes.tolist() == [0, 2, 1, 0, 0, 1, 1, 2]
    assert signs.tolist() == [1, 1, 1, -1, 1, -1, 1, -1]


def test_outputs_start_as_those_of_a_dense_layer(features):
    layer = HashedFusion(300, parameters=5000, seed=0)
    weights = matrix(layer, 40, 60)
    assert np.std(weights) == pytest.approx(np.sqrt(2 / (100 + 300)), rel=0.05)


def test_more_parameters_than_entries():
    with pytest.raises(ValueError, match=r"parameters=43, but only 7 features x 6 units = 42 matrix entries"):
        HashedFusion(6, parameters=43).build([(None, 4), (None, 3)])


def test_without_a_seed_two_layers_have_two_hashes():
    one, other = HashedFusion(6, parameters=11), HashedFusion(6, parameters=11)
    for layer in (one, other):
        layer.build((None, 3, 4))
        layer.set_weights([np.linspace(0.1, 1, 11)])
    assert not np.allclose(matrix(one, 4, 4, 4), matrix(other, 4, 4, 4))
