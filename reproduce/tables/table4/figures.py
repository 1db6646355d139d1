"""The figures of a table over numbers of parameters: accuracy over them, and their growth with the modalities."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from reproduce.claims.rows import FUSIONS
from reproduce.report.style import STYLES, finish, fusions_of, legend, new_figure, panels, spread, ticks


def parameter_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """Accuracy over parameters, a panel per data set, and fusion parameters over modalities, by "-" and a name."""
    drawn = {}
    accuracies = frame[(frame["metric"] == "accuracy") & frame["mean"].notna()]
    sets = [
        (f"{name}, {modalities} modalities", cells)
        for (name, modalities), cells in accuracies.groupby(["dataset", "modalities"], sort=False)
        if len(cells) > cells["fusion"].nunique()  # some fusion has several sizes
    ]
    if sets:
        drawn["-accuracy"] = _accuracies(sets, profile)
    growth = frame[frame["experiment"] == "growth"]
    if len(growth):
        drawn["-growth"] = _growth(growth)
    return drawn


def _accuracies(sets: list[tuple[str, pd.DataFrame]], profile: str) -> Figure:
    columns = min(2, len(sets))
    lines = math.ceil(len(sets) / columns)
    width = max(5.0, 3.7 * columns)
    shown = spread(pd.concat([cells for _, cells in sets]), "mean ± standard deviation")
    said = f"{shown}; profile {profile}"
    figure = new_figure(2.7 * lines + 1.3, "Accuracy over parameters, sizes of one network joined", said, width)
    axes = figure.subplots(lines, columns, squeeze=False).flatten().tolist()
    for axis, (title, cells) in panels(axes, sets):
        for fusion in fusions_of(cells):
            sizes = cells[cells["fusion"] == fusion].sort_values("total_params")
            parameters, deviation = sizes["total_params"].astype(float), sizes["std"].fillna(0)
            look = {**STYLES[fusion].line, "label": FUSIONS[fusion], "capsize": 2}
            axis.errorbar(parameters, sizes["mean"], yerr=deviation, zorder=3 if STYLES[fusion].strong else 2, **look)
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        finish(axis, "Parameters of the whole model", "Test accuracy", title)
    legend(figure, axes[: len(sets)], columns=3)
    return figure


def _growth(rows: pd.DataFrame) -> Figure:
    figure = new_figure(3.6, "Fusion parameters over modalities", "counted, nothing is trained", width=4.4)
    axis = figure.subplots()
    for fusion in fusions_of(rows):
        cells = rows[rows["fusion"] == fusion].sort_values("modalities")
        parameters = cells["fusion_params"].astype(float)
        axis.plot(cells["modalities"], parameters, label=FUSIONS[fusion], **STYLES[fusion].line)
    axis.set_yscale("log")
    ticks(axis, "x", set(rows["modalities"]), "linear")
    finish(axis, "Modalities of 4 features, 10 classes", "Fusion parameters")
    legend(figure, [axis], columns=3)
    return figure
