"""One run: what is recorded of those that end well, and of those that do not."""

import dataclasses
import math

import pytest

from reproduce.run_one import run
from reproduce.runs import DIVERGED, FINISHED, INTRACTABLE, RunSpec
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

ONE_EPOCH = Protocol(epochs=1)


def spec(fusion, dataset="japanese-vowels", **arguments):
    return RunSpec(dataset, load(dataset).card.sha256, fusion, **{"seed": 0, "protocol": ONE_EPOCH, **arguments})


def test_a_finished_run_has_parameters_and_scores_of_validation_and_test():
    result = run(spec("control", dataset="mfeat", degree=2))
    assert result.status == FINISHED
    assert result.fusion_params == 54
    assert {part: set(scores) for part, scores in result.metrics.items()} == {
        "validation": {"accuracy", "roc_auc"},
        "test": {"accuracy", "roc_auc"},
    }
    assert {name: len(losses) for name, losses in result.history.items()} == {"loss": 1, "val_loss": 1}
    assert result.peak_memory_mb > 100
    assert set(result.versions) > {"tensorflow", "numpy"}
    assert result.machine.endswith("cores")


def test_further_arguments_reach_the_fusion():
    few, many = (run(spec("lmf", dataset="mfeat", arguments={"rank": rank})).fusion_params for rank in (1, 3))
    assert few < many < 3 * few + 1


def test_a_precision_that_is_not_computed_is_refused():
    with pytest.raises(ValueError, match="Precision 'float64' of mfeat lmf seed 0: expected float32"):
        run(spec("lmf", dataset="mfeat", precision="float64"))


def test_a_fusion_too_large_to_build_is_a_result():
    result = run(spec("tfn"))
    assert (result.status, result.metrics, result.total_params) == (INTRACTABLE, {}, None)
    assert result.fusion_params == 32 * 5**12 + 32


def test_a_loss_that_becomes_nan_is_a_result():
    protocol = dataclasses.replace(ONE_EPOCH, learning_rates=(float("nan"),))
    result = run(spec("concat", dataset="mfeat", protocol=protocol))
    assert (result.status, result.metrics, result.learning_rate) == (DIVERGED, {}, None)
    assert result.total_params > 0
    assert math.isnan(result.history["loss"][0])


def test_data_other_than_those_of_the_specification_are_refused():
    with pytest.raises(ValueError, match=r"The data of mfeat concat seed 0 have SHA-256 .* expected 0000"):
        run(dataclasses.replace(spec("concat", dataset="mfeat"), dataset_sha256="0" * 64))
