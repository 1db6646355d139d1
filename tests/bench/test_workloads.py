import functools
import math

import cirq
import numpy as np
import pytest
import sympy

from bench.problem import Problem
from bench.workloads import QUICK, WORKLOADS, random_circuit

SHAPES = {  # qubits, data, weights, operators, batch
    "qfl-n5": (5, 12, 60, 32, 32),
    "qfl-n6": (6, 24, 72, 32, 256),
    "qfl-n8-b32": (8, 88, 144, 32, 32),
    "qfl-n8": (8, 88, 144, 32, 256),
    "qfl-n11": (11, 828, 132, 32, 32),
    "qcnn-n8": (8, 0, 51, 1, 256),
    "qcnn-n12": (12, 0, 68, 1, 64),
}


@functools.cache
def problem(name: str) -> Problem:
    return (WORKLOADS | QUICK)[name].build()


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_a_workload_is_what_its_name_says(name: str, shape: tuple[int, ...]) -> None:
    found = problem(name)
    assert (found.qubits, found.data.shape[1], found.weights.size, len(found.operators), found.batch) == shape
    assert found.upstream.shape == (found.batch, len(found.operators))


def test_the_random_circuit_has_200_gates_and_both_kinds_of_angles() -> None:
    found = problem("random-n16")
    assert found.qubits == 16 and found.batch == 8
    assert len(list(found.circuit.all_operations())) == 200
    assert found.data.shape[1] > 20 and found.weights.size > 20


@pytest.mark.parametrize("name", [*WORKLOADS, *QUICK])
def test_every_symbol_has_one_column_and_symbols_are_sorted_as_tensorflow_quantum_sorts_them(name: str) -> None:
    found = problem(name)
    assert {*found.data_symbols, *found.weight_symbols} == cirq.parameter_names(found.circuit)
    for names, columns in ((found.data_symbols, found.data.shape[1]), (found.weight_symbols, found.weights.size)):
        assert list(names) == sorted(names) and len(names) == columns


@pytest.mark.parametrize("name", [*WORKLOADS, *QUICK])
def test_tensorflow_quantum_can_serialise_circuits_and_operators(name: str) -> None:
    tfq = pytest.importorskip("tensorflow_quantum")
    found = problem(name)
    tfq.convert_to_tensor([found.circuit, *found.preparations[:2]])
    tfq.convert_to_tensor([list(found.operators)])


@pytest.mark.parametrize("name", ["qcnn-n8", "qcnn-n4"])
def test_states_are_the_products_that_the_preparations_make(name: str) -> None:
    found = problem(name)
    assert found.states is not None and found.states.dtype == np.complex64
    for preparation, state in list(zip(found.preparations, found.states, strict=True))[:5]:
        factors = []
        for qubit in sorted(preparation.all_qubits()):
            ry, rz = (op.gate for op in preparation.all_operations() if op.qubits == (qubit,))
            a, b = float(ry._rads), float(rz._rads)
            factors.append(np.array([np.exp(-0.5j * b) * math.cos(a / 2), np.exp(0.5j * b) * math.sin(a / 2)]))
        np.testing.assert_allclose(state, functools.reduce(np.kron, factors), atol=1e-6)


def test_a_convolution_is_a_general_two_qubit_gate() -> None:
    # Fifteen directions that differ: the block reaches every two-qubit unitary near its own.
    convolution = QUICK["qcnn-n4"].build().circuit[:10]
    names = sorted(cirq.parameter_names(convolution))[:15]
    pair = cirq.Circuit(
        op for op in convolution.all_operations() if set(op.qubits) <= {cirq.LineQubit(0), cirq.LineQubit(1)}
    )
    assert sorted(cirq.parameter_names(pair)) == names
    angles = np.random.default_rng(0).uniform(-2, 2, 15)

    def unitary(values: np.ndarray) -> np.ndarray:
        resolver = {sympy.Symbol(name): value for name, value in zip(names, values, strict=True)}
        return cirq.unitary(cirq.resolve_parameters(pair, resolver))

    slopes = [(unitary(angles + step) - unitary(angles - step)) / 2e-4 for step in 1e-4 * np.eye(15)]
    directions = [
        np.concatenate([(s @ unitary(angles).conj().T).ravel().real, (s @ unitary(angles).conj().T).ravel().imag])
        for s in slopes
    ]
    assert np.linalg.matrix_rank(np.array(directions), tol=1e-4) == 15


def test_workloads_are_the_same_every_time() -> None:
    first, second = random_circuit(4, 30, 2), random_circuit(4, 30, 2)
    assert first.circuit == second.circuit
    np.testing.assert_array_equal(first.data, second.data)


@pytest.mark.parametrize("name", QUICK)
def test_a_saved_problem_loads_as_it_was(name: str, tmp_path) -> None:
    saved = problem(name)
    saved.save(tmp_path)
    loaded = Problem.load(tmp_path)
    for field in ("circuit", "data_symbols", "weight_symbols", "operators", "preparations"):
        assert getattr(loaded, field) == getattr(saved, field)
    for field in ("data", "weights", "upstream"):
        np.testing.assert_array_equal(getattr(loaded, field), getattr(saved, field))
    if saved.states is None:
        assert loaded.states is None
    else:
        np.testing.assert_array_equal(loaded.states, saved.states)


def test_a_qcnn_joins_all_neighbours_on_a_ring_level_after_level() -> None:
    circuit = problem("qcnn-n8").circuit
    pairs = {
        frozenset(q.x for q in op.qubits) for op in circuit.all_operations() if isinstance(op.gate, cirq.XXPowGate)
    }
    rings = [range(0, 8), range(0, 8, 2), range(0, 8, 4)]
    expected = {frozenset({a, b}) for ring in rings for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)}
    assert pairs == expected
