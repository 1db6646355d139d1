"""Repeating a run and comparing, to the last bit."""

import dataclasses
import math

import numpy as np
import pytest

from reproduce.experiments import registry
from reproduce.sweep.processes.execute import run_all
from reproduce.sweep.processes.verify import circumstances, differences, repeat
from reproduce.sweep.processes.worker import RunError
from reproduce.sweep.runs import DIVERGED, FAILED, FINISHED, RunResult, RunSpec
from reproduce.sweep.store import Store
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol


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


def test_what_was_chosen_and_what_was_said_of_each_sample_count(result):
    said = np.array([[0.25, 0.75]], "f")
    before = dataclasses.replace(result, learning_rate=0.01, tuning={0.01: 1.0, 0.1: math.inf}, outcomes=said)
    same = dataclasses.replace(before, tuning={0.01: 1.0, 0.1: math.inf}, outcomes=said.copy())
    assert differences(before, same) == []
    other = dataclasses.replace(before, learning_rate=0.1, tuning={0.01: 1.0, 0.1: 0.5})
    assert differences(before, other) == [
        "learning rate was 0.01, is 0.1",
        "validation loss at 0.1 was inf, is 0.5",
    ]
    (found,) = differences(before, dataclasses.replace(before, outcomes=np.nextafter(said, 1, dtype="f")))
    assert found.startswith("outcomes was ")


def test_what_else_differs_is_told(result):
    other = dataclasses.replace(result, versions={"keras": "3.13.0"}, commit=None)
    assert circumstances(result, other) == ["commit was abc, is None", "keras was 3.12.4, is 3.13.0"]
    assert circumstances(result, result) == []


def test_a_run_is_repeated_in_a_new_process(tiny):
    (first,) = tiny.run([tiny.spec("finish")], None)
    again = repeat(first, tiny.run)
    assert again.metrics["test"] == {"mae": 1.0, "rmse": first.metrics["test"]["rmse"] + 1}
    assert not tiny.is_alive(int(again.machine.split()[0]))


def test_a_run_of_a_program_is_repeated_with_all_members_of_it_in_their_places(tiny):
    _, first, _ = tiny.run([tiny.spec("finish", 1, seed) for seed in (0, 3, 1)], None)
    again = repeat(first, tiny.run)
    assert (again.spec, again.program) == (first.spec, (0, 3, 1))
    assert again.metrics["test"]["mae"] == first.metrics["test"]["mae"] == 1 + 1 / 4 + 1 / 2
    alone = repeat(dataclasses.replace(first, program=()), tiny.run)
    assert alone.metrics["test"]["mae"] == 1 / 4


def test_members_that_only_fill_a_program_up_are_repeated_too(tiny):
    first = RunResult(tiny.spec("finish", 2, 3), FINISHED, 2, program=(0, 3, 0))
    again = repeat(first, tiny.run)
    assert again.spec == first.spec
    assert again.metrics["test"]["mae"] == 1 + 1 / 4 + 1


def test_a_failed_run_cannot_be_compared_and_a_new_failure_is_told(tiny):
    with pytest.raises(ValueError, match="failed, so there is nothing to compare with"):
        repeat(RunResult(tiny.spec("raise"), FAILED, 2), tiny.run)
    with pytest.raises(RunError, match="ValueError: this run raises"):
        repeat(RunResult(tiny.spec("raise"), FINISHED, 2), tiny.run)


@pytest.mark.slow
def test_a_seed_that_was_tuned_and_trained_with_others_by_jax_repeats_to_the_last_bit_alone(tmp_path):
    protocol = Protocol(hidden=4, batch_size=128, epochs=2, learning_rates=(0.003, 0.03), tuning_seeds=2)
    specs = [
        RunSpec(fusion="mfb", seed=seed, protocol=protocol, dataset="emoji", dataset_sha256=load("emoji").card.sha256)
        for seed in range(3)
    ]
    with Store(tmp_path / "runs.sqlite") as store:
        run_all(specs, store, "table1", registry.run, registry.backend_of)
    results = list(store.results())
    assert [(each.spec, each.status, each.program) for each in results] == [
        (each, FINISHED, (each.seed,)) for each in specs
    ]
    assert set(results[0].tuning) == {0.003, 0.03}
    assert results[0].learning_rate == min(results[0].tuning, key=results[0].tuning.get)
    samples = len(load("emoji").test[1])
    for each in results:
        assert each.outcomes.shape == (samples, len(load("emoji").card.classes))
        np.testing.assert_allclose(each.outcomes.sum(axis=1), 1, rtol=1e-5)
    assert differences(results[0], results[1]) != []
    repeated = repeat(results[1], registry.run, registry.backend_of(specs[1]))
    assert differences(results[1], repeated) == []
    assert circumstances(results[1], repeated) == []


@pytest.mark.slow
def test_a_seed_on_a_processor_repeats_to_the_last_bit_alone(tmp_path):
    shared = {
        "fusion": "qfl",
        "protocol": Protocol(features=2, units=9, epochs=1),
        "experiment": "device",
        "dataset": "japanese-vowels",
        "dataset_sha256": load("japanese-vowels").card.sha256,
        "dataset_options": {"channels": 3},
        "options": {"processor": "rainbow", "shots": (100,)},
        "degree": 1,
    }
    specs = [RunSpec(seed=seed, **shared) for seed in range(2)]
    with Store(tmp_path / "runs.sqlite") as store:
        run_all(specs, store, "table5", registry.run, registry.backend_of)
    first, second = store.results()
    assert (first.status, second.status) == (FINISHED, FINISHED)
    assert differences(first, second) != []
    repeated = repeat(second, registry.run, registry.backend_of(second.spec))
    assert set(repeated.metrics["test"]) == {"accuracy@exact", "accuracy@100", "contraction@exact"}
    assert differences(second, repeated) == []
