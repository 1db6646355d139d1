"""What checks speak of: fusions, metrics and tables by name, and the cells of a table."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS, NO_SETTINGS, TRAINING, Place, Settings, caption, check_degree
from reproduce.claims.tables import TABLES


def _one_of(known: Iterable[str], what: str) -> AfterValidator:
    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}; known are {', '.join(known)}")
        return name

    return AfterValidator(check)


Number = Annotated[FiniteFloat, Field(strict=True)]
Tolerance = Annotated[FiniteFloat, Field(strict=True, ge=0)]
Degree = Annotated[int, Field(strict=True, ge=1)]
Size = Annotated[int, Field(strict=True, ge=1)]
"""A number of modalities."""
MetricName = Annotated[str, _one_of(METRICS, "metric")]
FusionName = Annotated[str, _one_of(FUSIONS, "fusion")]
Quantity = Annotated[str, _one_of([*METRICS, "modalities", "fusion_params", "total_params"], "quantity")]
Table = Annotated[str, _one_of(TABLES, "table")]
"""The table whose rows a check is held against: ``make reproduce-<table>``."""


Word = Literal["better", "worse", "equivalent", "undecided"]
"""What a fusion is beside another, as :func:`tfq_fusion.training.decide` says it, which takes seconds to import."""


class Model(BaseModel):
    """A part of a paper's file: it cannot be changed, and no field is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(Model):
    """A fusion as it stands in the results: by name, for QFL and its control by degree, and by its arguments."""

    fusion: FusionName
    degree: Degree | None = None
    arguments: Settings = NO_SETTINGS

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Series:
        """That of a row of a table; of a row of comparisons, the one that is compared."""
        return cls._of(row["fusion"], row["degree"], row["arguments"])

    @classmethod
    def of_baseline(cls, row: Mapping[Any, Any]) -> Series:
        """The one that a row of comparisons compares with."""
        return cls._of(row["baseline"], row["baseline_degree"], row["baseline_arguments"])

    @classmethod
    def _of(cls, fusion: str, degree: Any, arguments: str) -> Series:
        return cls(fusion=fusion, degree=None if pd.isna(degree) else degree, arguments=arguments)

    @model_validator(mode="after")
    def _degree_fits(self) -> Series:
        check_degree(self.fusion, self.degree)
        return self

    def __str__(self) -> str:
        return caption(self.fusion, self.degree, self.arguments)


class RowRead(NamedTuple):
    """A row that a check read.

    Attributes:
        table: The table that it stands in, or beside.
        row: The row.
        quantity: The metric or count that was read of it; empty for a row of comparisons.
    """

    table: str
    row: Mapping[Any, Any]
    quantity: str = ""


class NotComparableError(Exception):
    """A number is missing; the message says which."""


class DivergedError(NotComparableError):
    """There are runs, and none of them has a score."""


@dataclass(frozen=True)
class Score:
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

    def covers(self, published: float, tolerance: float, what: str) -> bool:
        """Whether a value lies in the interval, give or take so much; as :meth:`require_interval`."""
        self.require_interval(what)
        return self.low - tolerance <= published <= self.high + tolerance

    def word(self, other: Score, metric: str) -> Word:
        """What this is beside another by their intervals: better or worse if they do not touch, else undecided."""
        one, other = (other, self) if METRICS[metric].lower_is_better else (self, other)
        if one.low > other.high:
            return "better"
        return "worse" if one.high < other.low else "undecided"


class Results:
    """The cells of one table.

    Args:
        name: Of the table, the one to make where results are missing.
        frame: The table, as :func:`reproduce.claims.rows.read_table` returns it; None if there is none.
        comparisons: Those beside it, as :func:`reproduce.claims.comparisons.read_comparisons` returns them; None if
            there are none.

    Attributes:
        rows: Metric -> row, by place, modalities and series.
        comparisons: Row by place, modalities, series, baseline and metric.
        read: What was read by :meth:`row` and :meth:`beside`, in that order.
    """

    def __init__(self, name: str, frame: pd.DataFrame | None, comparisons: pd.DataFrame | None = None):
        self.name = name
        self.read: list[RowRead] = []
        self.comparisons: dict[tuple[Place, int, Series, Series, str], dict[Any, Any]] = {}
        for row in [] if comparisons is None else comparisons.to_dict("records"):
            place = Place(TRAINING, row["dataset"], row["options"])
            key = place, row["modalities"], Series.of(row), Series.of_baseline(row), row["metric"]
            self.comparisons[key] = row
        self.rows: dict[tuple[Place, int, Series], dict[str, dict[Any, Any]]] = {}
        for row in [] if frame is None else frame.to_dict("records"):
            self.rows.setdefault((Place.of(row), row["modalities"], Series.of(row)), {})[row["metric"]] = row

    def unread(self) -> Results:
        """The same cells, none of which was read yet."""
        fresh = copy.copy(self)
        fresh.read = []
        return fresh

    def missing(self, what: str) -> NotComparableError:
        """What to raise where the table does not hold something."""
        return NotComparableError(f"there are no {what}; `make reproduce-{self.name}` is to add them")

    def sizes(self, place: Place) -> list[int]:
        """The numbers of modalities in a place."""
        sizes = sorted({modalities for there, modalities, _ in self.rows if there == place})
        if not sizes:
            raise self.missing(f"results on {place}")
        return sizes

    def row(self, place: Place, series: Series, quantity: str, modalities: int | None = None) -> dict[Any, Any]:
        """The row of a metric with so many modalities, or with the most there are; any row for a count."""
        sizes = self.sizes(place)
        if modalities not in {None, *sizes}:
            raise self.missing(f"results on {place} with {modalities} modalities")
        rows = self.rows.get((place, modalities or sizes[-1], series), {})
        if quantity in rows:
            found = rows[quantity]
        elif rows and quantity not in METRICS:
            found = next(iter(rows.values()))
        else:
            raise NotComparableError(f"the results on {place} have no {quantity_label(quantity)} of {series}")
        self.read.append(RowRead(self.name, found, quantity))
        return found

    def score(self, place: Place, series: Series, quantity: str, modalities: int | None = None) -> Score:
        """The reproduced number, see :meth:`row`."""
        row = self.row(place, series, quantity, modalities)
        if quantity not in METRICS:
            count = float(row[quantity])
            return Score(count, count, count)
        if math.isnan(row["mean"]) and row["seeds"] == 0:
            raise NotComparableError(f"{series} is intractable on {place}")
        if math.isnan(row["mean"]):
            raise DivergedError(f"every seed of {series} diverged on {place}")
        return Score(row["mean"], row["ci95_low"], row["ci95_high"])

    def beside(self, place: Place, first: Series, second: Series, metric: str, modalities: int | None = None) -> Beside:
        """What one series is beside another, with so many modalities or the most there are.

        By the comparison of the two that stands beside the table. A table that was made before there were comparisons
        has none, nor have two series of which none is quantum or both are: these are told apart by their intervals.

        Raises:
            NotComparableError: If a number or an interval is missing, or every seed of the first diverged.
        """
        one = self.score(place, first, metric, modalities)
        one.require_interval(f"{first} on {place}")
        try:
            other = self.score(place, second, metric, modalities)
        except DivergedError:
            return Beside("better", f"{second} (diverged)", compared=True)
        other.require_interval(f"{second} on {place}")
        found = self.comparisons.get((place, modalities or self.sizes(place)[-1], first, second, metric))
        if found is None:
            return Beside(one.word(other, metric), f"{second} {other}", compared=False)
        self.read.append(RowRead(self.name, found))
        return Beside(found["word"], f"{second} {other} (difference {difference_text(found)})", compared=True)


class Beside(NamedTuple):
    """What a series is beside another.

    Attributes:
        word: In one word.
        other: The other one, and its figures.
        compared: Whether a comparison says so, or that the other diverged; else the intervals do.
    """

    word: Word
    other: str
    compared: bool


def difference_text(row: Mapping[Any, Any]) -> str:
    """The difference of a row of comparisons with its 95 % interval, such as "+0.021 [+0.008, +0.034]"."""
    digits = METRICS[row["metric"]].digits
    difference, low, high = (f"{row[column]:+.{digits}f}" for column in ("difference", "ci95_low", "ci95_high"))
    return f"{difference} [{low}, {high}]"


def quantity_label(quantity: str) -> str:
    """What people call a metric or a count."""
    return METRICS[quantity].label if quantity in METRICS else quantity.replace("_params", " parameters")
