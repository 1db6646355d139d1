"""The multiplexed rotation against matrices written down in NumPy."""

import cirq
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.circuits import MultiplexedRotation

PAULI = {
    "x": np.array([[0, 1], [1, 0]]),
    "y": np.array([[0, -1j], [1j, 0]]),
    "z": np.array([[1, 0], [0, -1]]),
}
axes = st.sampled_from("xyz")
angle_lists = st.lists(st.floats(-7, 7), min_size=1, max_size=20)


def multiplexer(angles, axis):
    """sum_j |j><j| (x) (cos(x_j/2) I - i sin(x_j/2) sigma), the angles padded with zeros to a power of two."""
    size = 2 ** int(np.ceil(np.log2(len(angles))))
    matrix = np.zeros((2 * size, 2 * size), complex)
    for j in range(size):
        angle = angles[j] if j < len(angles) else 0.0
        projector = np.zeros((size, size))
        projector[j, j] = 1
        rotation = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * PAULI[axis]
        matrix += np.kron(projector, rotation)
    return matrix


@given(angle_lists, axes)
def test_unitary_and_both_decompositions_are_the_multiplexer(angles, axis):
    gate = MultiplexedRotation(angles, axis)
    qubits = cirq.LineQubit.range(cirq.num_qubits(gate))
    expected = multiplexer(angles, axis)

    controlled = cirq.Circuit(cirq.decompose_once(gate.on(*qubits)))
    hardware = cirq.Circuit(gate.decompose_for_hardware(qubits))

    np.testing.assert_allclose(cirq.unitary(gate), expected, atol=1e-9)
    np.testing.assert_allclose(
        controlled.unitary(qubits_that_should_be_present=qubits, qubit_order=qubits), expected, atol=1e-6
    )
    np.testing.assert_allclose(hardware.unitary(qubit_order=qubits), expected, atol=1e-6)


@given(angle_lists, axes)
def test_hardware_form_has_one_rotation_and_one_entangling_gate_per_address(angles, axis):
    gate = MultiplexedRotation(angles, axis)
    qubits = cirq.LineQubit.range(cirq.num_qubits(gate))
    operations = list(gate.decompose_for_hardware(qubits))
    size = 2 ** (len(qubits) - 1)
    assert sum(cirq.num_qubits(operation) == 1 for operation in operations) == size
    assert sum(cirq.num_qubits(operation) == 2 for operation in operations) == (size if size > 1 else 0)


@pytest.mark.parametrize("axis", "xyz")
def test_symbols_resolve_in_the_gate_and_in_both_decompositions(axis):
    symbols = sympy.symbols("x:3")
    values = {"x0": 0.3, "x1": -1.2, "x2": 2.0}
    gate = MultiplexedRotation(symbols, axis)
    qubits = cirq.LineQubit.range(3)
    assert cirq.parameter_names(gate) == set(values)
    assert not cirq.has_unitary(gate)
    for operations in (gate.on(*qubits), cirq.decompose_once(gate.on(*qubits)), gate.decompose_for_hardware(qubits)):
        resolved = cirq.resolve_parameters(cirq.Circuit(operations), values)
        np.testing.assert_allclose(
            resolved.unitary(qubit_order=qubits), multiplexer(list(values.values()), axis), atol=1e-6
        )


def test_decomposition_leaves_out_zero_angles_but_keeps_symbols():
    gate = MultiplexedRotation([0, sympy.Symbol("x"), 0.0])
    assert len(cirq.decompose_once(gate.on(*cirq.LineQubit.range(3)))) == 1


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.filterwarnings("ignore:Skipped assert_qasm")
def test_follows_all_of_cirq_s_protocols(axis):
    cirq.testing.assert_implements_consistent_protocols(
        MultiplexedRotation([0.1, -0.7, 0.3], axis),
        setup_code="import cirq, sympy, numpy as np, tfq_fusion.circuits",
    )


def test_equality_is_by_value():
    tester = cirq.testing.EqualsTester()
    tester.add_equality_group(MultiplexedRotation([0.1, 0.2, 0.3]), MultiplexedRotation([0.1, 0.2, 0.3, 0]))
    tester.add_equality_group(MultiplexedRotation([0.1, 0.2, 0.3], "x"))
    tester.add_equality_group(MultiplexedRotation([0.1, 0.2]))


@given(angle_lists, axes)
def test_inverse_undoes_it(angles, axis):
    gate = MultiplexedRotation(angles, axis)
    np.testing.assert_allclose(
        cirq.unitary(gate) @ cirq.unitary(gate**-1), np.eye(2 ** cirq.num_qubits(gate)), atol=1e-7
    )


def test_json_round_trip_in_a_circuit():
    gate = MultiplexedRotation([0.1, sympy.Symbol("x")], "z")
    circuit = cirq.Circuit(gate.on(*cirq.LineQubit.range(2)))
    resolvers = [{"tfq_fusion.MultiplexedRotation": MultiplexedRotation}.get, *cirq.DEFAULT_RESOLVERS]
    assert cirq.read_json(json_text=cirq.to_json(circuit), resolvers=resolvers) == circuit


def test_diagram_names_index_and_value():
    circuit = cirq.Circuit(MultiplexedRotation([sympy.Symbol("a"), sympy.Symbol("b")]).on(*cirq.LineQubit.range(2)))
    cirq.testing.assert_has_diagram(
        circuit,
        """
0: ───◇──────────
      │
1: ───Ry(a, b)───
""",
    )


@pytest.mark.parametrize(("angles", "axis", "message"), [([], "y", "at least one angle"), ([0.1], "w", "axis")])
def test_bad_arguments_are_named(angles, axis, message):
    with pytest.raises(ValueError, match=message):
        MultiplexedRotation(angles, axis)
