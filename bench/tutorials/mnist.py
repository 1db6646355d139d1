"""A readout qubit learns to tell images apart, by two layers of gates between it and the qubits of the pixels.

Source: "MNIST classification", https://www.tensorflow.org/quantum/tutorials/mnist. Its 10,000 images are 4 x 4 bits;
here a few are drawn, and their labels, which take as long each and need no download.
"""

from __future__ import annotations

from types import ModuleType

import cirq
import numpy as np
import sympy
import tensorflow_quantum as tfq
import tf_keras as keras

from bench.layers.on_keras import fit
from bench.layers.task import Epochs


def train(layers: ModuleType, side: int, images: int, epochs: int) -> Epochs:
    """Train the quantum neural network.

    Args:
        layers: Whose ``PQC`` it is.
        side: Pixels in a row, and rows; each pixel has a qubit.
        images: How many, in batches of 32.
        epochs: Passes over them.
    """
    rng = np.random.default_rng(0)
    pixels, readout = cirq.GridQubit.rect(side, side), cirq.GridQubit(-1, -1)
    circuit = cirq.Circuit(cirq.X(readout), cirq.H(readout))
    for name, gate in (("xx", cirq.XX), ("zz", cirq.ZZ)):
        circuit += [gate(pixel, readout) ** sympy.Symbol(f"{name}-{place}") for place, pixel in enumerate(pixels)]
    circuit += cirq.H(readout)
    bits, labels = rng.integers(0, 2, (images, len(pixels))), rng.choice([-1.0, 1.0], images)
    encoded = [cirq.Circuit(cirq.X(pixel) for pixel, bit in zip(pixels, row, strict=True) if bit) for row in bits]

    model = keras.Sequential([keras.Input((), dtype="string"), layers.PQC(circuit, cirq.Z(readout))])
    model.compile(keras.optimizers.Adam(), "hinge")
    return fit(model, tfq.convert_to_tensor(encoded), labels, batch_size=32, epochs=epochs)
