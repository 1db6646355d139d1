"""Repeating a run and comparing, to the last bit."""

import dataclasses
import math

import pytest

from reproduce.sweep.processes.verify import circumstances, differences, repeat
from reproduce.sweep.processes.worker import RunError
from reproduce.sweep.runs import DIVERGED, FAILED, FINISHED, RunResult


@pytest.fixture
def result(tiny):
    return RunResult(
        tiny.spec("finish"),
        FINISHED,
        modalities=2,
        metrics={"test": {"mae": 1.0}},
        epochs=2,
        history={"loss": [2.0, 1.0]},
        versions={"keras": "3.12.4"},
        commit="abc",
        machine="a machine",
    )


def test_the_same_numbers_do_not_differ_even_if_they_are_none(result):
    assert differences(result, dataclasses.replace(result, seconds=9.0, commit="def")) == []
    diverged = [
        dataclasses.replace(result, status=DIVERGED, metrics={}, history={"loss": [nan]})
        for nan in (math.nan, float("nan"))
    ]
    assert differences(*diverged) == []


def test_the_last_bit_counts(result):
    other = dataclasses.replace(result, metrics={"test": {"mae": math.nextafter(1.0, 2.0)}})
    assert differences(result, other) == ["test mae was 1.0, is 1.0000000000000002"]


def test_the_first_epoch_that_differs_is_named(result):
    other = dataclasses.replace(result, status=DIVERGED, metrics={}, history={"loss": [2.0, 3.0]})
    assert differences(result, other) == [
        "status was 'finished', is 'diverged'",
        "test mae was 1.0, is None",
        "loss of epoch 2 was 1.0, is 3.0",
    ]


def test_what_else_differs_is_told(result):
    other = dataclasses.replace(result, versions={"keras": "3.13.0"}, commit=None)
    assert circumstances(result, other) == ["commit was abc, is None", "keras was 3.12.4, is 3.13.0"]
    assert circumstances(result, result) == []


def test_a_run_is_repeated_in_a_new_process(tiny):
    first = tiny.run(tiny.spec("finish"), None)
    again = repeat(first, tiny.run)
    assert again.metrics["test"] == {"mae": 1.0, "rmse": first.metrics["test"]["rmse"] + 1}
    assert not tiny.is_alive(int(again.machine.split()[0]))


def test_a_failed_run_cannot_be_compared_and_a_new_failure_is_told(tiny):
    with pytest.raises(ValueError, match="failed, so there is nothing to compare with"):
        repeat(RunResult(tiny.spec("raise"), FAILED, 2), tiny.run)
    with pytest.raises(RunError, match="ValueError: this run raises"):
        repeat(RunResult(tiny.spec("raise"), FINISHED, 2), tiny.run)
