"""A Cirq circuit as plain gates, from which the peers and the reference build theirs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import cirq
import sympy

from bench.problem import Problem

_ROTATIONS = {
    cirq.XPowGate: "X",
    cirq.YPowGate: "Y",
    cirq.ZPowGate: "Z",
    cirq.XXPowGate: "XX",
    cirq.YYPowGate: "YY",
    cirq.ZZPowGate: "ZZ",
}


@dataclasses.dataclass(frozen=True)
class Gate:
    r"""A gate on some qubits, on condition that the controls hold their values.

    Attributes:
        kind: "X", "Y", "Z", "XX", "YY" or "ZZ", a Pauli string $P$; or "H", the Hadamard gate.
        targets: Positions of the qubits, one per letter of ``kind``.
        controls: Positions of the controls.
        values: 0 or 1 for each control.
        angle: Where the angle $t$ of $\exp(-i t P / 2)$ stands: ``("data", column)`` or ``("weights", column)``; None
            for $P$ itself.
    """

    kind: str
    targets: tuple[int, ...]
    controls: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    angle: tuple[str, int] | None = None


@dataclasses.dataclass(frozen=True)
class Multiplexer:
    """Rotations of one qubit about y, one for each value of the controls.

    Attributes:
        target: Position of the rotated qubit.
        controls: Positions of the controls, the most significant first.
        columns: For each value of the controls the column of the data that holds its angle, or -1 for no rotation.
    """

    target: int
    controls: tuple[int, ...]
    columns: tuple[int, ...]


def gates_of(problem: Problem) -> list[Gate]:
    """The circuit of a problem, gate by gate.

    Raises:
        ValueError: If the circuit holds a gate that the benchmark does not use; the message names it.
    """
    columns = {name: ("data", column) for column, name in enumerate(problem.data_symbols)}
    columns |= {name: ("weights", column) for column, name in enumerate(problem.weight_symbols)}
    return [_gate(operation, columns) for operation in problem.circuit.all_operations()]


def _gate(operation: cirq.Operation, columns: dict[str, tuple[str, int]]) -> Gate:
    inner = operation
    controls: tuple[cirq.Qid, ...] = ()
    values: tuple[int, ...] = ()
    if isinstance(operation, cirq.ControlledOperation):
        inner, controls = operation.sub_operation, operation.controls
        (values,) = operation.control_values.expand()
    elif operation.gate in (cirq.CZ, cirq.CNOT):
        control, target = operation.qubits
        inner = cirq.Z(target) if operation.gate == cirq.CZ else cirq.X(target)
        controls, values = (control,), (1,)
    positions = _positions(inner.qubits), _positions(controls), values

    gate = inner.gate
    if gate == cirq.H:
        return Gate("H", *positions)
    for family, kind in _ROTATIONS.items():
        if isinstance(gate, family):
            angle = str(sympy.pi * gate.exponent)
            if gate.global_shift == -0.5 and angle in columns:
                return Gate(kind, *positions, angle=columns[angle])
            if gate.global_shift == 0 and gate.exponent == 1:
                return Gate(kind, *positions)
    raise ValueError(
        f"The benchmark expects Pauli rotations by one symbol each, CZ, CNOT, X, Y, Z and H, got {operation}."
    )


def _positions(qubits: Sequence[Any]) -> tuple[int, ...]:
    return tuple(qubit.x for qubit in qubits)


def join_multiplexers(gates: Sequence[Gate]) -> list[Gate | Multiplexer]:
    """The same circuit with every run of controlled y rotations by data joined, as a person would write it by hand."""
    joined: list[Gate | Multiplexer] = []
    for addressed, run in itertools.groupby(gates, key=_addressed):
        if addressed is None:
            joined += run
            continue
        target, controls = addressed
        columns = [-1] * 2 ** len(controls)
        for gate in run:
            assert gate.angle is not None
            columns[int("".join(map(str, gate.values)), base=2)] = gate.angle[1]
        joined.append(Multiplexer(target, controls, tuple(columns)))
    return joined


def _addressed(gate: Gate) -> tuple[int, tuple[int, ...]] | None:
    if gate.kind == "Y" and gate.controls and gate.angle is not None and gate.angle[0] == "data":
        return gate.targets[0], gate.controls
    return None
