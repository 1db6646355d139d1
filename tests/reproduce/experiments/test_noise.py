"""Noise after every gate, against density matrices in Cirq; and how runs with noise are trained and tested."""

import dataclasses

import cirq
import numpy as np
import pytest

from reproduce.experiments import inside
from reproduce.experiments.processors import noise as module
from reproduce.experiments.processors.noise import CHANNELS, NoisyFusion, noise
from reproduce.sweep.runs import DIVERGED
from tfq_fusion._keras import keras
from tfq_fusion.circuits import hardware_mix, qfl_circuit
from tfq_fusion.layers import QuantumFusionLayer


@pytest.fixture
def layer():
    layer = QuantumFusionLayer(1, observables=6, scale=0.9, entangler="ring", signal="rx", seed=2)
    layer.build((None, 3, 1))
    return layer


def with_weights_of(layer, channel):
    noisy = NoisyFusion(layer, channel)
    noisy.set_weights(layer.get_weights())
    return noisy


def test_without_errors_the_noisy_layer_is_the_layer(layer):
    noisy = with_weights_of(layer, cirq.depolarize(0.0))
    inputs = np.random.default_rng(0).uniform(-1, 1, (5, 3, 1)).astype("f")
    np.testing.assert_allclose(noisy(inputs), layer(inputs), atol=1e-5)


@pytest.mark.parametrize("name", CHANNELS)
def test_the_channel_comes_after_every_gate_of_the_hardware_s_form_on_each_of_its_qubits(layer, name):
    channel = CHANNELS[name](0.05)
    inputs = np.random.default_rng(0).uniform(-1, 1, (4, 3, 1)).astype("f")
    found = with_weights_of(layer, channel)(inputs)

    spec = qfl_circuit(3, 1, 1, entangler="ring", signal="rx", observables=6, seed=2, hardware=True)
    noisy = cirq.Circuit(
        [operation, [channel.on(qubit) for qubit in operation.qubits]] for operation in spec.circuit.all_operations()
    )
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)
    symbols, (weights,) = (*spec.data_symbols, *spec.weight_symbols), layer.get_weights()
    data = 0.9 * inputs.reshape(4, 3) @ hardware_mix(3)
    expected = [
        simulator.simulate_expectation_values(
            noisy, list(spec.operators), dict(zip(symbols, (*row, *weights), strict=True))
        )
        for row in data
    ]
    np.testing.assert_allclose(found, np.real(expected), atol=1e-5)
    assert np.abs(np.asarray(found) - np.asarray(layer(inputs))).max() > 0.05


def test_a_model_with_noise_inside_is_never_saved(layer, tmp_path):
    inputs = keras.Input((3, 1))
    model = keras.Model(inputs, NoisyFusion(layer, cirq.depolarize(0.1))(inputs))
    with pytest.raises(NotImplementedError, match="NoisyFusion is never saved"):
        model.save(tmp_path / "model.keras")


def seeds_of(spec, count):
    return [dataclasses.replace(spec, seed=seed) for seed in range(count)]


def test_every_seed_is_tested_at_every_rate(specify):
    options = {"channel": "depolarizing", "rates": (1e-9, 0.74), "epochs": 1, "trained": "noiseless"}
    first, second = noise(seeds_of(specify("noise", train_epochs=30, **options), 2))
    assert (first.spec.seed, second.spec.seed) == (0, 1)
    for result in (first, second):
        scores = result.metrics["test"]
        assert set(scores) == {"accuracy@0", "accuracy@1e-09", "accuracy@0.74"}
        assert scores["accuracy@1e-09"] == scores["accuracy@0"] > scores["accuracy@0.74"]
        assert result.modalities == 3
    assert first.history != second.history


@pytest.fixture
def trained(monkeypatch):
    """Epochs and members of each training; but the first, they change nothing."""
    found = []

    def trainer(make_model, protocol):
        def train(data, seeds, rates, tests, folder):
            rates = [1e-12] * len(seeds) if found else rates
            found.append((protocol.epochs, len(seeds)))
            return original(make_model, protocol)(data, seeds, rates, tests, None)

        return train

    original = module.trainer
    for each in (module, inside):
        monkeypatch.setattr(each, "trainer", trainer)
    return found


@pytest.mark.parametrize(("how", "members"), [("noiseless", 1), ("noisy", 2)])
def test_training_goes_on_from_the_weights_without_noise_at_each_rate_or_without(specify, trained, how, members):
    options = {"channel": "phase_damping", "rates": (0.01, 0.3)}
    (result,) = noise([specify("noise", **options, epochs=2, trained=how)])
    assert trained == [(1, 1), (2, members)]
    trained.clear()
    (tested,) = noise([specify("noise", **options, epochs=1, trained="noiseless")])
    expected = {name: score for name, score in tested.metrics["test"].items() if how == "noiseless" or name[9:] != "0"}
    assert result.metrics["test"] == expected


def test_the_head_can_be_trained_alone(specify, monkeypatch):
    made = []

    def trainer(make_model, protocol):
        made.append(make_model(0))
        return original(make_model, protocol)

    original = module.trainer
    for each in (module, inside):
        monkeypatch.setattr(each, "trainer", trainer)
    noise([specify("noise", channel="depolarizing", rates=(0.02,), epochs=1, trained="noisy head")])
    first, further = made
    assert len(further.trainable_variables) == 4 < len(first.trainable_variables)
    assert [weight.shape for weight in further.trainable_variables] == [
        weight.shape for weight in first.trainable_variables[-4:]
    ]


@pytest.mark.slow
def test_training_with_noise_brings_something_back(specify):
    options = {"channel": "depolarizing", "rates": (0.02,), "epochs": 8}
    (without,), (with_noise,) = (
        noise([specify("noise", train_epochs=30, **options, trained=how)]) for how in ("noiseless", "noisy")
    )
    assert with_noise.metrics["test"]["accuracy@0.02"] > without.metrics["test"]["accuracy@0.02"]


def test_a_classical_fusion_is_tested_without_noise_and_at_the_rate_that_suits_it(specify):
    options = {"channel": "none", "rates": (), "epochs": 1, "trained": "noiseless"}
    spec = specify("noise", degree=None, fusion="lmf", **options)
    protocol = dataclasses.replace(spec.protocol, learning_rates=(1e-3, 1e-2), tuning_seeds=1)
    (result,) = noise([dataclasses.replace(spec, protocol=protocol)])
    assert set(result.metrics["test"]) == {"accuracy@0"}
    assert set(result.tuning) == {1e-3, 1e-2}
    assert result.learning_rate == min(result.tuning, key=result.tuning.get)


def test_a_run_that_diverged_has_no_scores(specify):
    options = {"channel": "depolarizing", "rates": (0.1,), "epochs": 1, "trained": "noisy"}
    spec = specify("noise", **options)
    protocol = dataclasses.replace(spec.protocol, learning_rates=(1e38,))
    (result,) = noise([dataclasses.replace(spec, protocol=protocol)])
    assert (result.status, result.metrics) == (DIVERGED, {})
