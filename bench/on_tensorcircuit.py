"""TensorCircuit-NG with JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cirq
import jax.numpy as jnp
import numpy as np
import tensorcircuit as tc

from bench.engines import ENGINES
from bench.gates import Gate, Multiplexer, gates_of, join_multiplexers
from bench.on_jax import compile_step, multiplexer_phases
from bench.problem import Outcome, Problem

LIBRARIES = ("tensorcircuit-ng", "cotengra", "jax", "numpy")

# The plain contractor applies gate after gate. The default one looks for an order, which is slow to run for many qubits
# and impossible for many controls.
PLAIN_FROM_QUBITS, PLAIN_FROM_CONTROLS = 14, 6


def build_step(problem: Problem, engine: str) -> Callable[[], Outcome]:
    """A function that runs one step, compiled by JAX."""
    tc.set_backend("jax")
    gates: list[Any] = list(gates_of(problem))
    if ENGINES[engine].multiplexers:
        gates = join_multiplexers(gates)
    controls = max(len(gate.controls) for gate in gates if isinstance(gate, Gate))
    if problem.qubits >= PLAIN_FROM_QUBITS or controls >= PLAIN_FROM_CONTROLS:
        tc.set_contractor("plain")

    def node(data: Any, weights: Any, state: Any) -> Any:
        circuit = tc.Circuit(problem.qubits, inputs=state)
        for gate in gates:
            if isinstance(gate, Multiplexer):
                _apply_multiplexer(gate, circuit, data)
            else:
                _apply(gate, circuit, {"data": data, "weights": weights})
        return jnp.stack([_expectation(circuit, operator) for operator in problem.operators])

    return compile_step(problem, node)


def _apply(gate: Gate, circuit: Any, angles: Mapping[str, Any]) -> None:
    name = gate.kind.lower()
    qubits = (*gate.controls, *gate.targets)
    if gate.angle is None:
        prefix = "c" if gate.controls else ""
        getattr(circuit, prefix + name)(*qubits)
        return
    angle = angles[gate.angle[0]][gate.angle[1]]
    if len(gate.controls) > 1:
        rotation = getattr(tc.gates, f"r{name}")(theta=angle)
        circuit.multicontrol(*qubits, ctrl=list(gate.values), unitary=rotation)
    else:
        prefix = {(): "r", (0,): "or", (1,): "cr"}[gate.values]
        getattr(circuit, prefix + name)(*qubits, theta=angle)


def _apply_multiplexer(multiplexer: Multiplexer, circuit: Any, data: Any) -> None:
    # The target's y axis is turned to z, where the rotation is diagonal, and back.
    circuit.rx(multiplexer.target, theta=np.pi / 2)
    circuit.diagonal(*multiplexer.controls, multiplexer.target, diag=multiplexer_phases(multiplexer, data))
    circuit.rx(multiplexer.target, theta=-np.pi / 2)


def _expectation(circuit: Any, operator: cirq.PauliSum) -> Any:
    total = 0.0
    for term in operator:
        where: dict[str, list[int]] = {"x": [], "y": [], "z": []}
        for qubit, pauli in term.items():
            where[str(pauli).lower()].append(qubit.x)
        total += term.coefficient.real * jnp.real(circuit.expectation_ps(**where))
    return total
