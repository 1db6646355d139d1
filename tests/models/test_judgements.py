"""The loss that networks add, of what each modality says on its own: labels, weights, masks and precisions."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import DecisionNetwork, EvidenceNetwork

pytestmark = [pytest.mark.keras, pytest.mark.usefixtures("uncompiled")]
WIDTHS = {"sound": 5, "text": 3}
NETWORKS = {
    "evidence": lambda modalities: EvidenceNetwork(modalities, 3, hidden=6, convolution=None, method="mixture", seed=1),
    "mean": lambda modalities: DecisionNetwork(modalities, 3, "mean", hidden=6, seed=1),
    "dempster": lambda modalities: DecisionNetwork(modalities, 3, "dempster", hidden=6, seed=1),
}

every_network = pytest.mark.parametrize("kind", NETWORKS)


def network(kind, loss="categorical_crossentropy"):
    made = NETWORKS[kind]([Modality(name=name, shape=(width,), description="") for name, width in WIDTHS.items()])
    made.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False, run_eagerly=True)
    return made


def samples(batch=8):
    rng = np.random.default_rng(0)
    labels = np.arange(batch) % 3
    return {name: rng.normal(size=(batch, width)).astype("f") for name, width in WIDTHS.items()}, labels


def loss(kind, rows=slice(None), weights=None, mask=None):
    model, (inputs, classes) = network(kind, "categorical_crossentropy"), samples()
    inputs = {name: tf.constant(array[rows]) for name, array in inputs.items()}
    predicted = model(inputs)
    if mask is not None:
        predicted._keras_mask = tf.constant(mask)
    truth = tf.constant(np.eye(3, dtype="f")[classes[rows]])
    return float(model.compute_loss(inputs, truth, predicted, weights if weights is None else tf.constant(weights)))


@every_network
@pytest.mark.parametrize("shape", [(8,), (8, 1)])
def test_samples_without_weight_do_not_count(kind, shape):
    weights = np.float32([2, 2, 2, 2, 0, 0, 0, 0]).reshape(shape)
    assert loss(kind, weights=weights) == pytest.approx(loss(kind, rows=slice(4)), rel=1e-5)


@every_network
def test_masked_samples_do_not_count(kind):
    assert loss(kind, mask=[True] * 4 + [False] * 4) == pytest.approx(loss(kind, rows=slice(4)), rel=1e-5)


@every_network
@pytest.mark.parametrize("given", [{"sample_weight": np.zeros(8)}, {"class_weight": dict.fromkeys(range(3), 0.0)}])
def test_without_any_weight_nothing_moves(kind, given):
    model, (inputs, labels) = network(kind), samples()
    before = model.get_weights()
    model.fit(inputs, np.eye(3, dtype="f")[labels], verbose=0, **given)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@every_network
@pytest.mark.parametrize("shape", [(8,), (8, 1)])
def test_indices_of_classes_are_labels_too(kind, shape):
    one_hot, indices, (inputs, labels) = network(kind), network(kind, "sparse_categorical_crossentropy"), samples()
    one_hot.fit(inputs, np.eye(3, dtype="f")[labels], verbose=0, shuffle=False)
    indices.fit(inputs, labels.reshape(shape), verbose=0, shuffle=False)
    for one, other in zip(one_hot.get_weights(), indices.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@every_network
@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_every_precision_trains_as_single_does(kind, policy):
    configuration = keras.mixed_precision if LEGACY else keras.config
    inputs, labels = samples()
    reference, truth = network(kind), np.eye(3, dtype="f")[labels]
    start = reference.get_weights()
    set_policy = configuration.set_global_policy if LEGACY else configuration.set_dtype_policy
    set_policy(policy)
    try:
        model = network(kind)
        model.set_weights(start)
        model.fit(inputs, truth, verbose=0)
    finally:
        set_policy("float32")
    reference.fit(inputs, truth, verbose=0)
    for old, new, expected in zip(start, model.get_weights(), reference.get_weights(), strict=True):
        assert (new != old).any()
        np.testing.assert_allclose(new - old, expected - old, atol=0.1 * np.abs(expected - old).max())


JAX = """
import numpy as np
from tfq_fusion.datasets.card import Modality
from tfq_fusion.layers import EvidenceFusion, HashedFusion, MeanFusion
from tfq_fusion.models import DecisionNetwork

modalities = [Modality(name=name, shape=(4,), description="") for name in ("sound", "text")]
inputs = {name: np.random.default_rng(0).normal(size=(6, 4)).astype("f") for name in ("sound", "text")}
model = DecisionNetwork(modalities, 3, "dempster", hidden=6, seed=1)
model.compile("sgd", "sparse_categorical_crossentropy")
before = model.get_weights()
model.fit(inputs, np.arange(6) % 3, sample_weight=np.zeros(6), verbose=0)
print("still:", all((old == new).all() for old, new in zip(before, model.get_weights())))
model.fit(inputs, np.arange(6) % 3, sample_weight=np.ones(6), verbose=0)
print("moved:", all((old != new).any() for old, new in zip(before, model.get_weights())))
nan = np.full((2, 2, 3), np.nan, "f")
for layer, wrong in ((HashedFusion(2, parameters=2), nan), (MeanFusion(), np.ones((2, 2, 3), "f")),
                     (EvidenceFusion(None), np.full((2, 2, 3), 1.5, "f"))):
    try:
        layer(wrong)
    except ValueError as error:
        print(str(error).splitlines()[2 if "Exception" in str(error) else 0])
"""


@pytest.mark.slow
@pytest.mark.skipif(LEGACY, reason="JAX is a backend of Keras 3")
def test_on_jax_networks_train_and_wrong_values_are_named():
    pytest.importorskip("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    ran = subprocess.run([sys.executable, "-c", JAX], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for expected in ("still: True", "moved: True", "Modality 0 holds NaN", "Modality 0 holds no", "Masses should be"):
        assert expected in ran.stdout
