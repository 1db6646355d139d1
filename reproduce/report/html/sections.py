"""The sections of a table in the report: one for each place, and one for the comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reproduce.claims.cells import Series, difference_text
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import TRAINING, Place, decode, encode, words
from reproduce.report.html.rows import Json, json_number, numbered
from reproduce.report.page import Cells
from reproduce.report.reading import (
    NO_FIGURE,
    by_series,
    by_size,
    learning_rate_text,
    metrics_of,
    score_text,
    stopped_early_text,
)


@dataclass(frozen=True)
class Value:
    """A cell of an HTML table: its text, and what it is sorted by."""

    text: str
    sort: float | str | None = None
    line: int | None = None
    """Of the CSV file, where the cell is one of its rows."""


@dataclass(frozen=True)
class Line:
    """A row of an HTML table: a cell of the results, with all of its metrics."""

    number: int
    """Of the cell, in its table."""
    dataset: str
    fusion: str
    name: str
    values: list[Value]


@dataclass(frozen=True)
class Section:
    """A heading and an HTML table: the cells of a table in one place, or its comparisons."""

    id: str
    title: str
    columns: list[str]
    lines: list[Line]


def place_section(section: str, rows: pd.DataFrame, units: Mapping[str, str], published: Cells) -> tuple[Section, Json]:
    """The cells of a table in one place, and what the script plots of them.

    Args:
        section: The section's id.
        rows: Of that place, with their lines and the numbers of their cells.
        units: The unit of the errors by data set.
        published: What the papers' own tables state.
    """
    metrics = metrics_of(rows)
    first = rows.iloc[0]
    place = Place.of(first)
    settings = list(decode(place.options))
    unit = units.get(place.name)
    stated = any(place == there for there, _, _ in published)
    labels = [METRICS[metric].label + (f", {unit}" if unit and metric in ("mae", "rmse") else "") for metric in metrics]
    lines = [
        _line(there, series, by_metric, metrics, settings, published if stated else None)
        for there, of_size in by_size(rows)
        for series, by_metric in by_series(of_size).items()
    ]
    title = place.name + (f" on {place.dataset}" if place.dataset not in ("", place.name) else "")
    title += f": {', '.join(settings).replace('_', ' ')}" if settings else ""
    columns = [
        "Fusion",
        "Modalities",
        *(setting.replace("_", " ").capitalize() for setting in settings),
        *labels,
        *(["Published"] if stated else []),
        "Seeds",
        "Fusion parameters",
        "Model parameters",
        "Training, s",
        "Learning rate",
        "Stopped early",
    ]
    plot = {
        "id": section,
        "metrics": dict(zip(metrics, labels, strict=True)),
        "cells": [line.number for line in lines],
    }
    return Section(section, title, columns, lines), plot


def _line(
    place: Place,
    series: Series,
    by_metric: Mapping[str, dict[str, Any]],
    metrics: Sequence[str],
    settings: Sequence[str],
    published: Cells | None,
) -> Line:
    row = next(iter(by_metric.values()))
    options = decode(place.options)
    values = [Value(f"{row['modalities']}", row["modalities"])]
    values += [setting_value(name, options[name]) for name in settings]
    for metric in metrics:
        found = by_metric.get(metric)
        mean = None if found is None else json_number(found["mean"])
        values.append(Value(score_text(found), mean, None if found is None else found["line"]))
    if published is not None:
        stated = {metric: published.get((place, series, metric)) for metric in metrics}
        said = [f"{METRICS[metric].label} {value:g}" for metric, value in stated.items() if value is not None]
        values.append(Value(", ".join(said) or "not stated"))
    total, seconds = json_number(row["total_params"]), json_number(row["train_seconds"])
    values += [
        Value(f"{row['seeds']}", row["seeds"]),
        Value(f"{row['fusion_params']:,}", float(row["fusion_params"])),
        Value(NO_FIGURE if total is None else f"{total:,}", total),
        Value(NO_FIGURE if seconds is None else f"{seconds:.1f}", seconds),
        Value(learning_rate_text(row), json_number(row["learning_rate"])),
        Value(stopped_early_text(row), json_number(row["stopped_early"])),
    ]
    return Line(row["number"], place.name, row["fusion"], str(series), values)


def setting_value(name: str, value: Any) -> Value:
    """The value of a setting, as people read it."""
    text = words(encode({name: value})).partition(" = ")[2]
    return Value(text, value if isinstance(value, int | float) else text)


def comparisons_section(name: str, frame: pd.DataFrame) -> Section:
    """The comparisons beside a table."""
    lines = []
    for line, row in numbered(frame):
        place = Place(TRAINING, row["dataset"], row["options"])
        metric = METRICS[row["metric"]]
        values = [
            Value(place.name),
            Value(words(row["options"]) or NO_FIGURE),
            Value(f"{row['modalities']}", row["modalities"]),
            Value(str(Series.of_baseline(row))),
            Value(metric.label),
            Value(difference_text(row), row["difference"], line),
            Value(f"{row['p_holm']:.2g}", row["p_holm"]),
            Value(row["word"]),
            Value(f"{row['seeds']}", row["seeds"]),
        ]
        lines.append(Line(line, place.name, row["fusion"], str(Series.of(row)), values))
    columns = [
        "Fusion", "Data set", "Setting", "Modalities", "Baseline", "Metric", "Difference, 95 % interval", "p, Holm",
        "Word", "Seeds",
    ]  # fmt: skip
    return Section(f"{name}-comparisons", "Which differences count", columns, lines)
