"""Verdicts follow from the results file and the claim's own check; moved cells from the committed intervals."""

import math
import shutil

import pandas as pd
import pytest

from reproduce.claims.comparisons import COLUMNS as COMPARED
from reproduce.claims.comparisons import comparisons_csv, read_comparisons
from reproduce.claims.papers import PUBLISHED, load_papers, verdicts
from reproduce.claims.rows import COLUMNS, encode, read_tables, write_csv


def _row(
    dataset, fusion, mean, low=None, high=None, *, degree=None, metric="accuracy", seeds=3, params=100, modalities=3,
    experiment="training", options=None, arguments=None,
):  # fmt: skip
    return dict.fromkeys(COLUMNS) | {
        "experiment": experiment,
        "dataset": dataset,
        "options": encode(options or {}),
        "arguments": encode(arguments or {}),
        "modalities": modalities,
        "fusion": fusion,
        "degree": degree,
        "metric": metric,
        "mean": mean,
        "ci95_low": low,
        "ci95_high": high,
        "seeds": seeds,
        "fusion_params": params,
    }


def _verdicts(results, published=PUBLISHED):
    return verdicts(read_tables(results), load_papers(published), read_comparisons(results))


def _verdict(tmp_path, check, rows, value=None, table="table1"):
    """The verdict on one claim about a table with the given check and published value, and its reason."""
    published = tmp_path / "published"
    published.mkdir(exist_ok=True)
    (published / "paper.yaml").write_text(
        f"""\
title: A paper
authors: [A. Author]
arxiv: 0000.00000v1
date: "2025-01-01"
method: []
settings: {{}}
claims:
  - id: A1
    statement: It works.
    value: {"null" if value is None else value}
    unit: number
    sources: [abstract]
    confidence: A
    check: {{table: {table}, {check}}}
"""
    )
    if rows:
        write_csv(pd.DataFrame(rows), tmp_path / f"{table}.csv")
    (verdict,) = _verdicts(tmp_path, published)
    return verdict.verdict, verdict.reason


VALUE = "kind: value, dataset: toy, series: {fusion: concat}, quantity: accuracy, tolerance: 0.005"


@pytest.mark.parametrize(
    ("row", "value", "verdict", "reason"),
    [
        (_row("toy", "concat", 0.90, 0.88, 0.92), 0.91, "reproduced", "0.9 [0.88, 0.92], published 0.91"),
        (_row("toy", "concat", 0.90, 0.88, 0.92), 0.924, "reproduced", "0.924"),  # within the tolerance
        (_row("toy", "concat", 0.90, 0.88, 0.92), 0.926, "not reproduced", "0.926"),
        (_row("toy", "concat", 0.90, 0.88, 0.92), 0.8, "not reproduced", "0.8"),
        (_row("toy", "concat", 0.90, 0.88, 0.92), None, "not comparable", "value is not stated"),
        (_row("toy", "concat", 0.90, seeds=1), 0.90, "not comparable", "a single finished seed, hence no interval"),
        (_row("toy", "concat", None), 0.90, "not comparable", "Every seed of Concat diverged on toy"),
        (_row("toy", "concat", None, seeds=0), 0.90, "not comparable", "Concat is intractable on toy"),
        (_row("toy", "lmf", 0.90, 0.88, 0.92), 0.90, "not comparable", "no Accuracy of Concat"),
        (
            _row("other", "concat", 0.90, 0.88, 0.92),
            0.90,
            "not comparable",
            "no results on toy; `make reproduce-table1`",
        ),
        (None, 0.90, "not comparable", "no results on toy"),
    ],
)
def test_value(tmp_path, row, value, verdict, reason):
    got, why = _verdict(tmp_path, VALUE, [row] if row else [], value)
    assert got == verdict
    assert reason in why


def test_a_value_without_a_data_set_is_not_comparable(tmp_path):
    check = VALUE.replace("dataset: toy", "dataset: null")
    verdict, reason = _verdict(tmp_path, check, [_row("toy", "concat", 0.90, 0.88, 0.92)], 0.9)
    assert verdict == "not comparable"
    assert "data set is not stated" in reason


@pytest.mark.parametrize(("count", "verdict"), [(207, "reproduced"), (206, "not reproduced")])
def test_a_count_is_compared_exactly(tmp_path, count, verdict):
    check = "kind: value, dataset: toy, series: {fusion: qfl, degree: 3}, quantity: modalities"
    rows = [_row("toy", "qfl", 3.0, 2.9, 3.1, degree=3, metric="mae", modalities=207)]
    assert _verdict(tmp_path, check, rows, count)[0] == verdict


def test_a_cell_is_found_by_experiment_options_and_arguments(tmp_path):
    noisy = {"experiment": "noise", "options": {"rate": 0.01}}
    rows = [
        _row("toy", "concat", 0.9, 0.9, 0.9),
        _row("toy", "concat", 0.8, 0.8, 0.8, **noisy),
        _row("toy", "concat", 0.7, 0.7, 0.7, **noisy, arguments={"hidden": 8, "scale": 2 * math.pi}),
        _row("", "concat", 0.6, 0.6, 0.6, experiment="growth"),
    ]
    there = VALUE + ", experiment: noise, options: {rate: 0.01}"
    changed = there.replace("concat}", "concat, arguments: {scale: 6.283185307179586, hidden: 8}}")
    assert _verdict(tmp_path, VALUE, rows, 0.9)[0] == "reproduced"
    assert _verdict(tmp_path, there, [], 0.8)[0] == "reproduced"
    verdict, reason = _verdict(tmp_path, changed, [], 0.7)
    assert verdict == "reproduced"
    assert reason.startswith("Concat (hidden = 8, scale = 2pi) on noise (rate = 0.01): Accuracy 0.7")
    growth = VALUE.replace("dataset: toy", 'dataset: ""') + ", experiment: growth"
    assert _verdict(tmp_path, growth, [], 0.6)[0] == "reproduced"
    absent = there.replace("0.01", "0.1")
    assert "no results on noise (rate = 0.1)" in _verdict(tmp_path, absent, [], 0.8)[1]


def test_a_check_of_training_on_no_data_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a data set, or another experiment than training"):
        _verdict(tmp_path, "kind: growth, series: {fusion: concat}", [])


@pytest.mark.parametrize("arguments", ["[8]", "'{ }'", "{when: 2020-01-01}", "{size: .nan}", "8"])
def test_arguments_that_are_no_settings_are_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match="expected a JSON object with sorted keys and no spaces"):
        _verdict(tmp_path, VALUE.replace("concat}", f"concat, arguments: {arguments}}}"), [])


RATIO = "kind: ratio, dataset: toy, numerator: {fusion: concat}, denominator: {fusion: lmf}"


@pytest.mark.parametrize(
    ("value", "verdict"),
    # 0.80 / 0.50 lies between 0.78 / 0.52 = 1.5 and 0.82 / 0.48 = 1.708.
    [(1.6, "reproduced"), (1.7, "reproduced"), (1.72, "not reproduced"), (1.4, "not reproduced")],
)
def test_ratio_of_scores(tmp_path, value, verdict):
    rows = [_row("toy", "concat", 0.80, 0.78, 0.82), _row("toy", "lmf", 0.50, 0.48, 0.52)]
    assert _verdict(tmp_path, f"{RATIO}, quantity: accuracy", rows, value)[0] == verdict


@pytest.mark.parametrize(("params", "verdict"), [(54, "reproduced"), (56, "not reproduced"), (44, "not reproduced")])
def test_ratio_of_parameters(tmp_path, params, verdict):
    rows = [_row("toy", "concat", 0.8, params=params), _row("toy", "lmf", None, params=1000)]
    check = f"{RATIO}, quantity: fusion_params, tolerance: 0.005"
    assert _verdict(tmp_path, check, rows, 0.05)[0] == verdict


def test_ratio_to_an_interval_around_zero_is_not_comparable(tmp_path):
    rows = [_row("toy", "concat", 0.80, 0.78, 0.82), _row("toy", "lmf", 0.10, -0.1, 0.3)]
    verdict, reason = _verdict(tmp_path, f"{RATIO}, quantity: accuracy", rows, 8)
    assert verdict == "not comparable"
    assert "reaches zero" in reason


def test_ratio_shows_the_nearest_data_set_without_a_verdict(tmp_path):
    rows = [_row("near", "concat", 0.80, 0.78, 0.82), _row("near", "lmf", 0.50, 0.48, 0.52)]
    verdict, reason = _verdict(tmp_path, f"{RATIO}, quantity: accuracy, nearest: [near, far]", rows, 1.6)
    assert verdict == "not comparable"
    assert "For information: Accuracy of Concat / LMF on near: 0.8 [0.78, 0.82] / 0.5 [0.48, 0.52] = 1.6" in reason


ORDERING = "kind: ordering, above: {fusion: concat}, below: [{fusion: lmf}, {fusion: gcn}]"


@pytest.mark.parametrize(
    ("lmf", "gcn", "verdict", "reason"),
    [
        ((0.5, 0.4, 0.6), (0.7, 0.6, 0.79), "reproduced", "is better than LMF 0.5 [0.4, 0.6], GCN"),
        ((0.5, 0.4, 0.6), (0.7, 0.6, 0.85), "undecided", "not told apart from GCN 0.7 [0.6, 0.85] (by intervals)"),
        ((0.5, 0.4, 0.6), (0.95, 0.93, 0.97), "not reproduced", "worse than GCN"),
        ((None, None, None), (0.7, 0.6, 0.79), "reproduced", "LMF (diverged)"),
        ((0.5, None, None), (0.7, 0.6, 0.79), "not comparable", "LMF on toy has a single finished seed"),
    ],
)
def test_ordering(tmp_path, lmf, gcn, verdict, reason):
    rows = [_row("toy", "concat", 0.9, 0.8, 0.92), _row("toy", "lmf", *lmf), _row("toy", "gcn", *gcn)]
    got, why = _verdict(tmp_path, f"{ORDERING}, datasets: {{toy: accuracy}}", rows)
    assert got == verdict
    assert reason in why


QFL_ORDERING = ORDERING.replace("{fusion: concat}", "{fusion: qfl, degree: 3}")


def _compare(tmp_path, dataset, words, metric="accuracy", seeds=20, modalities=3, table="table1"):
    """Writes comparisons of QFL (P = 3) with baselines: baseline -> word and difference."""
    rows = [
        dict.fromkeys(COMPARED, 0.01)
        | {"dataset": dataset, "options": "{}", "modalities": modalities, "metric": metric, "seeds": seeds}
        | {"fusion": "qfl", "degree": 3, "arguments": "{}"}
        | {"baseline": baseline, "baseline_degree": None, "baseline_arguments": "{}"}
        | {"difference": difference, "ci95_low": difference - 0.02, "ci95_high": difference + 0.02, "word": word}
        for baseline, (word, difference) in words.items()
    ]
    path = tmp_path / f"{table}-comparisons.csv"
    path.write_text(comparisons_csv(pd.DataFrame(rows)))


@pytest.mark.parametrize(
    ("lmf", "gcn", "verdict", "reason"),
    [
        (
            "better",
            "better",
            "reproduced",
            "is better than LMF 0.85 [0.75, 0.95] (difference +0.050 [+0.030, +0.070]), G",
        ),
        ("better", "undecided", "undecided", "not told apart from GCN 0.85 [0.75, 0.95] (difference +0.050"),
        ("better", "equivalent", "not reproduced", "equivalent to GCN"),
        ("undecided", "equivalent", "not reproduced", "not told apart from LMF"),
        ("better", "worse", "not reproduced", "worse than GCN"),
    ],
)
def test_an_ordering_is_judged_by_the_words_of_the_comparisons_whatever_the_intervals(
    tmp_path, lmf, gcn, verdict, reason
):
    _compare(tmp_path, "toy", {"lmf": (lmf, 0.05), "gcn": (gcn, 0.05)})
    rows = [
        _row("toy", "qfl", 0.9, 0.8, 1.0, degree=3),
        *(_row("toy", name, 0.85, 0.75, 0.95) for name in ("lmf", "gcn")),
    ]
    got, why = _verdict(tmp_path, f"{QFL_ORDERING}, datasets: {{toy: accuracy}}", rows)
    assert got == verdict
    assert reason in why
    assert "by intervals" not in why


def test_a_pair_that_the_table_does_not_compare_is_told_apart_by_intervals_and_the_reason_says_so(tmp_path):
    rows = [
        _row("toy", "qfl", 0.9, 0.8, 1.0, degree=3),
        _row("toy", "lmf", 0.85, 0.75, 0.95),
        _row("toy", "gcn", 0.5, 0.4, 0.6),
    ]
    check = f"{QFL_ORDERING}, datasets: {{toy: accuracy}}"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)})
    verdict, reason = _verdict(tmp_path, check, rows)
    assert verdict == "reproduced"
    assert "GCN 0.5 [0.4, 0.6] (by intervals where no difference is given)" in reason

    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, metric="roc_auc")
    assert _verdict(tmp_path, check, [])[0] == "undecided"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, modalities=2)
    assert _verdict(tmp_path, check, [])[0] == "undecided"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, table="table2")
    (tmp_path / "table1-comparisons.csv").unlink()
    assert _verdict(tmp_path, check, [])[0] == "undecided"


def test_data_sets_are_all_to_be_decided_and_one_that_is_against_the_claim_is_enough(tmp_path):
    check = f"{ORDERING}, datasets: {{toy: accuracy, other: accuracy}}"
    lead = {"toy": [(0.9, 0.85, 1.0), (0.5, 0.4, 0.6)], "other": [(0.9, 0.8, 1.0), (0.85, 0.75, 0.95)]}
    rows = [
        _row(dataset, fusion, *scores[fusion != "concat"])
        for dataset, scores in lead.items()
        for fusion in ("concat", "lmf", "gcn")
    ]
    assert _verdict(tmp_path, check, rows)[0] == "undecided"
    rows[-1] = _row("other", "gcn", 0.99, 0.98, 1.0)
    rows[3] = _row("other", "concat", 0.9, 0.8, 0.95)
    assert _verdict(tmp_path, check, rows)[0] == "not reproduced"


def test_ordering_holds_only_if_it_does_on_every_data_set_and_errors_count_downwards(tmp_path):
    check = f"{ORDERING}, datasets: {{toy: accuracy, road: mae}}"
    turned = f"{ORDERING}, datasets: {{road: mae, toy: accuracy}}"
    toy = [
        _row("toy", "concat", 0.9, 0.8, 1.0),
        _row("toy", "lmf", 0.5, 0.4, 0.6),
        _row("toy", "gcn", 0.5, 0.4, 0.6),
    ]
    road = [_row("road", "lmf", 5, 4, 6, metric="mae"), _row("road", "gcn", 5, 4, 6, metric="mae")]
    lower, higher = _row("road", "concat", 3, 2, 3.9, metric="mae"), _row("road", "concat", 7, 6.1, 8, metric="mae")
    assert _verdict(tmp_path, check, [*toy, *road, lower])[0] == "reproduced"
    assert _verdict(tmp_path, check, [*toy, *road, higher])[0] == "not reproduced"
    assert _verdict(tmp_path, turned, [*toy, *road, higher])[0] == "not reproduced"
    assert _verdict(tmp_path, check, toy)[0] == "not comparable"


def test_ordering_shows_the_nearest_data_set_without_a_verdict(tmp_path):
    rows = [
        _row("near", "concat", 0.9, 0.8, 1.0),
        _row("near", "lmf", 0.5, 0.4, 0.6),
        _row("near", "gcn", 0.5, 0.4, 0.6),
    ]
    verdict, reason = _verdict(tmp_path, f"{ORDERING}, datasets: {{toy: accuracy}}, nearest: {{near: accuracy}}", rows)
    assert verdict == "not comparable"
    assert "For information: near: Accuracy of Concat 0.9 [0.8, 1] is better than LMF" in reason


SHAPE = "kind: degree_shape, rises: [1, 2, 3], drops_at: 5"


@pytest.mark.parametrize(
    ("metric", "means", "verdict"),
    [
        ("accuracy", (0.80, 0.85, 0.90, 0.87), "reproduced"),
        ("accuracy", (0.80, 0.85, 0.90, 0.93), "not reproduced"),
        ("accuracy", (0.80, 0.79, 0.90, 0.87), "not reproduced"),
        ("accuracy", (0.80, 0.90, 0.90, 0.87), "not reproduced"),
        ("mae", (9.0, 8.0, 7.0, 7.5), "reproduced"),
        ("mae", (7.0, 8.0, 9.0, 8.5), "not reproduced"),
    ],
)
def test_shape_over_the_degree(tmp_path, metric, means, verdict):
    rows = [
        _row("toy", "qfl", mean, degree=degree, metric=metric) for degree, mean in zip((1, 2, 3, 5), means, strict=True)
    ]
    assert _verdict(tmp_path, f"{SHAPE}, datasets: {{toy: {metric}}}", rows)[0] == verdict


def test_shape_holds_only_if_it_does_on_every_data_set(tmp_path):
    right, wrong = (0.80, 0.85, 0.90, 0.87), (0.80, 0.85, 0.90, 0.93)
    rows = [
        _row(dataset, "qfl", mean, degree=degree)
        for dataset, means in (("toy", wrong), ("road", right))
        for degree, mean in zip((1, 2, 3, 5), means, strict=True)
    ]
    assert _verdict(tmp_path, f"{SHAPE}, datasets: {{toy: accuracy, road: accuracy}}", rows)[0] == "not reproduced"
    assert _verdict(tmp_path, f"{SHAPE}, datasets: {{road: accuracy}}", rows)[0] == "reproduced"


def test_shape_needs_every_degree_and_data_set(tmp_path):
    rows = [_row("toy", "qfl", degree / 10, degree=degree) for degree in (1, 2, 3)]
    verdict, reason = _verdict(tmp_path, f"{SHAPE}, datasets: {{toy: accuracy}}", rows)
    assert verdict == "not comparable"
    assert "no Accuracy of QFL (P = 5)" in reason


@pytest.mark.parametrize(
    ("params", "verdict"), [(50, "reproduced"), (400, "reproduced"), (401, "not reproduced"), (3200, "not reproduced")]
)
def test_growth_is_at_most_linear(tmp_path, params, verdict):
    rows = [
        _row("toy", "qfl", 0.9, degree=3, params=50, modalities=2),
        _row("toy", "qfl", 0.9, degree=3, params=999, modalities=4),
        _row("toy", "qfl", 0.9, degree=3, params=params, modalities=16),
        _row("other", "qfl", 0.9, degree=3, params=1, modalities=1),
    ]
    check = "kind: growth, dataset: toy, series: {fusion: qfl, degree: 3}"
    assert _verdict(tmp_path, check, rows)[0] == verdict
    assert _verdict(tmp_path, check, rows[:1])[0] == "not comparable"


def _degrees(means, spread=0.0, modalities=2):
    return [
        _row(
            "toy",
            "qfl",
            mean,
            mean - spread,
            mean + spread,
            degree=number,
            metric="total_degree",
            modalities=modalities,
        )
        for number, mean in enumerate(means, start=1)
    ]


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (_degrees([1, 2]) + _degrees([1, 2], modalities=3), "reproduced"),
        (_degrees([1, 2]) + _degrees([1, 1], modalities=3), "not reproduced"),
        (_degrees([1, 2.5]), "not reproduced"),
        (_degrees([1, 2], spread=0.5), "not reproduced"),  # not in every seed
        (_degrees([1]), "not comparable"),
    ],
)
def test_a_figure_is_the_degree_itself(tmp_path, rows, verdict):
    check = "kind: equals_degree, dataset: toy, quantity: total_degree, degrees: [1, 2]"
    assert _verdict(tmp_path, check, rows)[0] == verdict


LEAST = "kind: least_degree, quantity: error, at_most: 0.01, others: [{fusion: lmf}]"


def _errors(*errors, spread=0.0, other=0.3):
    joint = [_row("toy", "qfl", e, e, e + spread, degree=p, metric="error") for p, e in enumerate(errors, start=1)]
    return [*joint, _row("toy", "lmf", other, other, other, metric="error")]


@pytest.mark.parametrize(
    ("rows", "value", "verdict"),
    [
        (_errors(0.4, 0.02, 0.0), 3, "reproduced"),
        (_errors(0.4, 0.02, 0.0), 2, "not reproduced"),
        (_errors(0.4, 0.0, 0.0), 3, "not reproduced"),
        (_errors(0.4, 0.02, 0.0, other=0.01), 3, "not reproduced"),  # the other does it too
        (_errors(0.4, 0.02, 0.005, spread=0.1), 3, "not comparable"),  # not reached
        (_errors(0.4, 0.02, 0.0)[2:], 3, "not comparable"),  # fewer were not tried
    ],
)
def test_least_degree(tmp_path, rows, value, verdict):
    assert _verdict(tmp_path, f"{LEAST}, dataset: toy", rows, value)[0] == verdict


def test_the_least_degree_on_another_problem_is_information(tmp_path):
    check = f"{LEAST}, dataset: null, nearest: [toy]"
    verdict, reason = _verdict(tmp_path, check, _errors(0.4, 0.02, 0.0), 3)
    assert verdict == "not comparable"
    assert "For information: Error of QFL on toy is at most 0.01 from P = 3 on" in reason
    assert "0.02 at P = 2; of LMF 0.3" in reason


def test_a_check_without_rule_says_why(tmp_path):
    verdicts_by_id = {verdict.claim: verdict for verdict in _verdicts(tmp_path)}
    assert verdicts_by_id["Q13"].verdict == "not comparable"
    assert "A property of the construction" in verdicts_by_id["Q13"].reason


def test_without_results_every_claim_has_a_verdict_and_none_is_judged(tmp_path):
    found = _verdicts(tmp_path)
    assert [verdict.claim for verdict in found] == [claim.id for paper in load_papers() for claim in paper.claims]
    assert {verdict.verdict for verdict in found} == {"not comparable"}
    assert all(verdict.reason.endswith(".") for verdict in found)


def test_filling_in_a_file_changes_the_verdict_without_code(tmp_path):
    results, published = tmp_path / "results", tmp_path / "published"
    rows = [
        _row("toy", "qfl", 0.9, 0.88, 0.92, degree=3, metric="roc_auc"),
        _row("toy", "gcn", 0.8, 0.78, 0.82, metric="roc_auc"),
    ]
    write_csv(pd.DataFrame(rows), results / "table2.csv")
    shutil.copytree(PUBLISHED, published)

    def outcome(claim):
        return [verdict.verdict for verdict in _verdicts(results, published) if verdict.claim == claim]

    assert outcome("Q4") == ["not comparable"]
    paper = published / "qfl_2510_06938.yaml"
    text = paper.read_text(encoding="utf-8")
    before, after = text.split("dataset: null", maxsplit=1)
    assert before.rpartition("- id: ")[2].startswith("Q4\n")
    paper.write_text(f"{before}dataset: toy{after}", encoding="utf-8")
    assert outcome("Q4") == ["reproduced"]

    cell = "{table: table2, dataset: ptb-xl, fusion: gcn, metric: roc_auc, value: null}"
    assert text.count(cell) == 1
    assert outcome("toy, GCN, ROC AUC") == []
    paper.write_text(text.replace(cell, cell.replace("ptb-xl", "toy").replace("null", "0.81")), encoding="utf-8")
    assert outcome("toy, GCN, ROC AUC") == ["reproduced"]
    paper.write_text(text.replace(cell, cell.replace("ptb-xl", "toy").replace("null", "0.83")), encoding="utf-8")
    assert outcome("toy, GCN, ROC AUC") == ["not reproduced"]


def test_a_claim_is_held_against_its_own_table_alone(tmp_path):
    small, large = _row("toy", "concat", 0.9, 0.8, 1.0), _row("toy", "concat", 0.1, 0.0, 0.2, modalities=9)
    assert _verdict(tmp_path, VALUE, [small], 0.9, "table1")[0] == "reproduced"
    assert _verdict(tmp_path, VALUE, [large], 0.1, "table2")[0] == "reproduced"
    # Now both are there: neither the first table nor the one with most modalities counts for the other.
    assert _verdict(tmp_path, VALUE, [], 0.9, "table1")[0] == "reproduced"
    assert _verdict(tmp_path, VALUE, [], 0.1, "table2")[0] == "reproduced"
    verdict, reason = _verdict(tmp_path, VALUE, [], 0.1, "table3")
    assert verdict == "not comparable"
    assert "no results on toy; `make reproduce-table3` is to add them" in reason


def test_sizes_are_those_of_the_table(tmp_path):
    check = "kind: growth, dataset: toy, series: {fusion: qfl, degree: 3}"
    few, many = (
        [_row("toy", "qfl", 0.9, degree=3, params=params, modalities=size) for size, params in sizes]
        for sizes in ([(2, 50), (4, 60)], [(2, 50), (64, 10**9)])
    )
    assert _verdict(tmp_path, check, many, table="table4")[0] == "not reproduced"
    assert _verdict(tmp_path, check, few, table="table3")[0] == "reproduced"


def test_another_table_is_information_where_the_claim_names_it(tmp_path):
    rows = [_row("near", "concat", 0.80, 0.78, 0.82), _row("near", "lmf", 0.50, 0.48, 0.52)]
    ordering = [*rows, _row("near", "gcn", 0.5, 0.4, 0.6)]
    write_csv(pd.DataFrame(ordering), tmp_path / "table1.csv")
    ratio = f"{RATIO}, quantity: accuracy, nearest: [near]"
    assert "For information" not in _verdict(tmp_path, ratio, [], 1.6, "table2")[1]
    named = _verdict(tmp_path, f"{ratio}, elsewhere: {{table1: [near, far]}}", [], 1.6, "table2")
    assert named[0] == "not comparable"
    assert "For information: In table1, Accuracy of Concat / LMF on near: 0.8" in named[1]
    check = f"{ORDERING}, datasets: {{toy: accuracy}}, elsewhere: {{table1: {{near: accuracy}}}}"
    verdict, reason = _verdict(tmp_path, check, [], table="table2")
    assert verdict == "not comparable"
    assert "For information: In table1, near: Accuracy of Concat 0.8 [0.78, 0.82] is better than LMF" in reason


@pytest.mark.parametrize("name", ["table1-old.csv", "table0.csv", "table.csv", "tables_of_mine.csv", "table1.csv.bak"])
def test_a_file_that_is_no_table_decides_nothing(tmp_path, name):
    write_csv(pd.DataFrame([_row("toy", "concat", 0.1, 0.0, 0.2)]), tmp_path / name)
    assert _verdict(tmp_path, VALUE, [_row("toy", "concat", 0.9, 0.8, 1.0)], 0.9)[0] == "reproduced"
    (tmp_path / name).write_text("whatever")
    assert _verdict(tmp_path, VALUE, [], 0.9)[0] == "reproduced"


def test_a_cell_that_stands_twice_in_a_table_is_an_error(tmp_path):
    path = tmp_path / "table1.csv"
    write_csv(pd.DataFrame([_row("toy", "concat", 0.9, 0.8, 1.0)]), path)
    path.write_text(path.read_text() + path.read_text().splitlines()[1].replace("0.9", "0.95") + "\n")
    with pytest.raises(ValueError, match=r"table1\.csv, line 3: .*'toy'.* is already on line 2"):
        _verdict(tmp_path, VALUE, [], 0.9)


STABILITY = (
    "kind: stability, dataset: toy, metric: roc_auc, few: 3, many: 12, "
    "stable: {fusion: concat}, degrades: {fusion: lmf}"
)


def _sizes(fusion, few, many):
    """Rows with 3 and with 12 modalities, each score with an interval of 0.02 to both sides; None for diverged."""
    return [
        _row("toy", fusion, None, metric="roc_auc", modalities=size)
        if score is None
        else _row("toy", fusion, score, score - 0.02, score + 0.02, metric="roc_auc", modalities=size)
        for size, score in ((3, few), (12, many))
    ]


@pytest.mark.parametrize(
    ("lmf", "concat", "verdict"),
    [
        ((0.8, 0.5), (0.8, 0.8), "reproduced"),
        ((0.8, None), (0.8, 0.9), "reproduced"),
        ((0.8, 0.5), (0.8, 0.7), "not reproduced"),  # what should be stable is not
        ((0.5, 0.5), (0.8, 0.8), "undecided"),  # what should degrade was at chance before
        ((0.8, 0.77), (0.8, 0.8), "undecided"),  # the intervals touch
        ((0.5, 0.8), (0.8, 0.9), "not reproduced"),  # what should degrade improves
        ((0.8, 0.5), (0.8, 0.77), "reproduced"),
        ((0.95, 0.8), (0.8, 0.8), "undecided"),  # and with many what is stable is not seen to be better
        ((0.95, 0.85), (0.8, 0.8), "not reproduced"),  # but worse
        ((None, 0.5), (0.8, 0.8), "not comparable"),
    ],
)
def test_stability_from_few_to_many_modalities(tmp_path, lmf, concat, verdict):
    rows = [*_sizes("lmf", *lmf), *_sizes("concat", *concat)]
    assert _verdict(tmp_path, STABILITY, rows)[0] == verdict


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("better", "reproduced"),
        ("undecided", "undecided"),
        ("equivalent", "not reproduced"),
        ("worse", "not reproduced"),
    ],
)
def test_what_is_stable_has_to_be_better_in_the_end_by_the_comparison(tmp_path, word, verdict):
    stable = [row | {"fusion": "qfl", "degree": 3} for row in _sizes("concat", 0.7, 0.71)]
    _compare(tmp_path, "toy", {"lmf": (word, 0.01)}, metric="roc_auc", modalities=12)
    check = STABILITY.replace("{fusion: concat}", "{fusion: qfl, degree: 3}")
    found, reason = _verdict(tmp_path, check, [*stable, *_sizes("lmf", 0.8, 0.7)])
    assert found == verdict
    assert "LMF 0.7 [0.68, 0.72] (difference +0.010 [-0.010, +0.030])" in reason


def test_stability_needs_both_sizes(tmp_path):
    rows = [row for row in [*_sizes("lmf", 0.8, 0.5), *_sizes("concat", 0.8, 0.8)] if row["modalities"] == 12]
    verdict, reason = _verdict(tmp_path, STABILITY, rows)
    assert verdict == "not comparable"
    assert "no results on toy with 3 modalities" in reason


def test_a_claim_without_a_number_of_modalities_is_held_against_the_most(tmp_path):
    rows = [_row("toy", "concat", score, score, score, modalities=size) for size, score in ((3, 0.5), (12, 0.9))]
    assert _verdict(tmp_path, VALUE, rows, 0.9)[0] == "reproduced"
    assert _verdict(tmp_path, VALUE + ", modalities: 3", rows, 0.5)[0] == "reproduced"
    assert _verdict(tmp_path, VALUE + ", modalities: 6", rows, 0.5)[0] == "not comparable"


def test_a_value_that_cannot_be_compared_shows_the_nearest_data_sets(tmp_path):
    check = VALUE.replace("dataset: toy", "dataset: far") + ", nearest: [toy, none]"
    verdict, reason = _verdict(tmp_path, check, [_row("toy", "concat", 0.9, 0.88, 0.92)], 0.9)
    assert verdict == "not comparable"
    assert reason.endswith("For information: Concat on toy: Accuracy 0.9 [0.88, 0.92].")


def _network(fusion, accuracy, params, ratio, std=0.01, dataset="toy", diverged=0.0, **size):
    """A network's rows: accuracy, ratio of parameters, share of diverged seeds."""
    shared = {"modalities": 2, "total_params": params, "arguments": encode(size)}
    return [
        _row(dataset, fusion, accuracy, accuracy - 0.02, accuracy + 0.02) | {"std": std} | shared,
        _row(dataset, fusion, ratio, metric="parameter_ratio") | shared,
        _row(dataset, fusion, diverged, diverged, diverged, metric="diverged") | shared,
    ]


FEWER = "kind: fewer_parameters, fusion: qmfnn, datasets: [toy], modalities: 2, nearest: [toy, other]"


@pytest.mark.parametrize(
    ("ratio", "times", "value", "verdict", "reason"),
    [
        (30, ", times: 24", None, "reproduced", "leanest classical network of that accuracy 30 times as many; held ag"),
        (20, ", times: 24", None, "not reproduced", "20 times as many; held against 24 times"),
        (30, "", 50, "not reproduced", "held against 50 times"),
        (30, "", None, "not comparable", "value is not stated"),
        (None, ", times: 24", None, "reproduced", "no classical network reaches, the largest with 30 times as many"),
        (None, ", times: 40", None, "not comparable", "which does not decide about 40 times; try larger ones"),
    ],
)
def test_fewer_parameters_at_the_best_accuracy_of_a_network(tmp_path, ratio, times, value, verdict, reason):
    rows = [
        *_network("qmfnn", 0.7, 50, 100, hidden=2),
        *_network("qmfnn", 0.8, 100, ratio, hidden=8),  # the better one counts, whatever the others do
        *_network("concat", 0.75, 3000, 40, hidden=32),
    ]
    found, why = _verdict(tmp_path, FEWER + times, rows, value)
    assert found == verdict
    assert reason in why
    assert "QMFNN (hidden = 8) has Accuracy 0.8 with 100 parameters" in why


def test_fewer_parameters_are_needed_on_every_data_set(tmp_path):
    rows = [*_network("qmfnn", 0.8, 100, 30), *_network("qmfnn", 0.8, 100, 3, dataset="other")]
    check = FEWER.replace("[toy]", "[toy, other]") + ", times: 24"
    assert _verdict(tmp_path, check, rows)[0] == "not reproduced"
    found, why = _verdict(tmp_path, check.replace("[toy, other], mod", "[toy, third], mod"), rows)
    assert found == "not comparable"
    assert (
        "There are no ratios of parameters on third with 2 modalities; `make reproduce-table1` is to add them." in why
    )
    assert "For information: toy: QMFNN has Accuracy 0.8" in why


SPREAD = (
    "kind: spread, series: {fusion: qmfnn}, among: [{fusion: concat}, {fusion: lmf}], "
    "datasets: {toy: accuracy}, modalities: 2"
)


@pytest.mark.parametrize(
    ("own", "diverged", "verdict"),
    [
        (0.02, 0, "reproduced"),
        (0.031, 0, "not reproduced"),
        (0.02, 1 / 3, "not reproduced"),
        (None, 0, "not comparable"),
    ],
)
def test_spread_over_seeds(tmp_path, own, diverged, verdict):
    rows = [
        *_network("qmfnn", 0.8, 100, 1, own, diverged=diverged),
        *_network("concat", 0.8, 100, 1, 0.01),
        *_network("lmf", 0.8, 100, 1, 0.03),
    ]
    found, why = _verdict(tmp_path, SPREAD, rows)
    assert found == verdict
    if own is not None:
        assert f"{own} for QMFNN, 0.01 to 0.03 (LMF) for the others" in why
