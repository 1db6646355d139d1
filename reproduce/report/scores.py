"""The figure of scores: a panel per data set and number of modalities, a line per fusion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reproduce.claims.cells import Series
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS
from reproduce.report.reading import by_series, by_size, metrics_of, no_score, seeds_of
from reproduce.report.style import LEVELS, NOTE, STYLES, finish, group_handles, group_of, legend, new_figure, panels


def score_figure(
    frame: pd.DataFrame,
    title: str,
    profile: str,
    units: Mapping[str, str],
    chance: Mapping[str, float],
    metric: str | None = None,
) -> Figure:
    """One panel per data set and number of modalities: mean and 95 % interval of a metric for each fusion.

    The metric is the first of the data set unless it is named; further arguments as for
    :func:`reproduce.report.page.write_table`.
    """
    sizes = by_size(frame)
    names = [series for series in by_series(frame) if series.fusion not in LEVELS]
    columns = min(2, len(sizes))
    lines = math.ceil(len(sizes) / columns)
    shown = "mean and 95 % interval" if frame["ci95_low"].notna().any() else "no intervals"
    said = f"{shown}, {seeds_of(frame)}; profile {profile}"
    figure = new_figure(lines * (1.0 + 0.19 * len(names)) + 1.0, title, said, width=3.7 * columns)
    axes = figure.subplots(lines, columns, sharey=True, squeeze=False).flatten().tolist()
    guesses = []
    for axis, (place, cells) in panels(axes, sizes):
        scored = metric or metrics_of(cells)[0]
        guesses.append(
            {"accuracy": chance.get(place.dataset), "roc_auc": 0.5}.get(scored)
        )  # of the best constant guess
        _panel(axis, cells, scored, names, guesses[-1])
        unit = units.get(place.dataset)
        label = METRICS[scored].label + (f" ({unit})" if unit else "")
        finish(axis, label, title=f"{place}, {cells['modalities'].iloc[0]} modalities", grid="x")
    if len({place for place, _ in sizes}) == 1:
        limits = [axis.get_xlim() for axis in axes[: len(sizes)]]
        for axis in axes[: len(sizes)]:
            axis.set_xlim(min(left for left, _ in limits), max(right for _, right in limits))
    handles = group_handles(series.fusion for series in names)
    lines_across = {"Best constant guess": ":"} if any(guess is not None for guess in guesses) else {}
    lines_across |= {FUSIONS[fusion]: dashes for fusion, dashes in LEVELS.items() if fusion in set(frame["fusion"])}
    handles += [Line2D([], [], color="black", linestyle=dashes, label=label) for label, dashes in lines_across.items()]
    legend(figure, handles, columns=2 * columns - 1)
    return figure


def _panel(axis: Axes, cells: pd.DataFrame, metric: str, names: list[Series], guess: float | None) -> None:
    scores = {series: by_metric.get(metric) for series, by_metric in by_series(cells).items()}
    levels = {dashes: scores.get(Series(fusion=fusion)) for fusion, dashes in LEVELS.items()}
    if guess is not None:
        axis.axvline(guess, color="black", linestyle=":", linewidth=1)
    for dashes, level in levels.items():
        if level is not None:
            axis.axvline(level["mean"], color="black", linestyle=dashes, linewidth=1)
    for position, series in enumerate(names):
        row = scores.get(series)
        if row is None:
            continue
        mean, low, high = row["mean"], row["ci95_low"], row["ci95_high"]
        if math.isnan(mean):
            why: dict[str, Any] = {
                "fontsize": NOTE,
                "style": "italic",
                "color": "0.3",
                "bbox": {"color": "white", "pad": 1.5},
            }
            axis.annotate(no_score(row), (0.02, position), xycoords=axis.get_yaxis_transform(), va="center", **why)
            continue
        style = STYLES[group_of(series.fusion)]
        bars = None if math.isnan(low) else [[mean - low], [high - mean]]
        axis.errorbar(mean, position, xerr=bars, color=style.color, marker=style.marker, markersize=4, capsize=2.5)
    axis.set_yticks(range(len(names)), [str(series) for series in names])
    axis.set_ylim(len(names) - 0.4, -0.6)
