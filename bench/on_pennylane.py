"""PennyLane on default.qubit with JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cirq
import jax.numpy as jnp
import numpy as np
import pennylane as qml

from bench.engines import ENGINES
from bench.gates import Gate, Multiplexer, gates_of, join_multiplexers
from bench.on_jax import Node, compile_step, multiplexer_phases
from bench.problem import Outcome, Problem

LIBRARIES = ("pennylane", "pennylane-lightning", "jax", "numpy")

_ROTATIONS = {"X": qml.RX, "Y": qml.RY, "Z": qml.RZ, "XX": qml.IsingXX, "YY": qml.IsingYY, "ZZ": qml.IsingZZ}
_CONTROLLED = {"X": qml.CRX, "Y": qml.CRY, "Z": qml.CRZ}
_FIXED = {"X": qml.X, "Y": qml.Y, "Z": qml.Z, "H": qml.Hadamard}


def build_step(problem: Problem, engine: str) -> Callable[[], Outcome]:
    """A function that runs one step, compiled by JAX."""
    return compile_step(problem, circuit_node(problem, ENGINES[engine].multiplexers))


def circuit_node(problem: Problem, rewritten: bool) -> Node:
    """The circuit of a problem, its multiplexed rotations rewritten if that is asked."""
    gates: list[Any] = list(gates_of(problem))
    if rewritten:
        gates = join_multiplexers(gates)
    wires = range(problem.qubits)
    measured = [observable(operator) for operator in problem.operators]

    @qml.qnode(qml.device("default.qubit", wires=problem.qubits), interface="jax", diff_method="backprop")
    def circuit(data: Any, weights: Any, state: Any) -> list[Any]:
        if state is not None:
            qml.StatePrep(state, wires=wires, validate_norm=False)
        for gate in gates:
            if isinstance(gate, Multiplexer):
                apply_multiplexer(gate, multiplexer_phases(gate, data))
            else:
                apply(gate, {"data": data, "weights": weights})
        return [qml.expval(operator) for operator in measured]

    return lambda data, weights, state: jnp.stack(circuit(data, weights, state))


def apply(gate: Gate, angles: Mapping[str, Any]) -> Any:
    """The operation of a gate, with its angle from the arrays of one sample."""
    if gate.angle is None:
        if gate.controls:
            return {"X": qml.CNOT, "Z": qml.CZ}[gate.kind]((*gate.controls, *gate.targets))
        return _FIXED[gate.kind](gate.targets[0])
    name, column = gate.angle
    angle = angles[name][column]
    if not gate.controls:
        return _ROTATIONS[gate.kind](angle, gate.targets)
    if gate.values == (1,):
        return _CONTROLLED[gate.kind](angle, (*gate.controls, *gate.targets))
    return qml.ctrl(_ROTATIONS[gate.kind](angle, gate.targets), gate.controls, control_values=gate.values)


def apply_multiplexer(multiplexer: Multiplexer, phases: Any) -> None:
    """A multiplexed rotation about y, from the diagonal of the one about z: ``[..., 2 ** (controls + 1)]``."""
    # The target's y axis is turned to z, where the rotation is diagonal, and back.
    qml.RX(np.pi / 2, multiplexer.target)
    qml.DiagonalQubitUnitary(phases, (*multiplexer.controls, multiplexer.target))
    qml.RX(-np.pi / 2, multiplexer.target)


def observable(operator: cirq.PauliSum) -> Any:
    """A Pauli sum as PennyLane writes it."""
    strings = [qml.prod(*(_FIXED[str(pauli)](qubit.x) for qubit, pauli in term.items())) for term in operator]
    coefficients = [term.coefficient.real for term in operator]
    return strings[0] if coefficients == [1] else qml.dot(coefficients, strings)
