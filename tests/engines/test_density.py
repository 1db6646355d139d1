"""Exact noise: density matrices against cirq.DensityMatrixSimulator and finite differences, on random circuits."""

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import ModelCircuit, qfl_circuit, with_noise
from tfq_fusion.engines import compiled, expectation
from tfq_fusion.engines.compiled import channels
from tfq_fusion.engines.compiled.lowering import lower

pytestmark = pytest.mark.usefixtures("uncompiled")

DATA, WEIGHTS = sympy.symbols("x:2"), sympy.symbols("w:2")
ONE = [
    cirq.depolarize, cirq.bit_flip, cirq.phase_flip, cirq.phase_damp, cirq.amplitude_damp,
    lambda p: cirq.generalized_amplitude_damp(p, 1 - p), lambda p: cirq.asymmetric_depolarize(p / 2, p / 3, p / 4),
    lambda p: cirq.ResetChannel(), lambda p: cirq.KrausChannel(cirq.kraus(cirq.amplitude_damp(p))),
    lambda p: cirq.H.with_probability(p),
]  # fmt: skip
TWO = [
    lambda p: cirq.depolarize(p, n_qubits=2),
    lambda p: cirq.asymmetric_depolarize(error_probabilities={"II": 1 - p, "XY": p}),
    lambda p: cirq.ISWAP.with_probability(p),
]


GATES = [
    lambda t: cirq.rx(t), lambda t: cirq.ry(t), lambda t: cirq.rz(t), lambda t: cirq.Y**t, lambda t: cirq.H**t,
    lambda t: cirq.PhasedXPowGate(phase_exponent=0.3, exponent=t), lambda t: cirq.CZ**t, lambda t: cirq.CNOT**t,
    lambda t: cirq.ISWAP**t, lambda t: cirq.XX**t, lambda t: cirq.ZZ**t, lambda t: cirq.ry(t).controlled(2, [0, 1]),
    lambda t: cirq.FSimGate(t, 0.2), lambda t: cirq.CNOT, lambda t: cirq.H,
]  # fmt: skip


def noisy_circuit(seed, qubits, gates):
    """A random circuit of gates and channels, the angles data, weights or numbers, and three random Pauli sums."""
    rng = np.random.default_rng(seed)

    def on_some(gate):
        count = cirq.num_qubits(gate)
        return [gate.on(*rng.permutation(qubits)[:count])] if count <= len(qubits) else []

    def one_of(choices):
        return choices[rng.integers(len(choices))]

    # Every qubit is there, and some noise.
    operations = [*map(cirq.I, qubits), cirq.depolarize(0.1).on(qubits[0])]
    for _ in range(gates):
        operations += on_some(one_of(GATES)(one_of([*DATA, *WEIGHTS, 0.7 * DATA[0], 0.4])))
        operations += on_some(one_of(ONE)(rng.uniform(0, 0.5))) if rng.random() < 0.4 else []
        operations += on_some(one_of(TWO)(rng.uniform(0, 0.5))) if rng.random() < 0.2 else []
    sums = [
        sum(
            (rng.normal() * cirq.DensePauliString(rng.integers(4, size=len(qubits))).on(*qubits) for _ in range(2)), 0.5
        )
        for _ in range(3)
    ]
    return ModelCircuit(cirq.Circuit(operations), DATA, WEIGHTS, sums)


def simulated(spec, data, weights, states=None):
    """The same by Cirq, sample by sample."""
    qubits = sorted(spec.circuit.all_qubits())
    names = [symbol.name for symbol in (*spec.data_symbols, *spec.weight_symbols)]
    rows = []
    for number, sample in enumerate(data):
        values = dict(zip(names, [*sample, *weights], strict=True))
        start = 0 if states is None else states[number]
        density = (
            cirq.DensityMatrixSimulator(dtype=np.complex128)
            .simulate(spec.circuit, values, qubit_order=qubits, initial_state=start)
            .final_density_matrix
        )
        where = {qubit: place for place, qubit in enumerate(qubits)}
        rows.append(
            [
                operator.expectation_from_density_matrix(density, where, check_preconditions=False).real
                for operator in spec.operators
            ]
        )
    return np.array(rows)


def numbers(rng, spec, batch):
    return rng.uniform(-2, 2, (batch, len(spec.data_symbols))), rng.uniform(-2, 2, len(spec.weight_symbols))


few = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def on_elements(monkeypatch):
    """Density matrices are held as their elements, as where gates are too wide for matrices on Pauli components."""
    monkeypatch.setattr(channels, "WIDEST", 0)


@few
@given(seed=st.integers(0, 2**31), count=st.integers(1, 3), gates=st.integers(0, 12))
def test_values_are_those_of_cirq(seed, count, gates):
    check_values(seed, count, gates, components=True)


# Other seeds, for a circuit that was lowered once is kept.
@few
@given(seed=st.integers(2**31 + 1, 2**32 - 1), count=st.integers(1, 2), gates=st.integers(0, 12))
def test_values_from_elements_are_those_of_cirq(on_elements, seed, count, gates):
    check_values(seed, count, gates, components=False)


def check_values(seed, count, gates, components):
    spec = noisy_circuit(seed, cirq.LineQubit.range(count), gates)
    assert lower(spec).structure.real == components
    data, weights = numbers(np.random.default_rng(seed), spec, 3)
    expected = simulated(spec, data, weights)
    np.testing.assert_allclose(expectation(spec, data, weights), expected, atol=1e-10)
    single = expectation(spec, data.astype(np.float32), weights.astype(np.float32))
    assert single.dtype == tf.float32
    np.testing.assert_allclose(single, expected, atol=2e-5)


def differences(function, arrays, upstream, step=1e-5):
    """Central differences of the sum of products with ``upstream``."""
    found = []
    for number, array in enumerate(arrays):
        gradient = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = [each.copy() for each in arrays]
                moved[number][place] += sign * step
                ends.append((function(*moved) * upstream).sum())
            gradient[place] = (ends[0] - ends[1]) / (2 * step)
        found.append(gradient)
    return found


def gradients(spec, data, weights, upstream):
    arrays = tf.constant(data), tf.constant(weights)
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        values = expectation(spec, *arrays)
    return tape.gradient(values, arrays, tf.constant(upstream))


@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_finite_differences(seed):
    check_gradients(seed, qubits=3)


@pytest.mark.parametrize("seed", range(4, 6))
def test_gradients_from_elements_are_finite_differences(on_elements, seed):
    check_gradients(seed, qubits=2)


def check_gradients(seed, qubits):
    spec = noisy_circuit(seed, cirq.LineQubit.range(qubits), gates=12)
    rng = np.random.default_rng(seed)
    data, weights = numbers(rng, spec, 2)
    upstream = rng.normal(size=(2, len(spec.operators)))
    expected = differences(lambda *arrays: simulated(spec, *arrays), [data, weights], upstream)
    for own, other in zip(gradients(spec, data, weights, upstream), expected, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-7)


def test_a_rate_can_be_a_weight():
    qubit, rate, angle = cirq.LineQubit(0), *sympy.symbols("p a")
    circuit = cirq.Circuit(cirq.ry(angle)(qubit), cirq.X.with_probability(rate)(qubit))
    spec = ModelCircuit(circuit, (angle,), (rate,), (cirq.Z(qubit),))
    data, weights = np.array([[0.4], [1.1]]), np.array([0.3])
    np.testing.assert_allclose(expectation(spec, data, weights), (1 - 0.6) * np.cos(data), atol=1e-12)
    of_data, of_rate = gradients(spec, data, weights, np.ones((2, 1)))
    np.testing.assert_allclose(of_data, -(1 - 0.6) * np.sin(data), atol=1e-12)
    np.testing.assert_allclose(of_rate, [-2 * np.cos(data).sum()], atol=1e-12)


def test_circuits_start_from_states():
    tf.config.run_functions_eagerly(False)
    spec = noisy_circuit(7, cirq.LineQubit.range(2), 6)
    rng = np.random.default_rng(0)
    data, weights = numbers(rng, spec, 3)
    states = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    found = expectation(spec, data, weights, states=states)
    np.testing.assert_allclose(found, simulated(spec, data, weights, states), atol=1e-10)


def test_without_gates_there_is_noise_alone():
    qubit = cirq.LineQubit(0)
    spec = ModelCircuit(
        cirq.Circuit(cirq.amplitude_damp(1.0)(qubit), cirq.bit_flip(0.25)(qubit)), (), (), cirq.Z(qubit)
    )
    np.testing.assert_allclose(expectation(spec, np.zeros((2, 0)), np.zeros(0)), [[0.5], [0.5]], atol=1e-12)


def test_no_noise_is_the_circuit_itself():
    tf.config.run_functions_eagerly(False)  # operations alone do not broadcast so many axes
    spec = qfl_circuit(2, 1, degree=2, observables=5)
    noisy = ModelCircuit(
        with_noise(spec.circuit, cirq.depolarize(0.0)), spec.data_symbols, spec.weight_symbols, spec.operators
    )
    data, weights = numbers(np.random.default_rng(0), spec, 3)
    np.testing.assert_allclose(expectation(noisy, data, weights), expectation(spec, data, weights), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("float64", 1e-7)])
def test_compiled_it_is_exact_too(precision, tolerance):
    tf.config.run_functions_eagerly(False)
    spec = noisy_circuit(5, cirq.LineQubit.range(3), 8)
    rng = np.random.default_rng(0)
    data, weights = numbers(rng, spec, 2)
    upstream = rng.normal(size=(2, len(spec.operators)))
    expected = differences(lambda *arrays: simulated(spec, *arrays), [data, weights], upstream)
    arrays = [array.astype(precision) for array in (data, weights)]
    np.testing.assert_allclose(expectation(spec, *arrays), simulated(spec, data, weights), atol=tolerance)
    for own, other in zip(gradients(spec, *arrays, upstream.astype(precision)), expected, strict=True):
        np.testing.assert_allclose(own, other, atol=tolerance)


def test_a_sample_that_is_not_finite_spoils_no_other():
    spec = noisy_circuit(3, cirq.LineQubit.range(2), 6)
    data, weights = (tf.constant(array, tf.float32) for array in numbers(np.random.default_rng(0), spec, 3))
    spoilt = tf.tensor_scatter_nd_update(data, [[1, 0]], [np.nan])
    run = tf.function(lambda data: expectation(spec, data, weights))
    tf.config.run_functions_eagerly(False)  # values are checked in eager execution
    found, expected = run(spoilt).numpy(), run(data).numpy()
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])


QUBITS = cirq.LineQubit.range(3)
SYMBOL = sympy.Symbol("x")


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (cirq.measure(QUBITS[0]), "expectation values need no measurement"),
        (cirq.depolarize(0.1, n_qubits=3)(*QUBITS), "a channel of one or two qubits"),
        (cirq.X.with_probability(SYMBOL)(QUBITS[0]), "a probability that is a number or a weight"),
    ],
)
def test_what_cannot_be_compiled_is_refused(operation, message):
    circuit = cirq.Circuit(cirq.rx(SYMBOL)(QUBITS[0]), operation, cirq.bit_flip(0.1)(QUBITS[0]))
    spec = ModelCircuit(circuit, (SYMBOL,), (), cirq.Z(QUBITS[0]))
    with pytest.raises(compiled.LoweringError, match=message):
        expectation(spec, np.zeros((1, 1)), np.zeros(0))


def test_what_does_not_fit_is_refused_before_it_is_allocated():
    qubits = cirq.LineQubit.range(20)
    circuit = cirq.Circuit(cirq.H.on_each(qubits), cirq.depolarize(0.1).on_each(qubits))
    spec = ModelCircuit(circuit, (), (), cirq.Z(qubits[0]))
    with pytest.raises(MemoryError, match="A circuit of 20 qubits needs at least"):
        expectation(spec, np.zeros((1, 0)), np.zeros(0))


def test_tensorflow_quantum_is_not_asked_for_exact_noise():
    spec = noisy_circuit(0, cirq.LineQubit.range(2), 3)
    with pytest.raises(ValueError, match=r"engine 'tfq' knows no exact noise.*engine='compiled'"):
        expectation(spec, np.zeros((1, 2)), np.zeros(2), engine="tfq")
