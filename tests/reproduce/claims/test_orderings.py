"""Claims that one fusion is better than others, or stays so with more modalities."""

import pandas as pd
import pytest

from reproduce.claims.comparisons import COLUMNS as COMPARED
from reproduce.claims.comparisons import comparisons_csv
from tests.reproduce.claims.support import ORDERING, row_of, verdict_on


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
    rows = [row_of("toy", "concat", 0.9, 0.8, 0.92), row_of("toy", "lmf", *lmf), row_of("toy", "gcn", *gcn)]
    got, why = verdict_on(tmp_path, f"{ORDERING}, datasets: {{toy: accuracy}}", rows)
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
        row_of("toy", "qfl", 0.9, 0.8, 1.0, degree=3),
        *(row_of("toy", name, 0.85, 0.75, 0.95) for name in ("lmf", "gcn")),
    ]
    got, why = verdict_on(tmp_path, f"{QFL_ORDERING}, datasets: {{toy: accuracy}}", rows)
    assert got == verdict
    assert reason in why
    assert "by intervals" not in why


def test_a_pair_that_the_table_does_not_compare_is_told_apart_by_intervals_and_the_reason_says_so(tmp_path):
    rows = [
        row_of("toy", "qfl", 0.9, 0.8, 1.0, degree=3),
        row_of("toy", "lmf", 0.85, 0.75, 0.95),
        row_of("toy", "gcn", 0.5, 0.4, 0.6),
    ]
    check = f"{QFL_ORDERING}, datasets: {{toy: accuracy}}"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)})
    verdict, reason = verdict_on(tmp_path, check, rows)
    assert verdict == "reproduced"
    assert "GCN 0.5 [0.4, 0.6] (by intervals where no difference is given)" in reason

    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, metric="roc_auc")
    assert verdict_on(tmp_path, check, [])[0] == "undecided"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, modalities=2)
    assert verdict_on(tmp_path, check, [])[0] == "undecided"
    _compare(tmp_path, "toy", {"lmf": ("better", 0.05)}, table="table2")
    (tmp_path / "table1-comparisons.csv").unlink()
    assert verdict_on(tmp_path, check, [])[0] == "undecided"


def test_data_sets_are_all_to_be_decided_and_one_that_is_against_the_claim_is_enough(tmp_path):
    check = f"{ORDERING}, datasets: {{toy: accuracy, other: accuracy}}"
    lead = {"toy": [(0.9, 0.85, 1.0), (0.5, 0.4, 0.6)], "other": [(0.9, 0.8, 1.0), (0.85, 0.75, 0.95)]}
    rows = [
        row_of(dataset, fusion, *scores[fusion != "concat"])
        for dataset, scores in lead.items()
        for fusion in ("concat", "lmf", "gcn")
    ]
    assert verdict_on(tmp_path, check, rows)[0] == "undecided"
    rows[-1] = row_of("other", "gcn", 0.99, 0.98, 1.0)
    rows[3] = row_of("other", "concat", 0.9, 0.8, 0.95)
    assert verdict_on(tmp_path, check, rows)[0] == "not reproduced"


def test_ordering_holds_only_if_it_does_on_every_data_set_and_errors_count_downwards(tmp_path):
    check = f"{ORDERING}, datasets: {{toy: accuracy, road: mae}}"
    turned = f"{ORDERING}, datasets: {{road: mae, toy: accuracy}}"
    toy = [
        row_of("toy", "concat", 0.9, 0.8, 1.0),
        row_of("toy", "lmf", 0.5, 0.4, 0.6),
        row_of("toy", "gcn", 0.5, 0.4, 0.6),
    ]
    road = [row_of("road", "lmf", 5, 4, 6, metric="mae"), row_of("road", "gcn", 5, 4, 6, metric="mae")]
    lower, higher = row_of("road", "concat", 3, 2, 3.9, metric="mae"), row_of("road", "concat", 7, 6.1, 8, metric="mae")
    assert verdict_on(tmp_path, check, [*toy, *road, lower])[0] == "reproduced"
    assert verdict_on(tmp_path, check, [*toy, *road, higher])[0] == "not reproduced"
    assert verdict_on(tmp_path, turned, [*toy, *road, higher])[0] == "not reproduced"
    assert verdict_on(tmp_path, check, toy)[0] == "not comparable"


def test_ordering_shows_the_nearest_data_set_without_a_verdict(tmp_path):
    rows = [
        row_of("near", "concat", 0.9, 0.8, 1.0),
        row_of("near", "lmf", 0.5, 0.4, 0.6),
        row_of("near", "gcn", 0.5, 0.4, 0.6),
    ]
    verdict, reason = verdict_on(
        tmp_path, f"{ORDERING}, datasets: {{toy: accuracy}}, nearest: {{near: accuracy}}", rows
    )
    assert verdict == "not comparable"
    assert "For information: near: Accuracy of Concat 0.9 [0.8, 1] is better than LMF" in reason


STABILITY = (
    "kind: stability, dataset: toy, metric: roc_auc, few: 3, many: 12, "
    "stable: {fusion: concat}, degrades: {fusion: lmf}"
)


def _sizes(fusion, few, many):
    """Rows with 3 and with 12 modalities, each score with an interval of 0.02 to both sides; None for diverged."""
    return [
        row_of("toy", fusion, None, metric="roc_auc", modalities=size)
        if score is None
        else row_of("toy", fusion, score, score - 0.02, score + 0.02, metric="roc_auc", modalities=size)
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
    assert verdict_on(tmp_path, STABILITY, rows)[0] == verdict


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
    found, reason = verdict_on(tmp_path, check, [*stable, *_sizes("lmf", 0.8, 0.7)])
    assert found == verdict
    assert "LMF 0.7 [0.68, 0.72] (difference +0.010 [-0.010, +0.030])" in reason


def test_stability_needs_both_sizes(tmp_path):
    rows = [row for row in [*_sizes("lmf", 0.8, 0.5), *_sizes("concat", 0.8, 0.8)] if row["modalities"] == 12]
    verdict, reason = verdict_on(tmp_path, STABILITY, rows)
    assert verdict == "not comparable"
    assert "no results on toy with 3 modalities" in reason
