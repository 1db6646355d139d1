"""Parameters at equal accuracy: curves by hand."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce.claims.rows import COLUMNS, decode, encode, typed
from reproduce.tables.table4.equal_accuracy import parameters_for, with_parameter_ratios

CURVE = [(100, 0.5), (400, 0.7), (1600, 0.6), (6400, 0.9)]


@pytest.mark.parametrize(
    ("accuracy", "parameters"),
    [
        (0.3, 100),  # the smallest that was tried
        (0.5, 100),
        (0.6, 200),  # half of the way from 100 to 400, by factors
        (0.7, 400),
        (0.8, 1600),  # the size that loses to a smaller one is left out: half of the way from 400 to 6400
        (0.9, 6400),
        (0.91, None),
    ],
)
def test_the_parameters_for_an_accuracy_are_read_off_the_curve(accuracy, parameters):
    found = parameters_for(CURVE[::-1], accuracy)
    assert found == (parameters if parameters is None else pytest.approx(parameters))


sizes = st.dictionaries(st.integers(10, 10**6), st.floats(0.01, 1), min_size=1, max_size=6).map(lambda d: [*d.items()])


@given(sizes, st.floats(0, 1), st.floats(0, 1))
def test_more_accuracy_never_takes_fewer_parameters_nor_more_than_a_size_that_has_it(curve, one, other):
    less, more = (parameters_for(curve, accuracy) for accuracy in sorted((one, other)))
    assert more is None or less <= more
    enough = [parameters for parameters, accuracy in curve if accuracy >= max(one, other)]
    assert (more is None) == (not enough)
    if enough:
        assert more <= min(enough) * (1 + 1e-9)


def row(fusion, hidden, accuracy, parameters, dataset="toy", modalities=2, metric="accuracy"):
    return dict.fromkeys(COLUMNS) | {
        "experiment": "training",
        "options": encode({}),
        "arguments": encode({"hidden": hidden}),
        "dataset": dataset,
        "modalities": modalities,
        "fusion": fusion,
        "metric": metric,
        "mean": accuracy,
        "seeds": 3,
        "fusion_params": 1,
        "total_params": parameters,
    }


def ratios(*rows):
    frame = with_parameter_ratios(typed(pd.DataFrame(rows)), quantum="qmfnn")
    found = frame[frame["metric"] == "parameter_ratio"]
    return {(row["fusion"], decode(row["arguments"])["hidden"]): row["mean"] for row in found.to_dict("records")}


def test_a_quantum_row_is_held_against_the_leanest_classical_network_and_a_classical_row_against_the_quantum_one():
    found = ratios(
        row("qmfnn", 2, 0.6, 50),
        row("qmfnn", 8, 0.8, 200),
        row("concat", 2, 0.5, 300),
        row("concat", 8, 0.7, 1200),
        row("lmf", 2, 0.6, 800),
        row("lmf", 8, 0.65, 900),
    )
    assert found == pytest.approx(
        {
            ("qmfnn", 2): 600 / 50,  # Concat takes 600, LMF 800
            ("qmfnn", 8): float("nan"),
            ("concat", 2): 300 / 50,  # the smallest QMFNN is better already
            ("concat", 8): 1200 / 100,
            ("lmf", 2): 800 / 50,
            ("lmf", 8): 900 / (50 * 200) ** 0.25 / 50**0.5,  # QMFNN needs a quarter of the way from 50 to 200
        },
        nan_ok=True,
    )


def curve(fusion, *parameters, **place):
    """Two sizes, the second one better."""
    return [row(fusion, size, 0.6 + size, count, **place) for size, count in enumerate(parameters)]


def test_data_sets_and_numbers_of_modalities_have_curves_of_their_own():
    found = ratios(
        *curve("qmfnn", 50, 100),
        *curve("concat", 100, 300),
        *curve("concat", 60, 70, modalities=3),
        *curve("concat", 70, 80, dataset="other"),
    )
    assert found == pytest.approx({("qmfnn", 0): 2, ("qmfnn", 1): 3, ("concat", 0): 2, ("concat", 1): 3})


def test_a_single_size_is_no_curve():
    sizes = curve("qmfnn", 50, 100)
    assert set(ratios(*sizes, *curve("concat", 100, 300), row("lmf", 0, 0.6, 1))) == {
        ("qmfnn", 0), ("qmfnn", 1), ("concat", 0), ("concat", 1),
    }  # fmt: skip
    assert ratios(*sizes, row("lmf", 0, 0.6, 1)) == {}
    assert ratios(sizes[0], *curve("concat", 100, 300)) == {}


def test_what_diverged_has_no_ratio_and_other_rows_stay():
    rows = [*curve("qmfnn", 50, 100), *curve("concat", 100, 300), row("concat", 2, math.nan, 900)]
    assert ("concat", 2) not in ratios(*rows)
    frame = typed(pd.DataFrame([*rows, row("concat", 2, 1, 900, metric="diverged")]))
    pd.testing.assert_frame_equal(with_parameter_ratios(frame, "qmfnn").head(len(frame)), frame)
