"""Noise after every gate: TensorFlow Quantum's trajectories, and Pauli errors, against density matrices in Cirq."""

import math

import cirq
import numpy as np
import pytest
import tensorflow as tf

from reproduce.experiments.processors.noise import CHANNELS, NoisyFusion, after_every_gate, noise, noisy_expectation
from reproduce.experiments.registry import run
from tfq_fusion._keras import keras
from tfq_fusion.circuits import hardware_mix, qfl_circuit
from tfq_fusion.engines import expectation
from tfq_fusion.layers import QuantumFusionLayer


@pytest.mark.parametrize("name", CHANNELS)
@pytest.mark.parametrize("rate", [1e-3, 0.1])
def test_pauli_errors_make_the_channel(name, rate):
    channel, probabilities = CHANNELS[name]
    x, y, z = probabilities(rate)
    mixture = cirq.asymmetric_depolarize(x, y, z)
    np.testing.assert_allclose(
        cirq.kraus_to_superoperator(cirq.kraus(channel(rate))),
        cirq.kraus_to_superoperator(cirq.kraus(mixture)),
        atol=1e-9,
    )


def test_noise_comes_after_every_gate_on_each_of_its_qubits():
    a, b = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(a), cirq.CZ(a, b))
    noisy = after_every_gate(circuit, lambda qubit: [cirq.depolarize(0.1).on(qubit)])
    noise = cirq.depolarize(0.1)
    assert list(noisy.all_operations()) == [cirq.X(a), noise(a), cirq.CZ(a, b), noise(a), noise(b)]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANNELS)
def test_trajectories_agree_with_density_matrices(name):
    """TensorFlow Quantum takes no seed. The 32 values of a repetition share trajectories: they vary as 15 to 20
    independent ones would, and so does their estimated error. Bounds are quantiles of the F distribution with 15 and
    12 * 15 degrees of freedom for the mean of the repetitions, and 12 * 15 of both for their spread: chance exceeds
    either less than once in ten million times."""
    circuit = qfl_circuit(3, 1, 1, observables=8, hardware=True)
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-1, 1, (4, 3)) @ hardware_mix(3), rng.uniform(-3, 3, len(circuit.weight_symbols))
    channel = CHANNELS[name][0](0.05)
    repetitions = [noisy_expectation(circuit, data, weights, channel, trajectories=300) for _ in range(12)]

    noisy = after_every_gate(circuit.circuit, lambda qubit: [channel.on(qubit)])
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)
    symbols = (*circuit.data_symbols, *circuit.weight_symbols)
    exact = [
        simulator.simulate_expectation_values(
            noisy, list(circuit.operators), dict(zip(symbols, (*row, *weights), strict=True))
        )
        for row in data
    ]
    differences = np.array([found for found, _ in repetitions]) - np.real(exact)
    error = np.sqrt(np.mean([error**2 for _, error in repetitions]))
    assert np.sqrt(np.mean(differences.mean(0) ** 2)) < 2.25 * error / math.sqrt(12)
    assert error / 1.5 < np.sqrt(np.mean(differences**2)) < 1.5 * error
    assert error < 1 / math.sqrt(300)
    noiseless, _ = noisy_expectation(circuit, data, weights, CHANNELS[name][0](0.0), trajectories=2)
    assert np.abs(noiseless - np.real(exact)).max() > 10 * error


def test_trajectories_without_errors_give_the_circuit_s_values():
    circuit = qfl_circuit(3, 1, 1, observables=4, hardware=True)
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-1, 1, (2, 3)) @ hardware_mix(3), rng.uniform(-3, 3, len(circuit.weight_symbols))
    found, error = noisy_expectation(circuit, data, weights, cirq.depolarize(0.0), trajectories=2)
    np.testing.assert_allclose(found, expectation(circuit, data, weights), atol=1e-5)
    np.testing.assert_allclose(error, 0, atol=1e-5)


@pytest.fixture
def layer():
    layer = QuantumFusionLayer(1, observables=6, scale=0.9, entangler="ring", signal="rx", seed=2)
    layer.build((None, 3, 1))
    return layer


def test_without_errors_the_noisy_layer_is_the_layer(layer):
    noisy = NoisyFusion(layer, "depolarizing", 0.0)
    noisy.set_weights(layer.get_weights())
    inputs = np.random.default_rng(0).uniform(-1, 1, (5, 3, 1)).astype("f")
    np.testing.assert_allclose(noisy(inputs), layer(inputs), atol=1e-5)


def test_an_error_is_that_pauli_after_that_gate(layer, monkeypatch):
    """The third place is the second qubit's Rx: a Y there, then one circuit by hand."""
    noisy = NoisyFusion(layer, "depolarizing", 0.3)
    noisy.set_weights(layer.get_weights())
    operations = list(qfl_circuit(
        3, 1, 1, entangler="ring", signal="rx", observables=6, seed=2, hardware=True
    ).circuit.all_operations())  # fmt: skip
    places = sum(len(operation.qubits) for operation in operations)
    drawn = np.ones((1, places), "f")
    drawn[0, 2] = 0.15  # between 0.1 and 0.2 of 0.3: Y
    monkeypatch.setattr(keras.random, "uniform", lambda shape, seed: tf.constant(drawn))
    inputs = np.array([[[0.3], [-0.5], [0.8]]], "f")

    ends = np.cumsum([len(operation.qubits) for operation in operations])
    at = int(np.searchsorted(ends, 3))
    qubit = operations[at].qubits[2 - (ends[at] - len(operations[at].qubits))]
    circuit = cirq.Circuit([*operations[: at + 1], cirq.Y(qubit), *operations[at + 1 :]])
    symbols = (*(f"phi_{number}" for number in range(4)), *layer.circuit.spec.weight_symbols)
    values = (*(0.9 * inputs.ravel() @ hardware_mix(3)), *layer.get_weights()[0])
    expected = cirq.Simulator().simulate_expectation_values(
        circuit, list(layer.circuit.spec.operators), dict(zip(symbols, values, strict=True))
    )
    np.testing.assert_allclose(np.asarray(noisy(inputs))[0], np.real(expected), atol=1e-5)


def test_every_sample_and_call_meets_errors_of_its_own_and_the_angles_have_a_gradient(layer):
    noisy = NoisyFusion(layer, "depolarizing", 0.3)
    noisy.set_weights(layer.get_weights())
    inputs = np.repeat(np.array([[[0.3], [-0.5], [0.8]]], "f"), 3, axis=0)
    with tf.GradientTape() as tape:
        first = noisy(inputs)
        loss = tf.reduce_sum(first**2)
    assert np.abs(np.asarray(first)[0] - np.asarray(first)[1]).max() > 1e-3
    assert np.abs(np.asarray(first) - np.asarray(noisy(inputs))).max() > 1e-3
    assert np.abs(tape.gradient(loss, noisy.trainable_variables[0])).max() > 1e-3


def test_a_model_with_noise_inside_is_never_saved(layer, tmp_path):
    inputs = keras.Input((3, 1))
    model = keras.Model(inputs, NoisyFusion(layer, "depolarizing", 0.1)(inputs))
    with pytest.raises(NotImplementedError, match="NoisyFusion is never saved"):
        model.save(tmp_path / "model.keras")


@pytest.mark.slow
def test_a_run_with_noise_reports_each_rate_and_trains_further_if_told(specify):
    options = {"samples": 3, "channel": "depolarizing", "rates": (1e-9, 0.1), "trajectories": 4, "epochs": 1}
    (result,) = run([specify("noise", **options)])
    names = {f"{metric}@{rate}" for metric in ("accuracy", "trajectory_error") for rate in ("1e-09", "0.1")}
    assert set(result.metrics["test"]) == {"accuracy@0", *names}
    assert result.modalities == 3
    # No error happens in so few trajectories of the first rate, and in the second's one in every circuit.
    errors = [result.metrics["test"][f"trajectory_error@{rate}"] for rate in ("1e-09", "0.1")]
    assert errors[0] < errors[1]


def test_a_classical_fusion_is_tested_on_the_same_samples_without_noise(specify):
    options = {"samples": 30, "channel": "none", "rates": (), "trajectories": 4, "epochs": 0}
    spec = specify("noise", degree=None, fusion="lmf", **options)
    first, again = (noise(spec).metrics["test"] for _ in range(2))
    assert set(first) == {"accuracy@0"}
    assert first["accuracy@0"] * 30 == pytest.approx(round(first["accuracy@0"] * 30))
    assert again == first
