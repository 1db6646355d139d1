"""What the tests of PQC and ControlledPQC share: a circuit, data circuits, and both layers of a pair."""

import functools

import cirq
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq

from tfq_fusion._keras import keras
from tfq_fusion.layers import ControlledPQC

# As strings, "10" sorts before "2"; amplitudes must not follow.
QUBITS = cirq.LineQubit(2), cirq.LineQubit(10), cirq.LineQubit(11)
ANOTHER = cirq.LineQubit(5)


def model_circuit(qubits=QUBITS):
    # Sorted by name, a10 comes before a2.
    a10, a2, b = sympy.symbols("a10 a2 b")
    first, second, third = qubits
    return cirq.Circuit(
        cirq.rx(a10).on(first),
        cirq.ry(-2 * a2).on(second),
        cirq.CNOT(first, third),
        cirq.ZZ(second, third) ** b,
        cirq.ry(a10).on(third),
    )


def operators(qubits=QUBITS):
    first, second, third = qubits
    return [cirq.Z(first) * cirq.X(third), 0.5 * cirq.Y(second) - 2 * cirq.Z(third) + 0.25]


def data_circuits(rng, batch, qubits=QUBITS):
    """Circuits that leave out one qubit or another."""
    circuits = []
    for _ in range(batch):
        circuit = cirq.Circuit(cirq.ry(rng.uniform(0, 6)).on(qubit) for qubit in qubits if rng.uniform() < 0.7)
        if rng.uniform() < 0.5:
            circuit.append([cirq.H(qubits[0]), cirq.ISWAP(qubits[0], qubits[-1])])
        circuits.append(circuit)
    return circuits


def values_and_gradient(layer, circuits, parameters, upstream):
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        values = layer([circuits, parameters])
    return values, tape.gradient(values, parameters, upstream)


@functools.cache
def controlled_pair():
    arguments = model_circuit(), operators()
    return ControlledPQC(*arguments), tfq.layers.ControlledPQC(*arguments)


def hybrid_model(layer):
    circuits = keras.Input(shape=(), dtype="string")
    features = keras.Input(shape=(2,))
    controls = keras.layers.Dense(3, kernel_initializer="ones", bias_initializer="ones")(features)
    model = keras.Model([circuits, features], layer([circuits, controls]))
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    return model
