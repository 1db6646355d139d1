import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tfq_fusion.layers.fusion.graph import GraphFusion

pytestmark = pytest.mark.keras

PATH = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]])


def with_biases(layer: GraphFusion, seed: int = 0) -> list[np.ndarray]:
    """Gives the layer biases other than zero, and returns all its weights."""
    rng = np.random.default_rng(seed)
    weights = [weight if weight.ndim == 2 else rng.uniform(0, 1, weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    return [weight.astype(np.float64) for weight in layer.get_weights()]


def test_two_layers_of_normalised_propagation_and_a_mean(features):
    inputs = features(4, 4, 4)
    layer = GraphFusion(6, adjacency=PATH, seed=1)
    layer(inputs)
    first, second, first_bias, second_bias = with_biases(layer)

    looped = PATH + np.eye(3)
    inverse_root = np.diag(looped.sum(axis=1) ** -0.5)
    propagation = inverse_root @ looped @ inverse_root
    expected = []
    for sample in np.stack(inputs, axis=1):
        hidden = np.maximum(propagation @ sample @ first + first_bias, 0)
        hidden = np.maximum(propagation @ hidden @ second + second_bias, 0)
        expected.append(hidden.mean(axis=0))
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-6)


def test_without_an_adjacency_the_graph_is_complete_and_all_nodes_become_their_mean(features):
    inputs = features(4, 4, 4)
    layer = GraphFusion(6, seed=1)
    layer(inputs)
    first, second, first_bias, second_bias = with_biases(layer)
    mean = np.mean(inputs, axis=0)
    expected = np.maximum(np.maximum(mean @ first + first_bias, 0) @ second + second_bias, 0)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-6)
    complete = GraphFusion(6, adjacency=1 - np.eye(3), seed=1)
    complete(inputs)
    complete.set_weights(layer.get_weights())
    np.testing.assert_array_equal(complete(inputs), layer(inputs))


def test_narrower_modalities_are_padded_with_zeros(features):
    inputs = features(4, 1, 3)
    padded = [np.pad(modality, ((0, 0), (0, 4 - modality.shape[1]))) for modality in inputs]
    np.testing.assert_allclose(
        GraphFusion(6, adjacency=PATH, seed=1)(inputs), GraphFusion(6, adjacency=PATH, seed=1)(padded), rtol=1e-6
    )


@settings(max_examples=20, deadline=None)
@given(widths=st.lists(st.integers(1, 6), min_size=2, max_size=6), units=st.integers(1, 7))
def test_parameter_count(widths, units):
    layer = GraphFusion(units)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == max(widths) * units + units + units * units + units


def test_an_isolated_node_keeps_its_self_loop(features):
    assert np.isfinite(GraphFusion(6, adjacency=np.zeros((3, 3)))(features(4, 4, 4))).all()


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.coo_matrix, sparse.lil_array])
def test_a_sparse_adjacency_is_an_adjacency(features, form):
    inputs = features(4, 4, 4)
    dense, spare = (GraphFusion(6, adjacency=matrix, seed=1) for matrix in (PATH, form(PATH)))
    np.testing.assert_array_equal(spare(inputs), dense(inputs))
    assert spare.get_config() == {**dense.get_config(), "name": spare.name}


def test_the_adjacency_is_a_copy(features):
    matrix, inputs = PATH.astype(float), features(4, 4, 4)
    layer = GraphFusion(6, adjacency=matrix, seed=1)
    matrix[:] = 0
    np.testing.assert_array_equal(layer(inputs), GraphFusion(6, adjacency=PATH, seed=1)(inputs))
    layer.get_config()["adjacency"][0][1] = 5.0
    np.testing.assert_array_equal(layer.get_config()["adjacency"], PATH)


def test_the_adjacency_survives_a_json_config(features):
    layer = GraphFusion(6, adjacency=PATH / 7, seed=1)
    restored = GraphFusion.from_config(json.loads(json.dumps(layer.get_config())))
    np.testing.assert_array_equal(restored(features(4, 4, 4)), layer(features(4, 4, 4)))


@pytest.mark.parametrize(
    ("adjacency", "message"),
    [
        (np.ones((2, 3)), r"square matrix, got shape \(2, 3\)"),
        (np.ones(3), r"square matrix, got shape \(3,\)"),
        ([[0, np.nan], [np.nan, 0]], "finite"),
        ([[0, np.inf], [np.inf, 0]], "finite"),
        ([[0, -1], [-1, 0]], "non-negative, got -1"),
        ([[0, 1], [0, 0]], "symmetric"),
        ("a", "square matrix of numbers, got 'a'"),
        ([[0, 1], [1]], "square matrix of numbers"),
    ],
)
def test_matrices_that_are_no_adjacency(adjacency, message):
    with pytest.raises(ValueError, match=message):
        GraphFusion(4, adjacency=adjacency)


def test_one_node_per_modality(features):
    with pytest.raises(ValueError, match="for 3 modalities, but there are 2"):
        GraphFusion(4, adjacency=PATH)(features(4, 4))


COMPLETE = 1 - np.eye(4)
STAR = np.array([[0, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
LINE = np.array([[0, 2, 0, 0], [2, 0, 1, 0], [0, 1, 0, 2], [0, 0, 2, 0]])
RING = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])


def changes(adjacency, inputs):
    """The largest change of an output for each order of four modalities, and whether the graph is then the same."""
    layer = GraphFusion(16, adjacency=adjacency, seed=1)
    layer(inputs)
    with_biases(layer)
    outputs = np.array(layer(inputs))
    for order in map(list, itertools.permutations(range(4))):
        exchanged = np.array(layer([inputs[modality] for modality in order]))
        yield np.abs(exchanged - outputs).max(), np.array_equal(adjacency[np.ix_(order, order)], adjacency)


@pytest.mark.parametrize(("adjacency", "automorphisms"), [(COMPLETE, 24), (STAR, 6), (LINE, 2)])
def test_outputs_stay_if_an_automorphism_exchanges_modalities_and_change_otherwise(features, adjacency, automorphisms):
    """docs/separation.md proves that they stay; that they change is so for these graphs and random weights."""
    found = list(changes(adjacency, features(3, 3, 3, 3)))
    assert sum(automorphism for _, automorphism in found) == automorphisms
    for change, automorphism in found:
        assert change < 1e-5 if automorphism else change > 1e-3


def test_of_a_ring_of_four_all_exchanges_leave_the_outputs_though_few_are_automorphisms(features):
    """A node sees all but the one across: in every order the same sums."""
    found = list(changes(RING, features(3, 3, 3, 3)))
    assert sum(automorphism for _, automorphism in found) == 8
    assert max(change for change, _ in found) < 1e-5


def test_of_the_complete_graph_outputs_know_the_sum_of_the_modalities_alone(features):
    inputs = features(4, 4, 4)
    layer = GraphFusion(6, seed=1)
    layer(inputs)
    with_biases(layer)
    shift = features(4, seed=1)[0]
    moved = [inputs[0] + shift, inputs[1] - shift, inputs[2]]
    np.testing.assert_allclose(layer(moved), layer(inputs), rtol=1e-5, atol=1e-6)
