"""The one object that builders make, engines run and layers wrap."""

from __future__ import annotations

import collections
import copy
import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import cirq
import numpy as np
import sympy

from tfq_fusion.circuits.noise import as_values

Observable = cirq.PauliString[Any] | cirq.PauliSum


class Content(NamedTuple):
    """What a :class:`ModelCircuit` holds at one time; hashable, and nothing can change it.

    Attributes:
        circuit: The circuit.
        data_symbols: The symbols of the data.
        weight_symbols: The symbols of the weights.
        operators: The terms of each operator, in order.
    """

    circuit: cirq.FrozenCircuit
    data_symbols: tuple[sympy.Symbol, ...]
    weight_symbols: tuple[sympy.Symbol, ...]
    operators: tuple[tuple[cirq.PauliString[cirq.Qid], ...], ...]

    def model_circuit(self) -> ModelCircuit:
        """The model circuit that holds this."""
        operators = (cirq.PauliSum.from_pauli_strings(list(terms)) for terms in self.operators)
        return ModelCircuit(self.circuit, self.data_symbols, self.weight_symbols, tuple(operators))


@dataclasses.dataclass(frozen=True)
class ModelCircuit:
    """A symbolic circuit, the meaning of its symbols, and what is measured at its end.

    It keeps copies: what happens later to the objects that it was made of does not reach it. Cirq's own circuits and
    sums can be changed in place, so a cache keeps :attr:`content`, never the model circuit itself.

    Example:
        >>> import cirq
        >>> import sympy
        >>> from tfq_fusion.circuits import ModelCircuit
        >>> x, a = sympy.symbols("x a")
        >>> qubit = cirq.LineQubit(0)
        >>> spec = ModelCircuit(cirq.Circuit(cirq.ry(x)(qubit), cirq.rx(a)(qubit)), [x], [a], cirq.Z(qubit))
        >>> print(spec.circuit)
        0: ───Ry(x)───Rx(a)───
        >>> spec.weight_symbols
        (a,)

    Attributes:
        circuit: Symbolic circuit, made of gates that TensorFlow Quantum can serialise, and of channels.
        data_symbols: Bound to each sample's features, in feature order. Any sequence is taken.
        weight_symbols: Trained, and shared by the batch. Any sequence is taken.
        operators: The observables whose expectation values are the output. Pauli strings, or one observable alone, are
            taken too.

    Raises:
        TypeError: If an argument is of another type; the message names the argument.
        ValueError: If the circuit holds a symbol that is neither data nor weight, or text in place of a number, if one
            symbol is listed twice, or if a coefficient of an operator is no finite real number.
    """

    circuit: cirq.Circuit
    data_symbols: tuple[sympy.Symbol, ...]
    weight_symbols: tuple[sympy.Symbol, ...]
    operators: tuple[cirq.PauliSum, ...]

    if TYPE_CHECKING:  # more is taken than is kept

        def __init__(
            self,
            circuit: cirq.AbstractCircuit,
            data_symbols: Iterable[sympy.Symbol],
            weight_symbols: Iterable[sympy.Symbol],
            operators: Observable | Iterable[Observable],
        ) -> None: ...

    def __post_init__(self) -> None:
        """Copy everything, and check that every symbol of the circuit is bound exactly once."""
        if not isinstance(self.circuit, cirq.AbstractCircuit):
            raise TypeError(f"circuit should be a cirq.Circuit, got {type(self.circuit).__name__}.")
        circuit = as_values(self.circuit)
        _require_values(circuit)
        kept = {
            "circuit": _copied(circuit),
            "data_symbols": _symbols("data_symbols", self.data_symbols),
            "weight_symbols": _symbols("weight_symbols", self.weight_symbols),
            "operators": _operators(self.operators),
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        names = [symbol.name for symbol in (*self.data_symbols, *self.weight_symbols)]
        repeated = sorted(name for name, count in collections.Counter(names).items() if count > 1)
        if repeated:
            raise ValueError(f"Symbols should be listed once, as data or as weight; listed again: {repeated}.")
        unbound = sorted(cirq.parameter_names(self.circuit) - set(names))
        if unbound:
            raise ValueError(
                f"The circuit holds symbols that nobody binds: {unbound}. "
                "List each in data_symbols or in weight_symbols."
            )

    @property
    def content(self) -> Content:
        """What the circuit and the operators are now; model circuits of equal content have equal values."""
        # To make it costs as much as to run a small circuit, so it is kept as long as it is true. Cirq freezes a
        # circuit anew after each change of it, and to compare the terms as its sums have them costs microseconds.
        circuit = self.circuit.freeze()
        sums: tuple[Any, ...] = self.operators  # what Cirq keeps to itself has no types
        terms = tuple(tuple(operator._value_equality_values_()._terms.items()) for operator in sums)
        kept: tuple[cirq.FrozenCircuit, tuple[Any, ...], Content] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] is not circuit or kept[1] != terms:
            operators = tuple(tuple(operator) for operator in self.operators)
            kept = circuit, terms, Content(circuit, self.data_symbols, self.weight_symbols, operators)
            object.__setattr__(self, "_kept", kept)
        return kept[2]

    def __hash__(self) -> int:
        """Hash by the content, but for the order of an operator's terms, which equality does not see."""
        content = self.content
        return hash((content[:-1], tuple(frozenset(terms) for terms in content.operators)))


def _require_values(circuit: cirq.AbstractCircuit) -> None:
    """Raise a ValueError that names the first operation which is no value: content is what caches are keyed by."""
    for number, moment in enumerate(circuit):
        for operation in moment:
            try:
                hash(operation)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"moment {number}: expected gates of numbers and expressions of SymPy, got {operation!r} ({error})."
                ) from error


def _copied(circuit: cirq.AbstractCircuit) -> cirq.Circuit:
    # Operations never change, but for arrays that gates such as cirq.MatrixGate hold.
    arrays = any(map(_holds_array, circuit.all_operations()))
    return copy.deepcopy(circuit.unfreeze()) if arrays else circuit.unfreeze()


def _holds_array(operation: cirq.Operation) -> bool:
    operation = operation.untagged
    if isinstance(operation, cirq.ControlledOperation):
        return _holds_array(operation.sub_operation)
    return any(isinstance(value, np.ndarray) for value in getattr(operation.gate, "__dict__", {}).values())


def _symbols(name: str, symbols: Any) -> tuple[sympy.Symbol, ...]:
    expected = f"{name} should be a sequence of sympy.Symbol, got"
    if isinstance(symbols, str) or not isinstance(symbols, Iterable):
        raise TypeError(f"{expected} {symbols!r}.")
    found = tuple(symbols)
    for symbol in found:
        if not isinstance(symbol, sympy.Symbol):
            raise TypeError(f"{expected} {symbol!r} in it.")
    return found


def _operators(operators: Any) -> tuple[cirq.PauliSum, ...]:
    if isinstance(operators, (cirq.PauliString, cirq.PauliSum)):
        operators = (operators,)
    expected = "operators should be a cirq.PauliString or cirq.PauliSum, or a sequence of them, got"
    if isinstance(operators, str) or not isinstance(operators, Iterable):
        raise TypeError(f"{expected} {operators!r}.")
    sums = []
    for operator in operators:
        if not isinstance(operator, (cirq.PauliString, cirq.PauliSum)):
            raise TypeError(f"{expected} {operator!r} in it.")
        total = (
            cirq.PauliSum.from_pauli_strings(operator) if isinstance(operator, cirq.PauliString) else operator.copy()
        )
        for string in total:
            if cirq.is_parameterized(string) or not _real(string.coefficient):
                raise ValueError(
                    "Coefficients of operators should be finite real numbers, "
                    f"got {string.coefficient} in {operator!r}."
                )
        sums.append(total)
    return tuple(sums)


def _real(coefficient: complex) -> bool:
    # What a product of sums leaves in the imaginary part is rounding.
    return math.isfinite(coefficient.real) and abs(coefficient.imag) <= 1e-8 * max(1.0, abs(coefficient.real))


def padded_symbols(prefix: str, count: int) -> tuple[sympy.Symbol, ...]:
    """Symbols ``prefix_0`` to ``prefix_{count-1}``, zero-padded so that sorting by name keeps their order.

    TensorFlow Quantum sorts symbols by name.
    """
    width = len(str(max(count - 1, 0)))
    return tuple(sympy.Symbol(f"{prefix}_{number:0{width}d}") for number in range(count))
