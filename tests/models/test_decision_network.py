"""Fusion at decision level, from modules to training."""

import numpy as np
import pytest
import tensorflow as tf

from tfq_fusion._keras import keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import DecisionNetwork

pytestmark = pytest.mark.keras
WIDTHS = {"sound": 5, "text": 3}

every_rule = pytest.mark.parametrize("rule", ["mean", "product", "dempster"])


def network(rule="dempster", **arguments):
    modalities = [Modality(name=name, shape=(width,), description="") for name, width in WIDTHS.items()]
    return DecisionNetwork(modalities, **{"classes": 3, "rule": rule, "hidden": 6, "seed": 0, **arguments})


def samples(batch=7, classes=3, seed=0):
    """Each class has a centre in each modality."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=batch)
    inputs = {
        name: (2 * np.eye(classes, width)[labels] + rng.normal(size=(batch, width))).astype(np.float32)
        for name, width in WIDTHS.items()
    }
    return inputs, np.eye(classes, dtype=np.float32)[labels]


@every_rule
def test_the_output_is_the_rule_over_what_the_modalities_say(rule):
    model, (inputs, _) = network(rule), samples()
    said = np.asarray(model.unimodal(inputs))
    assert said.shape == (7, 2, 3)
    np.testing.assert_allclose(said.sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), model.fusion(said), rtol=1e-5)


@pytest.mark.parametrize(("rule", "weights"), [("mean", 0), ("product", 0), ("dempster", 2)])
def test_parameters_are_modules_and_what_the_rule_learns(rule, weights):
    modules = sum((width * 6 + 6) + (6 * 4 + 4) + (4 * 3 + 3) for width in WIDTHS.values())
    assert network(rule).count_params() == modules + weights


def test_a_modality_knows_nothing_of_another():
    model, (inputs, _) = network(), samples()
    said = np.asarray(model.unimodal(inputs))
    disturbed = np.asarray(model.unimodal({**inputs, "text": inputs["text"] + 1}))
    np.testing.assert_array_equal(said[:, 0], disturbed[:, 0])
    assert (said[:, 1] != disturbed[:, 1]).all()


def test_each_modality_is_held_to_the_class_by_itself():
    model, (inputs, labels) = network(), samples()
    model.compile(loss="categorical_crossentropy")
    predicted = model(inputs)
    own = -np.mean(np.log(np.sum(labels[:, None] * np.asarray(model.unimodal(inputs)), axis=-1)))
    fused = -np.mean(np.log(np.sum(labels * np.asarray(predicted), axis=-1)))
    np.testing.assert_allclose(model.compute_loss(inputs, tf.constant(labels), predicted), fused + own, rtol=1e-5)


@every_rule
def test_training_moves_every_weight(rule):
    model, (inputs, labels) = network(rule), samples(64)
    before = model.get_weights()
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", jit_compile=False)
    history = model.fit(inputs, labels, batch_size=32, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    for old, new in zip(before, model.get_weights(), strict=True):
        assert (old != new).all()


def test_without_a_seed_two_networks_begin_with_other_weights():
    one, other = network(seed=None), network(seed=None)
    assert (one.get_weights()[0] != other.get_weights()[0]).any()
    same = type(one).from_config(one.get_config())
    np.testing.assert_array_equal(same.get_weights()[0], one.get_weights()[0])


def test_initial_weights_follow_the_seed():
    one, same, other = (network("mean", seed=seed).get_weights() for seed in (1, 1, 2))
    for first, second, third in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert not first.any() or (first != third).any()


def test_a_saved_network_predicts_the_same(tmp_path):
    model, (inputs, _) = network("product", seed=3), samples()
    model.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def test_an_unknown_rule_lists_the_known():
    with pytest.raises(ValueError, match=r"rule should be one of \['mean', 'product', 'dempster'\], got 'sum'"):
        network("sum")
