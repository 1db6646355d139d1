"""What a user's first program may be: it trains for an epoch, and mypy's strict mode finds nothing in it."""

import numpy as np
from typing_extensions import assert_type

from tfq_fusion.circuits import ModelCircuit, qfl_circuit
from tfq_fusion.datasets import Dataset, available, load
from tfq_fusion.engines import expectation
from tfq_fusion.layers import LowRankFusion, QuantumFusionLayer
from tfq_fusion.models import fusion_model
from tfq_fusion.training import Prepared, prepare

assert_type(available(), tuple[str, ...])
dataset = assert_type(load("emoji"), Dataset)
data = assert_type(prepare(dataset), Prepared)
spec = assert_type(qfl_circuit(modalities=2, features=1, degree=1), ModelCircuit)
assert expectation(spec, np.zeros((5, 2)), np.zeros(len(spec.weight_symbols))).shape == (5, 32)

quantum = assert_type(QuantumFusionLayer(degree=1, seed=0), QuantumFusionLayer)
classical = assert_type(LowRankFusion(units=32, seed=0), LowRankFusion)
for fusion in (quantum, classical):
    model = fusion_model(dataset.card.modalities, fusion, data.outputs, data.task, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    before = [weights.copy() for weights in fusion.get_weights()]
    model.fit(*data.train, epochs=1, verbose=0)
    assert all((now != then).any() for now, then in zip(fusion.get_weights(), before, strict=True))
print("trained")
