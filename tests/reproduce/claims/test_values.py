"""Published values and ratios are held against the cell that the claim names."""

import math

import pytest

from tests.reproduce.claims.support import RATIO, VALUE, row_of, verdict_on


@pytest.mark.parametrize(
    ("row", "value", "verdict", "reason"),
    [
        (row_of("toy", "concat", 0.90, 0.88, 0.92), 0.91, "reproduced", "0.9 [0.88, 0.92], published 0.91"),
        (row_of("toy", "concat", 0.90, 0.88, 0.92), 0.924, "reproduced", "0.924"),  # within the tolerance
        (row_of("toy", "concat", 0.90, 0.88, 0.92), 0.926, "not reproduced", "0.926"),
        (row_of("toy", "concat", 0.90, 0.88, 0.92), 0.8, "not reproduced", "0.8"),
        (row_of("toy", "concat", 0.90, 0.88, 0.92), None, "not comparable", "value is not stated"),
        (row_of("toy", "concat", 0.90, seeds=1), 0.90, "not comparable", "a single finished seed, hence no interval"),
        (row_of("toy", "concat", None), 0.90, "not comparable", "Every seed of Concat diverged on toy"),
        (row_of("toy", "concat", None, seeds=0), 0.90, "not comparable", "Concat is intractable on toy"),
        (row_of("toy", "lmf", 0.90, 0.88, 0.92), 0.90, "not comparable", "no Accuracy of Concat"),
        (
            row_of("other", "concat", 0.90, 0.88, 0.92),
            0.90,
            "not comparable",
            "no results on toy; `make reproduce-table1`",
        ),
        (None, 0.90, "not comparable", "no results on toy"),
    ],
)
def test_value(tmp_path, row, value, verdict, reason):
    got, why = verdict_on(tmp_path, VALUE, [row] if row else [], value)
    assert got == verdict
    assert reason in why


def test_a_value_without_a_data_set_is_not_comparable(tmp_path):
    check = VALUE.replace("dataset: toy", "dataset: null")
    verdict, reason = verdict_on(tmp_path, check, [row_of("toy", "concat", 0.90, 0.88, 0.92)], 0.9)
    assert verdict == "not comparable"
    assert "data set is not stated" in reason


@pytest.mark.parametrize(("count", "verdict"), [(207, "reproduced"), (206, "not reproduced")])
def test_a_count_is_compared_exactly(tmp_path, count, verdict):
    check = "kind: value, dataset: toy, series: {fusion: qfl, degree: 3}, quantity: modalities"
    rows = [row_of("toy", "qfl", 3.0, 2.9, 3.1, degree=3, metric="mae", modalities=207)]
    assert verdict_on(tmp_path, check, rows, count)[0] == verdict


def test_a_cell_is_found_by_experiment_options_and_arguments(tmp_path):
    noisy = {"experiment": "noise", "options": {"rate": 0.01}}
    rows = [
        row_of("toy", "concat", 0.9, 0.9, 0.9),
        row_of("toy", "concat", 0.8, 0.8, 0.8, **noisy),
        row_of("toy", "concat", 0.7, 0.7, 0.7, **noisy, arguments={"hidden": 8, "scale": 2 * math.pi}),
        row_of("", "concat", 0.6, 0.6, 0.6, experiment="growth"),
    ]
    there = VALUE + ", experiment: noise, options: {rate: 0.01}"
    changed = there.replace("concat}", "concat, arguments: {scale: 6.283185307179586, hidden: 8}}")
    assert verdict_on(tmp_path, VALUE, rows, 0.9)[0] == "reproduced"
    assert verdict_on(tmp_path, there, [], 0.8)[0] == "reproduced"
    verdict, reason = verdict_on(tmp_path, changed, [], 0.7)
    assert verdict == "reproduced"
    assert reason.startswith("Concat (hidden = 8, scale = 2pi) on noise (rate = 0.01): Accuracy 0.7")
    growth = VALUE.replace("dataset: toy", 'dataset: ""') + ", experiment: growth"
    assert verdict_on(tmp_path, growth, [], 0.6)[0] == "reproduced"
    absent = there.replace("0.01", "0.1")
    assert "no results on noise (rate = 0.1)" in verdict_on(tmp_path, absent, [], 0.8)[1]


@pytest.mark.parametrize(
    ("value", "verdict"),
    # 0.80 / 0.50 lies between 0.78 / 0.52 = 1.5 and 0.82 / 0.48 = 1.708.
    [(1.6, "reproduced"), (1.7, "reproduced"), (1.72, "not reproduced"), (1.4, "not reproduced")],
)
def test_ratio_of_scores(tmp_path, value, verdict):
    rows = [row_of("toy", "concat", 0.80, 0.78, 0.82), row_of("toy", "lmf", 0.50, 0.48, 0.52)]
    assert verdict_on(tmp_path, f"{RATIO}, quantity: accuracy", rows, value)[0] == verdict


@pytest.mark.parametrize(("params", "verdict"), [(54, "reproduced"), (56, "not reproduced"), (44, "not reproduced")])
def test_ratio_of_parameters(tmp_path, params, verdict):
    rows = [row_of("toy", "concat", 0.8, params=params), row_of("toy", "lmf", None, params=1000)]
    check = f"{RATIO}, quantity: fusion_params, tolerance: 0.005"
    assert verdict_on(tmp_path, check, rows, 0.05)[0] == verdict


def test_ratio_to_an_interval_around_zero_is_not_comparable(tmp_path):
    rows = [row_of("toy", "concat", 0.80, 0.78, 0.82), row_of("toy", "lmf", 0.10, -0.1, 0.3)]
    verdict, reason = verdict_on(tmp_path, f"{RATIO}, quantity: accuracy", rows, 8)
    assert verdict == "not comparable"
    assert "reaches zero" in reason


def test_ratio_shows_the_nearest_data_set_without_a_verdict(tmp_path):
    rows = [row_of("near", "concat", 0.80, 0.78, 0.82), row_of("near", "lmf", 0.50, 0.48, 0.52)]
    verdict, reason = verdict_on(tmp_path, f"{RATIO}, quantity: accuracy, nearest: [near, far]", rows, 1.6)
    assert verdict == "not comparable"
    assert "For information: Accuracy of Concat / LMF on near: 0.8 [0.78, 0.82] / 0.5 [0.48, 0.52] = 1.6" in reason


def test_a_claim_without_a_number_of_modalities_is_held_against_the_most(tmp_path):
    rows = [row_of("toy", "concat", score, score, score, modalities=size) for size, score in ((3, 0.5), (12, 0.9))]
    assert verdict_on(tmp_path, VALUE, rows, 0.9)[0] == "reproduced"
    assert verdict_on(tmp_path, VALUE + ", modalities: 3", rows, 0.5)[0] == "reproduced"
    assert verdict_on(tmp_path, VALUE + ", modalities: 6", rows, 0.5)[0] == "not comparable"


def test_a_value_that_cannot_be_compared_shows_the_nearest_data_sets(tmp_path):
    check = VALUE.replace("dataset: toy", "dataset: far") + ", nearest: [toy, none]"
    verdict, reason = verdict_on(tmp_path, check, [row_of("toy", "concat", 0.9, 0.88, 0.92)], 0.9)
    assert verdict == "not comparable"
    assert reason.endswith("For information: Concat on toy: Accuracy 0.9 [0.88, 0.92].")
