"""Shots: the distribution of what a device would count, its seed, and the exact gradient."""

import cirq
import keras as keras3
import numpy as np
import pytest
import sympy
import tensorflow as tf
from scipy import stats

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.circuits import ModelCircuit, qfl_circuit, with_noise
from tfq_fusion.engines import expectation
from tfq_fusion.layers import CircuitLayer, QuantumFusionLayer

X = sympy.Symbol("x")
FIRST, SECOND = cirq.LineQubit.range(2)
TURN = ModelCircuit(cirq.Circuit(cirq.ry(X)(FIRST), cirq.CNOT(FIRST, SECOND)), [X], [], [cirq.Z(FIRST)])


def measuring(*operators):
    return ModelCircuit(TURN.circuit, [X], [], operators)


def estimates(spec, angle, count, shots, seed=0, **arguments):
    return expectation(spec, np.full((count, 1), angle), np.zeros(0), shots=shots, seed=seed, **arguments).numpy()


@pytest.mark.parametrize(("angle", "shots"), [(1.1, 7), (1.1, 40), (0.2, 15), (3.0, 15)])
def test_the_counts_of_a_string_are_binomial(angle, shots):
    found = estimates(TURN, angle, 4000, shots)[:, 0]
    ones = np.rint((1 + found) / 2 * shots).astype(int)
    np.testing.assert_allclose(2 * ones / shots - 1, found, atol=1e-6)
    expected = 4000 * stats.binom.pmf(range(shots + 1), shots, (1 + np.cos(angle)) / 2)
    seen = np.bincount(ones, minlength=shots + 1)
    rare = expected < 5
    seen, expected = ([*each[~rare], each[rare].sum()] for each in (seen, expected))
    assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_the_mean_of_a_sum_is_exact_and_its_variance_that_of_strings_measured_apart():
    spec = measuring(2 * cirq.Z(FIRST) - 0.5 * cirq.X(SECOND) * cirq.X(FIRST) + 3)
    found = estimates(spec, 0.9, 20_000, 50)[:, 0]
    exact = expectation(spec, [[0.9]], np.zeros(0)).numpy()[0, 0]
    strings = np.cos(0.9), np.sin(0.9)
    variance = sum(c**2 * (1 - e**2) / 50 for c, e in zip((2, 0.5), strings, strict=True))
    assert found.mean() == pytest.approx(exact, abs=4 * np.sqrt(variance / 20_000))
    assert found.var() == pytest.approx(variance, rel=0.05)


def test_a_string_is_measured_once_for_all_operators_that_hold_it_and_an_identity_not_at_all():
    spec = measuring(cirq.Z(FIRST), 2 * cirq.Z(FIRST) - 1, cirq.PauliString(coefficient=0.25), cirq.Z(SECOND))
    found = estimates(spec, 1.3, 50, 20)
    np.testing.assert_allclose(found[:, 1], 2 * found[:, 0] - 1, atol=1e-6)
    np.testing.assert_array_equal(found[:, 2], 0.25)
    assert (found[:, 3] != found[:, 0]).any()


def test_what_is_certain_is_measured_so():
    np.testing.assert_array_equal(estimates(measuring(cirq.Z(FIRST), cirq.Z(SECOND)), 0.0, 3, 1000), 1.0)
    np.testing.assert_allclose(estimates(TURN, np.pi, 3, 1000), -1.0, atol=1e-6)


def test_a_seed_repeats_and_a_generator_goes_on():
    first, again, other = (estimates(TURN, 1.0, 100, 10, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    generator, same = (keras3.random.SeedGenerator(5) for _ in range(2))
    calls = [estimates(TURN, 1.0, 100, 10, each) for each in (generator, generator, same)]
    assert (calls[0] != calls[1]).any()
    np.testing.assert_array_equal(calls[0], calls[2])


def test_samples_and_strings_draw_apart():
    found = estimates(measuring(cirq.Z(FIRST), cirq.Z(SECOND)), 1.2, 5000, 9)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.06  # of strings that commute, too: each has shots of its own
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.06


def test_the_gradient_is_the_exact_one():
    spec = qfl_circuit(3, 1, 2, observables=4)
    rng = np.random.default_rng(0)
    data = tf.constant(rng.uniform(-1, 1, (5, 3)))
    weights = tf.constant(rng.uniform(-1, 1, len(spec.weight_symbols)))
    upstream = tf.constant(rng.normal(size=(5, 4)))
    found = []
    for arguments in ({}, {"shots": 10, "seed": 0}):
        with tf.GradientTape() as tape:
            tape.watch([data, weights])
            loss = tf.reduce_sum(upstream * expectation(spec, data, weights, **arguments))
        found.append(tape.gradient(loss, [data, weights]))
    for exact, sampled in zip(*found, strict=True):
        np.testing.assert_allclose(sampled, exact, atol=1e-12)


def test_shots_follow_noise():
    spec = ModelCircuit(with_noise(TURN.circuit, cirq.depolarize(0.3)), [X], [], TURN.operators)
    exact = expectation(spec, [[0.4]], np.zeros(0)).numpy()[0, 0]
    assert exact < 0.6 * np.cos(0.4)
    assert estimates(spec, 0.4, 5000, 20).mean() == pytest.approx(exact, abs=0.01)


def test_the_reference_is_measured_alike():
    found = estimates(TURN, 1.0, 2000, 20, engine="tfq")
    assert found.mean() == pytest.approx(np.cos(1.0), abs=0.02)


def test_in_a_graph_a_sample_that_is_not_finite_is_not_measured_and_spoils_no_other():
    graph = tf.function(lambda data: expectation(TURN, data, tf.zeros(0), shots=10, seed=0))
    found = graph(tf.constant([[0.0], [np.nan], [0.0]], tf.float32))
    np.testing.assert_array_equal(found, [[1], [np.nan], [1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shots": 0, "seed": 0}, "shots should be an integer of at least 1, got 0"),
        ({"shots": 1.5, "seed": 0}, "shots should be an integer of at least 1, got 1.5"),
        ({"shots": 2**24 + 1, "seed": 0}, "shots should be an integer of at most 16777216"),
        ({"shots": 10}, "seed, an integer or a keras.random.SeedGenerator, should be an integer.*got None"),
        ({"seed": 1}, "seed is what shots draw from.*give shots"),
    ],
)
def test_shots_that_cannot_be_counted_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        expectation(TURN, [[0.1]], np.zeros(0), **arguments)


@pytest.mark.keras
@pytest.mark.parametrize("shots", [0, 2.5])
def test_a_layer_checks_its_shots(shots):
    with pytest.raises(ValueError, match="shots should be an integer of at least 1"):
        QuantumFusionLayer(1, shots=shots)
    with pytest.raises(ValueError, match="shots should be an integer of at least 1"):
        CircuitLayer(TURN, shots=shots)


@pytest.mark.keras
def test_a_layer_draws_anew_in_every_call_and_repeats_with_its_seed():
    inputs = np.full((30, 1), 1.0)
    layer, same, other = (CircuitLayer(TURN, shots=20, seed=seed) for seed in (1, 1, 2))
    first, second = np.asarray(layer(inputs)), np.asarray(layer(inputs))
    assert (first != second).any()
    np.testing.assert_array_equal(same(inputs), first)
    assert (np.asarray(other(inputs)) != first).any()
    assert np.asarray(layer(inputs)).mean() == pytest.approx(np.cos(1.0), abs=0.15)


@pytest.mark.keras
def test_a_fusion_with_shots_trains_and_is_saved_with_them(tmp_path):
    inputs = keras.Input((3, 1))
    fusion = QuantumFusionLayer(1, observables=4, seed=0, shots=200)
    model = keras.Model(inputs, keras.layers.Dense(1)(fusion(inputs)))
    model.compile("adam", "mse")
    features = np.random.default_rng(0).uniform(-1, 1, (40, 3, 1)).astype("f")
    before = np.asarray(fusion.circuit.theta)
    history = model.fit(features, features.sum(axis=(1, 2)), epochs=3, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert np.abs(np.asarray(fusion.circuit.theta) - before).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].shots == loaded.layers[1].circuit.shots == 200
    calls = np.array([loaded(features) for _ in range(20)])
    np.testing.assert_allclose(calls.mean(axis=0), np.mean([model(features) for _ in range(20)], axis=0), atol=0.2)
    assert calls.std(axis=0).min() > 0


@pytest.mark.skipif(LEGACY, reason="one stream is one of Keras 3")
def test_shots_are_no_numbers_that_the_weights_were_drawn_from():
    layer = CircuitLayer(qfl_circuit(2, 1, 1), seed=7, shots=5)
    (state,) = (each for each in layer.variables if "seed" in each.path)
    assert 7 not in np.asarray(state)
