"""What a user's first program may be: it trains for an epoch, and mypy's strict mode finds nothing in it."""

import os
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

from tfq_fusion.circuits import ModelCircuit, amplitude_angles, qcnn_circuit, qfl_circuit
from tfq_fusion.datasets import Card, Dataset, available, describe, load
from tfq_fusion.engines import expectation
from tfq_fusion.layers import CircuitLayer, Fusion, LowRankFusion, QuantumFusionLayer
from tfq_fusion.layers.fusion.modalities import split_modalities
from tfq_fusion.models import fusion_model
from tfq_fusion.training import Fitted, Prepared, Protocol, evaluate, fit_many, prepare

assert_type(available(), tuple[str, ...])
assert_type(describe("emoji"), Card)
dataset = assert_type(load("emoji"), Dataset)
assert_type(dataset.train[0], dict[str, npt.NDArray[np.float32]])
data = assert_type(prepare(dataset), Prepared)
assert_type(data.widths, dict[str, int])

spec = assert_type(qfl_circuit(modalities=2, features=1, degree=1), ModelCircuit)
assert expectation(spec, np.zeros((5, 2)), np.zeros(len(spec.weight_symbols))).shape == (5, 32)
assert assert_type(CircuitLayer(spec, seed=0), CircuitLayer)(np.zeros((5, 2))).shape == (5, 32)
of_z = ModelCircuit(spec.circuit, spec.data_symbols, list(spec.weight_symbols), cirq.Z(cirq.LineQubit(0)))
assert_type(of_z.operators, tuple[cirq.PauliSum, ...])
angles = assert_type(amplitude_angles(np.ones((5, 4))), npt.NDArray[np.float32])
assert CircuitLayer(qcnn_circuit(2, encoding="amplitude"), seed=0)(angles).shape == (5, 1)


class SumFusion(Fusion):
    """A fusion of the user's own."""

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        return sum(split_modalities(inputs, self.widths))

    def output_width(self, widths: tuple[int, ...]) -> int:
        """As many features as each modality has."""
        return widths[0]


def make_model(seed: int) -> Any:
    """A model with that fusion."""
    return fusion_model(dataset.card.modalities, SumFusion(), data.outputs, data.task, seed=seed)


quantum = assert_type(QuantumFusionLayer(degree=1, seed=0), QuantumFusionLayer)
classical = assert_type(LowRankFusion(units=32, seed=0), LowRankFusion)
for fusion in (quantum, classical):
    model = fusion_model(dataset.card.modalities, fusion, data.outputs, data.task, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    before = [weights.copy() for weights in fusion.get_weights()]
    model.fit(*data.train, epochs=1, verbose=0)
    assert all((now != then).any() for now, then in zip(fusion.get_weights(), before, strict=True))

if os.environ["KERAS_BACKEND"] == "jax":
    fitted = assert_type(fit_many(make_model, data, Protocol(epochs=1), [0, 1], learning_rate=5e-3), list[Fitted])
    predicted = assert_type(fitted[0].predictions["test"], npt.NDArray[np.floating[Any]])
    scores = assert_type(evaluate(data.task, data.test[1], predicted), dict[str, float])
    assert scores == fitted[0].metrics["test"]
print("trained")
