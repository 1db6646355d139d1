"""What needs TensorFlow Quantum says so where it is not there, and names the way without it."""

import importlib.util

import cirq
import numpy as np
import pytest
import sympy

from tfq_fusion._keras import keras
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation
from tfq_fusion.layers import PQC, QuantumFusionLayer

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
pytestmark = [
    pytest.mark.skipif(
        ON_TENSORFLOW and importlib.util.find_spec("tensorflow_quantum") is not None, reason="it is there"
    ),
]
ERROR = ImportError if ON_TENSORFLOW else RuntimeError


def test_the_reference_engine():
    with pytest.raises(ERROR, match=r"Engine 'tfq' needs TensorFlow Quantum.*Use engine='compiled'"):
        expectation(qfl_circuit(2, 1, degree=1), [[0.1, 0.2]], [0.3] * 18, engine="tfq")


def test_a_layer_that_asks_for_it():
    with pytest.raises(ERROR, match=r"Engine 'tfq' needs TensorFlow Quantum"):
        QuantumFusionLayer(1, engine="tfq")([np.array([[0.1]]), np.array([[0.2]])])


def test_layers_of_serialised_circuits():
    qubit = cirq.q(0)
    with pytest.raises(ERROR, match=r"serialised circuits needs TensorFlow Quantum.*CircuitLayer"):
        PQC(cirq.Circuit(cirq.rx(sympy.Symbol("a"))(qubit)), cirq.Z(qubit))
