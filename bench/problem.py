"""What every engine is given, a circuit and the numbers of one step, and what it gives back.

Cirq and NumPy only, because the peers' environment holds nothing of the project.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import cirq
import numpy as np


@dataclasses.dataclass(frozen=True)
class Problem:
    """One step: the expectation values, and the gradients of ``sum(upstream * values)`` in data and weights.

    Attributes:
        circuit: Symbolic circuit. Its qubits are ``cirq.LineQubit.range(n)``.
        data_symbols: Names of the symbols that are bound per sample, in the order of the columns of ``data``.
        weight_symbols: Names of the symbols that the batch shares.
        operators: The observables.
        data: float32 ``[batch, n_data]``, angles in radians.
        weights: float32 ``[n_weights]``, angles in radians.
        upstream: float32 ``[batch, n_operators]``.
        preparations: One circuit per sample, which makes its initial state; none if all start in ``|0...0>``.
        states: complex64 ``[batch, 2**n]``, the states that the preparations make, the first qubit most significant;
            None if there are no preparations.
    """

    circuit: cirq.Circuit
    data_symbols: tuple[str, ...]
    weight_symbols: tuple[str, ...]
    operators: tuple[cirq.PauliSum, ...]
    data: np.ndarray
    weights: np.ndarray
    upstream: np.ndarray
    preparations: tuple[cirq.Circuit, ...] = ()
    states: np.ndarray | None = None

    @property
    def batch(self) -> int:
        """The number of samples."""
        return len(self.data)

    @property
    def qubits(self) -> int:
        """The number of qubits."""
        return len(self.circuit.all_qubits())

    def save(self, folder: Path) -> None:
        """Write ``circuits.json`` and ``arrays.npz``."""
        circuits = {
            "circuit": self.circuit,
            "data_symbols": self.data_symbols,
            "weight_symbols": self.weight_symbols,
            "operators": self.operators,
            "preparations": self.preparations,
        }
        cirq.to_json(circuits, folder / "circuits.json", indent=None)
        arrays = {"data": self.data, "weights": self.weights, "upstream": self.upstream}
        if self.states is not None:
            arrays["states"] = self.states
        np.savez(folder / "arrays.npz", **arrays)

    @classmethod
    def load(cls, folder: Path) -> Problem:
        """Read what :meth:`save` wrote."""
        circuits = cirq.read_json(folder / "circuits.json")
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            return cls(
                circuit=circuits["circuit"],
                data_symbols=tuple(circuits["data_symbols"]),
                weight_symbols=tuple(circuits["weight_symbols"]),
                operators=tuple(circuits["operators"]),
                preparations=tuple(circuits["preparations"]),
                data=arrays["data"],
                weights=arrays["weights"],
                upstream=arrays["upstream"],
                states=arrays.get("states"),
            )


class Outcome(NamedTuple):
    """What a step computes.

    Attributes:
        values: ``[batch, n_operators]``, the expectation values.
        data_gradient: ``[batch, n_data]``.
        weight_gradient: ``[n_weights]``.
    """

    values: np.ndarray
    data_gradient: np.ndarray
    weight_gradient: np.ndarray

    def deviation(self, reference: Outcome) -> float:
        """The largest absolute difference to a reference; NaN if there is a NaN.

        The weights' gradient is a sum over the batch; it is compared per sample, as the mean that a loss would take.

        Raises:
            ValueError: If a shape differs.
        """
        worst = 0.0
        for name, own, expected in zip(self._fields, self, reference, strict=True):
            if own.shape != expected.shape:
                raise ValueError(f"{name} should have shape {list(expected.shape)}, got {list(own.shape)}.")
            scale = len(self.values) if name == "weight_gradient" else 1
            worst = np.maximum(worst, np.abs(own - expected).max(initial=0) / scale)
        return float(worst)
