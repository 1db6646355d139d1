"""What the scale of the angles, and the end of the encoders, do to what the outputs keep of the inputs."""

import dataclasses
import functools
import math

import pytest

from reproduce.experiments import encoding
from reproduce.experiments.registry import run
from tfq_fusion.training.fitted import Fitted


@pytest.fixture
def untrained(monkeypatch):
    """Training that does nothing."""

    def train_seeds(specs, data, make_model, backup):
        make = [functools.partial(make_model, spec.seed) for spec in specs]
        return [Fitted({"test": {}}, 0.0, 0, False, {}, None, None, {}, each) for each in make], {}

    monkeypatch.setattr(encoding, "train_seeds", train_seeds)


@pytest.mark.parametrize(
    ("scale", "inputs", "error", "saturation"),
    [
        (0.05, "tanh", (0, 0.02), (0, 0.2)),
        (4 * math.pi, "tanh", (0.5, 2), (0, 0.2)),
        (0.05, "saturated", (0, 0.05), (0.5, 1)),
        (4 * math.pi, "linear", (0.5, 2), (0.1, 0.9)),
    ],
)
def test_small_angles_can_be_read_off_the_outputs_and_large_ones_cannot(
    specify, untrained, scale, inputs, error, saturation
):
    (result,) = encoding.encoding([specify("encoding", arguments={"scale": scale}, inputs=inputs)])
    metrics = result.metrics["test"]
    assert error[0] <= metrics["reconstruction_error"] <= error[1]
    assert saturation[0] <= metrics["saturation"] <= saturation[1]


def test_a_run_has_the_error_before_and_after_training(specify):
    spec = specify("encoding", arguments={"scale": 1.0}, inputs="tanh", train_epochs=2)
    spec = dataclasses.replace(spec, protocol=dataclasses.replace(spec.protocol, learning_rates=(0.05,)))
    (result,) = run([spec])
    scores = result.metrics["test"]
    assert set(scores) == {
        "accuracy", "roc_auc", "reconstruction_error", "reconstruction_error_untrained", "saturation",
    }  # fmt: skip
    assert scores["reconstruction_error"] != scores["reconstruction_error_untrained"]
