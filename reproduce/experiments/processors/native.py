"""A trained Quantum Fusion Layer as hardware would run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from reproduce.experiments.inside import called, encoder_of, fusion_of
from tfq_fusion._keras import keras
from tfq_fusion.circuits import ModelCircuit, hardware_mix
from tfq_fusion.layers import QuantumFusionLayer


def hardware_circuit(fusion: QuantumFusionLayer) -> ModelCircuit:
    """The circuit of a built layer, written with single-qubit rotations, CNOTs and CZs."""
    return fusion.make_spec((1,) * len(fusion.circuit.spec.data_symbols), hardware=True)


def hardware_values(model: keras.Model, inputs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Data ``[batch, n_data]`` and weights of the layer's hardware circuit, for a model's inputs."""
    fusion, encoded = fusion_of(model), called(encoder_of(model), inputs)
    angles = fusion.scale * encoded.reshape(len(encoded), -1)
    (theta,) = fusion.trainable_variables  # of a layer with noise, too
    return angles @ hardware_mix(angles.shape[1]), np.asarray(theta)
