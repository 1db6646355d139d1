"""The figures of Table 3: fits of polynomials, telling channels apart, and the growth of parameters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reproduce.claims.rows import FUSIONS, base
from reproduce.tables.table2.figures import HOLLOW, STYLES, size_axis

_DEGREES = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "D"), ("#CC79A7", "^"), ("#E69F00", "P"))
"""Colours of Okabe and Ito with markers, for the degrees of targets from low to high."""
_CLASSICAL = ("concat", "tfn", "lmf")
_LEAST_R2 = -0.3
_LEAST_ERROR = 1e-7


def expressivity_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure per experiment that has one, by "-" and its name."""
    drawers = {"polynomial": _polynomials, "discrimination": _discrimination, "parameters": _parameters}
    found = frame["dataset"].map(base)
    return {f"-{name}": draw(frame[found == name]) for name, draw in drawers.items() if (found == name).any()}


def _polynomials(rows: pd.DataFrame) -> Figure:
    options = rows["dataset"].str.extract(r"\[degree=(?P<target>\d+);form=(?P<form>\w+)\]")
    rows = rows.assign(target=options["target"].astype(int), form=options["form"])
    forms, sizes = rows["form"].unique(), sorted(rows["modalities"].unique())
    figure = _figure(7.4, 1.3 + 2.5 * len(forms))
    axes = figure.subplots(len(forms), len(sizes), sharex=True, sharey=True, squeeze=False)
    degrees = sorted(rows["degree"].dropna().unique())
    last = max(degrees, default=0)
    places = {fusion: last + 1.5 + number for number, fusion in enumerate(_CLASSICAL)}
    targets = sorted(rows["target"].unique())
    styles: dict[int, tuple[str, str]] = dict(zip(targets, itertools.cycle(_DEGREES), strict=False))
    for line, form in zip(axes, forms, strict=True):
        for axis, modalities in zip(line, sizes, strict=True):
            panel = rows[(rows["form"] == form) & (rows["modalities"] == modalities)]
            for target in targets:
                _target(axis, panel[panel["target"] == target], *styles[target], places, 0.09 * (target - 3))
            axis.axvline(last + 0.75, color="0.7", linewidth=0.8)
            axis.set_title(f"{form}, {modalities} modalities", fontsize=9)
            axis.set_ylim(_LEAST_R2, 1.06)
            axis.set_xticks([*degrees, *places.values()], [*map(str, degrees), *(FUSIONS[f] for f in places)])
            axis.tick_params(axis="x", labelrotation=0, labelsize=8)
            for tick in axis.get_xticklabels()[len(degrees) :]:
                tick.set(rotation=90)
            axis.tick_params(axis="y", labelsize=9)
            _bare(axis)
    for axis in axes[:, 0]:
        axis.set_ylabel("R² on held-out points", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("P of QFL | classical fusions", fontsize=9)
    figure.suptitle(f"Polynomials of cosines of the inputs\n{_spread(rows)}", fontsize=10)
    legend = [Line2D([], [], color=c, marker=m, label=f"degree {t}") for t, (c, m) in styles.items()]
    legend.append(Line2D([], [], color="0.4", linestyle=":", label="no weights can exceed"))
    figure.legend(handles=legend, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return figure


def _target(axis: Axes, rows: pd.DataFrame, color: str, marker: str, places: Mapping[str, float], shift: float) -> None:
    """The fits of one target; markers of different targets stand side by side."""
    bounds = rows[(rows["metric"] == "r2_bound") & (rows["fusion"] == "qfl")].sort_values("degree")
    axis.plot(bounds["degree"].astype(float) + shift, bounds["mean"], color=color, linestyle=":", linewidth=1.2)
    scores = rows[rows["metric"] == "r2"]
    qfl = scores[scores["fusion"] == "qfl"].sort_values("degree")
    style: dict[str, Any] = {"color": color, "marker": marker, "markersize": 4, "capsize": 2, "linewidth": 1}
    axis.errorbar(qfl["degree"].astype(float) + shift, qfl["mean"], yerr=_interval(qfl), **style)
    others = scores[scores["fusion"].isin(places)]
    axis.errorbar(
        others["fusion"].map(places).astype(float) + shift,
        others["mean"],
        yerr=_interval(others),
        **style | {"linestyle": "none"},
    )


def _discrimination(rows: pd.DataFrame) -> Figure:
    queries = rows["fusion"].str.extract(r"queries=(\d+)")[0].astype(float)
    rows = rows.assign(queries=rows["degree"].astype(float).fillna(queries))
    rows = rows.assign(series=rows["fusion"].map(lambda fusion: re.sub(r";queries=\d+", "", fusion)))
    figure = _figure(5.2, 4.2)
    axis = figure.subplots()
    lines: dict[str, dict[str, Any]] = {
        "qfl": {"color": "#0072B2", "marker": "o", "label": "QFL, joint queries, trained"},
        # Hollow, so that the marker of QFL at the same place shows inside.
        "lmf[uses=coherent]": {
            "color": "#D55E00",
            "marker": "s",
            "markersize": 9,
            "markerfacecolor": "none",
            "label": "LMF, separate coherent queries, trained",
        },
        "lmf[uses=measured]": {"color": "#CC79A7", "marker": "^", "label": "LMF, each query measured, trained"},
    }
    common: dict[str, Any] = {"markersize": 5, "linestyle": "none", "capsize": 2}
    for series, style in lines.items():
        cells = rows[rows["series"] == series].sort_values("queries")
        trained = cells[cells["metric"] == "error"]
        axis.errorbar(
            trained["queries"],
            trained["mean"].clip(lower=_LEAST_ERROR),
            yerr=_interval(trained, floor=_LEAST_ERROR),
            **common | style,
        )
        bound = cells[cells["metric"] == "error_bound"]
        least = bound["mean"].clip(lower=_LEAST_ERROR)
        axis.plot(bound["queries"], least, color=style["color"], linestyle=":", linewidth=1.2)
    explicit = rows[rows["metric"] == "error_explicit"].sort_values("queries")
    axis.plot(
        explicit["queries"],
        explicit["mean"].clip(lower=_LEAST_ERROR),
        color="black",
        marker="x",
        markersize=12,
        linestyle="none",
        label="QFL, explicit angles",
    )
    axis.plot([], [], color="0.4", linestyle=":", label="proved: no strategy of this kind errs less")
    axis.set_yscale("log")
    axis.set_ylim(_LEAST_ERROR / 4, 1)
    axis.axhspan(_LEAST_ERROR / 4, 1.5 * _LEAST_ERROR, color="0.92", zorder=0)
    axis.set_xticks(sorted(rows["queries"].unique().astype(int)))
    axis.set_xlabel("Queries, of both channels together", fontsize=9)
    axis.set_ylabel("Probability of error", fontsize=9)
    axis.annotate("0 to 10⁻⁷", (0.02, 0.04), xycoords="axes fraction", fontsize=8, color="0.3")
    axis.tick_params(labelsize=9)
    _bare(axis)
    figure.suptitle(f"Do two unknown channels do the same?\n{_spread(rows)}", fontsize=10)
    figure.legend(loc="outside lower center", ncols=1, fontsize=9, frameon=False)
    return figure


def _parameters(rows: pd.DataFrame) -> Figure:
    figure = _figure(5.2, 4.2)
    axis = figure.subplots()
    exponents = rows[rows["metric"] == "growth_exponent"].set_index("fusion")["mean"]
    for fusion in [fusion for fusion in FUSIONS if fusion in set(rows["fusion"])]:
        cells = rows[(rows["fusion"] == fusion) & (rows["metric"] == "parameters") & (rows["fusion_params"] > 0)]
        if cells.empty:
            continue
        color, marker = STYLES[fusion]
        exponent = f"exponent {round(exponents[fusion], 2) + 0:.2f}" if fusion in exponents else "no power law"
        line: dict[str, Any] = {"color": color, "marker": marker, "markersize": 4.5, "linewidth": 1.2}
        if fusion in HOLLOW:
            line |= {"markersize": 8.5, "markerfacecolor": "none"}
        cells = cells[cells["seeds"] > 0].sort_values("modalities")
        axis.plot(
            cells["modalities"],
            cells["fusion_params"].astype(float),
            label=f"{FUSIONS[fusion]}, {exponent}",
            **line,
        )
    axis.set_yscale("log")
    size_axis(axis, sorted(rows["modalities"].unique()), "Fusion parameters (counted)")
    figure.suptitle("Parameters over modalities, and fitted exponents\nno seeds: counts are exact", fontsize=10)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _interval(rows: pd.DataFrame, floor: float = float("-inf")) -> list[pd.Series]:
    mean = rows["mean"].clip(lower=floor)
    return [mean - rows["ci95_low"].clip(lower=floor), rows["ci95_high"].clip(lower=floor) - mean]


def _spread(rows: pd.DataFrame) -> str:
    seeds = int(rows["seeds"].max())
    return f"mean and 95 % interval over {seeds} seeds" if seeds > 1 else "1 seed, no interval"


def _bare(axis: Axes) -> None:
    axis.grid(color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
