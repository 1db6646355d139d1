"""Ways to begin a training, and to grow a circuit layer by layer."""

import numpy as np
import pytest

from reproduce.experiments.gradients import remedies
from reproduce.experiments.gradients.trainability import initial_weights
from reproduce.experiments.inside import fusion_of
from reproduce.sweep.run.assemble import assemble
from tfq_fusion.training.fitted import Fitted


@pytest.fixture
def stages(monkeypatch):
    """What was trained: degree and epochs, the angles before and after, for each call of ``train``."""
    found = []

    def recorded(spec, dataset, data, adjust):
        begun = []

        def adjusted(model):
            adjust(model)
            begun.append(np.asarray(fusion_of(model).circuit.theta))

        fitted = train(spec, dataset, data, adjusted)
        found.append((spec.degree, spec.protocol.epochs, begun[0], np.asarray(fusion_of(fitted.model).circuit.theta)))
        return fitted

    train = remedies.train
    monkeypatch.setattr(remedies, "train", recorded)
    return found


@pytest.mark.parametrize("initial", ["small", "identity"])
def test_a_training_begins_at_the_angles_that_were_chosen(specify, monkeypatch, initial):
    begun = []

    def train(spec, dataset, data, adjust):
        _, model = assemble(spec, dataset, data)
        adjust(model)
        begun.append(np.asarray(fusion_of(model).circuit.theta))
        return Fitted({"test": {"accuracy": 0.5}}, 0.0, 0, False, {}, None, None, {}, lambda: model)

    monkeypatch.setattr(remedies, "train", train)
    result = remedies.remedies(specify("remedies", arguments={"initial": initial, "blocks": 2}, seed=3))
    np.testing.assert_allclose(begun[0], initial_weights(initial, 4, 2, 1, np.random.default_rng(3)), atol=1e-6)
    assert (result.metrics, result.fusion_params) == ({"test": {"accuracy": 0.5}}, 3 * 4 * 2 * 2)


@pytest.mark.slow
def test_layer_by_layer_the_angles_before_the_newest_rest_until_all_are_trained(specify, stages):
    remedies.remedies(specify("remedies", degree=2, arguments={"initial": "layerwise"}, train_epochs=3))
    assert [(degree, epochs) for degree, epochs, _, _ in stages] == [(1, 1), (2, 1), (2, 1)]
    (_, _, _, first), (_, _, begun, second), (_, _, again, last) = stages
    assert (len(first), len(second)) == (24, 36)
    np.testing.assert_array_equal(begun, [*first, *np.zeros(12)])
    np.testing.assert_array_equal(second[:24], first)
    assert np.abs(second[24:]).max() > 1e-3
    np.testing.assert_array_equal(again, second)
    assert np.abs(last - second)[:24].max() > 1e-4
