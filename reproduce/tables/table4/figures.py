"""The figures of a table over numbers of parameters: accuracy over them, and their growth with the modalities."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from reproduce.claims.rows import FUSIONS, base
from reproduce.sweep.runs import GROWTH
from reproduce.tables.table2.figures import STYLES


def parameter_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """Accuracy over parameters, a panel per data set, and fusion parameters over modalities, by "-" and a name."""
    drawn = {}
    accuracies = frame[(frame["metric"] == "accuracy") & frame["mean"].notna()]
    panels = [
        (f"{name}, {modalities} modalities", cells)
        for (name, modalities), cells in accuracies.groupby(["dataset", "modalities"], sort=False)
        if len(cells) > cells["fusion"].map(base).nunique()  # some fusion has several sizes
    ]
    if panels:
        drawn["-accuracy"] = _accuracies(panels, profile)
    growth = frame[frame["dataset"] == GROWTH]
    if len(growth):
        drawn["-growth"] = _growth(growth)
    return drawn


def _accuracies(panels: list[tuple[str, pd.DataFrame]], profile: str) -> Figure:
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    width = max(5.0, 3.7 * columns)
    figure = _figure(width, 2.7 * rows + 1.3)
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (title, cells) in zip(axes, panels, strict=False):
        for fusion in _fusions(cells):
            sizes = cells[cells["fusion"].map(base) == fusion].sort_values("total_params")
            axis.errorbar(
                sizes["total_params"].astype(float),
                sizes["mean"],
                yerr=sizes["std"].fillna(0),
                capsize=2,
                **_line(fusion),
            )
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        _finish(axis, title, "Parameters of the whole model", "Test accuracy")
    for axis in axes[len(panels) :]:
        axis.remove()
    seeds = int(max(cells["seeds"].max() for _, cells in panels))
    spread = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "1 seed"
    caption = textwrap.fill(f"{spread}; profile {profile}", int(13 * width))
    figure.suptitle(f"Accuracy over parameters, sizes of one network joined\n{caption}", fontsize=10)
    _legend(figure, _fusions(pd.concat([cells for _, cells in panels])))
    return figure


def _growth(rows: pd.DataFrame) -> Figure:
    figure = _figure(4.4, 3.6)
    axis = figure.subplots()
    for fusion in _fusions(rows):
        of_fusion = rows[rows["fusion"] == fusion].sort_values("modalities")
        axis.plot(of_fusion["modalities"], of_fusion["fusion_params"].astype(float), **_line(fusion))
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(FixedLocator(sorted(set(rows["modalities"]))))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    _finish(axis, "Counted, nothing is trained", "Modalities of 4 features, 10 classes", "Fusion parameters")
    _legend(figure, _fusions(rows))
    return figure


def _fusions(rows: pd.DataFrame) -> list[str]:
    """Those of the rows, in the order of display."""
    there = set(rows["fusion"].map(base))
    return [fusion for fusion in FUSIONS if fusion in there]


def _line(fusion: str) -> dict[str, Any]:
    color, marker = STYLES[fusion]
    strong = fusion == "qmfnn"
    return {
        "color": color,
        "marker": marker,
        "markersize": 6 if strong else 4.5,
        "linewidth": 2 if strong else 1,
        "zorder": 3 if strong else 2,
        "label": FUSIONS[fusion],
    }


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _finish(axis: Axes, title: str, x: str, y: str) -> None:
    axis.set_title(title, fontsize=9)
    axis.set_xlabel(x, fontsize=9)
    axis.set_ylabel(y, fontsize=9)
    axis.tick_params(labelsize=9)
    axis.grid(color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, fusions: list[str]) -> None:
    handles = [Line2D([], [], **_line(fusion)) for fusion in fusions]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
