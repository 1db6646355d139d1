"""The cells of a results file, as the checks of claims ask for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reproduce.claims.papers import Series
from reproduce.claims.rows import METRICS


class NotComparableError(Exception):
    """A number is missing; the message says which."""


class DivergedError(NotComparableError):
    """There are runs, and none of them has a score."""


@dataclass(frozen=True)
class Figure:
    """A reproduced number with its 95 % interval; NaN bounds if one seed gave none."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.mean:.6g}"
        return f"{self.mean:.4g} " + ("(one seed)" if math.isnan(self.low) else f"[{self.low:.4g}, {self.high:.4g}]")

    @property
    def highest(self) -> float:
        """The upper end of the interval; the number itself if there is none."""
        return self.mean if math.isnan(self.high) else self.high

    def require_interval(self, what: str) -> None:
        """Raise a NotComparableError unless there is an interval; ``what`` has it."""
        if math.isnan(self.low):
            raise NotComparableError(f"{what} has a single finished seed, hence no interval; run more seeds")


class Results:
    """The cells of one table by (data set, modalities, fusion, degree), then metric.

    Args:
        name: Of the table, the one to make where results are missing.
        frame: The table, as :func:`reproduce.claims.rows.read_table` returns it; None if there is none.
    """

    def __init__(self, name: str, frame: pd.DataFrame | None):
        self.name = name
        self.rows: dict[tuple[str, int, str, int | None], dict[str, Any]] = {}
        for row in [] if frame is None else frame.to_dict("records"):
            degree = None if pd.isna(row["degree"]) else row["degree"]
            key = row["dataset"], row["modalities"], row["fusion"], degree
            self.rows.setdefault(key, {})[row["metric"]] = row

    def missing(self, what: str) -> NotComparableError:
        """What to raise where the table does not hold something."""
        return NotComparableError(f"there are no {what}; `make reproduce-{self.name}` is to add them")

    def sizes(self, dataset: str) -> list[int]:
        """The numbers of modalities on a data set."""
        sizes = sorted({key[1] for key in self.rows if key[0] == dataset})
        if not sizes:
            raise self.missing(f"results on {dataset}")
        return sizes

    def figure(self, dataset: str, series: Series, quantity: str, modalities: int | None = None) -> Figure:
        """The reproduced number with so many modalities, or with the most there are."""
        sizes = self.sizes(dataset)
        if modalities not in {None, *sizes}:
            raise self.missing(f"results on {dataset} with {modalities} modalities")
        cells = self.rows.get((dataset, modalities or sizes[-1], series.fusion, series.degree), {})
        if quantity not in METRICS and cells:
            count = float(next(iter(cells.values()))[quantity])
            return Figure(count, count, count)
        if quantity not in cells:
            raise NotComparableError(f"the results on {dataset} have no {quantity_label(quantity)} of {series}")
        row = cells[quantity]
        if math.isnan(row["mean"]) and row["seeds"] == 0:
            raise NotComparableError(f"{series} is intractable on {dataset}")
        if math.isnan(row["mean"]):
            raise DivergedError(f"every seed of {series} diverged on {dataset}")
        return Figure(row["mean"], row["ci95_low"], row["ci95_high"])


def quantity_label(quantity: str) -> str:
    """What people call a metric or a count."""
    return METRICS[quantity].label if quantity in METRICS else quantity.replace("_params", " parameters")
