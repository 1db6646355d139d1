"""Runs: what is recorded of those that end well, and of those that do not."""

import dataclasses
import multiprocessing

import pytest

from reproduce.execute import run, run_all
from reproduce.runs import DIVERGED, FINISHED, INTRACTABLE, RunSpec
from reproduce.store import Store
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


def test_a_fusion_too_large_to_build_is_a_result():
    result = run(spec("tfn"))
    assert (result.status, result.metrics, result.total_params) == (INTRACTABLE, {}, None)
    assert result.fusion_params == 32 * 5**12 + 32


def test_a_loss_that_becomes_nan_is_a_result():
    protocol = dataclasses.replace(ONE_EPOCH, learning_rates=(float("nan"),))
    result = run(spec("concat", dataset="mfeat", protocol=protocol))
    assert (result.status, result.metrics, result.learning_rate) == (DIVERGED, {}, None)
    assert result.total_params > 0


@pytest.mark.slow
def test_a_run_gives_the_same_bits_again_whatever_its_process_ran_before():
    specs = [spec("mfb", protocol=Protocol(epochs=2)), spec("qfl", degree=1, engine="compiled")]
    first, again = ([run(each).metrics for each in specs] for _ in range(2))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        elsewhere = [result.metrics for result in pool.map(run, specs[::-1])]
    assert first == again == elsewhere[::-1]


@pytest.mark.slow
def test_what_is_stored_is_not_run_again(tmp_path):
    store = Store(tmp_path / "runs.jsonl")
    specs = [spec("persistence", dataset="traffic-detectors"), spec("tfn")]
    new = []
    first = run_all(specs, store, new.append)
    assert [result.spec for result in new] == specs
    again = run_all(specs, Store(tmp_path / "runs.jsonl"), new.append)
    assert first == again
    assert len(new) == 2
