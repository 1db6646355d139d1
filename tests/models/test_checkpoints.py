"""TensorFlow's checkpoints hold every weight: who keeps weights where Keras cannot see them loses them here."""

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq

from tfq_fusion._keras import keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.layers import PQC, ConcatFusion, ControlledPQC
from tfq_fusion.models import DecisionNetwork, EvidenceNetwork, fusion_model, image_network
from tfq_fusion.models.encoders import input_shape

pytestmark = pytest.mark.keras


def modality(name, shape, kind="vector", count=1):
    return Modality(name=name, shape=shape, kind=kind, count=count, description="")


PICTURES = [modality("left", (8, 8, 1), "image"), modality("right", (8, 8, 1), "image")]
EVERY_KIND = [
    modality("text", (3,)),
    modality("words", (4,)),
    modality("lead", (40,), "waveform", 2),
    modality("road", (12,), "window", 3),
    *PICTURES,
]
QUBIT = cirq.LineQubit(0)
CIRCUIT = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on(QUBIT), cirq.ry(sympy.Symbol("b")).on(QUBIT))


def samples(modalities):
    rng = np.random.default_rng(0)
    return {each.name: rng.normal(size=(3, *input_shape(each))).astype("f") for each in modalities}


def encoded(shared):
    return fusion_model(EVERY_KIND, ConcatFusion(), 2, "classification", hidden=3, head=3, shared=shared)


def circuits():
    return tfq.convert_to_tensor([cirq.Circuit(cirq.X(QUBIT) ** turn) for turn in (0, 0.2, 0.5)])


class Controlled(keras.Model):
    """Weights in front of a circuit that has none."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.circuit = ControlledPQC(CIRCUIT, cirq.Z(QUBIT))

    def call(self, inputs):
        return self.circuit([inputs[0], self.dense(inputs[1])])


MODELS = {
    "shared encoders": (lambda: encoded(shared=True), lambda: samples(EVERY_KIND)),
    "own encoders": (lambda: encoded(shared=False), lambda: samples(EVERY_KIND)),
    "evidence": (lambda: EvidenceNetwork(EVERY_KIND, 3, 2, 3, None, method="mixture"), lambda: samples(EVERY_KIND)),
    "evidence and QCNN": (lambda: EvidenceNetwork(PICTURES, 3, 2, 3), lambda: samples(PICTURES)),
    "decisions": (lambda: DecisionNetwork(EVERY_KIND, 3, "dempster", hidden=3), lambda: samples(EVERY_KIND)),
    "pictures": (lambda: image_network(PICTURES, 3, 2, 3), lambda: samples(PICTURES)),
    "PQC": (lambda: PQC(CIRCUIT, cirq.Z(QUBIT)), circuits),
    "ControlledPQC": (Controlled, lambda: (circuits(), np.float32([[1, 2], [0, 1], [3, 0]]))),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_restores_every_weight(name, tmp_path):
    make, make_inputs = MODELS[name]
    model, other, inputs = make(), make(), make_inputs()
    expected, weights = np.asarray(model(inputs)), model.get_weights()
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "checkpoint"))
    rng = np.random.default_rng(0)
    for restored in (model, other):
        restored(inputs)
        restored.set_weights([rng.normal(size=weight.shape) for weight in restored.get_weights()])
        assert np.abs(np.asarray(restored(inputs)) - expected).max() > 1e-4
        tf.train.Checkpoint(model=restored).restore(path).assert_existing_objects_matched()
        for weight, saved in zip(restored.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, saved)
        np.testing.assert_array_equal(restored(inputs), expected)
