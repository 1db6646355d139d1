"""A table as people read it: by place and size, then by fusion."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from reproduce.claims.cells import Series
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS, Place, decode
from reproduce.report.style import LEVELS

NO_FIGURE = "-"
"""In place of a figure that there is not."""

ENOUGH = 0.9
"""The share of seeds that should have stopped early: otherwise more epochs might change the score."""


def by_size(frame: pd.DataFrame) -> list[tuple[Place, pd.DataFrame]]:
    """The rows of each place and number of modalities, in their order."""
    groups = frame.groupby([*Place._fields, "modalities"], sort=False)
    return [(Place.of(rows.iloc[0]), rows) for _, rows in groups]


def by_series(rows: pd.DataFrame) -> dict[Series, dict[str, dict[str, Any]]]:
    """Series -> metric -> row, in the order of display."""
    found: dict[Series, dict[str, dict[str, Any]]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(Series.of(row), {})[row["metric"]] = {str(column): value for column, value in row.items()}
    order = list(FUSIONS)
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0].fusion), item[0].degree or 0)))


def metrics_of(rows: pd.DataFrame) -> list[str]:
    """The metrics of these rows, in the order of display."""
    present = set(rows["metric"])
    return [metric for metric in METRICS if metric in present]


def seeds_of(rows: pd.DataFrame) -> str:
    """How many seeds were trained, in words."""
    trained = rows.loc[(rows["seeds"] > 0) & ~rows["fusion"].isin(LEVELS), "seeds"]
    counts = sorted({int(count) for count in trained}) or [0]
    return "1 seed" if counts == [1] else f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} seeds"


def no_score(row: dict[str, Any]) -> str:
    """Why a cell has no mean."""
    return "intractable" if row["seeds"] == 0 else METRICS[row["metric"]].missing


def score_text(row: dict[str, Any] | None) -> str:
    """The mean of a cell with half of its interval, or why there is none; as :data:`NO_FIGURE` if there is no cell."""
    if row is None or (row["metric"] == "diverged" and math.isnan(row["mean"])):
        return NO_FIGURE
    if math.isnan(row["mean"]):
        return no_score(row)
    if row["metric"] == "diverged":
        return f"{100 * row['mean']:.0f} %"
    metric = METRICS[row["metric"]]
    score = f"{row['mean']:.{metric.digits}f}"
    if math.isnan(row["ci95_low"]) or metric.is_cost:
        return score
    return f"{score} ± {(row['ci95_high'] - row['ci95_low']) / 2:.{metric.digits}f}"


def learning_rate_text(row: dict[str, Any]) -> str:
    """The learning rate of a cell, and whether it lies at the edge of those that it was chosen among."""
    rates = [float(rate) for rate in decode(row["tuning"])]
    if math.isnan(row["learning_rate"]):
        return "several" if rates else NO_FIGURE
    at_edge = len(rates) > 1 and row["learning_rate"] in (min(rates), max(rates))
    return f"{row['learning_rate']:g}" + (" (edge)" if at_edge else "")


def stopped_early_text(row: dict[str, Any]) -> str:
    """The share of the seeds of a cell that early stopping ended, and whether that leaves doubts."""
    share = row["stopped_early"]
    if math.isnan(share):
        return NO_FIGURE
    return f"{100 * share:.0f} %" + (" (too few epochs?)" if share < ENOUGH else "")
