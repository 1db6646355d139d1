"""Claims about the degree of QFL, and about how it grows with the modalities."""

import pytest

from tests.reproduce.claims.support import row_of, verdict_on

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
        row_of("toy", "qfl", mean, degree=degree, metric=metric)
        for degree, mean in zip((1, 2, 3, 5), means, strict=True)
    ]
    assert verdict_on(tmp_path, f"{SHAPE}, datasets: {{toy: {metric}}}", rows)[0] == verdict


def test_shape_holds_only_if_it_does_on_every_data_set(tmp_path):
    right, wrong = (0.80, 0.85, 0.90, 0.87), (0.80, 0.85, 0.90, 0.93)
    rows = [
        row_of(dataset, "qfl", mean, degree=degree)
        for dataset, means in (("toy", wrong), ("road", right))
        for degree, mean in zip((1, 2, 3, 5), means, strict=True)
    ]
    assert verdict_on(tmp_path, f"{SHAPE}, datasets: {{toy: accuracy, road: accuracy}}", rows)[0] == "not reproduced"
    assert verdict_on(tmp_path, f"{SHAPE}, datasets: {{road: accuracy}}", rows)[0] == "reproduced"


def test_shape_needs_every_degree_and_data_set(tmp_path):
    rows = [row_of("toy", "qfl", degree / 10, degree=degree) for degree in (1, 2, 3)]
    verdict, reason = verdict_on(tmp_path, f"{SHAPE}, datasets: {{toy: accuracy}}", rows)
    assert verdict == "not comparable"
    assert "no Accuracy of QFL (P = 5)" in reason


@pytest.mark.parametrize(
    ("params", "verdict"), [(50, "reproduced"), (400, "reproduced"), (401, "not reproduced"), (3200, "not reproduced")]
)
def test_growth_is_at_most_linear(tmp_path, params, verdict):
    rows = [
        row_of("toy", "qfl", 0.9, degree=3, params=50, modalities=2),
        row_of("toy", "qfl", 0.9, degree=3, params=999, modalities=4),
        row_of("toy", "qfl", 0.9, degree=3, params=params, modalities=16),
        row_of("other", "qfl", 0.9, degree=3, params=1, modalities=1),
    ]
    check = "kind: growth, dataset: toy, series: {fusion: qfl, degree: 3}"
    assert verdict_on(tmp_path, check, rows)[0] == verdict
    assert verdict_on(tmp_path, check, rows[:1])[0] == "not comparable"


def _degrees(means, spread=0.0, modalities=2):
    return [
        row_of(
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
    assert verdict_on(tmp_path, check, rows)[0] == verdict


LEAST = "kind: least_degree, quantity: error, at_most: 0.01, others: [{fusion: lmf}]"


def _errors(*errors, spread=0.0, other=0.3):
    joint = [row_of("toy", "qfl", e, e, e + spread, degree=p, metric="error") for p, e in enumerate(errors, start=1)]
    return [*joint, row_of("toy", "lmf", other, other, other, metric="error")]


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
    assert verdict_on(tmp_path, f"{LEAST}, dataset: toy", rows, value)[0] == verdict


def test_the_least_degree_on_another_problem_is_information(tmp_path):
    check = f"{LEAST}, dataset: null, nearest: [toy]"
    verdict, reason = verdict_on(tmp_path, check, _errors(0.4, 0.02, 0.0), 3)
    assert verdict == "not comparable"
    assert "For information: Error of QFL on toy is at most 0.01 from P = 3 on" in reason
    assert "0.02 at P = 2; of LMF 0.3" in reason
