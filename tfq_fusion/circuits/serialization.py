"""Circuits and observables as Cirq's JSON, read as what a stranger may have written.

Cirq's own reader makes objects of two hundred types, some of which hand text to SymPy's parser, which evaluates it;
and a short expression can take SymPy hours. Here a document is held against a grammar, bounded in depth, length and
numbers, before Cirq sees it: the gates that TensorFlow Quantum serialises, those of this package, and Cirq's channels,
on line and grid qubits, with strings as names only.
"""

from __future__ import annotations

import functools
import json
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import cirq
import sympy

from tfq_fusion.circuits.encoding import ROTATIONS, MultiplexedRotation
from tfq_fusion.circuits.model import Observable
from tfq_fusion.circuits.noise import KrausGate

MAX_CHARACTERS = 2**24
"""Of a document. A gate takes some 200 of them."""

MAX_GATES = 10_000
"""Moments of a circuit, and operations; Pauli strings of all observables together. More take minutes to prepare."""

MAX_NUMBER = 2**128
"""Where single precision ends, in which circuits run."""

MAX_TERMS = 16
"""Of an expression, everything in it counted. TensorFlow Quantum takes a number times a symbol."""

MAX_POWER = 8
"""The exponent of a power in an expression, for pi**-1 or 2**(1/2)."""

MAX_ROOT = 2**16
"""The base of such a power: SymPy looks for its factors."""

MAX_QUBITS = 1024
"""Of one gate."""

MAX_NAME = 256
"""Characters of a name."""

_Check = Callable[[Any, str], None]
"""Raises a ValueError unless the first argument, which stands at the second, is as it should be."""

_Grammar = Mapping[str, Mapping[str, _Check]]
"""The fields of each type, and the check of each field."""


def load_circuit(text: str) -> cirq.Circuit:
    """The circuit of a JSON document, as :func:`dump_circuit` or :func:`cirq.to_json` writes it.

    Nothing in the document is evaluated as Python or by SymPy's parser.

    Raises:
        ValueError: If the document holds anything but a circuit of allowed gates, qubits, expressions and numbers, or
            more than this module's limits; the message says what and where.
    """
    circuit: cirq.Circuit = _load(text, "circuit", _circuit)
    return circuit


def load_operators(text: str) -> list[Observable]:
    """The observables of a JSON document, as :func:`dump_operators` or :func:`cirq.to_json` writes a list of them.

    Raises:
        ValueError: If the document holds anything but a list of Pauli strings and sums, or more than this module's
            limits; the message says what and where.
    """
    operators: list[Observable] = _load(text, "operators", _operators)
    return operators


def dump_circuit(circuit: cirq.Circuit) -> str:
    """A circuit as Cirq's JSON.

    Raises:
        ValueError: If :func:`load_circuit` would refuse it.
    """
    return _dump(circuit, "circuit", _circuit)


def dump_operators(operators: Iterable[Observable]) -> str:
    """Observables as Cirq's JSON.

    Raises:
        ValueError: If :func:`load_operators` would refuse them.
    """
    return _dump(list(operators), "operators", _operators)


def _load(text: str, what: str, check: _Check) -> Any:
    # What was checked is written anew: of a key that stands twice, Cirq would read what the check does not see.
    checked = json.dumps(_parse(text, what, check))
    return cirq.read_json(json_text=checked, resolvers=[_factory])


def _dump(value: Any, what: str, check: _Check) -> str:
    try:
        text: str = cirq.to_json(value, indent=None)
    except TypeError as error:
        raise ValueError(f"{what} cannot be saved: {error}") from error
    _parse(text, what, check)
    return text


def _parse(text: str, what: str, check: _Check) -> Any:
    """The tree of a document that keeps to the grammar."""
    if not isinstance(text, str):
        _refuse(text, what, "text, Cirq's JSON")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{what} should have at most {MAX_CHARACTERS:,} characters of JSON, got {len(text):,}.")
    try:
        tree = json.loads(text, parse_int=_parse_integer)
        check(tree, what)
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} should be Cirq's JSON, got {reprlib.repr(text)}: {error}") from error
    except RecursionError:
        raise ValueError(f"{what} should be Cirq's JSON of a circuit, got one nested too deeply.") from None
    return tree


def _parse_integer(digits: str) -> int:
    # Python takes time that is quadratic in their number.
    if len(digits) > len(str(-MAX_NUMBER)):
        raise ValueError(f"Integers of circuits should be at most {MAX_NUMBER:.3g}, got one of {len(digits)} digits.")
    return int(digits)


def _refuse(value: Any, where: str, expected: str) -> NoReturn:
    raise ValueError(f"{where} should be {expected}, got {reprlib.repr(value)}.")


def _number(value: Any, where: str) -> None:
    if type(value) not in (int, float) or not abs(value) <= MAX_NUMBER:  # NaN is not
        _refuse(value, where, f"a number of at most {MAX_NUMBER:.3g}")


def _integer(least: int, most: int) -> _Check:
    def check(value: Any, where: str) -> None:
        if type(value) is not int or not least <= value <= most:
            _refuse(value, where, f"an integer from {least} to {most}")

    return check


def _exactly(expected: Any) -> _Check:
    def check(value: Any, where: str) -> None:
        if type(value) not in (type(expected), int) or value != expected:
            _refuse(value, where, repr(expected))

    return check


def _name(value: Any, where: str) -> None:
    # Half of a surrogate pair is no text that TensorFlow could hold.
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        _refuse(value, where, f"a name of 1 to {MAX_NAME} printable characters")


def _boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        _refuse(value, where, "true or false")


def _axis(value: Any, where: str) -> None:
    if not isinstance(value, str) or value not in ROTATIONS:
        _refuse(value, where, f"one of {sorted(ROTATIONS)}")


def _list_of(check: _Check, least: int = 0, most: int = MAX_GATES) -> _Check:
    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, list):
            _refuse(value, where, "a list")
        if not least <= len(value) <= most:
            raise ValueError(f"{where} should hold {least} to {most:,} items, got {len(value):,}.")
        for number, item in enumerate(value):
            check(item, f"{where}[{number}]")

    return check_all


def _one_of(kinds: _Grammar) -> _Check:
    """A JSON object with one of these types, and exactly its fields."""

    def check(value: Any, where: str) -> None:
        kind = value.get("cirq_type") if isinstance(value, dict) else value
        if not isinstance(value, dict) or not isinstance(kind, str) or kind not in kinds:
            _refuse(kind, where, f"an object whose cirq_type is one of {sorted(kinds)}")
        fields = kinds[kind]
        if value.keys() != {"cirq_type", *fields}:
            _refuse(sorted(value), where, f"a {kind} with the fields {sorted(fields)}")
        for name, check_field in fields.items():
            check_field(value[name], f"{where}.{name}")

    return check


_any_integer = _integer(-MAX_NUMBER, MAX_NUMBER)
_index = _integer(1 - 2**31, 2**31 - 1)
_qubits_of_gate = _integer(1, MAX_QUBITS)


def _power(value: Any, where: str) -> None:
    # Its base is positive and no power: what SymPy makes of it is real, finite and soon found.
    _list_of(_leaf, 2, 2)(value, where)
    base, exponent = value
    if base["cirq_type"] == "sympy.E":
        _refuse("sympy.E", f"{where}[0]", "another base, for Cirq writes no powers of E")
    if exponent["cirq_type"] not in _NUMBERS:
        _refuse(exponent["cirq_type"], f"{where}[1]", f"a constant exponent, one of {sorted(_NUMBERS)}")
    for number, item, least, most in ((0, base, 0, MAX_ROOT), (1, exponent, -MAX_POWER, MAX_POWER)):
        for field in item.keys() - {"cirq_type", "name"}:
            if not least <= item[field] <= most or base.get(field) == 0:
                _refuse(item[field], f"{where}[{number}].{field}", f"{least} to {most} within a power, the base not 0")


def _terms(value: Any, where: str) -> None:
    _list_of(_term, 1, MAX_TERMS)(value, where)


_NUMBERS: _Grammar = {
    "sympy.Integer": {"i": _any_integer},
    "sympy.Rational": {"p": _any_integer, "q": _integer(1, MAX_NUMBER)},
    "sympy.Float": {"approx": _number},
}
_LEAVES: _Grammar = {
    **_NUMBERS,
    "sympy.Symbol": {"name": _name},
    "sympy.pi": {},
    "sympy.E": {},
    "sympy.EulerGamma": {},
}
_TERMS: _Grammar = {
    **_LEAVES,
    "sympy.Add": {"args": _terms},
    "sympy.Mul": {"args": _terms},
    "sympy.Pow": {"args": _power},
}
_leaf, _term = _one_of(_LEAVES), _one_of(_TERMS)


def _expression(value: Any, where: str) -> None:
    """A number, or an expression of SymPy."""
    if not isinstance(value, dict):
        if type(value) not in (int, float):
            _refuse(value, where, "a number or an expression of SymPy")
        return _number(value, where)
    _term(value, where)
    count = _count(value)
    if count > MAX_TERMS:
        raise ValueError(f"{where} should be an expression of at most {MAX_TERMS} terms, got {count}.")


def _count(term: Mapping[str, Any]) -> int:
    return 1 + sum(map(_count, term.get("args", ())))


_PAULIS: _Grammar = {f"_Pauli{letter}": {"exponent": _exactly(1.0), "global_shift": _exactly(0.0)} for letter in "XYZ"}
_GATES: _Grammar = {
    **_PAULIS,
    **{
        f"{name}PowGate": {"exponent": _expression, "global_shift": _number}
        for name in ("X", "Y", "Z", "XX", "YY", "ZZ", "H", "CX", "CZ", "Swap", "ISwap")
    },
    **{
        f"Phased{name}PowGate": {"phase_exponent": _expression, "exponent": _expression, "global_shift": _number}
        for name in ("X", "ISwap")
    },
    **{name: {"rads": _expression} for name in ("Rx", "Ry", "Rz", "cirq.MSGate")},
    "FSimGate": {"theta": _expression, "phi": _expression},
    "IdentityGate": {"num_qubits": _qubits_of_gate},
    "MeasurementGate": {"num_qubits": _qubits_of_gate, "key": _name, "invert_mask": _list_of(_boolean)},
    "tfq_fusion.MultiplexedRotation": {"angles": _list_of(_expression, 1), "axis": _axis},
}


_COMPLEX: _Grammar = {"complex": {"real": _number, "imag": _number}}


def _coefficient(value: Any, where: str) -> None:
    if isinstance(value, dict):
        return _one_of(_COMPLEX)(value, where)
    _number(value, where)


def _probability(value: Any, where: str) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        _refuse(value, where, "a number from 0 to 1")


def _probabilities(value: Any, where: str) -> None:
    """Probabilities of Pauli strings of one length, one or two letters."""
    names = list(value) if isinstance(value, dict) else [""]
    if {len(name) for name in names} not in ({1}, {2}) or not set("".join(names)) <= set("IXYZ"):
        _refuse(value, where, "probabilities by Pauli strings of one or two letters")
    for name, probability in value.items():
        _probability(probability, f"{where}.{name}")


def _kraus_operators(value: Any, where: str) -> None:
    size = len(value[0]) if isinstance(value, list) and value and isinstance(value[0], list) else 0
    if size not in (2, 4):
        _refuse(value, where, "a list of matrices of one or two qubits")
    _list_of(_list_of(_list_of(_coefficient, size, size), size, size), 1, size**2)(value, where)


_CHANNELS: _Grammar = {
    **{f"{name}Channel": {"p": _probability} for name in ("Depolarizing", "BitFlip", "PhaseFlip")},
    **{f"{name}DampingChannel": {"gamma": _probability} for name in ("Phase", "Amplitude")},
    "GeneralizedAmplitudeDampingChannel": {"p": _probability, "gamma": _probability},
    "AsymmetricDepolarizingChannel": {"error_probabilities": _probabilities},
    "ResetChannel": {"dimension": _integer(2, 2)},
    "RandomGateChannel": {"sub_gate": _one_of(_GATES), "probability": _expression},
    "tfq_fusion.KrausGate": {"operators": _kraus_operators},
}
_DEPOLARIZING_TWO: _Grammar = {"DepolarizingChannel": {"p": _probability, "n_qubits": _integer(2, 2)}}
_one_qubit, _two_qubits = _one_of({**_GATES, **_CHANNELS}), _one_of(_DEPOLARIZING_TWO)


def _gate(value: Any, where: str) -> None:
    # Cirq leaves out the number of qubits where it is one.
    of_two = isinstance(value, dict) and value.get("cirq_type") in _DEPOLARIZING_TWO and "n_qubits" in value
    (_two_qubits if of_two else _one_qubit)(value, where)


_QUBITS: _Grammar = {
    "LineQubit": {"x": _index},
    "GridQubit": {"row": _index, "col": _index},
}
_pauli, _qubit = _one_of(_PAULIS), _one_of(_QUBITS)
_qubits = _list_of(_qubit, 1, MAX_QUBITS)

_PLAIN: _Grammar = {
    "GateOperation": {"gate": _gate, "qubits": _qubits},
    "SingleQubitPauliStringGateOperation": {"pauli": _pauli, "qubit": _qubit},
}
_TAGGED: _Grammar = {
    **_PLAIN,
    "TaggedOperation": {"sub_operation": _one_of(_PLAIN), "tags": _list_of(_name)},
}
# TensorFlow Quantum reads the first of several values that a control may have, and forgets the others.
_CONTROL_VALUES: _Grammar = {"ProductOfSums": {"data": _list_of(_list_of(_integer(0, 1), 1, 1), 1, MAX_QUBITS)}}
_OPERATIONS: _Grammar = {
    **_TAGGED,
    "ControlledOperation": {
        "controls": _qubits,
        "control_values": _one_of(_CONTROL_VALUES),
        "sub_operation": _one_of(_TAGGED),
    },
}
_MOMENT: _Grammar = {"Moment": {"operations": _list_of(_one_of(_OPERATIONS))}}
_CIRCUIT: _Grammar = {"Circuit": {"moments": _list_of(_one_of(_MOMENT))}}


def _circuit(value: Any, where: str) -> None:
    if isinstance(value, dict) and isinstance(value.get("moments"), list):
        held = [moment.get("operations") for moment in value["moments"] if isinstance(moment, dict)]
        gates = sum(len(operations) for operations in held if isinstance(operations, list))
        if gates > MAX_GATES:
            raise ValueError(f"{where} should have at most {MAX_GATES:,} gates, got {gates:,}. Split the circuit.")
    _one_of(_CIRCUIT)(value, where)


def _factor(value: Any, where: str) -> None:
    if not isinstance(value, list) or len(value) != 2:
        _refuse(value, where, "a pair, a qubit and its Pauli matrix")
    _qubit(value[0], f"{where}[0]")
    _pauli(value[1], f"{where}[1]")


def _factors(value: Any, where: str) -> None:
    _list_of(_factor, 0, MAX_QUBITS)(value, where)
    if len({tuple(sorted(qubit.items())) for qubit, _ in value}) < len(value):
        _refuse([qubit for qubit, _ in value], where, "Pauli matrices on different qubits")


def _string(value: Any, where: str) -> None:
    if not isinstance(value, list) or len(value) != 2:
        _refuse(value, where, "a pair, Pauli matrices and their coefficient")
    _factors(value[0], f"{where}[0]")
    _coefficient(value[1], f"{where}[1]")


_OPERATORS: _Grammar = {
    "PauliString": {"qubit_pauli_map": _factors, "coefficient": _coefficient},
    "PauliSum": {"items": _list_of(_string)},
    "SingleQubitPauliStringGateOperation": _PLAIN["SingleQubitPauliStringGateOperation"],
}


def _operators(value: Any, where: str) -> None:
    _list_of(_one_of(_OPERATORS))(value, where)
    strings = sum(len(operator.get("items", (None,))) for operator in value)
    if strings > MAX_GATES:
        raise ValueError(f"{where} should hold at most {MAX_GATES:,} Pauli strings, got {strings:,}.")


_KINDS = frozenset().union(
    *(_TERMS, _GATES, _CHANNELS, _QUBITS, _OPERATIONS, _CONTROL_VALUES, _MOMENT, _CIRCUIT, _COMPLEX, _OPERATORS)
)
"""Every type of the grammar."""


def _factory(cirq_type: str) -> Callable[..., Any] | None:
    """What makes an object of a type of the grammar; None for any other type."""
    if cirq_type in ("sympy.Add", "sympy.Mul", "sympy.Pow"):
        return functools.partial(_bounded, getattr(sympy, cirq_type.removeprefix("sympy.")))
    own = {"tfq_fusion.MultiplexedRotation": MultiplexedRotation, "tfq_fusion.KrausGate": KrausGate}
    if cirq_type in own:
        return own[cirq_type]
    known = (resolver(cirq_type) for resolver in cirq.DEFAULT_RESOLVERS if cirq_type in _KINDS)
    return next((factory for factory in known if factory is not None), None)


def _bounded(operation: type[sympy.Expr], args: list[sympy.Expr]) -> sympy.Expr:
    expression = operation(*args)
    for number in expression.atoms(sympy.Number):
        if abs(number) > MAX_NUMBER:
            raise ValueError(f"Numbers of expressions should be at most {MAX_NUMBER:.3g}, got {expression}.")
    return expression
