"""The one object that builders make, engines run and layers wrap."""

from __future__ import annotations

import dataclasses

import cirq
import sympy


@dataclasses.dataclass(frozen=True)
class ModelCircuit:
    """A symbolic circuit, the meaning of its symbols, and what is measured at its end.

    Attributes:
        circuit: Symbolic circuit, made of gates that TensorFlow Quantum can serialise.
        data_symbols: Bound to each sample's features, in feature order.
        weight_symbols: Trained, and shared by the batch.
        operators: The observables whose expectation values are the output.

    Raises:
        ValueError: If the circuit holds a symbol that is neither data nor weight, or one symbol is listed twice.
    """

    circuit: cirq.Circuit
    data_symbols: tuple[sympy.Symbol, ...]
    weight_symbols: tuple[sympy.Symbol, ...]
    operators: tuple[cirq.PauliSum, ...]

    def __post_init__(self) -> None:
        """Check that every symbol of the circuit is bound exactly once."""
        names = [symbol.name for symbol in (*self.data_symbols, *self.weight_symbols)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"Symbols should be listed once, as data or as weight; listed again: {repeated}.")
        unbound = sorted(cirq.parameter_names(self.circuit) - set(names))
        if unbound:
            raise ValueError(
                f"The circuit holds symbols that nobody binds: {unbound}. "
                "List each in data_symbols or in weight_symbols."
            )

    def __hash__(self) -> int:
        """Hash by the symbols and the number of operators, because Cirq circuits and Pauli sums are not hashable."""
        return hash((self.data_symbols, self.weight_symbols, len(self.operators)))


def padded_symbols(prefix: str, count: int) -> tuple[sympy.Symbol, ...]:
    """Symbols ``prefix_0 ... prefix_{count-1}``, zero-padded so that sorting by name keeps their order.

    TensorFlow Quantum sorts symbols by name.
    """
    width = len(str(max(count - 1, 0)))
    return tuple(sympy.Symbol(f"{prefix}_{number:0{width}d}") for number in range(count))
