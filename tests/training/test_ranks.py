"""Ranks over data sets against SciPy and published tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion.training import rank_fusions


def table(values):
    """Scores of fusions a, b, c and so on."""
    values = np.asarray(values, float)
    return pd.DataFrame(values, columns=list("abcdefghij")[: values.shape[1]])


def test_mean_ranks_with_ties_and_both_directions_by_hand():
    scores = table([[0.9, 0.8, 0.7], [0.5, 0.5, 0.4], [3.0, 1.0, 2.0]])
    found = rank_fusions(scores, [False, False, True])
    assert found.mean_ranks.to_dict() == {
        "b": pytest.approx(1.5),
        "a": pytest.approx(5.5 / 3),
        "c": pytest.approx(8 / 3),
    }
    assert list(found.mean_ranks.index) == ["b", "a", "c"]
    assert found.datasets == 3


@given(st.integers(0, 2**32 - 1), st.integers(3, 8), st.integers(2, 9))
def test_friedman_s_p_is_scipy_s_and_pairs_differ_beyond_the_critical_difference(seed, fusions, datasets):
    rng = np.random.default_rng(seed)
    scores = table(rng.integers(5, size=(datasets, fusions)) + np.eye(datasets, fusions) / 2 + np.arange(fusions))
    found = rank_fusions(scores, [False] * datasets)
    assert found.p_friedman == pytest.approx(stats.friedmanchisquare(*scores.to_numpy().T).pvalue)
    for one in scores:
        for other in scores:
            apart = abs(found.mean_ranks[one] - found.mean_ranks[other])
            assert (found.p_values.loc[one, other] < 0.05) == (apart > found.critical_difference)


@pytest.mark.parametrize(("fusions", "quantile"), [(3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_has_the_quantiles_of_demsar_s_table_5(fusions, quantile):
    scores = table(np.random.default_rng(0).normal(size=(14, fusions)))
    expected = quantile * np.sqrt(fusions * (fusions + 1) / (6 * 14))
    assert rank_fusions(scores, [False] * 14).critical_difference == pytest.approx(expected, rel=1e-3)


def test_fusions_that_are_equal_everywhere_share_a_rank_and_do_not_differ():
    found = rank_fusions(table(np.ones((4, 3))), [False] * 4)
    assert set(found.mean_ranks) == {2.0}
    assert found.p_friedman == 1
    assert (found.p_values.to_numpy() == 1).all()


@pytest.mark.parametrize(
    ("scores", "directions", "message"),
    [
        (np.ones((3, 2)), [False] * 3, "at least three fusions and two data sets, got 2 and 3"),
        (np.ones((1, 3)), [False], "at least three fusions and two data sets, got 3 and 1"),
        (np.ones((2, 3)), [False], "lower_is_better should have 2 entries, one per row, got 1"),
        ([[1, np.nan, 1], [1, 1, np.inf]], [False] * 2, "got none somewhere of b, c. Leave out these fusions"),
    ],
)
def test_what_cannot_be_ranked_is_named(scores, directions, message):
    with pytest.raises(ValueError, match=message):
        rank_fusions(table(scores), directions)
