"""The figures of a table over numbers of modalities: scores of each data set, and growth without training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reproduce.claims.rows import FUSIONS
from reproduce.report.page import score_figure
from reproduce.sweep.runs import SYNTHETIC

_TITLES = {
    "ptb-xl": "Electrocardiograms, PTB-XL: 3 and 12 leads",
    "ludb": "Electrocardiograms, LUDB: 3 and 12 leads",
    "metr-la": "Traffic, METR-LA: 12, 48 and 207 sensors",
    "los-loop": "Traffic, Los-loop: 12, 48 and 207 sensors",
    "japanese-vowels": "Stand-in, Japanese Vowels: 3, 6 and 12 channels",
}
STYLES = {
    "qfl": ("#0072B2", "o"),
    "control": ("#009E73", "D"),
    "qmfnn": ("#0072B2", "o"),
    "mean": ("#E69F00", "P"),
    "product": ("#CC79A7", "^"),
    "dempster": ("#009E73", "D"),
    "concat": ("#000000", "x"),
    "tfn": ("#999999", "v"),
    "lmf": ("#D55E00", "s"),
    "lmf-unit": ("#E69F00", "P"),
    "mfb": ("#CC79A7", "^"),
    "gcn": ("#56B4E9", "*"),
    "cnn": ("#56B4E9", "*"),
}
"""Fusion -> its colour and marker, for those with weights; two that share them are never in one figure.

Colours of Okabe and Ito, which stay apart for colour-blind readers; the markers say the same without colour.
"""
HOLLOW = ("control", "lmf")  # so that the marker of another fusion at the same place shows inside
_MOST_PARAMETERS = 1e8
_LEAST_GRADIENT = -8.0


def size_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure per data set of the frame, by "-" and its name."""
    drawn = {}
    for name in frame["dataset"].unique():
        rows = frame[frame["dataset"] == name]
        if name == SYNTHETIC:
            drawn[f"-{name}"] = _growth_and_gradients(rows)
        else:
            metric = "mae" if "mae" in set(rows["metric"]) else "roc_auc"
            drawn[f"-{name}"] = score_figure(rows, _TITLES.get(name, name), profile, units, {}, metric)
    return drawn


def _growth_and_gradients(rows: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    FigureCanvasAgg(figure)
    growth, gradients = figure.subplots(1, 2)
    for fusion in [fusion for fusion in FUSIONS if fusion in set(rows["fusion"])]:
        of_fusion = rows[(rows["fusion"] == fusion) & (rows["metric"] == "gradient_norm_log10")]
        of_fusion = of_fusion[of_fusion["seeds"] > 0].sort_values("modalities")
        color, marker = STYLES[fusion]
        line: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "markersize": 4.5,
            "linewidth": 1.2,
            "label": FUSIONS[fusion],
        }
        if fusion in HOLLOW:
            line |= {"markersize": 8.5, "markerfacecolor": "none"}
        weights = of_fusion[(of_fusion["fusion_params"] > 0) & (of_fusion["fusion_params"] <= _MOST_PARAMETERS)]
        growth.plot(weights["modalities"], weights["fusion_params"].astype(float), **line)
        interval = [of_fusion["mean"] - of_fusion["ci95_low"], of_fusion["ci95_high"] - of_fusion["mean"]]
        gradients.errorbar(of_fusion["modalities"], of_fusion["mean"], yerr=interval, capsize=2, **line)
    sizes = sorted(set(rows["modalities"]))
    growth.set_yscale("log")
    size_axis(growth, sizes, "Fusion parameters")
    size_axis(gradients, sizes, "Gradient norm (no unit)")
    gradients.set_ylim(_LEAST_GRADIENT, 2)
    gradients.yaxis.set_major_formatter(FuncFormatter(lambda exponent, _: f"$10^{{{exponent:g}}}$"))
    _say_what_left(gradients, rows)
    seeds = int(rows["seeds"].max())
    spread_text = f"mean and 95 % interval over {seeds} seeds" if seeds > 1 else "1 seed, no interval"
    figure.suptitle(
        f"Fusions with their initial weights, features of noise\n{spread_text} (gradient norm)", fontsize=10
    )
    figure.legend(
        *gradients.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9, frameon=False
    )
    return figure


def size_axis(axis: Axes, sizes: list[int], label: str) -> None:
    """Let the horizontal axis show numbers of modalities, by powers of two."""
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_locator(FixedLocator(sizes))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    axis.set_xlabel("Modalities of 4 features", fontsize=9)
    axis.set_ylabel(label, fontsize=9)
    axis.tick_params(labelsize=9)
    axis.grid(color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _say_what_left(axis: Axes, rows: pd.DataFrame) -> None:
    """Name what lies below the axis with most modalities."""
    below = rows[(rows["metric"] == "gradient_norm_log10") & (rows["mean"] < _LEAST_GRADIENT)]
    for fusion, left in below.groupby("fusion"):
        last = left.sort_values("modalities").iloc[-1]
        text = f"{FUSIONS[str(fusion)]}: $10^{{{last['mean']:.0f}}}$ at {last['modalities']}"
        axis.annotate(
            text, (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize=9, color=STYLES[str(fusion)][0]
        )
