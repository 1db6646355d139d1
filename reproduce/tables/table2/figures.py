"""The figures of a table over numbers of modalities: scores of each data set, and growth without training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reproduce.claims.rows import FUSIONS
from reproduce.report.scores import score_figure
from reproduce.report.style import LABEL, STYLES, draw, finish, fusions_of, legend, new_figure, powers, spread, ticks
from reproduce.sweep.runs import TRAINING

_TITLES = {
    "ptb-xl": "Electrocardiograms, PTB-XL: 3 and 12 leads",
    "ludb": "Electrocardiograms, LUDB: 3 and 12 leads",
    "metr-la": "Traffic, METR-LA: 12, 48 and 207 sensors",
    "los-loop": "Traffic, Los-loop: 12, 48 and 207 sensors",
    "japanese-vowels": "Stand-in, Japanese Vowels: 3, 6 and 12 channels",
}
_MOST_PARAMETERS = 1e8
_LEAST_GRADIENT = -8.0


def size_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure per data set of the frame, by "-" and its name."""
    drawn = {}
    places = frame["dataset"].where(frame["experiment"] == TRAINING, frame["experiment"])
    for name in places.unique():
        rows = frame[places == name]
        if name == "synthetic":
            drawn[f"-{name}"] = _growth_and_gradients(rows)
        else:
            metric = "mae" if "mae" in set(rows["metric"]) else "roc_auc"
            drawn[f"-{name}"] = score_figure(rows, _TITLES.get(name, name), profile, units, {}, metric)
    return drawn


def _growth_and_gradients(rows: pd.DataFrame) -> Figure:
    said = f"{spread(rows)} (gradient norm)"
    figure = new_figure(3.9, "Fusions with their initial weights, features of noise", said)
    growth, gradients = figure.subplots(1, 2)
    for fusion in fusions_of(rows):
        norms = rows[(rows["fusion"] == fusion) & (rows["metric"] == "gradient_norm_log10")]
        norms = norms[norms["seeds"] > 0].sort_values("modalities")
        weights = norms[(norms["fusion_params"] > 0) & (norms["fusion_params"] <= _MOST_PARAMETERS)]
        growth.plot(weights["modalities"], weights["fusion_params"].astype(float), **STYLES[fusion].line)
        draw(gradients, norms["modalities"], norms, STYLES[fusion], label=FUSIONS[fusion])
    growth.set_yscale("log")
    size_axis(growth, rows, "Fusion parameters")
    size_axis(gradients, rows, "Gradient norm (no unit)")
    gradients.set_ylim(_LEAST_GRADIENT, 2)
    powers(gradients, 10)
    _say_what_left(gradients, rows)
    legend(figure, [gradients], columns=4)
    return figure


def size_axis(axis: Axes, rows: pd.DataFrame, label: str) -> None:
    """Let the horizontal axis show the rows' numbers of modalities, by powers of two."""
    ticks(axis, "x", set(rows["modalities"]), base=2)
    finish(axis, "Modalities of 4 features", label)


def _say_what_left(axis: Axes, rows: pd.DataFrame) -> None:
    """Name what lies below the axis with most modalities."""
    below = rows[(rows["metric"] == "gradient_norm_log10") & (rows["mean"] < _LEAST_GRADIENT)]
    for fusion, left in below.groupby("fusion"):
        last = left.sort_values("modalities").iloc[-1]
        text = f"{FUSIONS[str(fusion)]}: $10^{{{last['mean']:.0f}}}$ at {last['modalities']}"
        place: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right"}
        axis.annotate(text, (0.97, 0.03), **place, fontsize=LABEL, color=STYLES[str(fusion)].color)
