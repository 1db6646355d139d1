"""Engines against cirq.Simulator, and their gradients against finite differences."""

import contextlib
import dataclasses

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import ModelCircuit, qcnn_circuit, qfl_circuit
from tfq_fusion.engines import ENGINES, expectation


def values(spec, seed, batch):
    rng = np.random.default_rng(seed)
    data = rng.uniform(-np.pi, np.pi, (batch, len(spec.data_symbols)))
    return data, rng.uniform(-np.pi, np.pi, len(spec.weight_symbols))


def simulated(spec, data, weights):
    simulator = cirq.Simulator(dtype=np.complex128)
    symbols = (*spec.data_symbols, *spec.weight_symbols)
    rows = [
        simulator.simulate_expectation_values(
            spec.circuit, list(spec.operators), param_resolver=dict(zip(symbols, (*row, *weights), strict=True))
        )
        for row in data
    ]
    return np.real(rows)


@contextlib.contextmanager
def uncompiled():
    """Does the same operations one by one: XLA compiles every circuit anew, which takes seconds."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@settings(max_examples=15, deadline=None)
@given(
    modalities=st.integers(1, 3),
    features=st.integers(1, 3),
    degree=st.integers(1, 2),
    entangler=st.sampled_from(["all_to_all", "ring", "brick"]),
    signal=st.sampled_from(["rx", "ry", "rz"]),
    measurement=st.sampled_from(["random_pauli", "pauli_plane", "computational"]),
    batch=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_expectations_are_the_simulator_s(modalities, features, degree, entangler, signal, measurement, batch, seed):
    spec = qfl_circuit(modalities, features, degree, 1, entangler, signal, measurement, observables=3, seed=seed)
    data, weights = values(spec, seed, batch)
    for engine in ENGINES:
        with uncompiled():
            found = expectation(spec, data, weights, engine=engine)
        precise = engine == "compiled"
        assert found.dtype == (tf.float64 if precise else tf.float32)
        np.testing.assert_allclose(found, simulated(spec, data, weights), atol=1e-12 if precise else 1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"qubits": 3, "encoding": "dense_angle", "convolution": "tutorial", "readout": "pauli"},
        {"qubits": 3, "encoding": "amplitude", "pooling": "tutorial", "shared": False},
    ],
)
def test_convolutional_networks_give_the_simulator_s_values_and_equal_gradients(arguments):
    spec = qcnn_circuit(**arguments)
    data, weights = values(spec, seed=0, batch=3)
    gradients = []
    for engine in ENGINES:
        inputs = [tf.constant(data, tf.float32), tf.constant(weights, tf.float32)]
        with uncompiled(), tf.GradientTape() as tape:
            tape.watch(inputs)
            found = expectation(spec, *inputs, engine=engine)
            loss = tf.reduce_sum(found**2)
        np.testing.assert_allclose(found, simulated(spec, data, weights), atol=1e-5)
        with uncompiled():
            gradients.append(tape.gradient(loss, inputs))
    for compiled, tfq in zip(*gradients, strict=True):
        np.testing.assert_allclose(compiled, tfq, atol=1e-3)


@pytest.mark.slow
def test_engines_agree_on_sixteen_qubits():
    spec = qcnn_circuit(16, encoding="angle")
    data, weights = values(spec, seed=0, batch=2)
    # In single precision the sum over 65,536 amplitudes is off by 5e-5.
    compiled = expectation(spec, tf.constant(data), weights)
    np.testing.assert_allclose(compiled, expectation(spec, data, weights, engine="tfq"), atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("signal", ["rx", "ry", "rz"])
@pytest.mark.usefixtures("uncompiled")
def test_gradients_are_finite_differences(signal, engine):
    spec = qfl_circuit(2, 1, degree=2, signal=signal, observables=3, seed=1)
    data, weights = values(spec, seed=2, batch=2)
    upstream = np.random.default_rng(3).normal(size=(2, 3))

    def loss(data, weights):
        return np.sum(upstream * simulated(spec, data, weights))

    inputs = [tf.constant(data, tf.float32), tf.constant(weights, tf.float32)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(upstream.astype(np.float32) * expectation(spec, *inputs, engine=engine))
    found = tape.gradient(total, inputs)

    signs = np.random.default_rng(4)
    for position, array in enumerate((data, weights)):
        assert np.abs(found[position]).max() > 0.01
        for _ in range(3):  # random directions tell a wrong coordinate as surely as every coordinate would
            direction = signs.choice([-1, 1], array.shape)
            shifted = [[data, weights] for _ in range(2)]
            shifted[0][position] = array + 1e-5 * direction
            shifted[1][position] = array - 1e-5 * direction
            expected = (loss(*shifted[0]) - loss(*shifted[1])) / 2e-5
            assert np.sum(found[position] * direction) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_works_inside_tf_function_with_unknown_batch_size(engine):
    spec = qfl_circuit(2, 1, degree=1, observables=2, seed=4)
    _, weights = values(spec, 0, 1)

    @tf.function(input_signature=[tf.TensorSpec([None, 2])])
    def run(data):
        return expectation(spec, data, weights, engine=engine)

    for batch in (1, 3):
        data, _ = values(spec, batch, batch)
        np.testing.assert_allclose(run(tf.constant(data, tf.float32)), simulated(spec, data, weights), atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_symbols_keep_their_order_and_may_be_unused(engine):
    z, a, unused = sympy.symbols("z a unused")
    qubit = cirq.LineQubit(0)
    spec = ModelCircuit(
        cirq.Circuit(cirq.ry(z).on(qubit), cirq.rx(a).on(qubit)),
        data_symbols=(z, unused),
        weight_symbols=(a,),
        operators=(cirq.PauliSum.from_pauli_strings(cirq.Z(qubit)),),
    )
    # <Z> after Ry(z) and Rx(a) is cos(z) cos(a).
    found = expectation(spec, [[0.3, 9.0]], [1.1], engine=engine)
    np.testing.assert_allclose(found, [[np.cos(0.3) * np.cos(1.1)]], atol=1e-6)


def no_symbols(circuit, *operators):
    return ModelCircuit(circuit, (), (), operators)


def value(spec, engine):
    return float(expectation(spec, np.zeros((1, 0)), np.zeros(0), engine=engine)[0, 0])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_circuit_or_sum_that_was_extended_has_its_new_value(engine):
    qubit = cirq.LineQubit(0)
    circuit, total = cirq.Circuit(cirq.rx(0.3).on(qubit)), cirq.PauliSum.wrap(cirq.Z(qubit))
    first = no_symbols(circuit, total)
    found = [value(first, engine)]
    circuit.append(cirq.X(qubit))
    found.append(value(no_symbols(circuit, total), engine))
    total += 5
    found.append(value(no_symbols(circuit, total), engine))
    np.testing.assert_allclose(found, [np.cos(0.3), -np.cos(0.3), 5 - np.cos(0.3)], atol=1e-6)
    assert value(first, engine) == found[0]  # it kept what it was made of


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_model_circuit_holds_may_be_extended_too(engine):
    qubit = cirq.LineQubit(0)
    spec = no_symbols(cirq.Circuit(cirq.rx(0.3).on(qubit)), -cirq.Z(qubit))
    found = [value(spec, engine)]
    spec.circuit.append(cirq.X(qubit))
    found.append(value(spec, engine))
    (total,) = spec.operators
    total -= cirq.Z(qubit)  # -2 has the hash of -1
    found.append(value(spec, engine))
    np.testing.assert_allclose(found, [-np.cos(0.3), np.cos(0.3), 2 * np.cos(0.3)], atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
def test_global_policies_change_nothing(policy, engine):
    spec = qfl_circuit(2, 1, degree=1, observables=2, seed=5)
    inputs = [tf.constant(array, tf.float32) for array in values(spec, seed=0, batch=2)]
    before, found = tf.keras.mixed_precision.global_policy(), []
    try:
        for each in (policy, "float32"):  # what is kept of the first must not show in the second
            tf.keras.mixed_precision.set_global_policy(each)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                result = expectation(spec, *inputs, engine=engine)
            found.append((result, *tape.gradient(result, inputs)))
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    for one, other in zip(*found, strict=True):
        assert one.dtype == tf.float32
        np.testing.assert_array_equal(one, other)


def test_unknown_engine_lists_the_known():
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    with pytest.raises(ValueError, match=r"one of \['compiled', 'tfq'\], got 'qsim'"):
        expectation(spec, np.zeros((1, 2)), np.zeros(len(spec.weight_symbols)), engine="qsim")


@pytest.mark.parametrize(
    ("columns", "weights", "message"),
    [(3, 18, r"data should have shape \[None, 2\].*\[1, 3\]"), (2, 17, r"weights should have shape \[18\].*\[17\]")],
)
def test_wrong_numbers_of_columns_are_both_named(columns, weights, message):
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    with pytest.raises(ValueError, match=message):
        expectation(spec, np.zeros((1, columns)), np.zeros(weights))


@pytest.mark.parametrize(
    ("data", "weights", "states", "expected"),
    [
        (np.float64, np.float64, None, "float64"),
        (np.float64, np.float32, None, "float64"),
        (np.float32, np.float64, None, "float64"),
        (np.float32, np.float32, np.complex128, "float64"),
        (np.float32, np.float32, np.complex64, "float32"),
        (np.int64, np.float16, None, "float32"),
        (list, list, None, "float32"),
        (list, np.float64, None, "float64"),
        (tf.float64, tf.float32, None, "float64"),
        (tf.float32, tf.float32, None, "float32"),
    ],
)
def test_the_widest_precision_is_that_of_the_values(data, weights, states, expected):
    def as_(kind, array):
        if kind is list:
            return array.tolist()
        return tf.constant(array, kind) if isinstance(kind, tf.DType) else array.astype(kind)

    z, w = sympy.symbols("z w")
    qubit = cirq.LineQubit(0)
    spec = ModelCircuit(cirq.Circuit(cirq.ry(z).on(qubit), cirq.rx(w).on(qubit)), [z], [w], cirq.Z(qubit))
    start = None if states is None else as_(states, np.eye(2)[:1])
    found = expectation(spec, as_(data, np.ones((1, 1))), as_(weights, np.ones(1)), states=start)
    assert found.dtype.name == expected
    np.testing.assert_allclose(found, [[np.cos(1) ** 2]], atol={"float32": 1e-6, "float64": 1e-14}[expected])


@pytest.mark.keras
def test_plain_numbers_are_in_keras_default_precision():
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    tf.keras.backend.set_floatx("float64")
    try:
        assert expectation(spec, [[0.1, 0.2]], [0.3] * 18).dtype == tf.float64
    finally:
        tf.keras.backend.set_floatx("float32")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_values_that_are_no_angles_are_named(bad, engine):
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    message = rf"data should be finite, and at most .* got {bad:g} for 'x_1' \(sample 2\)\. Impute"
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        expectation(spec, [[0, 0], [0, 0], [0, bad]], np.zeros(18), engine=engine)
    message = rf"weights should be finite, .* got {bad:g} for 'theta_03'\. If training made them, lower the learning"
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        expectation(spec, np.zeros((1, 2)), [0, 0, 0, bad] + 14 * [0], engine=engine)


@pytest.mark.parametrize("angle", [100.0, 65_000.0])
def test_large_angles_have_one_value_on_both_engines(angle):
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    found = [
        expectation(spec, np.full((1, 2), angle, np.float32), np.ones(18, np.float32), engine=engine)
        for engine in ENGINES
    ]
    np.testing.assert_allclose(*found, atol=2**-6)


@pytest.mark.parametrize(
    ("data", "weights", "message"),
    [
        (np.zeros((1, 2), complex), np.zeros(18), "data should be an array of real numbers, got complex128"),
        ([["a", "b"]], np.zeros(18), "data should be an array of real numbers, got list"),
        (None, np.zeros(18), "data should be an array of real numbers, got NoneType"),
        (np.array([["a", "b"]]), np.zeros(18), "data should be an array of real numbers, got str"),
        ([[0, 0], [0]], np.zeros(18), "data should be an array of real numbers, got list"),
        (np.zeros((1, 2)), 0.5, r"weights should have shape \[18\].*got \[\]"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_named(data, weights, message):
    with pytest.raises(ValueError, match=message):
        expectation(qfl_circuit(2, 1, degree=1, observables=2), data, weights)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (np.eye(8)[:1], r"states should have shape \[2, 8\].*got \[1, 8\]"),
        (np.eye(8)[:3], r"states should have shape \[2, 8\].*got \[3, 8\]"),
        (np.eye(4)[:2], r"states should have shape \[2, 8\].*got \[2, 4\]"),
        (np.eye(8)[0], r"states should have shape \[2, 8\].*got \[8\]"),
        (np.diag([1.0, 0.5] + 6 * [0])[:2], r"states should have norm 1, got 0.5 \(sample 1\)"),
        (np.zeros((2, 8)), r"states should have norm 1, got 0 \(sample 0\)"),
        (np.full((2, 8), np.nan), r"states should have norm 1, got nan \(sample 0\)"),
        (np.full((2, 8), "a"), r"states should be an array of complex or real numbers, got str"),
    ],
)
def test_states_that_do_not_fit_are_named(states, message):
    with pytest.raises(ValueError, match=message):
        expectation(qfl_circuit(2, 1, degree=1, observables=2), np.zeros((2, 2)), np.zeros(18), states=states)


def test_states_of_another_batch_are_refused_in_a_graph_too():
    spec = qfl_circuit(2, 1, degree=1, observables=2)
    signature = [tf.TensorSpec([None, 2]), tf.TensorSpec([None, 8])]
    run = tf.function(lambda data, states: expectation(spec, data, tf.zeros(18), states=states), signature)
    assert run(tf.zeros((2, 2)), tf.eye(8)[:2]).shape == (2, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="one row per sample"):
        run(tf.zeros((3, 2)), tf.eye(8)[:1])


def test_equal_circuits_share_one_compilation():
    from tfq_fusion.engines import tensorflow_quantum as tfq

    spec = qfl_circuit(2, 1, degree=1, observables=2)
    assert tfq._compile(spec) is tfq._compile(dataclasses.replace(spec))
