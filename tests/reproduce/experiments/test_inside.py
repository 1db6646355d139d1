"""A model in pieces, and a trained layer as hardware runs it."""

import dataclasses

import numpy as np
import pytest

from reproduce.experiments.inside import (
    accuracy,
    called,
    encoder_of,
    fusion_of,
    head_of,
    result,
    train,
)
from reproduce.experiments.processors.native import hardware_circuit, hardware_values
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.runs import DIVERGED
from tfq_fusion.engines import expectation
from tfq_fusion.training import prepare

ARGUMENTS = {
    "scale": 0.7,
    "entangler": "brick",
    "signal": "rx",
    "measurement": "pauli_plane",
    "locality": 3,
    "blocks": 2,
}


@pytest.fixture
def parts():
    """Makes a specification's data set, its prepared data and its model."""

    def make(spec):
        dataset = checked_dataset(spec)
        data = prepare(dataset)
        return dataset, data, assemble(spec, dataset, data)[1]

    return make


def test_the_pieces_of_a_model_are_the_model_and_hardware_gives_the_layer_s_values(specify, parts):
    _, data, model = parts(specify("noise", degree=2, arguments=ARGUMENTS))
    inputs = {name: array[:5] for name, array in data.test[0].items()}
    encoded = called(encoder_of(model), inputs)
    fused = called(fusion_of(model), encoded)
    assert (encoded.shape, fused.shape) == ((5, 3, 2), (5, 9))
    np.testing.assert_allclose(called(head_of(model), fused), called(model, inputs), atol=1e-6)
    angles, weights = hardware_values(model, inputs)
    np.testing.assert_allclose(expectation(hardware_circuit(fusion_of(model)), angles, weights), fused, atol=1e-4)


def test_options_of_the_experiment_do_not_reach_the_loader_and_those_of_the_data_set_do(specify):
    spec = specify("noise", rates=(0.1,))
    assert checked_dataset(spec).card.modality_count == 3
    with pytest.raises(ValueError, match="SHA-256"):
        checked_dataset(dataclasses.replace(spec, dataset_sha256="0" * 64))


def test_accuracy_is_the_share_of_samples_with_the_right_class():
    assert accuracy(np.array([[0.6, 0.4], [0.1, 0.9], [0.8, 0.2]]), np.array([0, 0, 0])) == pytest.approx(2 / 3)


def test_a_loss_that_becomes_nan_is_a_result(specify):
    spec = specify("noise", degree=None, fusion="concat")
    spec = dataclasses.replace(spec, protocol=dataclasses.replace(spec.protocol, learning_rates=(1e38,)))
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    found = result(spec, dataset, data, train(spec, dataset, data), {"accuracy": 1.0})
    assert (found.status, found.metrics, found.modalities, found.fusion_params) == (DIVERGED, {}, 3, 0)
    assert found.total_params > 0
