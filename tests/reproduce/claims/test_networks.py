"""Claims about networks of several sizes: their parameters at equal accuracy, and their spread over seeds."""

import pytest

from reproduce.claims.rows import encode
from tests.reproduce.claims.support import row_of, verdict_on


def _network(fusion, accuracy, params, ratio, std=0.01, dataset="toy", diverged=0.0, **size):
    """A network's rows: accuracy, ratio of parameters, share of diverged seeds."""
    shared = {"modalities": 2, "total_params": params, "arguments": encode(size)}
    return [
        row_of(dataset, fusion, accuracy, accuracy - 0.02, accuracy + 0.02) | {"std": std} | shared,
        row_of(dataset, fusion, ratio, metric="parameter_ratio") | shared,
        row_of(dataset, fusion, diverged, diverged, diverged, metric="diverged") | shared,
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
    found, why = verdict_on(tmp_path, FEWER + times, rows, value)
    assert found == verdict
    assert reason in why
    assert "QMFNN (hidden = 8) has Accuracy 0.8 with 100 parameters" in why


def test_fewer_parameters_are_needed_on_every_data_set(tmp_path):
    rows = [*_network("qmfnn", 0.8, 100, 30), *_network("qmfnn", 0.8, 100, 3, dataset="other")]
    check = FEWER.replace("[toy]", "[toy, other]") + ", times: 24"
    assert verdict_on(tmp_path, check, rows)[0] == "not reproduced"
    found, why = verdict_on(tmp_path, check.replace("[toy, other], mod", "[toy, third], mod"), rows)
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
    found, why = verdict_on(tmp_path, SPREAD, rows)
    assert found == verdict
    if own is not None:
        assert f"{own} for QMFNN, 0.01 to 0.03 (LMF) for the others" in why
