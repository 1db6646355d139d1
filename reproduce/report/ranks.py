"""The figure of ranks: fusions over several data sets, and which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from scikit_posthocs import critical_difference_diagram

from reproduce.claims.cells import Series
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import NO_SETTINGS, TRAINING
from reproduce.report.reading import by_series, metrics_of
from reproduce.report.style import LABEL, LEVELS, NOTE, STYLES, TICK, group_handles, group_of, legend, new_figure
from tfq_fusion.training import Ranking, rank_fusions

FEWEST_DATASETS, FEWEST_FUSIONS = 3, 3


def table_ranks(frame: pd.DataFrame, title: str, profile: str) -> Figure | None:
    """The ranks of a table's fusions by the first metric of each data set, with the most modalities there are.

    What has no score somewhere, such as a fusion that cannot be built there, is left out; so are forecasts without a
    model, and rows with options: settings of one data set are no further data sets.

    Args:
        frame: The table.
        title: As of :func:`rank_figure`.
        profile: Likewise.

    Returns:
        The figure; None with fewer than three data sets, or three fusions with a score on all of them.
    """
    scores, metrics = [], []
    named: dict[str, Series] = {}
    trained = frame[(frame["experiment"] == TRAINING) & ~frame["fusion"].isin(LEVELS)]
    for _, rows in trained[trained["options"] == NO_SETTINGS].groupby("dataset", sort=False):
        metric = metrics_of(rows)[0]
        cells = by_series(rows[rows["modalities"] == rows["modalities"].max()])
        named |= {str(series): series for series in cells}
        scores.append({str(series): row[metric]["mean"] for series, row in cells.items() if metric in row})
        metrics.append(metric)
    ranked = pd.DataFrame(scores).dropna(axis=1)
    datasets, fusions = ranked.shape
    if datasets < FEWEST_DATASETS or fusions < FEWEST_FUSIONS:
        return None
    ranking = rank_fusions(ranked, [METRICS[metric].lower_is_better for metric in metrics])
    return rank_figure(ranking, [named[str(name)] for name in ranked], title, profile)


def rank_figure(ranking: Ranking, series: Sequence[Series], title: str, profile: str) -> Figure:
    """Mean ranks on one axis, best on the left; a bar joins fusions that Nemenyi's test does not tell apart.

    Args:
        ranking: Mean ranks of the series, named as they are written.
        series: All that were ranked.
        title: What was compared.
        profile: What made the scores, in words.
    """
    said = (
        f"mean ranks over {ranking.datasets} data sets, 1 is best; Friedman's test p = {ranking.p_friedman:.2g}; "
        f"profile {profile}"
    )
    figure = new_figure(1.6 + 0.2 * len(series), title, said)
    axis = figure.subplots()
    drawn = critical_difference_diagram(
        ranking.mean_ranks,
        ranking.p_values,
        ax=axis,
        label_fmt_left="{label}  {rank:.1f} ",
        label_fmt_right=" {rank:.1f}  {label}",
        label_props={"fontsize": LABEL},
        marker_props={"s": 16},
        elbow_props={"linewidth": 0.9},
        crossbar_props={"linewidth": 2.5, "color": "0.35"},
        color_palette={str(one): STYLES[group_of(one.fusion)].color for one in series},
    )
    for (bar,) in drawn["crossbars"]:
        # It goes to and fro between members of a set, whose order is another in every process.
        bar.set_xdata(sorted(bar.get_xdata()))
    axis.tick_params(labelsize=TICK)
    best, half = float(ranking.mean_ranks.iloc[0]), ranking.critical_difference / 2
    axis.errorbar(best + half, 1.6, xerr=half, color="black", capsize=3)
    axis.annotate(f"critical difference {2 * half:.2f}", (best, 1.8), fontsize=NOTE)
    handles = group_handles(one.fusion for one in series)
    for handle in handles:
        handle.set_marker("o")  # the diagram has no other
    legend(figure, handles, columns=3)
    return figure
