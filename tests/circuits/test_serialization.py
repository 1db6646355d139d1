"""Circuits and observables as JSON: what this package saves comes back, and a stranger's text does nothing."""

import json

import cirq
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.circuits import (
    KrausGate,
    MultiplexedRotation,
    dump_circuit,
    dump_operators,
    evidence_fusion_circuit,
    load_circuit,
    load_operators,
    qcnn_circuit,
    qfl_circuit,
)

FIRST, SECOND, THIRD = cirq.LineQubit(-1), cirq.LineQubit(10), cirq.GridQubit(0, 2)
A, B = sympy.symbols("a b")

OPERATIONS = [
    cirq.X(FIRST) ** A,
    cirq.Y(FIRST) ** (-A),
    cirq.Z(FIRST) ** (2 * sympy.pi * A / 3),
    cirq.X(FIRST) ** (0.1 * A + B + 1),
    cirq.X(FIRST) ** (sympy.sqrt(2) * A / sympy.pi),
    cirq.X(FIRST) ** sympy.Rational(0.1),
    cirq.X(FIRST) ** sympy.Symbol("Ω one"),
    cirq.X(FIRST),
    cirq.H(THIRD) ** 0.5,
    cirq.XX(FIRST, SECOND) ** A,
    cirq.YY(FIRST, SECOND) ** A,
    cirq.ZZ(FIRST, SECOND) ** A,
    cirq.CZ(FIRST, SECOND) ** A,
    cirq.CNOT(FIRST, SECOND),
    cirq.SWAP(FIRST, SECOND) ** A,
    cirq.ISWAP(FIRST, SECOND) ** A,
    cirq.rx(A).on(FIRST),
    cirq.ry(A).on(FIRST),
    cirq.rz(A).on(FIRST),
    cirq.ms(0.3).on(FIRST, SECOND),
    cirq.PhasedXPowGate(phase_exponent=A, exponent=B).on(FIRST),
    cirq.PhasedISwapPowGate(phase_exponent=A, exponent=B).on(FIRST, SECOND),
    cirq.FSimGate(A, 0.25).on(FIRST, SECOND),
    cirq.I(FIRST),
    cirq.measure(FIRST, SECOND, key="end", invert_mask=(True, False)),
    cirq.ry(A).on(FIRST).controlled_by(SECOND, THIRD, control_values=[0, 1]),
    cirq.X(FIRST).with_tags("mine").controlled_by(SECOND),
    cirq.rx(A).on(FIRST).with_tags("mine"),
    MultiplexedRotation([A, 1.5, 2 * B], "z").on(FIRST, SECOND, THIRD),
]
OPERATORS = [
    cirq.Z(FIRST),
    2 * cirq.X(FIRST) * cirq.Y(THIRD),
    0.5 * cirq.Y(SECOND) - 2j * cirq.Z(THIRD) + 0.25,
    cirq.PauliSum(),
    cirq.PauliString(),
]


KRAUS = KrausGate(cirq.kraus(cirq.amplitude_damp(0.1)))
CHANNELS = [
    cirq.depolarize(0.1), cirq.bit_flip(0.1), cirq.phase_flip(0.1), cirq.phase_damp(0.1), cirq.amplitude_damp(0.1),
    cirq.generalized_amplitude_damp(0.1, 0.2), cirq.asymmetric_depolarize(0.1, 0.2, 0.3), cirq.ResetChannel(),
    cirq.X.with_probability(sympy.Symbol("p")), KRAUS,
    cirq.depolarize(0.1, n_qubits=2), cirq.asymmetric_depolarize(error_probabilities={"II": 0.75, "XY": 0.25}),
]  # fmt: skip


@pytest.mark.parametrize("channel", CHANNELS, ids=repr)
def test_a_channel_comes_back(channel):
    circuit = cirq.Circuit(channel.on(*cirq.LineQubit.range(channel.num_qubits())))
    assert load_circuit(dump_circuit(circuit)) == circuit


@pytest.mark.parametrize(
    ("channel", "field", "value", "message"),
    [
        (cirq.depolarize(0.1), "p", 1.5, r"gate\.p should be a number from 0 to 1, got 1\.5"),
        (cirq.depolarize(0.1), "p", "0.1", "a number from 0 to 1, got '0.1'"),
        (cirq.depolarize(0.1), "n_qubits", 30, "an integer from 2 to 2, got 30"),
        (cirq.ResetChannel(), "dimension", 3, "an integer from 2 to 2"),
        (cirq.asymmetric_depolarize(0.1), "error_probabilities", {"A": 1.0}, "by Pauli strings of one or two letters"),
        (cirq.asymmetric_depolarize(0.1), "error_probabilities", {"X": 0.5, "XX": 0.5}, "of one or two letters"),
        (cirq.asymmetric_depolarize(0.1), "error_probabilities", {}, "of one or two letters"),
        (cirq.asymmetric_depolarize(0.1), "error_probabilities", {"X": 2}, "a number from 0 to 1, got 2"),
        (cirq.X.with_probability(0.1), "sub_gate", {"cirq_type": "MatrixGate"}, "cirq_type is one of"),
        (KRAUS, "operators", [[[1.0]]], "a list of matrices of one or two qubits"),
        (KRAUS, "operators", [[[1.0, 0.0], [0.0]]], "should hold 2 to 2 items, got 1"),
        (KRAUS, "operators", [[[1.0, 0.0], [0.0, 0.5]]], "should add up to the identity"),
    ],
)
def test_a_channel_is_what_it_says(channel, field, value, message):
    document = json.loads(cirq.to_json(cirq.Circuit(channel.on(FIRST))))
    document["moments"][0]["operations"][0]["gate"][field] = value
    with pytest.raises(ValueError, match=message):
        load_circuit(json.dumps(document))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_circuit_comes_back(operation):
    circuit = cirq.Circuit(cirq.Moment(), operation)
    assert load_circuit(dump_circuit(circuit)) == circuit
    assert load_circuit(cirq.to_json(circuit)) == circuit


@pytest.mark.parametrize(
    "spec",
    [qfl_circuit(2, 3, degree=2), qcnn_circuit(4), evidence_fusion_circuit(2, 2)],
    ids=["qfl", "qcnn", "evidence"],
)
def test_the_circuits_of_this_package_come_back(spec):
    assert load_circuit(dump_circuit(spec.circuit)) == spec.circuit
    assert tuple(load_operators(dump_operators(spec.operators))) == spec.operators


def test_observables_come_back():
    found = load_operators(dump_operators(OPERATORS))
    assert found == OPERATORS
    assert list(map(type, found)) == list(map(type, OPERATORS))


def symbolic(kind, **fields):
    return {"cirq_type": f"sympy.{kind}", **fields}


def nested(depth):
    return symbolic("Add", args=[nested(depth - 1)]) if depth else symbolic("pi")


def with_exponent(exponent):
    """The document of X to that power."""
    return dump_circuit(cirq.Circuit(cirq.X(FIRST) ** 0.123)).replace("0.123", exponent)


TWO = symbolic("Integer", i=2)
FIELD = r"^circuit\.moments\[0\]\.operations\[0\]\.gate\.exponent"


@pytest.mark.parametrize(
    ("exponent", "message"),
    [
        ("a", "a number or an expression of SymPy, got 'a'"),
        (True, "a number or an expression of SymPy, got True"),
        (None, "a number or an expression of SymPy, got None"),
        ([1], "a number or an expression of SymPy"),
        (float("nan"), "a number of at most .* got nan"),
        (float("inf"), "a number of at most .* got inf"),
        (-1e39, "a number of at most"),
        (symbolic("Indexed", args=["a", "b"]), "cirq_type is one of .*'sympy.Symbol'.* got 'sympy.Indexed'"),
        (symbolic("I"), "got 'sympy.I'"),
        ({"cirq_type": ["sympy.Symbol"], "name": "a"}, "cirq_type is one of"),
        (symbolic("Float", approx="1"), "a number of at most .* got '1'"),
        (symbolic("Integer", i="1"), "an integer"),
        (symbolic("Integer", i=1.5), "an integer"),
        (symbolic("Rational", p=1, q=0), "an integer from 1"),
        (symbolic("Symbol", name=""), "a name"),
        (symbolic("Symbol", name="x" * 300), "a name"),
        (symbolic("Symbol", name="\ud800"), "a name"),
        (symbolic("Symbol", name="x\0"), "a name"),
        (symbolic("Symbol", name=3), "a name"),
        (symbolic("Symbol", name="a", real=True), r"with the fields \['name'\]"),
        (symbolic("Mul", args=["2", TWO]), "cirq_type is one of"),
        (symbolic("Mul", args=[TWO] * 17), "hold 1 to 16 items"),
        (symbolic("Mul", args=[symbolic("Add", args=[TWO] * 8)] * 2), "at most 16 terms"),
        (nested(16), "at most 16 terms"),
        (symbolic("Pow", args=[TWO, symbolic("Integer", i=10**9)]), "-8 to 8 within a power"),
        (symbolic("Pow", args=[TWO, symbolic("Rational", p=1, q=10**9)]), "-8 to 8 within a power"),
        (symbolic("Pow", args=[symbolic("Integer", i=10**9), TWO]), "0 to 65536 within a power"),
        (symbolic("Pow", args=[symbolic("Integer", i=0), symbolic("Integer", i=-1)]), "the base not 0"),
        (symbolic("Pow", args=[TWO, symbolic("Symbol", name="a")]), "a constant exponent"),
        (symbolic("Pow", args=[symbolic("Pow", args=[TWO, TWO]), TWO]), "cirq_type is one of"),
        (symbolic("Pow", args=[TWO]), "hold 2 to 2 items"),
    ],
)
def test_an_exponent_is_a_small_expression(exponent, message):
    with pytest.raises(ValueError, match=f"{FIELD}.* should .*{message}"):
        load_circuit(with_exponent(json.dumps(exponent)))


def test_numbers_end_where_single_precision_does():
    large = symbolic("Integer", i=10**30)
    with pytest.raises(ValueError, match="Numbers of expressions should be at most"):
        load_circuit(with_exponent(json.dumps(symbolic("Mul", args=[large, large]))))
    for digits in (100, 5_000, 1_000_000):
        with pytest.raises(ValueError, match=f"Integers .* got one of {digits} digits"):
            load_circuit(with_exponent("9" * digits))
    with pytest.raises(ValueError, match=r"x should be an integer from"):
        load_circuit(dump_circuit(cirq.Circuit(cirq.X(cirq.LineQubit(7)))).replace("7", "2147483648"))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "[" * 10**5, '{"a":' * 10**5, with_exponent("["), 3, None, b"{}"]
)
@pytest.mark.parametrize(("load", "what"), [(load_circuit, "circuit"), (load_operators, "operators")])
def test_what_is_no_document_is_refused(load, what, text):
    if load is load_operators and text == "[]":
        assert load(text) == []
    else:
        with pytest.raises(ValueError, match=f"^{what} should be"):
            load(text)


def test_a_document_has_a_size():
    moments = json.dumps([json.loads(cirq.to_json(cirq.Moment(cirq.X(FIRST))))] * 20_000)
    with pytest.raises(ValueError, match=r"at most 10,000 gates, got 20,000"):
        load_circuit(f'{{"cirq_type": "Circuit", "moments": {moments}}}')
    with pytest.raises(ValueError, match=r"moments should hold 0 to 10,000 items, got 20,000"):
        load_circuit(json.dumps({"cirq_type": "Circuit", "moments": [{}] * 20_000}))
    with pytest.raises(ValueError, match=r"at most 10,000 Pauli strings, got 12,000"):
        load_operators(json.dumps([json.loads(cirq.to_json(cirq.Z(FIRST) + 1))] * 6_000))
    with pytest.raises(ValueError, match=r"at most 16,777,216 characters"):
        load_circuit(" " * (2**24 + 1))


@pytest.mark.parametrize(
    ("gate", "kind"),
    [
        (cirq.MixedUnitaryChannel([(1.0, cirq.unitary(cirq.X))]), "MixedUnitaryChannel"),
        (cirq.CCX, "CCXPowGate"),
        (cirq.MatrixGate(cirq.unitary(cirq.H)), "MatrixGate"),
        (cirq.BooleanHamiltonianGate(["x"], ["x"], 0.1), "BooleanHamiltonianGate"),
    ],
)
def test_gates_that_are_not_known_are_named_when_a_circuit_is_saved(gate, kind):
    qubits = cirq.LineQubit.range(cirq.num_qubits(gate))
    with pytest.raises(ValueError, match=rf"\.gate should be .*'XPowGate'.* got '{kind}'"):
        dump_circuit(cirq.Circuit(gate.on(*qubits)))


def test_what_cirq_cannot_write_is_named_when_a_circuit_is_saved():
    with pytest.raises(ValueError, match=r"circuit cannot be saved: .*sin"):
        dump_circuit(cirq.Circuit(cirq.X(FIRST) ** sympy.sin(A)))
    with pytest.raises(ValueError, match=r"cirq_type is one of .*'LineQubit'.* got 'NamedQubit'"):
        dump_circuit(cirq.Circuit(cirq.X(cirq.NamedQubit("a"))))
    with pytest.raises(ValueError, match=r"control_values.* should hold 1 to 1 items"):
        dump_circuit(cirq.Circuit(cirq.X(FIRST).controlled_by(SECOND, control_values=[(0, 1)])))


def test_one_observable_has_one_matrix_on_each_qubit():
    text = dump_operators([cirq.X(FIRST) * cirq.Z(SECOND)]).replace("10", "-1")
    with pytest.raises(ValueError, match="different qubits"):
        load_operators(text)


CIRCUIT, OBSERVABLES = (
    json.loads(text) for text in (dump_circuit(cirq.Circuit(OPERATIONS)), dump_operators(OPERATORS))
)


def _paths(tree, path=()):
    yield path
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield from _paths(value, (*path, key))


def _at(tree, path):
    for key in path:
        tree = tree[key]
    return tree


PARTS = [_at(tree, path) for tree in (CIRCUIT, OBSERVABLES) for path in _paths(tree)]
KINDS = sorted({part["cirq_type"] for part in PARTS if isinstance(part, dict)})
STRANGE = ["sympy.Indexed", "sympy.And", "sympy.E", "REF", "VAL", "CircuitOperation", "FrozenCircuit", "SympyCondition"]
text = st.text('aB9 "\\/{[:,\n\r\0\x7fé\u0663\u2028\U0001f600', max_size=5)
values = (
    st.sampled_from(PARTS)
    | st.sampled_from([*KINDS, *STRANGE, -1, 0, 1, 2, 0.5, 10**40, -(10**9), "__import__('os')"])
    | st.builds(lambda kind: {"cirq_type": kind, "key": 0, "val": 1, "args": ["a", "b"]}, st.sampled_from(STRANGE))
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=5,
    )
)


@given(data=st.data(), observables=st.booleans(), changes=st.integers(1, 3))
def test_a_changed_document_gives_a_valid_object_or_a_value_error(data, observables, changes):
    text = json.dumps(OBSERVABLES if observables else CIRCUIT)
    for _ in range(changes):
        tree = json.loads(text)
        path = data.draw(st.sampled_from(list(_paths(tree))), label="where")
        new = data.draw(values, label="what")
        if not path:
            tree = new
        elif data.draw(st.booleans(), label="remove"):
            del _at(tree, path[:-1])[path[-1]]
        else:
            _at(tree, path[:-1])[path[-1]] = new
        text = json.dumps(tree)
    load, dump = (load_operators, dump_operators) if observables else (load_circuit, dump_circuit)
    try:
        found = load(text)
    except ValueError:
        return
    assert load(dump(found)) == found
    if not observables:
        assert isinstance(found, cirq.Circuit) and repr(found)
        assert all(isinstance(name, str) for name in cirq.parameter_names(found))
