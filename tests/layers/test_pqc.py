"""PQC and ControlledPQC give and learn what TensorFlow Quantum's do."""

import functools

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.layers.support import (
    ANOTHER,
    QUBITS,
    controlled_pair,
    data_circuits,
    hybrid_model,
    model_circuit,
    operators,
    values_and_gradient,
)
from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.layers import PQC, ControlledPQC

pytestmark = pytest.mark.keras

# TensorFlow Quantum's gradients, not ours, are why theirs and ours are compared at 1e-3 only.


@functools.cache
def traced_ours():
    """Our layer in a graph that knows no batch size."""
    strings, floats = tf.TensorSpec([None], tf.string), [tf.TensorSpec([None, width]) for width in (3, 2)]
    return tf.function(functools.partial(values_and_gradient, controlled_pair()[0]), input_signature=[strings, *floats])


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), batch=st.sampled_from([1, 4]), wide=st.booleans(), traced=st.booleans())
def test_controlled_pqc_is_tensorflow_quantum_s(seed, batch, wide, traced):
    rng = np.random.default_rng(seed)
    data = data_circuits(rng, batch)
    if wide:
        data[-1] += cirq.Circuit(cirq.ry(1.0).on(ANOTHER), cirq.CNOT(ANOTHER, QUBITS[0]))
    circuits = tfq.convert_to_tensor(data)
    parameters = tf.constant(rng.uniform(-4, 4, (batch, 3)), tf.float32)
    upstream = tf.constant(rng.normal(size=(batch, 2)), tf.float32)
    ours, theirs = controlled_pair()
    run = traced_ours() if traced else functools.partial(values_and_gradient, ours)
    values, gradient = run(circuits, parameters, upstream)
    expected_values, expected_gradient = values_and_gradient(theirs, circuits, parameters, upstream)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(values, expected_values, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-3)


def test_a_circuit_that_repeats_gives_each_of_its_samples_its_state():
    ours, theirs = controlled_pair()
    rng = np.random.default_rng(0)
    circuits = tf.gather(tfq.convert_to_tensor(data_circuits(rng, 3)), [2, 0, 2, 1, 0])
    parameters = tf.constant(rng.uniform(-4, 4, (5, 3)), tf.float32)
    np.testing.assert_allclose(ours([circuits, parameters]), theirs([circuits, parameters]), atol=1e-5)


def test_a_batch_may_be_empty():
    ours, _ = controlled_pair()
    assert ours([tfq.convert_to_tensor([cirq.Circuit()])[:0], tf.zeros((0, 3))]).shape == (0, 2)


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.usefixtures("uncompiled")
def test_pqc_shares_its_parameters_among_the_samples(grid):
    qubits = [cirq.GridQubit(0, 2), cirq.GridQubit(0, 10), cirq.GridQubit(1, 0)] if grid else QUBITS
    rng = np.random.default_rng(2)
    circuits = tfq.convert_to_tensor(data_circuits(rng, 4, qubits))
    upstream = tf.constant(rng.normal(size=(4, 2)), tf.float32)
    layer = PQC(model_circuit(qubits), operators(qubits))
    variable = layer.parameters if LEGACY else layer.parameters.value
    with tf.GradientTape() as tape:
        values = layer(circuits)
    gradient = tape.gradient(values, variable, upstream)
    theirs = tfq.layers.ControlledPQC(model_circuit(qubits), operators(qubits))
    shared = tf.repeat(layer.get_weights()[0][np.newaxis], 4, axis=0)
    expected_values, expected_gradient = values_and_gradient(theirs, circuits, shared, upstream)
    np.testing.assert_allclose(values, expected_values, atol=1e-5)
    np.testing.assert_allclose(gradient, tf.reduce_sum(expected_gradient, axis=0), atol=1e-3)


@pytest.mark.skipif(not LEGACY, reason="TensorFlow Quantum's PQC fails under Keras 3")
@pytest.mark.usefixtures("uncompiled")
def test_pqc_is_tensorflow_quantum_s():
    ours, theirs = PQC(model_circuit(), operators()), tfq.layers.PQC(model_circuit(), operators())
    theirs.set_weights(ours.get_weights())
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(3), 4))
    found, expected = [], []
    for layer, results in ((ours, found), (theirs, expected)):
        with tf.GradientTape() as tape:
            values = layer(circuits)
            loss = tf.reduce_sum(values**2)
        results += [values, tape.gradient(loss, layer.trainable_variables[0])]
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-3)
    assert ours.symbols == theirs.symbols
    assert ours.symbol_values() == theirs.symbol_values()
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]


@pytest.mark.usefixtures("uncompiled")
def test_gradients_are_the_differentiator_s():
    arguments, coarse = (model_circuit(), operators()), tfq.differentiators.ForwardDifference
    ours = ControlledPQC(*arguments, differentiator=coarse(1, 0.1))
    theirs = tfq.layers.ControlledPQC(*arguments, differentiator=coarse(1, 0.1))
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 2), tf.constant([[0.3, -0.4, 1.2]] * 2)
    found, expected, exact = (
        values_and_gradient(layer, circuits, parameters, tf.ones((2, 2)))[1]
        for layer in (ours, theirs, controlled_pair()[0])
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - exact).max() > 0.01


@pytest.mark.usefixtures("uncompiled")
def test_repetitions_are_drawn_anew_as_by_tensorflow_quantum_and_have_the_exact_gradient():
    counted, exact = (ControlledPQC(model_circuit(), operators(), repetitions=many) for many in (5, None))
    theirs = tfq.layers.ControlledPQC(model_circuit(), operators(), repetitions=5)
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 2000), tf.constant([[0.3, -0.4, 1.2]] * 2000)
    (found, gradient), (_, expected) = (
        values_and_gradient(layer, circuits, parameters, tf.ones((2000, 2))) for layer in (counted, exact)
    )
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
    assert (np.asarray(found) != np.asarray(counted([circuits, parameters]))).any()
    for ours, others in zip(np.asarray(found).T, np.asarray(theirs([circuits, parameters])).T, strict=True):
        assert stats.ks_2samp(ours.round(3), others.round(3)).pvalue > 1e-4
        assert ours.std() == pytest.approx(others.std(), rel=0.1)


@pytest.mark.usefixtures("uncompiled")
def test_gradients_of_repetitions_by_parameter_shift_are_distributed_as_tensorflow_quantum_s():
    arguments, shift = (model_circuit(), operators()), tfq.differentiators.ParameterShift
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 1000), tf.constant([[0.3, -0.4, 1.2]] * 1000)
    upstream = tf.repeat([[1.0, -0.5]], 1000, axis=0)
    ours, theirs = (
        np.asarray(values_and_gradient(layer, circuits, parameters, upstream)[1])
        for layer in (
            kind(*arguments, repetitions=5, differentiator=shift())
            for kind in (ControlledPQC, tfq.layers.ControlledPQC)
        )
    )
    for one, other in zip(ours.T, theirs.T, strict=True):
        assert stats.ks_2samp(one.round(3), other.round(3)).pvalue > 1e-4
        assert one.std() == pytest.approx(other.std(), rel=0.1)


@pytest.fixture(params=["float64", "mixed_float16", "mixed_bfloat16"])
def policy(request):
    """A global policy of Keras."""
    if LEGACY:
        now, choose = keras.mixed_precision.global_policy(), keras.mixed_precision.set_global_policy
    else:
        now, choose = keras.config.dtype_policy(), keras.config.set_dtype_policy
    choose(request.param)
    yield request.param
    choose(now)


@pytest.mark.parametrize(("repetitions", "dtype"), [(None, None), (None, "float32"), (10, None)])
@pytest.mark.usefixtures("uncompiled")
def test_layers_are_trained_under_any_global_policy(policy, repetitions, dtype):
    arguments = {} if dtype is None else {"dtype": dtype}
    layer = PQC(model_circuit(), operators(), repetitions=repetitions, **arguments)
    controlled = ControlledPQC(model_circuit(), operators(), repetitions=repetitions, **arguments)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(8), 4))
    parameters = tf.fill((4, 3), 0.4)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            own, given = layer(circuits), controlled([circuits, parameters])
            loss = tf.reduce_sum(tf.cast(own, tf.float32) + tf.cast(given, tf.float32))
        return (
            own,
            given,
            tape.gradient(
                loss, [*layer.trainable_weights, parameters] if LEGACY else [layer.parameters.value, parameters]
            ),
        )

    own, given, gradients = step()
    assert own.dtype == given.dtype == layer.compute_dtype
    assert all(np.isfinite(gradient).all() and np.any(gradient) for gradient in gradients)
    if repetitions is None:
        expected = tfq.layers.Expectation(dtype="float32")(
            tfq.layers.AddCircuit(dtype="float32")(circuits, append=model_circuit()),
            symbol_names=controlled.symbols,
            symbol_values=parameters,
            operators=operators(),
        )
        np.testing.assert_allclose(tf.cast(given, tf.float32), expected, atol=0.02)


def test_symbols_are_known_by_name():
    qubit, symbol = cirq.LineQubit(0), sympy.Symbol("a", real=True)
    layer = ControlledPQC(cirq.Circuit(cirq.rx(2 * symbol).on(qubit)), cirq.Z(qubit))
    values = layer([tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.4]])])
    np.testing.assert_allclose(values, [[np.cos(0.8)]], atol=1e-6)


def test_pqc_starts_uniform_on_a_turn_and_each_layer_anew():
    qubit = cirq.LineQubit(0)
    symbols = [sympy.Symbol(f"s{number:03}") for number in range(200)]
    circuit = cirq.Circuit(cirq.rx(symbol).on(qubit) for symbol in symbols)
    first, second = (PQC(circuit, cirq.Z(qubit)) for _ in range(2))
    (start,), (other,) = first.get_weights(), second.get_weights()
    assert start.shape == (200,) and start.dtype == np.float32
    assert 0 <= start.min() < 0.3 and 2 * np.pi - 0.3 < start.max() <= 2 * np.pi
    assert not np.allclose(start, other)
    assert first.symbols == symbols
    assert first.symbol_values() == dict(zip(symbols, start, strict=True))


def test_pqc_takes_an_initializer_a_regularizer_and_a_constraint():
    layer = PQC(model_circuit(), operators(), initializer="ones", regularizer="l2", constraint="non_neg")
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones(3))
    np.testing.assert_allclose(sum(layer.losses), 3 * 0.01, rtol=1e-6)
    assert isinstance(layer.constraint, keras.constraints.NonNeg)


def test_a_hybrid_model_learns_along_the_same_losses():
    rng = np.random.default_rng(5)
    inputs = [tfq.convert_to_tensor(data_circuits(rng, 6)), tf.constant(rng.normal(size=(6, 2)), tf.float32)]
    targets = rng.uniform(-1, 1, (6, 2)).astype(np.float32)
    ours, theirs = (
        hybrid_model(layer).fit(inputs, targets, batch_size=6, epochs=20, verbose=0).history["loss"]
        for layer in controlled_pair()
    )
    assert ours[-1] < 0.9 * ours[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
