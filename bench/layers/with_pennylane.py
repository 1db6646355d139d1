"""The layers that there are around PennyLane's circuits."""

from __future__ import annotations

import math
from typing import Any

import pennylane as qml

from bench.gates import Multiplexer, gates_of, join_multiplexers
from bench.layers.contenders import CONTENDERS
from bench.on_pennylane import apply, apply_multiplexer, observable
from bench.problem import Problem

LIBRARIES = ("pennylane", "pennylane-keras3-layer", "keras", "torch", "jax", "numpy")


def make_layer(problem: Problem, contender: str) -> Any:
    """The layer of a circuit."""
    gates: list[Any] = list(gates_of(problem))
    if CONTENDERS[contender].rewritten:
        gates = join_multiplexers(gates)
    measured = [observable(operator) for operator in problem.operators]

    # KerasCircuitLayer calls it with the weights first, TorchLayer by name.
    @qml.qnode(qml.device("default.qubit", wires=problem.qubits), diff_method="backprop")
    def circuit(weights: Any, inputs: Any) -> list[Any]:
        angles = {"data": math.pi / 2 * inputs.T, "weights": weights}
        for gate in gates:
            if isinstance(gate, Multiplexer):
                apply_multiplexer(gate, _phases(gate, angles["data"]))
            else:
                apply(gate, angles)
        return [qml.expval(operator) for operator in measured]

    shapes = {"weights": (len(problem.weight_symbols),)}
    if CONTENDERS[contender].backend == "torch":
        return qml.qnn.TorchLayer(circuit, shapes)
    from pennylane_keras_layer import KerasCircuitLayer

    return KerasCircuitLayer(circuit, shapes, output_dim=len(problem.operators))


def _phases(multiplexer: Multiplexer, data: Any) -> Any:
    """The diagonals of multiplexed rotations about z, ``[batch, 2 ** (controls + 1)]``, from ``[n_data, batch]``."""
    zeros = 0 * data[0]
    angles = [data[column] if column >= 0 else zeros for column in multiplexer.columns]
    halves = qml.math.stack([sign * angle for angle in angles for sign in (-0.5, 0.5)], axis=-1)
    return qml.math.exp(1j * halves)
