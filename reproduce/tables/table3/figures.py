"""The figures of Table 3: fits of polynomials, telling channels apart, and the growth of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reproduce.claims.rows import FUSIONS, decode
from reproduce.report.style import (
    NOTE,
    STYLES,
    Style,
    draw,
    finish,
    fusions_of,
    legend,
    new_figure,
    numbered,
    spread,
)
from reproduce.tables.table2.figures import size_axis

_CLASSICAL = ("concat", "tfn", "lmf", "gcn")
_LEAST_R2 = -0.3
_SIZES = {1: 4, 2: 6, 4: 8}
"""Markers grow with the blocks per unitary; those of more than one are hollow."""
_LEAST_ERROR = 1e-7


def expressivity_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure per experiment that has one, by "-" and its name."""
    drawers = {"polynomial": _polynomials, "discrimination": _discrimination, "parameters": _parameters}
    found = frame["experiment"]
    return {f"-{name}": drawer(frame[found == name]) for name, drawer in drawers.items() if (found == name).any()}


def _polynomials(rows: pd.DataFrame) -> Figure:
    options = rows["options"].map(decode)
    blocks = rows["arguments"].map(decode).map(lambda chosen: chosen.get("blocks", 1))
    rows = rows.assign(target=options.map(itemgetter("degree")), form=options.map(itemgetter("form")), blocks=blocks)
    forms, sizes = rows["form"].unique(), sorted(rows["modalities"].unique())
    figure = new_figure(1.3 + 2.5 * len(forms), "Polynomials of cosines of the inputs", spread(rows))
    axes = figure.subplots(len(forms), len(sizes), sharex=True, sharey=True, squeeze=False)
    degrees = sorted(rows["degree"].dropna().unique())
    last = max(degrees, default=0)
    places = {fusion: last + 1.5 + number for number, fusion in enumerate(_CLASSICAL)}
    styles = {target: numbered(number) for number, target in enumerate(sorted(rows["target"].unique()))}
    for row, form in enumerate(forms):
        for column, modalities in enumerate(sizes):
            axis = axes[row, column]
            panel = rows[(rows["form"] == form) & (rows["modalities"] == modalities)]
            for target, style in styles.items():
                _target(axis, panel[panel["target"] == target], style, places, 0.09 * (target - 3))
            axis.axvline(last + 0.75, color="0.7", linewidth=0.8)
            axis.set_ylim(_LEAST_R2, 1.06)
            axis.set_xticks([*degrees, *places.values()], [*map(str, degrees), *(FUSIONS[f] for f in places)])
            finish(
                axis,
                "P of QFL | classical fusions" if row == len(forms) - 1 else "",
                "" if column else "R² on held-out points",
                f"{form}, {modalities} modalities",
            )
            for tick in axis.get_xticklabels()[len(degrees) :]:
                tick.set(rotation=90)
    handles = [Line2D([], [], **style.line, label=f"degree {target}") for target, style in styles.items()]
    handles.append(Line2D([], [], color="0.4", linestyle=":", label="no weights can exceed"))
    handles.append(Line2D([], [], color="0.4", marker="o", fillstyle="none", linestyle="none", label="2, 4 blocks"))
    legend(figure, handles, columns=3)
    return figure


def _target(axis: Axes, rows: pd.DataFrame, style: Style, places: Mapping[str, float], shift: float) -> None:
    """The fits of one target; markers of different targets stand side by side."""
    bounds = rows[(rows["metric"] == "r2_bound") & (rows["fusion"] == "qfl") & (rows["blocks"] == 1)]
    bounds = bounds.sort_values("degree")
    axis.plot(bounds["degree"].astype(float) + shift, bounds["mean"], color=style.color, linestyle=":", linewidth=1.2)
    scores = rows[rows["metric"] == "r2"]
    qfl = scores[scores["fusion"] == "qfl"].sort_values("degree")
    for blocks, size in _SIZES.items():
        cells = qfl[qfl["blocks"] == blocks]
        look: dict[str, Any] = {} if blocks == 1 else {"fillstyle": "none", "linestyle": "none"}
        draw(axis, cells["degree"].astype(float) + shift, cells, style, **{"markersize": size, "linewidth": 1, **look})
    others = scores[scores["fusion"].isin(places)]
    at = others["fusion"].map(places).astype(float) + shift
    draw(axis, at, others, style, markersize=4, linewidth=1, linestyle="none")


_STRATEGIES = {
    "joint": (STYLES["qfl"], "QFL, joint queries, trained"),
    "coherent": (STYLES["lmf"], "LMF, separate coherent queries, trained"),
    "measured": (numbered(3), "LMF, each query measured, trained"),
}


def _discrimination(rows: pd.DataFrame) -> Figure:
    arguments = rows["arguments"].map(decode)
    queries = arguments.map(lambda chosen: chosen.get("queries")).astype(float)
    rows = rows.assign(
        queries=rows["degree"].astype(float).fillna(queries),
        uses=arguments.map(lambda chosen: chosen.get("uses", "joint")),
    )
    figure = new_figure(4.2, "Do two unknown channels do the same?", spread(rows), width=5.2)
    axis = figure.subplots()
    for uses, (style, label) in _STRATEGIES.items():
        cells = rows[rows["uses"] == uses].sort_values("queries")
        trained, bound = (cells[cells["metric"] == metric] for metric in ("error", "error_bound"))
        draw(axis, trained["queries"], trained, style, _LEAST_ERROR, linestyle="none", label=label)
        least = bound["mean"].clip(lower=_LEAST_ERROR)
        axis.plot(bound["queries"], least, color=style.color, linestyle=":", linewidth=1.2)
    explicit = rows[rows["metric"] == "error_explicit"].sort_values("queries")
    crosses: dict[str, Any] = {"color": "black", "marker": "x", "markersize": 12, "linestyle": "none"}
    axis.plot(explicit["queries"], explicit["mean"].clip(lower=_LEAST_ERROR), **crosses, label="QFL, explicit angles")
    axis.plot([], [], color="0.4", linestyle=":", label="proved: no strategy of this kind errs less")
    axis.set_yscale("log")
    axis.set_ylim(_LEAST_ERROR / 4, 1)
    axis.axhspan(_LEAST_ERROR / 4, 1.5 * _LEAST_ERROR, color="0.92", zorder=0)
    axis.set_xticks(sorted(rows["queries"].unique().astype(int)))
    axis.annotate("0 to 10⁻⁷", (0.02, 0.04), xycoords="axes fraction", fontsize=NOTE, color="0.3")
    finish(axis, "Queries, of both channels together", "Probability of error")
    legend(figure, [axis], columns=1)
    return figure


def _parameters(rows: pd.DataFrame) -> Figure:
    title = "Parameters over modalities, and fitted exponents"
    figure = new_figure(4.2, title, "no seeds: counts are exact", width=5.2)
    axis = figure.subplots()
    exponents = rows[rows["metric"] == "growth_exponent"].set_index("fusion")["mean"]
    counted = rows[(rows["metric"] == "parameters") & (rows["fusion_params"] > 0)]
    for fusion in fusions_of(counted):
        cells = counted[(counted["fusion"] == fusion) & (counted["seeds"] > 0)].sort_values("modalities")
        exponent = f"exponent {round(exponents[fusion], 2) + 0:.2f}" if fusion in exponents else "no power law"
        label = f"{FUSIONS[fusion]}, {exponent}"
        axis.plot(cells["modalities"], cells["fusion_params"].astype(float), label=label, **STYLES[fusion].line)
    axis.set_yscale("log")
    size_axis(axis, rows, "Fusion parameters (counted)")
    legend(figure, [axis], columns=2)
    return figure
