"""The rules of decision-level fusion, against NumPy and against Dempster's rule on sets."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion._keras import keras
from tfq_fusion.layers import DempsterFusion, MeanFusion, ProductFusion

pytestmark = pytest.mark.keras
RULES = (MeanFusion, ProductFusion, DempsterFusion)

every_rule = pytest.mark.parametrize("rule", RULES)


def judgements(modalities, classes, batch=4, seed=0):
    """Probabilities ``[batch, modalities, classes]``."""
    return np.random.default_rng(seed).dirichlet(np.ones(classes), (batch, modalities)).astype(np.float32)


def combine(one, other):
    """Dempster's rule for two mass functions, dicts from sets of classes to masses."""
    combined = {}
    for (a, mass), (b, weight) in itertools.product(one.items(), other.items()):
        combined[a & b] = combined.get(a & b, 0) + mass * weight
    conflict = combined.pop(frozenset(), 0)
    return {focal: mass / (1 - conflict) for focal, mass in combined.items()}


def pignistic(masses, classes):
    """Every focal set's mass, shared by its classes."""
    return [sum(mass / len(focal) for focal, mass in masses.items() if c in focal) for c in range(classes)]


def dempster(probabilities, ignorance):
    """One sample, ``[modalities, classes]``, with Shafer's discounting."""
    classes = probabilities.shape[1]
    bodies = [
        {**{frozenset([c]): (1 - a) * p for c, p in enumerate(row)}, frozenset(range(classes)): a}
        for row, a in zip(probabilities, ignorance, strict=True)
    ]
    combined = bodies[0]
    for body in bodies[1:]:
        combined = combine(combined, body)
    return pignistic(combined, classes)


@settings(max_examples=15)
@given(modalities=st.integers(2, 5), classes=st.integers(2, 6), seed=st.integers(0, 99))
def test_dempsters_rule_is_the_one_on_sets(modalities, classes, seed):
    rng = np.random.default_rng(seed)
    probabilities, logits = judgements(modalities, classes, seed=seed), rng.normal(scale=2, size=modalities)
    layer = DempsterFusion()
    layer.build(probabilities.shape)
    layer.set_weights([logits[:, None]])
    expected = [dempster(sample.astype(float), 1 / (1 + np.exp(-logits))) for sample in probabilities]
    np.testing.assert_allclose(layer(probabilities), expected, atol=2e-6)


def test_dempsters_rule_begins_with_half_of_each_mass_on_the_frame():
    layer = DempsterFusion()
    sample = judgements(3, 4)
    np.testing.assert_allclose(layer(sample)[0], dempster(sample[0].astype(float), [0.5] * 3), atol=1e-6)
    assert layer.count_params() == 3


def test_a_modality_that_knows_nothing_has_no_say_in_dempsters_rule():
    sample = judgements(2, 4)
    layer = DempsterFusion()
    layer.build(sample.shape)
    layer.set_weights([np.array([[-20.0], [20.0]])])  # no ignorance in the first, nothing else in the second
    np.testing.assert_allclose(layer(sample), sample[:, 0], atol=1e-6)


def test_the_mean_and_the_product():
    sample = judgements(3, 4)
    np.testing.assert_allclose(MeanFusion()(sample), sample.mean(axis=1), rtol=1e-6)
    product = sample.prod(axis=1)
    np.testing.assert_allclose(ProductFusion()(sample), product / product.sum(axis=1, keepdims=True), rtol=1e-5)


@every_rule
def test_the_order_of_modalities_makes_no_difference_before_training(rule):
    sample = judgements(3, 4)
    np.testing.assert_allclose(rule()(sample), rule()(sample[:, ::-1]), rtol=1e-5)


@every_rule
@pytest.mark.parametrize("modalities", [2, 200])
def test_probabilities_come_out_even_where_modalities_contradict_each_other(rule, modalities):
    sure = np.eye(3, dtype=np.float32)[np.arange(modalities) % 2][None]
    fused = np.asarray(rule()(sure))
    np.testing.assert_allclose(fused, [[0.5, 0.5, 0]], atol=0.12)
    np.testing.assert_allclose(fused.sum(), 1, rtol=1e-5)


@every_rule
def test_a_list_a_stack_and_a_graph_give_the_same(rule):
    sample = judgements(3, 4)
    layer = rule()
    stacked = layer(sample)
    np.testing.assert_allclose(layer(list(np.moveaxis(sample, 1, 0))), stacked, rtol=1e-6)
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 4) == layer.compute_output_shape((None, 3, 4))
    np.testing.assert_allclose(model.predict(sample, verbose=0), stacked, rtol=1e-6)


@every_rule
def test_modalities_that_judge_different_classes_are_refused(rule):
    with pytest.raises(ValueError, match=r"the same classes, got modalities of \(3, 4\) classes"):
        rule()([judgements(2, 3)[:, 0], judgements(2, 4)[:, 0]])


@every_rule
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("classes", [3, 1000])
def test_half_precision_gives_what_single_gives(rule, dtype, classes):
    logits = np.random.default_rng(0).normal(size=(20, 3, classes))
    judged = tf.nn.softmax(tf.cast(3 * logits, dtype))
    single = np.asarray(rule()(judged))
    assert single.dtype == np.float32
    found = np.asarray(rule(dtype=dtype)(judged)).astype("f")
    np.testing.assert_allclose(found, single, rtol=2e-2, atol=1e-6)


@every_rule
@pytest.mark.parametrize(("scale", "shift", "got"), [(2, 0, "sums from 2 to 2"), (1, -0.5, "values from -0.5")])
def test_features_that_are_no_probabilities_are_refused(rule, scale, shift, got):
    sample = judgements(2, 4)
    sample[:, 1] = scale * np.eye(4) + shift
    with pytest.raises(ValueError, match=f"Modality 1 holds no probabilities.*{got}.*Put a softmax"):
        rule()(sample)
