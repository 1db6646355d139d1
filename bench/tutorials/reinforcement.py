"""A policy of four qubits learns by policy gradients to balance a pole on a cart.

Source: "Parametrized Quantum Circuits for Reinforcement Learning",
https://www.tensorflow.org/quantum/tutorials/quantum_reinforcement_learning: its second section, after Jerbi et al.,
arXiv 2103.05577.
"""

from __future__ import annotations

import math
import time
from types import ModuleType
from typing import Any

import cirq
import numpy as np
import tensorflow as tf
import tensorflow_quantum as tfq
import tf_keras as keras

from bench.layers.task import Epochs
from bench.tutorials.cart_pole import play
from tfq_fusion.circuits import padded_symbols

QUBITS = 4
"""As many as a state has numbers."""


def train(layers: ModuleType, depth: int, episodes: int, batch_size: int) -> Epochs:
    """Train the policy.

    Args:
        layers: Whose ``ControlledPQC`` it is.
        depth: How often a state enters the circuit.
        episodes: How many are played.
        batch_size: How many of them an update is made of.

    Returns:
        The end of the training; the loss of the first update, and the norms of its gradients. Later ones are of
        episodes that one other action would have changed.
    """
    values, weighted = ReUploading(layers, depth), Weighted()
    model = keras.Sequential([keras.Input((QUBITS,)), values, weighted, keras.layers.Softmax()])
    weights = [values.theta, values.scale, weighted.weight]
    optimizers = [keras.optimizers.Adam(rate, amsgrad=True) for rate in (0.01, 0.1, 0.1)]

    @tf.function
    def update(states: Any, actions: Any, returns: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            probabilities = tf.gather(model(states), actions, axis=1, batch_dims=1)
            loss = -tf.reduce_sum(tf.math.log(probabilities) * returns) / batch_size
        gradients = tape.gradient(loss, weights)
        for optimizer, gradient, weight in zip(optimizers, gradients, weights, strict=True):
            optimizer.apply_gradients([(gradient, weight)])
        return [loss, *map(tf.norm, gradients)]

    def policy(states: np.ndarray) -> np.ndarray:
        return model(states).numpy()[:, 1]

    rng = np.random.default_rng(0)
    first, *_ = [update(*play(policy, rng, batch_size)) for _ in range(episodes // batch_size)]
    return Epochs([time.perf_counter()], [float(number) for number in first])


class ReUploading(keras.layers.Layer):
    """A circuit that features enter again and again, scaled by weights: the expectation value of Z on all qubits.

    Args:
        layers: Whose ``ControlledPQC`` it is.
        depth: How often features enter.
    """

    def __init__(self, layers: ModuleType, depth: int) -> None:
        super().__init__()
        line = cirq.GridQubit.rect(1, QUBITS)
        # Angles are bound in the order of the symbols' names: first those that are trained, then the features.
        thetas, features = padded_symbols("theta", 3 * QUBITS * (depth + 1)), padded_symbols("x", QUBITS * depth)
        unused, entering = iter(thetas), iter(features)
        circuit = cirq.Circuit()
        for layer in range(depth + 1):
            circuit += [gate(next(unused))(qubit) for qubit in line for gate in (cirq.rx, cirq.ry, cirq.rz)]
            if layer < depth:
                circuit += [*map(cirq.CZ, line, line[1:]), cirq.CZ(line[0], line[-1])]
                circuit += [cirq.rx(next(entering))(qubit) for qubit in line]
        self.depth = depth
        self.controlled = layers.ControlledPQC(circuit, [cirq.PauliString(map(cirq.Z, line))])
        self.empty = tfq.convert_to_tensor([cirq.Circuit()])
        uniform = keras.initializers.RandomUniform(0, math.pi)
        self.theta = self.add_weight("theta", (1, len(thetas)), initializer=uniform)
        self.scale = self.add_weight("scale", (len(features),), initializer="ones")

    def call(self, inputs: Any) -> Any:
        """The value ``[batch, 1]`` of features ``[batch, qubits]``."""
        batch = tf.shape(inputs)[0]
        features = self.scale * tf.tile(inputs, [1, self.depth])
        angles = tf.concat([tf.repeat(self.theta, batch, axis=0), features], axis=1)
        return self.controlled([tf.repeat(self.empty, batch), angles])


class Weighted(keras.layers.Layer):
    """A value for each of two actions, from one value: the value times a weight each."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = self.add_weight("weight", (1, 2), initializer=keras.initializers.Constant([[1.0, -1.0]]))

    def call(self, inputs: Any) -> Any:
        """``[batch, 2]`` of ``[batch, 1]``."""
        return inputs @ self.weight
