"""How long runs will take."""

import dataclasses

import pytest

from reproduce.sweep.estimate import SHORTEST_LIMIT, Estimates, share_out
from reproduce.sweep.runs import FAILED, FINISHED, RunResult, RunSpec
from tfq_fusion.training import Protocol

SPEC = RunSpec(fusion="qfl", seed=0, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64, degree=2)


def taken(seconds, status=FINISHED, **changes):
    return RunResult(dataclasses.replace(SPEC, **changes), status, 6, seconds=seconds)


def block(seeds=(0,), **changes):
    return tuple(dataclasses.replace(SPEC, seed=seed, **changes) for seed in seeds)


def test_other_seeds_of_the_same_run_tell_how_long_each_of_a_block_takes():
    estimates = Estimates([taken(10.0), taken(20.0, seed=1)])
    assert estimates.seconds(block([2])) == 15.0
    assert estimates.seconds(block([2, 3, 4])) == 45.0


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
    assert seconds(block(**longer)) > seconds(block(**shorter))


def test_seeds_of_a_block_share_what_is_done_once():
    protocol = Protocol(learning_rates=(1e-3, 1e-2))
    for changes in ({}, {"protocol": protocol}):
        alone, together = (Estimates().seconds(block(range(seeds), **changes)) for seeds in (1, 10))
        assert alone < together < 10 * alone
    more_tuning = dataclasses.replace(protocol, tuning_seeds=9)
    assert Estimates().seconds(block(protocol=more_tuning)) > Estimates().seconds(block(protocol=protocol))
    # With one rate there is nothing to tune.
    assert Estimates().seconds(block(protocol=Protocol(tuning_seeds=9))) == Estimates().seconds(block())


def test_what_other_runs_took_scales_the_rule():
    rule, other = Estimates().seconds, block(degree=5)
    assert Estimates([taken(3 * rule(block()))]).seconds(other) == pytest.approx(3 * rule(other))
    # Of a program that trained many, each took a share.
    seeds = tuple(range(10))
    share = rule(block(seeds)) / len(seeds)
    results = [dataclasses.replace(taken(3 * share, seed=seed), program=seeds) for seed in seeds]
    assert Estimates(results).seconds(other) == pytest.approx(3 * rule(other))


def test_a_failed_run_tells_nothing():
    assert Estimates([taken(1e6, FAILED)]).seconds(block()) == Estimates().seconds(block())


def test_a_block_hangs_after_many_times_its_estimate_but_never_soon():
    assert Estimates([taken(1.0)]).limit(block()) == SHORTEST_LIMIT
    assert Estimates([taken(3600.0)]).limit(block()) == 20 * 3600
    assert Estimates([taken(3600.0)]).limit(block(range(3))) == 3 * 20 * 3600


def test_work_is_shared_out_evenly():
    blocks = [block(range(3), degree=degree) for degree in (1, 2, 3, 5)]
    estimates = Estimates([taken(seconds, degree=degree) for degree, seconds in ((1, 4), (2, 3), (3, 2), (5, 1))])
    homes = share_out(blocks, {"a": 1, "b": 1}, estimates)
    assert [homes[each] for each in blocks] == ["a", "b", "b", "a"]


def test_seeds_of_an_experiment_are_blocks_of_their_own_and_have_one_worker():
    blocks = [block([seed], experiment="remedies", degree=degree) for degree in (1, 2) for seed in range(3)]
    homes = share_out(blocks, {"a": 1, "b": 1}, Estimates())
    assert [homes[each] for each in blocks] == ["a", "a", "a", "b", "b", "b"]


def test_a_worker_with_more_threads_gets_more_and_none_gets_none():
    blocks = [block(degree=degree) for degree in range(1, 9)]
    estimates = Estimates([taken(1.0, degree=degree) for degree in range(1, 9)])
    homes = share_out(blocks, {"small": 1, "large": 3}, estimates)
    assert list(homes.values()).count("large") == 6
    assert share_out(blocks, {}, estimates) == {}


def test_runs_that_differ_in_their_test_alone_share_one_training():
    plain, disturbed = (SPEC, dataclasses.replace(SPEC, seed=1)), [{"missing": 0}, {"noise": 2}]
    tested = (*plain, *(dataclasses.replace(spec, options=change) for change in disturbed for spec in plain))
    rule, other = Estimates().seconds, (dataclasses.replace(SPEC, degree=5),)
    assert rule(tested) == rule(plain)
    share = rule(plain) / len(tested)
    results = [RunResult(spec, FINISHED, 6, seconds=3 * share, program=(0, 1)) for spec in tested]
    learned = Estimates(results)
    assert learned.seconds(tested) == pytest.approx(3 * rule(plain))
    assert learned.seconds(other) == pytest.approx(3 * rule(other))


def test_fewer_training_samples_take_less():
    few = dataclasses.replace(SPEC, options={"samples": 10, "draw": 1})
    assert Estimates().seconds((few,)) < Estimates().seconds((SPEC,))
