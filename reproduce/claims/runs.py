"""The runs beside a table, ``<table>-runs.csv``: one row per cell with the value of each seed and mean losses.

A cell has one row for all of its metrics, and its runs by the beginnings of their ids, as the raw runs have them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, Json, PositiveInt

from reproduce.claims.cells import FusionName, MetricName
from reproduce.claims.lines import EmptyIsNone, parse_lines
from reproduce.claims.rows import KEY as ROW
from reproduce.claims.rows import Settings

DIGITS = 12
"""How much of a run's id is kept."""


class Circumstances(BaseModel):
    """What computed runs; the fields are those of a run's result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str | None
    machine: str
    versions: dict[str, str]


class Losses(BaseModel):
    """Means over the runs that were trained so long, as :func:`reproduce.sweep.losses.loss_curves` gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: list[PositiveInt] = []
    losses: dict[str, list[FiniteFloat | None]] = {}


class Row(BaseModel):
    """One line of the file; the order of the fields is the order of the columns.

    Attributes:
        seeds: Those that were run.
        points: Metric -> a value per seed, null where it has none. The mean over the seeds is that of the table; a
            metric whose mean is no mean over seeds is not here.
        losses: Mean losses; nothing for a cell without runs of its own.
        runs: Beginnings of the ids of all runs that the cell is made of.
        circumstances: What computed them, each once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: Annotated[str, Field(min_length=1)]
    dataset: str
    options: Settings
    modalities: PositiveInt
    fusion: FusionName
    arguments: Settings
    degree: Annotated[PositiveInt | None, EmptyIsNone]
    seeds: Json[list[int]]
    points: Json[dict[MetricName, list[FiniteFloat | None]]]
    losses: Json[Losses]
    runs: Json[list[str]]
    circumstances: Json[list[Circumstances]]


COLUMNS = list(Row.model_fields)
"""The columns of the file, in order."""
KEY = [column for column in ROW if column != "metric"]
"""Those that name a cell; no two rows share them."""

Cell = tuple[object, ...]
"""The values of :data:`KEY`."""


def cell_of(row: Mapping[Any, Any]) -> Cell:
    """The cell of a row of a table."""
    return tuple(None if pd.isna(row[column]) else row[column] for column in KEY)


def runs_path(table: Path) -> Path:
    """Where the runs of a table are; ``table`` is its path, with or without a suffix."""
    return table.with_name(f"{table.stem}-runs.csv")


def runs_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of the file, of rows that have its columns; floats with 6 significant digits."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        points = {metric: [_short(value) for value in values] for metric, values in row["points"].items()}
        packed = {**row, "points": points}
        names = ("seeds", "points", "losses", "runs", "circumstances")
        packed |= {name: json.dumps(packed[name], separators=(",", ":"), allow_nan=False) for name in names}
        lines.writerow(["" if packed[column] is None else packed[column] for column in COLUMNS])
    return text.getvalue()


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def parse_runs(text: str, name: str) -> dict[Cell, Row]:
    """The inverse of :func:`runs_csv`, by cell.

    Args:
        text: Of the file.
        name: What an error calls the file.

    Raises:
        ValueError: As :func:`reproduce.claims.lines.parse_lines`.
    """
    return {cell_of(row.model_dump(include=set(KEY))): row for row in parse_lines(text, name, Row, KEY)}


def read_runs(table: Path) -> dict[Cell, Row]:
    """The runs beside a table, by cell; none if there is no such file.

    Raises:
        ValueError: As :func:`parse_runs`.
    """
    path = runs_path(table)
    return parse_runs(path.read_text(encoding="utf-8", errors="replace"), str(path)) if path.exists() else {}
