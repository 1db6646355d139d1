"""Models: everything but the fusion is the same for every fusion."""

import math

import numpy as np
import pytest

from tfq_fusion._keras import keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.fusions import fusions
from tfq_fusion.layers import ConcatFusion
from tfq_fusion.models import fusion_model, make_fusion

pytestmark = pytest.mark.keras
FUSIONS = [entry.name for entry in fusions().values() if entry.make]
WIDTHS = {"image": 5, "text": 3}
SENSORS = {"a": 3, "b": 3, "c": 3}
MIXED = {"a": 3, "b": 5, "c": 5, "d": 3}


def vectors(widths):
    return [modality(name, (width,)) for name, width in widths.items()]


def modality(name, shape, kind="vector", count=1):
    return Modality(name=name, shape=shape, kind=kind, count=count, description="")


def model(name, seed=0, **arguments):
    fusion = make_fusion(name, [4, 4], degree=2, seed=seed)
    return fusion_model(
        vectors(WIDTHS), fusion, outputs=3, seed=seed, **{"task": "classification", **arguments}
    ), fusion


@pytest.mark.parametrize("name", FUSIONS)
def test_every_fusion_gives_probabilities(name):
    network, _ = model(name)
    inputs = {key: np.random.default_rng(0).normal(size=(7, width)).astype("f") for key, width in WIDTHS.items()}
    predicted = network.predict(inputs, verbose=0)
    assert predicted.shape == (7, 3)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_parameters_are_encoders_fusion_and_head(name):
    network, fusion = model(name)
    encoders = sum((width * 16 + 16) + (16 * 4 + 4) for width in WIDTHS.values())
    fused = 8 if name == "concat" else 32
    head = (fused * 32 + 32) + (32 * 3 + 3)
    assert network.count_params() == encoders + fusion.count_params() + head


@pytest.mark.parametrize("widths", [SENSORS, MIXED], ids=["equal", "mixed"])
def test_each_modality_is_encoded_by_two_dense_layers_of_its_own(widths):
    fusion = ConcatFusion()
    network = fusion_model(vectors(widths), fusion, outputs=2, task="classification", features=4, hidden=6)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(size=weight.shape) for weight in network.get_weights()])
    inputs = {name: rng.normal(size=(7, width)).astype("f") for name, width in widths.items()}

    first, second = kernels_and_biases(network)
    expected = []
    for vector, (kernel, bias), (next_kernel, next_bias) in zip(inputs.values(), first, second, strict=True):
        hidden = np.maximum(vector @ kernel + bias, 0)
        expected.append(np.tanh(hidden @ next_kernel + next_bias))
    encoded = keras.Model(network.inputs, fusion.output).predict(inputs, verbose=0)
    np.testing.assert_allclose(encoded, np.hstack(expected), rtol=1e-4, atol=1e-5)


def kernels_and_biases(network):
    """Both layers of the encoders: one (kernel, bias) per modality, from the stacks that the model keeps."""
    *first, second_kernels, second_biases = network.get_weights()[:-4]
    kernels, biases = ([array for stack in stacks for array in stack] for stacks in (first[::2], first[1::2]))
    return list(zip(kernels, biases, strict=True)), list(zip(second_kernels, second_biases, strict=True))


@pytest.mark.parametrize("widths", [SENSORS, MIXED], ids=["equal", "mixed"])
def test_encoders_start_glorot_uniform_and_all_different(widths):
    network = fusion_model(vectors(widths), ConcatFusion(), outputs=2, task="classification", features=30, hidden=40)
    for layer in kernels_and_biases(network):
        for kernel, bias in layer:
            limit = math.sqrt(6 / sum(kernel.shape))
            assert 0.95 * limit < np.abs(kernel).max() <= limit
            assert np.std(kernel) == pytest.approx(limit / math.sqrt(3), rel=0.1)
            assert not bias.any()
        kernels = [kernel.ravel() for kernel, _ in layer]
        assert len({kernel[0] for kernel in kernels}) == len(kernels)


def test_encoders_and_head_start_equal_for_every_fusion_and_differ_by_seed():
    def others(name, seed):
        network, fusion = model(name, seed)
        return [np.asarray(w) for layer in network.layers if layer is not fusion for w in layer.weights]

    first = others("qfl", seed=1)
    for name in set(FUSIONS) - {"concat"}:  # whose head is narrower
        for one, same in zip(first, others(name, seed=1), strict=True):
            np.testing.assert_array_equal(one, same)
    for one, other in zip(first, others("qfl", seed=2), strict=True):
        assert not one.any() or (one != other).all()


def test_a_fusion_is_given_one_tensor():
    _, fusion = model("concat")
    assert tuple(fusion.input.shape) == (None, 2, 4)


@pytest.mark.parametrize("name", FUSIONS)
def test_more_modalities_of_equal_width_add_no_variables(name):
    counts = []
    for modalities in (2, 5):
        widths = {f"sensor {k}": 3 for k in range(modalities)}
        fusion = make_fusion(name, [2] * modalities, units=8)
        counts.append(len(fusion_model(vectors(widths), fusion, outputs=1, task="forecasting", features=2).weights))
    assert counts[0] == counts[1]


def test_control_has_as_many_weights_as_qfl():
    for degree in (1, 2, 3, 5):
        layers = [make_fusion(name, [4] * 6, degree=degree) for name in ("qfl", "control")]
        for layer in layers:
            layer.build([(None, 4)] * 6)
        assert layers[0].count_params() == layers[1].count_params()


def test_unknown_fusion_lists_the_known():
    with pytest.raises(ValueError, match=r"Unknown fusion 'sum'.*qfl.*control"):
        make_fusion("sum", [4, 4])


ECG = [modality(lead, (100,), "waveform") for lead in ("I", "II", "V2")]
ROAD = [modality("sensors", (12,), "window", count=5)]
EVERY_KIND = [modality("text", (2, 3)), *ECG, *ROAD, modality("left", (8, 8, 1), "image"), modality("words", (4,))]


def samples(modalities, batch=7, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {
        m.name: (math.prod(m.shape),) if m.kind == "vector" else ((m.count,) if m.count > 1 else ()) + m.shape
        for m in modalities
    }
    return {name: rng.normal(size=(batch, *shape)).astype("f") for name, shape in shapes.items()}


def encoder(modalities, **arguments):
    fusion = ConcatFusion()
    network = fusion_model(modalities, fusion, outputs=2, task="classification", features=4, hidden=6, **arguments)
    return keras.Model(network.inputs, fusion.input)


@pytest.mark.parametrize(("modalities", "count"), [(ECG, 3), (ROAD, 5), (EVERY_KIND, 11)], ids=["ecg", "road", "every"])
def test_each_modality_has_its_place_whatever_its_kind(modalities, count):
    network, inputs = encoder(modalities), samples(modalities)
    features = network.predict(inputs, verbose=0)
    assert features.shape == (7, count, 4)
    place = 0
    for changed in modalities:
        others = inputs | {changed.name: inputs[changed.name] + 1}
        moved = np.abs(network.predict(others, verbose=0) - features).max(axis=(0, 2)) > 1e-6
        assert np.flatnonzero(moved).tolist() == list(range(place, place + changed.count))
        place += changed.count


def test_one_by_one_or_stacked_modalities_are_encoded_alike():
    single = [modality(f"sensor {k}", (12,), "window") for k in range(5)]
    stacked = samples(ROAD)
    apart = {f"sensor {k}": stacked["sensors"][:, k] for k in range(5)}
    np.testing.assert_allclose(
        encoder(single, seed=1).predict(apart, verbose=0), encoder(ROAD, seed=1).predict(stacked, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("modalities", [ECG, ROAD], ids=["ecg", "road"])
def test_weights_of_signals_are_shared_or_each_modality_has_its_own(modalities):
    count = sum(m.count for m in modalities)
    assert encoder(modalities, shared=False).count_params() == count * encoder(modalities).count_params()


def test_207_sensors_are_one_input_and_no_more_variables_than_two():
    two, all_of_them = (encoder([modality("sensors", (12,), "window", count)]) for count in (2, 207))
    assert len(all_of_them.inputs) == 1
    assert len(all_of_them.weights) == len(two.weights)


@pytest.mark.parametrize(
    ("task", "activation"), [("classification", "softmax"), ("multilabel", "sigmoid"), ("forecasting", "linear")]
)
def test_the_task_says_what_the_outputs_are(task, activation):
    network, _ = model("concat", task=task)
    assert network.layers[-1].activation.__name__ == activation
