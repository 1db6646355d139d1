"""The second paper's network, from class codes to training."""

import numpy as np
import pytest
import tensorflow as tf

from tfq_fusion._keras import keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import EvidenceNetwork, class_code

pytestmark = pytest.mark.keras
WIDTHS = {"sound": 5, "text": 3}


def modality(name, shape, kind="vector", count=1):
    return Modality(name=name, shape=shape, kind=kind, count=count, description="")


def network(**arguments):
    modalities = [modality(name, (width,)) for name, width in WIDTHS.items()]
    return EvidenceNetwork(modalities, **{"classes": 3, "hidden": 6, "seed": 0, **arguments})


def samples(batch=7, classes=3, seed=0):
    """Each class has a centre in each modality."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=batch)
    inputs = {
        name: (2 * np.eye(classes, width)[labels] + rng.normal(size=(batch, width))).astype(np.float32)
        for name, width in WIDTHS.items()
    }
    return inputs, np.eye(classes, dtype=np.float32)[labels]


def cross_entropy_of_masses(model, inputs, labels):
    masses, truth = np.asarray(model.unimodal(inputs)), labels @ model.code
    return -np.mean([truth * np.log(own) + (1 - truth) * np.log(1 - own) for own in np.moveaxis(masses, 1, 0)])


@pytest.mark.parametrize(
    ("classes", "propositions", "rows"),
    [
        (2, None, ["10", "01"]),  # a single bit would leave a single qubit
        (3, None, ["00", "01", "10"]),
        (4, 2, ["00", "01", "10", "11"]),
        (4, 4, ["1000", "0100", "0010", "0001"]),
        (6, None, ["000", "001", "010", "011", "100", "101"]),
    ],
)
def test_code_is_the_index_in_binary_or_one_hot(classes, propositions, rows):
    assert ["".join(str(int(bit)) for bit in row) for row in class_code(classes, propositions)] == rows


@pytest.mark.parametrize(
    ("classes", "propositions", "message"),
    [
        (10, 5, r"propositions should be 4 \(a binary code\) or 10 \(a one-hot code\) for 10 classes, got 5"),
        (2, 3, "for 2 classes, got 3"),
        (1, None, "classes should be an integer of at least 2, got 1"),
    ],
)
def test_numbers_of_propositions_without_a_code_are_named(classes, propositions, message):
    with pytest.raises(ValueError, match=message):
        class_code(classes, propositions)


def test_output_is_a_probability_of_each_class():
    inputs, _ = samples()
    predicted = network().predict(inputs, verbose=0)
    assert predicted.shape == (7, 3)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


def test_parameters_are_modules_fusion_and_head():
    model = network()
    modules = sum((width * 6 + 6) + (6 * 2 + 2) for width in WIDTHS.values())
    assert model.fusion.count_params() == 2 * (2 + 3) + 15
    assert model.count_params() == modules + model.fusion.count_params() + (15 * 3 + 3)


def test_masses_are_degrees_of_possibility_one_per_modality_and_proposition():
    inputs, _ = samples()
    masses = np.asarray(network().unimodal({name: 100 * array for name, array in inputs.items()}))
    assert masses.shape == (7, 2, 2)
    assert masses.min() >= 0
    assert masses.max() <= 1
    assert np.ptp(masses) > 0.9


def test_modalities_of_every_kind_have_a_module():
    model = EvidenceNetwork(
        [modality("picture", (8, 8, 1), "image"), modality("lead", (40,), "waveform", 2), modality("text", (3,))],
        classes=4,
        convolution=None,
    )
    assert model.modalities == ["picture", "lead 0", "lead 1", "text"]
    inputs = {"picture": np.ones((2, 8, 8, 1)), "lead": np.ones((2, 2, 40)), "text": np.ones((2, 3))}
    assert np.asarray(model.unimodal(inputs)).shape == (2, 4, 2)


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_loss_holds_the_masses_to_what_the_class_says(weight):
    model = network(evidence_weight=weight)
    model.compile(loss="categorical_crossentropy")
    inputs, labels = samples()
    predicted = model(inputs)
    found = model.compute_loss(inputs, tf.constant(labels), predicted)
    of_classes = -np.mean(np.log(np.sum(labels * np.asarray(predicted), axis=1)))
    expected = of_classes + weight * cross_entropy_of_masses(model, inputs, labels)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "compiled", [pytest.param(False, id="graph"), pytest.param(True, id="xla", marks=pytest.mark.slow)]
)
def test_training_moves_every_weight_and_gives_the_masses_their_meaning(compiled):
    model = network()
    inputs, labels = samples(64)
    before, meant = model.get_weights(), cross_entropy_of_masses(model, inputs, labels)
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", jit_compile=compiled)
    history = model.fit(inputs, labels, batch_size=32, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert cross_entropy_of_masses(model, inputs, labels) < 0.8 * meant
    for old, new in zip(before, model.get_weights(), strict=True):
        assert (old != new).all()


def test_labels_of_other_classes_are_named():
    model = network()
    model.compile(loss="categorical_crossentropy")
    inputs, labels = samples()
    with pytest.raises(ValueError, match=r"one-hot, \[batch, 3\], or indices of classes, \[batch\], got \[7, 2\]"):
        model.compute_loss(inputs, tf.constant(labels[:, :2]), model(inputs))


def test_without_a_seed_two_networks_begin_with_other_weights():
    one, other = network(seed=None), network(seed=None)
    assert (one.get_weights()[0] != other.get_weights()[0]).any()
    same = type(one).from_config(one.get_config())
    np.testing.assert_array_equal(same.get_weights()[0], one.get_weights()[0])


def test_initial_weights_follow_the_seed():
    one, same, other = (network(seed=seed).get_weights() for seed in (1, 1, 2))
    for first, second, third in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert not first.any() or (first != third).any()


def test_a_saved_network_is_the_same_network(tmp_path):
    arguments = {"evidence_weight": 0.5, "method": "mixture", "seed": 3, "propositions": 3, "hidden": 5}
    model, (inputs, labels) = network(**arguments), samples()
    model.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert isinstance(loaded, EvidenceNetwork)
    assert loaded.get_config() == model.get_config()
    assert loaded.get_config().items() >= arguments.items()
    predicted = model(inputs)
    np.testing.assert_array_equal(loaded(inputs), predicted)
    losses = []
    for own in (model, loaded):
        own.compile(loss="categorical_crossentropy")
        losses.append(float(own.compute_loss(inputs, tf.constant(labels), predicted)))
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 1}, "classes should be an integer of at least 2"),
        ({"propositions": 4}, "propositions should be 2"),
        ({"convolution": "su2"}, "convolution should be one of"),
        ({"engine": "qsim"}, "engine should be one of"),
        ({"evidence_weight": np.nan}, "evidence_weight should be at least 0 and finite, got nan"),
        ({"evidence_weight": "a"}, "evidence_weight should be at least 0 and finite, got 'a'"),
        ({"hidden": None}, "hidden should be an integer of at least 1, got None"),
        ({"shared": "no"}, "shared should be True or False, got 'no'"),
        ({"propositions": 2.0}, "propositions should be an integer"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        network(**arguments)


def test_one_modality_is_nothing_to_fuse():
    with pytest.raises(ValueError, match="at least two modalities, got 1"):
        EvidenceNetwork([modality("text", (3,))], classes=3)
