"""Table 1: which runs it is made of, and how they fold into rows."""

import dataclasses
import itertools
import math

import pytest
from scipy import stats

from reproduce.sweep.runs import DIVERGED, FINISHED, INTRACTABLE, RunResult
from reproduce.tables import grid, table1
from tfq_fusion.datasets import load
from tfq_fusion.training import evaluate, persistence_forecast


def runs(profile="default", **arguments):
    return table1.TABLE.specs(table1.TABLE.plan(profile, **arguments), None, "tfq")


def test_default_profile_covers_every_fusion_degree_data_set_and_seed():
    specs = runs()
    assert len({spec.id for spec in specs}) == len(specs)
    cells = {(spec.dataset, spec.fusion, spec.degree) for spec in specs if spec.fusion != "persistence"}
    assert len(specs) == 20 * len(cells) + 1
    assert {(dataset, fusion) for dataset, fusion, _ in cells} == set(itertools.product(table1.DATASETS, grid.LAYERS))
    assert {spec.degree for spec in specs if spec.fusion == "qfl"} == {1, 2, 3, 5}
    assert sum(spec.fusion == "persistence" for spec in specs) == 1


def test_smoke_profile_has_two_data_sets_and_two_seeds():
    specs = runs("smoke")
    assert len({spec.dataset for spec in specs}) == 2
    assert {spec.seed for spec in specs} == {0, 1}


def test_every_fusion_has_the_same_protocol_and_number_of_trials():
    for name, rates in (("smoke", 1), ("default", 5), ("paper", 9)):
        (protocol,) = {spec.protocol for spec in runs(name)}
        assert len(protocol.learning_rates) == rates


def test_seeds_data_sets_and_fusions_can_be_chosen():
    plan = table1.TABLE.plan("default", seeds=2, datasets=["emoji"])
    specs = table1.TABLE.specs(plan, ["lmf", "persistence"], "tfq")
    assert [(spec.dataset, spec.fusion, spec.seed) for spec in specs] == [("emoji", "lmf", 0), ("emoji", "lmf", 1)]


@pytest.mark.parametrize(
    ("profile", "datasets", "fusions", "engine", "message"),
    [
        ("quick", None, None, "tfq", "Unknown profile quick.*smoke, default, paper"),
        ("smoke", ["imagenet"], None, "tfq", "imagenet.*japanese-vowels"),
        ("smoke", None, ["sum"], "tfq", "Unknown fusion sum.*qfl.*persistence"),
        ("smoke", None, None, "qsim", "engine should be one of"),
    ],
)
def test_unknown_names_list_the_known(profile, datasets, fusions, engine, message):
    with pytest.raises(ValueError, match=message):
        table1.TABLE.specs(table1.TABLE.plan(profile, datasets=datasets), fusions, engine)


def results(fusion, accuracies, degree=None):
    """One result per accuracy; NaN stands for a diverged run."""
    chosen = runs(datasets=["mfeat"], seeds=len(accuracies))
    specs = [spec for spec in chosen if spec.fusion == fusion and spec.degree == degree]
    return [
        RunResult(
            spec,
            DIVERGED if math.isnan(accuracy) else FINISHED,
            modalities=6,
            fusion_params=54,
            total_params=99,
            metrics={} if math.isnan(accuracy) else {"test": {"accuracy": accuracy, "roc_auc": 0.9}},
            seconds=2.0,
            learning_rate=0.01,
            tuning={0.001: 0.9, 0.01: 0.5, 0.1: math.inf},
            epochs=(spec.protocol.epochs, 7)[spec.seed > 0],
        )
        for spec, accuracy in zip(specs, accuracies, strict=True)
    ]


def row(frame, fusion, metric):
    (found,) = frame[(frame["fusion"] == fusion) & (frame["metric"] == metric)].to_dict("records")
    return found


def test_rows_hold_mean_deviation_and_t_interval():
    found = row(table1.fold(results("qfl", [0.90, 0.94, 0.95], degree=2)), "qfl", "accuracy")
    assert found["mean"] == pytest.approx(0.93)
    assert found["std"] == pytest.approx(math.sqrt((0.03**2 + 0.01**2 + 0.02**2) / 2))
    half = stats.t.ppf(0.975, 2) * found["std"] / math.sqrt(3)
    assert (found["ci95_low"], found["ci95_high"]) == pytest.approx((0.93 - half, 0.93 + half))
    assert (found["dataset"], found["degree"], found["engine"], found["seeds"]) == ("mfeat", 2, "tfq", 3)
    assert (found["fusion_params"], found["total_params"], found["train_seconds"]) == (54, 99, 2.0)


def test_rows_say_how_they_were_tuned_and_whether_epochs_sufficed():
    found = row(table1.fold(results("qfl", [0.90, 0.94, 0.95], degree=2)), "qfl", "accuracy")
    assert (found["learning_rate"], found["tuning"]) == (0.01, '{"0.001":0.9,"0.01":0.5,"0.1":null}')
    assert found["stopped_early"] == pytest.approx(2 / 3)


def test_a_seed_that_tested_several_folds_counts_once():
    found = results("lmf", [0.5, 0.7])
    views = (("fou", "fac"), ("fou", "kar"))  # in the place of folds
    folds = [
        dataclasses.replace(
            one,
            spec=dataclasses.replace(one.spec, dataset_options={"views": views[fold]}),
            learning_rate=rate,
            metrics={"test": {"accuracy": one.metrics["test"]["accuracy"] + fold * 0.2}},
        )
        for one in found
        for fold, rate in ((0, 0.01), (1, 0.1))
    ]
    found = row(grid.fold(folds, table1.METRICS, settings=lambda spec: ({}, {})), "lmf", "accuracy")
    assert (found["mean"], found["std"]) == pytest.approx((0.7, 0.1 * math.sqrt(2)))
    assert found["seeds"] == 2
    assert math.isnan(found["learning_rate"])  # the folds chose different ones


def test_a_diverged_seed_counts_and_the_others_give_the_mean():
    frame = table1.fold(results("lmf", [0.5, math.nan, 0.7]))
    assert row(frame, "lmf", "accuracy")["mean"] == pytest.approx(0.6)
    assert row(frame, "lmf", "accuracy")["seeds"] == 3
    assert row(frame, "lmf", "diverged")["mean"] == pytest.approx(1 / 3)


def test_an_intractable_fusion_has_parameters_and_no_seeds():
    finished = results("tfn", [0.5, 0.5, 0.5])
    intractable = [
        dataclasses.replace(r, status=INTRACTABLE, metrics={}, total_params=None, fusion_params=10**10)
        for r in finished
    ]
    found = row(table1.fold(intractable), "tfn", "accuracy")
    assert math.isnan(found["mean"])
    assert (found["seeds"], found["fusion_params"]) == (0, 10**10)


def test_persistence_of_the_traffic_set_is_a_single_row_of_forecast_errors():
    from reproduce.experiments.registry import run

    (spec,) = table1.TABLE.specs(table1.TABLE.plan("default", datasets=["traffic-detectors"]), ["persistence"], "tfq")
    inputs, targets = load("traffic-detectors").test
    (result,) = run([spec])
    assert result.metrics["test"] == evaluate("forecasting", targets, persistence_forecast(inputs))


def test_constant_guess_is_the_share_of_the_largest_training_class():
    found = grid.constant_guess(["mfeat", "traffic-detectors"])
    assert found == {"mfeat": pytest.approx(0.1)}
