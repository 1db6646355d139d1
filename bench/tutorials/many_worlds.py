"""A network learns the angles that undo the miscalibration of a qubit and set it to 0 or 1 on command.

Source: "Hello, many worlds", https://www.tensorflow.org/quantum/tutorials/hello_many_worlds: its second section. The
third uses no layer that this library replaces.
"""

from __future__ import annotations

import math
from types import ModuleType

import cirq
import numpy as np
import sympy
import tensorflow_quantum as tfq
import tf_keras as keras

from bench.layers.on_keras import fit
from bench.layers.task import Epochs


def train(layers: ModuleType, epochs: int) -> Epochs:
    """Train the controller.

    Args:
        layers: Whose ``ControlledPQC`` it is.
        epochs: Passes over both commands, one batch.
    """
    qubit, angles = cirq.GridQubit(0, 0), sympy.symbols("theta_1:4")
    circuit = cirq.Circuit(gate(angle)(qubit) for gate, angle in zip((cirq.rz, cirq.ry, cirq.rx), angles, strict=True))
    drawn = np.random.default_rng(0).uniform(0, 2 * math.pi, 3)
    wrong = cirq.Circuit(gate(angle)(qubit) for gate, angle in zip((cirq.rx, cirq.ry, cirq.rz), drawn, strict=True))

    circuits, commands = keras.Input((), dtype="string"), keras.Input((1,))
    controls = keras.layers.Dense(3)(keras.layers.Dense(10, "elu")(commands))
    model = keras.Model([circuits, commands], layers.ControlledPQC(circuit, cirq.Z(qubit))([circuits, controls]))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    inputs = [tfq.convert_to_tensor([wrong] * 2), np.array([[0.0], [1.0]], np.float32)]
    return fit(model, inputs, np.array([[1.0], [-1.0]], np.float32), epochs=epochs)
