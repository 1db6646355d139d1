"""Comparisons of a table from what each seed's model said of each test sample."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from reproduce.claims.comparisons import COLUMNS
from reproduce.sweep.runs import DIVERGED, FINISHED, RunResult, RunSpec
from reproduce.tables.comparisons import compare_fusions
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

METRICS = {"classification": ("accuracy", "roc_auc"), "forecasting": ("mae", "rmse")}
TRUTH = load("japanese-vowels").test[1]


def nothing(spec):
    """No settings."""
    return {}, {}


def run(fusion, seed, outcomes, degree=None, dataset="japanese-vowels", modalities=12, **more):
    """A finished run; a diverged one without outcomes."""
    spec = RunSpec(fusion=fusion, seed=seed, degree=degree, dataset=dataset, protocol=Protocol(), **more)
    status = DIVERGED if outcomes is None else FINISHED
    return RunResult(spec, status, modalities, outcomes=None if outcomes is None else outcomes.astype(np.float32))


def probabilities(seed, share):
    """Of the classes of japanese-vowels, so many of them right."""
    rng = np.random.default_rng([seed, round(1000 * share)])
    found = rng.dirichlet(np.full(9, 0.5), size=len(TRUTH))
    right = rng.uniform(size=len(TRUTH)) < share
    found[right, TRUTH[right]] += 1
    return found


def trained(fusion, share, seeds=range(8), **more):
    """A run per seed."""
    return [run(fusion, seed, probabilities(seed, share), **more) for seed in seeds]


def compared(results, settings=nothing):
    """The comparisons, in rows."""
    return compare_fusions(results, METRICS, settings).to_dict("records")


def test_a_row_is_what_scikit_learn_and_scipy_make_of_the_outcomes():
    results = [*trained("qfl", 0.9, degree=2), *trained("concat", 0.5)]
    accuracy, area = compared(results)
    ours, theirs = ([one.outcomes for one in results if one.spec.fusion == name] for name in ("qfl", "concat"))
    right = np.array([[np.mean(one.argmax(axis=1) == TRUTH) for one in side] for side in (ours, theirs)])
    normal = [
        [one.astype(float) / one.astype(float).sum(axis=1, keepdims=True) for one in side] for side in (ours, theirs)
    ]
    areas = np.array([[roc_auc_score(TRUTH, one, multi_class="ovr") for one in side] for side in normal])
    for row, metric, scores in ((accuracy, "accuracy", right), (area, "roc_auc", areas)):
        assert (row["dataset"], row["modalities"], row["metric"], row["seeds"]) == ("japanese-vowels", 12, metric, 8)
        assert (row["fusion"], row["degree"], row["baseline"]) == ("qfl", 2, "concat")
        assert pd.isna(row["baseline_degree"])
        assert row["baseline_mean"] == pytest.approx(scores[1].mean())
        assert row["difference"] == pytest.approx((scores[0] - scores[1]).mean())
        assert row["p"] == pytest.approx(stats.wilcoxon(scores[0] - scores[1]).pvalue)
        assert row["p_holm"] == pytest.approx(2 * row["p"])
        assert row["ci95_low"] < row["ci90_low"] < row["difference"] < row["ci90_high"] < row["ci95_high"]
        assert row["word"] == "better"
    assert 0 < accuracy["share_of_seeds"] < 1


def test_quantum_fusions_stand_beside_classical_ones_and_the_control_of_their_degree():
    results = [
        run(fusion, seed, probabilities(seed, 0.7), degree)
        for fusion, degree in (("qfl", 1), ("qfl", 2), ("control", 1), ("control", 2), ("lmf", None), ("concat", None))
        for seed in range(2)
    ]
    found = [
        (row["degree"], row["baseline"], None if pd.isna(row["baseline_degree"]) else row["baseline_degree"])
        for row in compared(results)
    ]
    pairs = [
        (degree, *baseline) for degree in (1, 2) for baseline in (("control", degree), ("lmf", None), ("concat", None))
    ]
    assert found == pairs * 2  # of the accuracy, then of the ROC AUC


def test_a_seed_that_diverged_on_one_side_is_left_out_of_both():
    qfl, concat = trained("qfl", 0.9, degree=1), trained("concat", 0.5)
    expected = compared([*qfl[1:], *concat[1:]])
    qfl[0] = run("qfl", 0, None, 1)
    assert compared([*qfl, *concat]) == expected
    assert expected[0]["seeds"] == 7


@pytest.mark.parametrize(
    "results",
    [
        [],
        trained("qfl", 0.9, degree=1),
        [*trained("lmf", 0.9), *trained("concat", 0.9)],
        [*trained("qfl", 0.9, [0, 1], degree=1), *trained("concat", 0.9, [1, 2])],  # one seed in common
        [*trained("qfl", 0.9, [0, 1], degree=1), *trained("concat", 0.9, [2, 3])],
        [*trained("qfl", 0.9, degree=1), run("concat", 0, None), run("concat", 1, None)],
        [*trained("qfl", 0.9, degree=1), *trained("concat", 0.9, experiment="noise")],
    ],
)
def test_without_two_seeds_of_both_sides_there_is_no_row(results):
    frame = compare_fusions(results, METRICS, nothing)
    assert frame.empty
    assert list(frame.columns) == COLUMNS


def forecasts(seed, error):
    """Errors of the samples of a forecast, and how many of its targets were observed, none of the first."""
    rng = np.random.default_rng(seed)
    return np.stack([error + rng.uniform(size=30), np.arange(30)], axis=1)


def test_forecasts_are_compared_over_what_was_observed_and_with_trained_ones_alone():
    road = {"dataset": "traffic-detectors", "modalities": 22}
    results = [
        run(fusion, seed, forecasts([seed, ord(fusion[0])], error), degree, **road)
        for fusion, degree, error in (("qfl", 1, 3.0), ("lmf", None, 4.0), ("persistence", None, 5.0))
        for seed in range(6)
    ]
    (row,) = compared(results)
    weights = np.arange(30)
    ours, theirs = (
        [np.average(one.outcomes[:, 0], weights=weights) for one in results if one.spec.fusion == name]
        for name in ("qfl", "lmf")
    )
    assert (row["metric"], row["baseline"], row["word"]) == ("mae", "lmf", "better")
    assert row["baseline_mean"] == pytest.approx(np.mean(theirs), rel=1e-6)
    assert row["difference"] == pytest.approx(np.mean(ours) - np.mean(theirs), rel=1e-5)


def in_parts(fusion, shares, **more):
    """Runs on two parts of a data set, as if they were folds, with these shares of right answers."""
    return [
        one
        for channels, share in zip((3, 6), shares, strict=True)
        for one in trained(fusion, share, range(6), dataset_options={"channels": channels}, **more)
    ]


def test_parts_have_one_score_and_a_seed_counts_if_it_has_all_of_them():
    qfl, lmf = in_parts("qfl", [0.9, 0.7], degree=1), in_parts("lmf", [0.5, 0.3])
    accuracy, _ = compared([*qfl, *lmf])
    means = [np.mean([np.mean(one.outcomes.argmax(axis=1) == TRUTH) for one in side]) for side in (qfl, lmf)]
    assert accuracy["difference"] == pytest.approx(means[0] - means[1])
    assert accuracy["seeds"] == 6
    assert compared([*qfl[1:], *lmf])[0]["seeds"] == 5
    assert compared([*qfl, *lmf[:6]]) == []


def test_only_what_was_trained_with_the_same_settings_is_compared():
    def sized(fusion, share, hidden, **more):
        return [
            dataclasses.replace(one, spec=dataclasses.replace(one.spec, protocol=Protocol(hidden=hidden)))
            for one in trained(fusion, share, range(2), **more)
        ]

    results = [*sized("qmfnn", 0.9, 2), *sized("qmfnn", 0.8, 8), *sized("mean", 0.7, 8), *sized("mean", 0.6, 32)]
    rows = compared(results, lambda spec: ({"noise": 1}, {"hidden": spec.protocol.hidden}))
    assert {(row["options"], row["arguments"], row["baseline_arguments"]) for row in rows} == {
        ('{"noise":1}', '{"hidden":8}', '{"hidden":8}')
    }
    assert [row["metric"] for row in rows] == ["accuracy", "roc_auc"]
