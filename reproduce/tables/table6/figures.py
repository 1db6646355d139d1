"""The maps of Table 6: on which data set and in which setting QFL beats the best baseline, and where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS, NO_SETTINGS, decode
from reproduce.report.reading import metrics_of
from reproduce.report.style import LABEL, NOTE, TICK, legend, new_figure, spread

_CELL = ["dataset", "options", "modalities"]
_SERIES = ["fusion", "degree", "arguments"]
_BASELINE = {"fusion": "baseline", "degree": "baseline_degree", "arguments": "baseline_arguments"}
_COLORS = mpl.colormaps["RdBu"]
_SCALE = Normalize(-10, 10, clip=True)
"""Percent, as accuracy and errors have one margin of equivalence: full colours at ten times that."""
_NOWHERE = "0.9"
_HATCH = "////"


def comparison_maps(frame: pd.DataFrame, comparisons: pd.DataFrame, profile: str) -> Mapping[str, Figure]:
    """QFL beside the best baseline of at most its fusion parameters, and beside the best of all, by "-" and a name.

    Args:
        frame: The table.
        comparisons: Those of the same runs, with the columns of a table's file of comparisons; the first metric of each
            data set is drawn.
        profile: What made the table, in words.

    Returns:
        The figures; none of no comparisons.
    """
    if comparisons.empty:
        return {}
    sizes = frame.drop_duplicates([*_CELL, *_SERIES])[[*_CELL, *_SERIES, "fusion_params"]]
    rows = comparisons[comparisons["metric"] == comparisons["dataset"].map(_first_metrics(comparisons))]
    rows = rows.merge(sizes, on=[*_CELL, *_SERIES], validate="many_to_one")
    of_baselines = sizes.rename(columns={**_BASELINE, "fusion_params": "baseline_params"})
    rows = rows.merge(of_baselines, on=[*_CELL, *_BASELINE.values()], validate="many_to_one")
    rows = rows.assign(setting=pd.Series(_settings(rows), rows.index))
    small = rows[rows["baseline_params"] <= rows["fusion_params"]]
    return {
        "-same-size": _map(rows, small, "QFL and the best baseline with at most its weights", profile),
        "-any-size": _map(rows, rows, "QFL and the best baseline of any size", profile),
    }


def _first_metrics(rows: pd.DataFrame) -> dict[str, str]:
    return {str(name): metrics_of(of_set)[0] for name, of_set in rows.groupby("dataset")}


def _settings(rows: pd.DataFrame) -> list[tuple[int, int, str]]:
    """What the setting of each row is called, behind what it is sorted by."""
    varied = rows[rows["options"] != NO_SETTINGS]
    base = {**rows.groupby("dataset")["modalities"].max(), **varied.groupby("dataset")["modalities"].max()}
    found = []
    for row in rows.to_dict("records"):
        options, modalities = decode(row["options"]), int(row["modalities"])
        if "samples" in options:
            found.append((0, options["samples"], f"{options['samples']} samples"))
        elif options:
            found.append((2, 0, f"one modality {'missing' if 'missing' in options else 'noise'}"))
        elif modalities == base[row["dataset"]]:
            found.append((1, 0, "all samples"))
        else:
            found.append((3, modalities, f"{modalities} modalities"))
    return found


def _map(rows: pd.DataFrame, among: pd.DataFrame, title: str, profile: str) -> Figure:
    """A map of all places of these rows, of the best baseline among some of them."""
    settings, datasets = sorted(set(rows["setting"])), list(dict.fromkeys(rows["dataset"]))
    said = f"{spread(rows, 'mean difference')}; profile {profile}"
    width, height = 2.0 + 1.2 * len(datasets), 1.9 + 0.38 * len(settings)
    figure = new_figure(height, title, said, max(6.0, width))
    axis = figure.subplots()
    best = {(row["setting"], row["dataset"]): row for row in _best(among).to_dict("records")}
    there = set(zip(rows["setting"], rows["dataset"], strict=True))
    for line, setting in enumerate(settings):
        for column, dataset in enumerate(datasets):
            if (setting, dataset) in best:
                _cell(axis, column, line, best[setting, dataset])
            elif (setting, dataset) in there:
                axis.text(column, line, "none so small", ha="center", va="center", fontsize=NOTE, style="italic")
    axis.set_facecolor(_NOWHERE)
    axis.set_xlim(-0.5, len(datasets) - 0.5)
    axis.set_ylim(len(settings) - 0.5, -0.5)
    metrics = _first_metrics(rows)
    axis.set_xticks(range(len(datasets)), [f"{name}\n{METRICS[metrics[name]].label}" for name in datasets])
    axis.set_yticks(range(len(settings)), [text for *_, text in settings])
    axis.tick_params(labelsize=TICK, length=0)
    bar = figure.colorbar(ScalarMappable(_SCALE, _COLORS), ax=axis, extend="both", ticks=[-10, -5, 0, 5, 10])
    bar.set_label("QFL's advantage: points of accuracy, % of MAE", fontsize=LABEL)
    bar.ax.tick_params(labelsize=TICK)
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": "0.4"}
    handles = [Patch(**look, label="equivalent"), Patch(**look, hatch=_HATCH, label="undecided")]
    handles.append(Patch(facecolor=_NOWHERE, edgecolor="0.4", label="not run"))
    legend(figure, handles, columns=3)
    return figure


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    """The row of the baseline with the best mean in each place."""
    lower = rows["metric"].map(lambda metric: METRICS[metric].lower_is_better)
    score = rows["baseline_mean"].where(~lower, -rows["baseline_mean"])
    return rows.loc[score.groupby([rows["setting"], rows["dataset"]]).idxmax()]


def _cell(axis: Axes, column: int, line: int, row: Mapping[Any, Any]) -> None:
    percent = 100 * row["difference"]
    if METRICS[row["metric"]].lower_is_better:
        percent = -percent / row["baseline_mean"]
    color = "white" if row["word"] == "equivalent" else _COLORS(_SCALE(percent))
    hatch = _HATCH if row["word"] == "undecided" else None
    place = (column - 0.5, line - 0.5)
    axis.add_patch(Rectangle(place, 1, 1, facecolor=color, edgecolor="0.75", linewidth=0.5, hatch=hatch))
    text = f"{percent:+.1f}\n{FUSIONS[row['baseline']]}"
    written = "white" if abs(percent) > 7 and row["word"] != "equivalent" else "black"
    box = {"facecolor": color, "edgecolor": "none", "pad": 0.6}
    axis.text(column, line, text, ha="center", va="center", fontsize=NOTE - 1, color=written, bbox=box)
