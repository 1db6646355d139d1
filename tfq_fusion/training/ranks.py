"""Fusions over several data sets: mean ranks, and which of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scikit_posthocs import posthoc_nemenyi_friedman
from scipy.stats import friedmanchisquare, studentized_range


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of fusions over data sets; 1 is the best.

    Example:
        >>> import pandas as pd
        >>> from tfq_fusion.training import rank_fusions
        >>> scores = pd.DataFrame({"qfl": [0.7, 0.9], "concat": [0.8, 0.95], "gcn": [0.6, 0.8]}, ["emoji", "mfeat"])
        >>> rank_fusions(scores, lower_is_better=[False, False]).mean_ranks.to_dict()
        {'concat': 1.0, 'qfl': 2.0, 'gcn': 3.0}

    Attributes:
        datasets: How many data sets there were.
        mean_ranks: Fusion -> mean rank, best first.
        p_friedman: Of Friedman's test that no fusion's ranks differ from any other's.
        p_values: Of Nemenyi's test, fusion by fusion.
        critical_difference: Mean ranks that differ by more differ at 5 % over all pairs.
    """

    datasets: int
    mean_ranks: pd.Series
    p_friedman: float
    p_values: pd.DataFrame
    critical_difference: float


def rank_fusions(scores: pd.DataFrame, lower_is_better: Sequence[bool]) -> Ranking:
    """Ranks fusions on each data set and tests whether their mean ranks differ.

    Friedman's test, in its chi-square approximation, asks whether any do; Nemenyi's which, with one critical difference
    for all pairs (Demšar 2006, Journal of Machine Learning Research 7, 1-30). Benavoli et al. (2016, Journal of Machine
    Learning Research 17(5), 1-10) advise against mean ranks, since whether two fusions differ then depends on which
    others are ranked with them, and recommend Wilcoxon's signed-rank test over the data sets instead. That test ranks
    the differences of all data sets together, which accuracies and errors in vehicles do not allow, and after Holm's
    correction it cannot find any of the 45 pairs of ten fusions with fewer than eleven data sets. So what this finds
    holds for the fusions that were ranked and no others; two fusions alone are compared by
    :func:`tfq_fusion.training.compare`, which knows nothing of others.

    Args:
        scores: A row per data set and a column per fusion. Equal scores share the mean of their ranks.
        lower_is_better: Whether low scores are the good ones, for each row.

    Raises:
        ValueError: If there are fewer than three fusions or two data sets, or a score is missing or infinite.
    """
    datasets, fusions = scores.shape
    if fusions < 3 or datasets < 2:
        raise ValueError(
            f"Ranks need at least three fusions and two data sets, got {fusions} and {datasets}. Use compare for two "
            "fusions, or one data set."
        )
    if len(lower_is_better) != datasets:
        raise ValueError(f"lower_is_better should have {datasets} entries, one per row, got {len(lower_is_better)}.")
    if not np.isfinite(scores.to_numpy(np.float64)).all():
        missing = [str(name) for name in scores.columns if not np.isfinite(scores[name].to_numpy(np.float64)).all()]
        raise ValueError(
            f"Every fusion should have a finite score on every data set, got none somewhere of {', '.join(missing)}. "
            "Leave out these fusions, or the data sets that they lack."
        )
    costs = scores.mul(np.where(lower_is_better, 1.0, -1.0), axis=0)
    ranks = costs.rank(axis=1)
    all_tied = bool((ranks.nunique(axis=1) == 1).all())  # SciPy divides by zero here
    quantile = float(studentized_range.ppf(0.95, fusions, np.inf)) / math.sqrt(2)
    return Ranking(
        datasets=datasets,
        mean_ranks=ranks.mean().sort_values(kind="stable"),
        p_friedman=1.0 if all_tied else float(friedmanchisquare(*costs.to_numpy().T).pvalue),
        p_values=posthoc_nemenyi_friedman(costs),
        critical_difference=quantile * math.sqrt(fusions * (fusions + 1) / (6 * datasets)),
    )
