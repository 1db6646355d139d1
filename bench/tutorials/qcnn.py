"""Quantum convolutional networks learn which cluster states are excited: a quantum one, and hybrids with filters.

Source: "Quantum Convolutional Neural Network", https://www.tensorflow.org/quantum/tutorials/qcnn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import cirq
import numpy as np
import tensorflow_quantum as tfq
import tf_keras as keras

from bench.layers.on_keras import fit
from bench.layers.task import Epochs
from tfq_fusion.circuits import padded_symbols, qcnn_layers
from tfq_fusion.circuits.qcnn import tutorial_gates, tutorial_pool


def train(layers: ModuleType, qubits: int, rounds: int, epochs: int, filters: int = 0) -> Epochs:
    """Train a network.

    Args:
        layers: Whose ``PQC`` it is.
        qubits: Of the cluster state, an even number.
        rounds: How often each qubit is turned; 7 states of 10 are trained on, in batches of 16.
        epochs: Passes over them, each followed by a validation on the other states.
        filters: Of a hybrid, each a convolution and a pooling; 0 for the quantum network, which ends with one qubit.
    """
    ring = cirq.GridQubit.rect(1, qubits)
    cluster = cirq.Circuit(cirq.H.on_each(ring), map(cirq.CZ, ring, ring[1:] + ring[:1]))
    turns = np.random.default_rng(0).uniform(-math.pi, math.pi, (rounds, qubits))
    excited = [cirq.Circuit(cirq.rx(turn)(qubit)) for row in turns for turn, qubit in zip(row, ring, strict=True)]
    states, labels = tfq.convert_to_tensor(excited), np.where(np.abs(turns.ravel()) <= math.pi / 2, 1.0, -1.0)
    trained = int(0.7 * len(labels))

    inputs = keras.Input((), dtype="string")
    prepared = tfq.layers.AddCircuit()(inputs, prepend=cluster)
    # Left to itself, TensorFlow Quantum starts all filters from the same weights.
    uniform = [keras.initializers.RandomUniform(0, 2 * math.pi, seed) for seed in range(max(1, filters))]
    if filters:
        measured = [layers.PQC(*_filter(ring), initializer=initializer)(prepared) for initializer in uniform]
        joined = keras.layers.concatenate(measured) if filters > 1 else measured[0]
        outputs = keras.layers.Dense(1)(keras.layers.Dense(8)(joined))
    else:
        circuit, _, operators = qcnn_layers(ring, "tutorial")
        outputs = layers.PQC(circuit, operators, initializer=uniform[0])(prepared)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.02), "mse")
    others = states[trained:], labels[trained:]
    return fit(model, states[:trained], labels[:trained], validation_data=others, batch_size=16, epochs=epochs)


def _filter(ring: Sequence[cirq.Qid]) -> tuple[cirq.Circuit, list[Any]]:
    """A convolution, a pooling of the first half of the qubits into the last, and Z of each of these."""
    weights, half = padded_symbols("theta", 21), len(ring) // 2
    bonds = [*zip(ring[::2], ring[1::2], strict=True), *zip(ring[1::2], [*ring[2::2], ring[0]], strict=True)]
    circuit = cirq.Circuit(tutorial_gates(*bond, weights[:15]) for bond in bonds)
    circuit += [tutorial_pool(*pair, weights[15:]) for pair in zip(ring[:half], ring[half:], strict=True)]
    return circuit, [cirq.Z(qubit) for qubit in ring[half:]]
