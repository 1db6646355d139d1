"""PennyLane on lightning.qubit, adjoint method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pennylane as qml
from pennylane.devices import ExecutionConfig

from bench.gates import gates_of
from bench.on_pennylane import LIBRARIES, apply, observable
from bench.problem import Outcome, Problem

__all__ = ["LIBRARIES", "build_step"]


def build_step(problem: Problem, engine: str) -> Callable[[], Outcome]:
    """A function that runs one step; the device is called without the layers that PennyLane puts around it."""
    gates = gates_of(problem)
    features = len(problem.data_symbols)
    columns = [gate.angle[1] + (features if gate.angle[0] == "weights" else 0) for gate in gates if gate.angle]
    wires = range(problem.qubits)
    measured = [qml.expval(observable(operator)) for operator in problem.operators]
    device = qml.device("lightning.qubit", wires=problem.qubits, c_dtype=np.complex64)
    config = ExecutionConfig(gradient_method="adjoint", use_device_gradient=True)
    # What a step's loss sends back to each tape: one number, or one per measurement.
    upstream = [tuple(row) if len(measured) > 1 else row[0] for row in problem.upstream]

    def tape(sample: int) -> qml.tape.QuantumScript:
        angles = {"data": problem.data[sample], "weights": problem.weights}
        operations = [apply(gate, angles) for gate in gates]
        first = 0
        if problem.states is not None:
            operations.insert(0, qml.StatePrep(problem.states[sample], wires=wires, validate_norm=False))
            first = 1
        trained = range(first, first + len(columns))
        return qml.tape.QuantumScript(operations, measured, trainable_params=trained)

    def step() -> Outcome:
        tapes = [tape(sample) for sample in range(problem.batch)]
        values, slopes = device.execute_and_compute_vjp(tapes, upstream, config)
        gradient = np.zeros((problem.batch, features + len(problem.weights)))
        for column, slope in zip(columns, np.array(slopes).T, strict=True):
            gradient[:, column] += slope
        values = np.array(values).reshape(problem.batch, -1)
        return Outcome(values, gradient[:, :features], gradient[:, features:].sum(axis=0))

    return step
