"""The quantum convolutional networks against matrices, and against their sources' lists of gates."""

import math

import cirq
import numpy as np
import pytest
import scipy.linalg
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import padded_symbols, qcnn_circuit, qcnn_layers
from tfq_fusion.circuits.qcnn import controlled_pool, su4_gates, tutorial_gates, tutorial_pool

I, X, Y, Z = np.eye(2), *(cirq.unitary(pauli) for pauli in (cirq.X, cirq.Y, cirq.Z))  # noqa: E741
CNOT = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
CNOT_BACK = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
TWO = cirq.LineQubit.range(2)


def rotation(pauli, angle):
    return scipy.linalg.expm(-0.5j * angle * pauli)


def power(pauli, exponent):
    """The power of a Pauli string whose eigenvalue 1 keeps its phase."""
    return scipy.linalg.expm(0.5j * np.pi * exponent * (np.eye(len(pauli)) - pauli))


def u3(theta, phi, delta):
    return rotation(Z, phi) @ rotation(Y, theta) @ rotation(Z, delta)


def turn(a, b, c):
    return power(Z, c) @ power(Y, b) @ power(X, a)


def su4_matrix(w):
    return (
        np.kron(u3(*w[9:12]), u3(*w[12:15]))
        @ CNOT
        @ np.kron(rotation(Y, w[8]), I)
        @ CNOT_BACK
        @ np.kron(rotation(Y, w[6]), rotation(Z, w[7]))
        @ CNOT
        @ np.kron(u3(*w[0:3]), u3(*w[3:6]))
    )


def tutorial_matrix(w):
    return (
        np.kron(turn(*w[9:12]), turn(*w[12:15]))
        @ power(np.kron(X, X), w[8])
        @ power(np.kron(Y, Y), w[7])
        @ power(np.kron(Z, Z), w[6])
        @ np.kron(turn(*w[0:3]), turn(*w[3:6]))
    )


def controlled_pool_matrix(w):
    source_is = {value: np.diag(np.eye(2)[value]) for value in (0, 1)}
    turned_where = {
        value: np.kron(source_is[value], rotation(pauli, angle)) + np.kron(source_is[1 - value], I)
        for value, pauli, angle in ((1, Z, w[0]), (0, X, w[1]))
    }
    return np.kron(X, I) @ turned_where[0] @ turned_where[1]


def tutorial_pool_matrix(w):
    sink, source = turn(*w[:3]), turn(*w[3:])
    return np.kron(I, sink.conj().T) @ CNOT @ np.kron(source, sink)


def unitary(gates, values):
    symbols = padded_symbols("w", len(values))
    circuit = cirq.Circuit(gates(*TWO, symbols))
    return cirq.resolve_parameters(circuit, dict(zip(symbols, values, strict=True))).unitary(qubit_order=TWO)


@pytest.mark.parametrize(
    ("gates", "matrix", "weights"),
    [
        (su4_gates, su4_matrix, 15),
        (tutorial_gates, tutorial_matrix, 15),
        (controlled_pool, controlled_pool_matrix, 2),
        (tutorial_pool, tutorial_pool_matrix, 6),
    ],
)
def test_gates_are_the_matrices_of_their_formulas(gates, matrix, weights):
    for seed in range(5):
        values = np.random.default_rng(seed).uniform(-4, 4, weights)
        np.testing.assert_allclose(unitary(gates, values), matrix(values), atol=1e-7)


@pytest.mark.parametrize("matrix", [su4_matrix, tutorial_matrix])
def test_a_convolution_reaches_every_direction_of_su4(matrix):
    """Its 15 weights move the unitary, up to a phase, along 15 independent directions: all that SU(4) has."""
    weights = np.random.default_rng(0).uniform(-1, 1, 15)
    step = 1e-5
    directions = []
    for shift in step * np.eye(15):
        derivative = (matrix(weights + shift) - matrix(weights - shift)) / (2 * step)
        generator = matrix(weights).conj().T @ derivative
        generator -= np.trace(generator) / 4 * np.eye(4)
        directions.append(np.concatenate([generator.real.ravel(), generator.imag.ravel()]))
    assert np.linalg.matrix_rank(directions, tol=1e-3) == 15


@pytest.mark.parametrize(("convolution", "weights"), [("su4", 51), ("tutorial", 63)])
def test_eight_qubits_have_the_published_number_of_weights(convolution, weights):
    spec = qcnn_circuit(8, convolution)
    assert len(spec.weight_symbols) == weights
    assert cirq.parameter_names(spec.circuit) == {symbol.name for symbol in spec.weight_symbols}
    assert spec.operators == (cirq.PauliSum.wrap(cirq.Z(cirq.LineQubit(7))),)


@settings(max_examples=20)
@given(
    qubits=st.integers(2, 16),
    convolution=st.sampled_from(["su4", "tutorial"]),
    pooling=st.sampled_from(["controlled", "tutorial"]),
    readout=st.sampled_from(["z", "pauli"]),
)
def test_numbers_of_weights_follow_the_formula(qubits, convolution, pooling, readout):
    layers, per_pool = math.ceil(math.log2(qubits)), {"controlled": 2, "tutorial": 6}[pooling]
    pools = layers - (readout == "pauli")
    spec = qcnn_circuit(qubits, convolution, pooling, readout=readout)
    assert len(spec.weight_symbols) == 15 * layers + per_pool * pools

    # Of m qubits, m neighbours are convolved (of two, as the source has it) and floor(m / 2) are pooled away.
    ring = {2: {"su4": 1, "tutorial": 2}[convolution]}
    sizes = [math.ceil(qubits / 2**layer) for layer in range(layers)]
    unshared = qcnn_circuit(qubits, convolution, pooling, shared=False, readout=readout)
    expected = sum(15 * ring.get(m, m) for m in sizes) + sum(per_pool * (m // 2) for m in sizes[:pools])
    assert len(unshared.weight_symbols) == expected

    for circuit in (spec, unshared):
        assert circuit.circuit.all_qubits() == set(cirq.LineQubit.range(qubits))
        assert cirq.parameter_names(circuit.circuit) == {symbol.name for symbol in circuit.weight_symbols}
    shapes = ([(type(op.gate), op.qubits) for op in circuit.circuit.all_operations()] for circuit in (spec, unshared))
    assert next(shapes) == next(shapes)


def final_state(circuit, qubits, symbols, seed):
    rng = np.random.default_rng(seed)
    start = rng.normal(size=2 ** len(qubits)) + 1j * rng.normal(size=2 ** len(qubits))
    values = dict(zip(symbols, rng.uniform(-3, 3, len(symbols)), strict=True))
    start /= np.linalg.norm(start)
    simulator = cirq.Simulator(dtype=np.complex128)
    return simulator.simulate(circuit, values, list(qubits), initial_state=start).final_state_vector


def test_tutorial_s_network_acts_where_the_tutorial_acts():
    bits, weights = cirq.LineQubit.range(8), padded_symbols("theta", 63)
    circuit = cirq.Circuit()
    for pairs, start in (
        ([(0, 1), (2, 3), (4, 5), (6, 7), (1, 2), (3, 4), (5, 6), (7, 0)], 0),
        ([(4, 5), (6, 7), (5, 6), (7, 4)], 21),
        ([(6, 7), (7, 6)], 42),
    ):
        for first, second in pairs:
            circuit.append(tutorial_gates(bits[first], bits[second], weights[start : start + 15]))
        half = len(pairs) // 2
        for source, sink in zip(bits[-2 * half : -half], bits[-half:], strict=True):
            circuit.append(tutorial_pool(source, sink, weights[start + 15 : start + 21]))
    spec = qcnn_circuit(8, "tutorial")
    np.testing.assert_allclose(*(final_state(c, bits, weights, 0) for c in (spec.circuit, circuit)), atol=1e-7)


def test_su4_network_acts_where_hur_kim_and_park_s_acts_numbered_backwards():
    # Backwards within a gate, too: that is immaterial, because the gate is any two-qubit unitary.
    wires, weights = cirq.LineQubit.range(8)[::-1], padded_symbols("theta", 51)
    circuit = cirq.Circuit()
    for convolved, pooled, start in (
        ([(0, 7), (0, 1), (2, 3), (4, 5), (6, 7), (1, 2), (3, 4), (5, 6)], [(1, 0), (3, 2), (5, 4), (7, 6)], 0),
        ([(0, 6), (0, 2), (4, 6), (2, 4)], [(2, 0), (6, 4)], 17),
        ([(0, 4)], [(4, 0)], 34),  # theirs is (0, 4)
    ):
        for first, second in convolved:
            circuit.append(su4_gates(wires[second], wires[first], weights[start : start + 15]))
        for source, sink in pooled:
            circuit.append(controlled_pool(wires[source], wires[sink], weights[start + 15 : start + 17]))
    spec = qcnn_circuit(8, "su4")
    np.testing.assert_allclose(*(final_state(c, wires, weights, 0) for c in (spec.circuit, circuit)), atol=1e-7)


@pytest.mark.parametrize(
    ("pooling", "pairs"),
    [("controlled", {(0, 1), (2, 3), (1, 3), (3, 4)}), ("tutorial", {(0, 3), (1, 4), (2, 4), (3, 4)})],
)
def test_an_odd_qubit_is_carried_over(pooling, pairs):
    # Five qubits, three, two, one. The tutorial's convolution has neither a CNOT nor a controlled gate.
    operations = qcnn_circuit(5, "tutorial", pooling).circuit.all_operations()
    pooled = [op.qubits for op in operations if op.gate == cirq.CNOT or isinstance(op, cirq.ControlledOperation)]
    assert {(source.x, sink.x) for source, sink in pooled} == pairs


def test_pauli_readout_measures_the_two_last_qubits_completely():
    first, last = cirq.LineQubit(3), cirq.LineQubit(7)
    letters = [None, cirq.X, cirq.Y, cirq.Z]
    strings = [
        cirq.PauliString(letter(qubit) for letter, qubit in ((one, first), (other, last)) if letter)
        for one in letters
        for other in letters
    ]
    assert qcnn_circuit(8, readout="pauli").operators == tuple(map(cirq.PauliSum.wrap, strings[1:]))


def test_layers_go_behind_any_circuit():
    qubits = [cirq.NamedQubit(name) for name in "cab"]
    circuit, weights, operators = qcnn_layers(qubits, "tutorial", prefix="w")
    assert weights == padded_symbols("w", 42)
    assert circuit.all_qubits() == set(qubits)
    assert operators == (cirq.PauliSum.wrap(cirq.Z(qubits[-1])),)
    assert sorted(weights, key=sympy.Symbol.__str__) == list(weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"qubits": 1}, "qubits should be at least 2, got 1: pooling would leave no qubit"),
        ({"qubits": 0}, "qubits should be at least 2, got 0"),
        ({"convolution": "su8"}, r"convolution should be one of \['su4', 'tutorial'\], got 'su8'"),
        ({"pooling": "max"}, r"pooling should be one of \['controlled', 'tutorial'\], got 'max'"),
        ({"readout": "x"}, r"readout should be one of \['z', 'pauli'\], got 'x'"),
        ({"encoding": "phase"}, r"encoding should be one of \['angle', 'dense_angle', 'amplitude'\], got 'phase'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        qcnn_circuit(**arguments)
