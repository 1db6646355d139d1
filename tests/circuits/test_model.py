"""The model circuit: what it takes, what it keeps, what it refuses."""

import cirq
import numpy as np
import pytest
import sympy

from tfq_fusion.circuits import ModelCircuit

X, W = sympy.symbols("x w")
QUBIT = cirq.LineQubit(0)


def circuit():
    return cirq.Circuit(cirq.ry(X).on(QUBIT), cirq.rx(W).on(QUBIT))


def test_lists_strings_and_single_operators_are_taken():
    total = cirq.PauliSum.wrap(cirq.Z(QUBIT))
    expected = ModelCircuit(circuit(), (X,), (W,), (total,))
    for operators in (cirq.Z(QUBIT), total, [cirq.PauliString(cirq.Z(QUBIT))], iter([cirq.Z(QUBIT)])):
        spec = ModelCircuit(circuit().freeze(), [X], iter([W]), operators)
        assert spec == expected
        assert hash(spec) == hash(expected)
        assert isinstance(spec.circuit, cirq.Circuit)
        assert (spec.data_symbols, spec.weight_symbols, spec.operators) == ((X,), (W,), (total,))


def test_it_keeps_copies():
    own, total, data = circuit(), cirq.PauliSum.wrap(cirq.Z(QUBIT)), [X]
    spec = ModelCircuit(own, data, [W], [total])
    own.append(cirq.X(QUBIT))
    total += 5
    data.append(W)
    assert spec == ModelCircuit(circuit(), (X,), (W,), (cirq.PauliSum.wrap(cirq.Z(QUBIT)),))


@pytest.mark.parametrize("controlled", [False, True])
def test_matrices_of_gates_are_copied_too(controlled):
    matrix = np.eye(2)
    operation = cirq.MatrixGate(matrix).on(QUBIT)
    if controlled:
        operation = operation.controlled_by(cirq.LineQubit(1)).with_tags("kept")
    spec = ModelCircuit(cirq.Circuit(operation), (), (), cirq.Z(QUBIT))
    before = spec.circuit.unitary()
    matrix[:] = [[0, 1], [1, 0]]
    np.testing.assert_array_equal(spec.circuit.unitary(), before)


def test_equal_circuits_have_equal_hashes_in_any_order_of_terms():
    terms = cirq.Z(QUBIT), 2 * cirq.X(QUBIT)
    first, second = (
        ModelCircuit(circuit(), (X,), (W,), cirq.PauliSum.from_pauli_strings(list(order)))
        for order in (terms, terms[::-1])
    )
    assert first == second
    assert hash(first) == hash(second)
    assert first != ModelCircuit(circuit(), (X,), (W,), cirq.Z(QUBIT))


def test_content_is_made_once_and_anew_after_each_change_in_place():
    spec = ModelCircuit(circuit(), (X,), (W,), [cirq.Z(QUBIT), 2 * cirq.X(QUBIT)])
    contents = [spec.content]
    assert spec.content is contents[0]

    def changed():
        contents.append(spec.content)
        assert spec.content is contents[-1]
        assert spec.content == ModelCircuit(spec.circuit, (X,), (W,), spec.operators).content

    spec.circuit.append(cirq.X(QUBIT))
    changed()
    first, second = spec.operators
    first -= 2 * cirq.Z(QUBIT)
    changed()
    second *= -1
    changed()
    second += 1
    changed()
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"circuit": "H"}, TypeError, r"circuit should be a cirq.Circuit, got str"),
        ({"data_symbols": "x"}, TypeError, r"data_symbols should be a sequence of sympy.Symbol, got 'x'"),
        ({"data_symbols": ["x"]}, TypeError, r"data_symbols should be a sequence of sympy.Symbol, got 'x' in it"),
        ({"weight_symbols": W}, TypeError, r"weight_symbols should be a sequence of sympy.Symbol, got w"),
        ({"weight_symbols": [2 * W]}, TypeError, r"weight_symbols should be .* got 2\*w in it"),
        ({"weight_symbols": ()}, ValueError, r"symbols that nobody binds: \['w'\]"),
        ({"weight_symbols": [W, X]}, ValueError, r"listed again: \['x'\]"),
        ({"operators": None}, TypeError, r"operators should be a cirq.PauliString or cirq.PauliSum, .* got None"),
        ({"operators": "Z"}, TypeError, r"operators should be .* got 'Z'"),
        ({"operators": [cirq.Z]}, TypeError, r"operators should be .* got cirq.Z in it"),
        ({"operators": 1j * cirq.Z(QUBIT)}, ValueError, r"finite real numbers, got 1j"),
        ({"operators": np.nan * cirq.Z(QUBIT)}, ValueError, r"finite real numbers, got \(?nan"),
    ],
)
def test_what_is_refused_is_named(arguments, error, message):
    good = {"circuit": circuit(), "data_symbols": (X,), "weight_symbols": (W,), "operators": (cirq.Z(QUBIT),)}
    with pytest.raises(error, match=message):
        ModelCircuit(**{**good, **arguments})
