import cirq
import numpy as np
import pytest

from bench.gates import Gate, Multiplexer, gates_of, join_multiplexers
from bench.problem import Problem
from bench.reference import reference
from bench.workloads import qcnn, qfl, random_circuit

PROBLEMS = {
    "qfl": lambda: qfl(1, 3, 2, 3),
    "qcnn": lambda: qcnn(4, 2),
    "random": lambda: random_circuit(5, 60, 3),
}


def simulate(problem: Problem, data: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Expectation values by Cirq, sample by sample."""
    qubits = cirq.LineQubit.range(problem.qubits)
    simulator = cirq.Simulator(dtype=np.complex128)
    values = []
    for sample in range(problem.batch):
        angles = dict(zip(problem.data_symbols, data[sample], strict=True))
        angles |= dict(zip(problem.weight_symbols, weights, strict=True))
        prepared = cirq.Circuit(problem.preparations[sample : sample + 1]) + problem.circuit
        state = simulator.simulate(prepared, angles, qubits).final_state_vector
        positions = {qubit: position for position, qubit in enumerate(qubits)}
        values.append(
            [
                o.expectation_from_state_vector(state, positions, check_preconditions=False).real
                for o in problem.operators
            ]
        )
    return np.array(values)


@pytest.mark.parametrize("name", PROBLEMS)
def test_values_are_those_of_cirq_and_gradients_those_of_finite_differences(name: str) -> None:
    problem = PROBLEMS[name]()
    data, weights = problem.data.astype(float), problem.weights.astype(float)
    found = reference(problem)
    np.testing.assert_allclose(found.values, simulate(problem, data, weights), atol=1e-6)

    def slope(data_step: np.ndarray | float, weight_step: np.ndarray | float) -> np.ndarray:
        ahead = simulate(problem, data + data_step, weights + weight_step)
        behind = simulate(problem, data - data_step, weights - weight_step)
        return (problem.upstream * (ahead - behind)).sum(axis=1) / 2e-4

    for column, step in list(enumerate(1e-4 * np.eye(len(weights))))[:6]:
        assert found.weight_gradient[column] == pytest.approx(slope(0.0, step).sum(), abs=1e-5)
    for column, step in list(enumerate(1e-4 * np.eye(data.shape[1])))[:3]:
        np.testing.assert_allclose(found.data_gradient[:, column], slope(step, 0.0), atol=1e-5)


def test_a_controlled_gate_keeps_its_control_values() -> None:
    problem = qfl(1, 2, 1, 2)  # two index qubits and the value qubit
    encoding = [gate for gate in gates_of(problem) if gate.angle == ("data", 0)]
    assert encoding == [Gate("Y", (2,), (0, 1), (0, 1), ("data", 0))]


def test_multiplexed_rotations_are_joined_by_address() -> None:
    problem = qfl(1, 2, 2, 2)
    gates = gates_of(problem)
    joined = join_multiplexers(gates)
    multiplexers = [gate for gate in joined if isinstance(gate, Multiplexer)]
    # Address 0 is the constant, which does not turn; there is no fourth feature.
    assert multiplexers == [Multiplexer(2, (0, 1), (-1, 0, 1, -1))] * 2
    assert [gate for gate in joined if isinstance(gate, Gate)] == [g for g in gates if (g.angle or "w")[0] != "data"]


def test_a_circuit_without_multiplexed_rotations_is_left_alone() -> None:
    gates = gates_of(qcnn(4, 2))
    assert join_multiplexers(gates) == gates


def test_an_unknown_gate_is_named() -> None:
    problem = qcnn(4, 2)
    bad = Problem(cirq.Circuit(cirq.ISWAP(*cirq.LineQubit.range(2))), (), (), (), *[np.zeros((1, 0))] * 3)
    with pytest.raises(ValueError, match="ISWAP"):
        gates_of(bad)
    assert problem.states is not None
