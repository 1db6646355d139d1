"""How long runs will take."""

import dataclasses

import pytest

from reproduce.sweep.estimate import SHORTEST_LIMIT, Estimates, share_out
from reproduce.sweep.runs import FAILED, FINISHED, RunResult, RunSpec
from tfq_fusion.training import Protocol

SPEC = RunSpec(fusion="qfl", seed=0, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64, degree=2)


def taken(seconds, status=FINISHED, **changes):
    return RunResult(dataclasses.replace(SPEC, **changes), status, 6, seconds=seconds)


def test_other_seeds_of_the_same_run_tell():
    estimates = Estimates([taken(10.0), taken(20.0, seed=1)])
    assert estimates.seconds(dataclasses.replace(SPEC, seed=2)) == 15.0


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ({"degree": 5}, {"degree": 1}),
        ({}, {"fusion": "concat", "degree": None}),
        ({"protocol": Protocol(epochs=120)}, {}),
        ({"protocol": Protocol(learning_rates=(1e-3, 1e-2))}, {}),
        ({"dataset": "traffic-detectors"}, {}),  # more samples of more modalities
        ({"dataset": "japanese-vowels"}, {"dataset": "japanese-vowels", "dataset_options": {"channels": 3}}),
        ({"fusion": "concat", "degree": None}, {"fusion": "persistence", "degree": None}),
        ({"fusion": "qmfnn", "degree": None}, {}),
        ({"experiment": "synthetic"}, {"fusion": "historical-average", "degree": None}),
    ],
)
def test_without_them_the_order_is_by_what_there_is_to_compute(longer, shorter):
    seconds = Estimates().seconds
    assert seconds(dataclasses.replace(SPEC, **longer)) > seconds(dataclasses.replace(SPEC, **shorter))


def test_what_other_runs_took_scales_the_rule():
    other = dataclasses.replace(SPEC, degree=5)
    rule = Estimates().seconds
    assert Estimates([taken(3 * rule(SPEC))]).seconds(other) == pytest.approx(3 * rule(other))


def test_a_failed_run_tells_nothing():
    assert Estimates([taken(1e6, FAILED)]).seconds(SPEC) == Estimates().seconds(SPEC)


def test_a_run_hangs_after_many_times_its_estimate_but_never_soon():
    assert Estimates([taken(1.0)]).limit(SPEC) == SHORTEST_LIMIT
    assert Estimates([taken(3600.0)]).limit(SPEC) == 20 * 3600


def test_work_is_shared_out_evenly_and_seeds_of_a_run_stay_together():
    specs = [dataclasses.replace(SPEC, degree=degree, seed=seed) for degree in (1, 2, 3, 5) for seed in range(3)]
    estimates = Estimates([taken(seconds, degree=degree) for degree, seconds in ((1, 4), (2, 3), (3, 2), (5, 1))])
    homes = share_out(specs, {"a": 1, "b": 1}, estimates)
    assert [homes[spec.id] for spec in specs[::3]] == ["a", "b", "b", "a"]
    assert all(homes[spec.id] == homes[dataclasses.replace(spec, seed=0).id] for spec in specs)


def test_a_worker_with_more_threads_gets_more_and_none_gets_none():
    specs = [dataclasses.replace(SPEC, degree=degree) for degree in range(1, 9)]
    estimates = Estimates([taken(1.0, degree=degree) for degree in range(1, 9)])
    homes = share_out(specs, {"small": 1, "large": 3}, estimates)
    assert list(homes.values()).count("large") == 6
    assert share_out(specs, {}, estimates) == {}
