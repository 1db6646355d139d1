"""What the report shows, as its template and its script read it."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt

from reproduce.claims.cells import Score, Series, difference_text, quantity_label
from reproduce.claims.comparisons import KEY as COMPARISON
from reproduce.claims.comparisons import read_comparisons
from reproduce.claims.metrics import METRICS
from reproduce.claims.papers import PUBLISHED, Paper, RowRead, Verdict, load_papers, verdicts
from reproduce.claims.rows import FUSIONS, KEY, TRAINING, Place, decode, encode, read_tables, words
from reproduce.claims.runs import Row as Runs
from reproduce.claims.runs import cell_of, read_runs, runs_path
from reproduce.claims.tables import TABLES
from reproduce.report.html.histories import Histories
from reproduce.report.moved import committed_table, moved_cells
from reproduce.report.page import published_cells
from reproduce.report.reading import (
    NO_FIGURE,
    by_series,
    by_size,
    learning_rate_text,
    metrics_of,
    score_text,
    stopped_early_text,
)
from reproduce.report.style import PALETTE, STYLES
from reproduce.sweep.store import FILE, Store

Json = Any
"""What JSON can hold."""


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
    """The cells of a table in one place."""

    id: str
    title: str
    columns: list[str]
    lines: list[Line]


@dataclass(frozen=True)
class TableContents:
    """One table, its comparisons, and what is known of its runs."""

    name: str
    title: str
    csv: str
    notes: str
    sections: list[Section]
    comparisons: Section | None
    pictures: list[Picture]
    moved: Moved
    datasets: list[str]
    fusions: list[str]
    cells: list[Json]
    plots: list[Json]
    runs: str
    """What is known of its runs, in words."""


@dataclass(frozen=True)
class Picture:
    """A figure as it is printed."""

    title: str
    uri: str


@dataclass(frozen=True)
class Moved:
    """What moved in a table since the committed one: in words, and the cells."""

    said: str
    cells: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Ground:
    """A row that a claim rests on."""

    href: str
    name: str
    where: str
    what: str
    figure: str
    table: str
    cell: int | None
    """The number of the cell whose runs made it; of a comparison, that of the first of the two."""


@dataclass(frozen=True)
class ClaimContents:
    """A claim with its verdict, and the rows that it rests on."""

    id: str
    verdict: Verdict
    grounds: list[Ground]


@dataclass(frozen=True)
class Contents:
    """All of it.

    Attributes:
        papers: What is published.
        claims: The verdicts.
        counts: Verdict -> how many claims.
        beside: Published numbers beside reproduced ones.
        tables: The tables that are there.
        absent: Names of those that are not.
        looks: Fusion -> colour and marker.
    """

    papers: list[Paper]
    claims: list[ClaimContents]
    counts: dict[str, int]
    beside: list[dict[str, Json]]
    tables: list[TableContents]
    absent: list[str]
    looks: Mapping[str, Json]

    def data(self) -> Json:
        """What the script reads, as JSON."""
        return {
            "tables": {
                table.name: {"csv": table.csv, "cells": table.cells, "plots": table.plots} for table in self.tables
            },
            "beside": self.beside,
            "metrics": {name: {"label": metric.label} for name, metric in METRICS.items()},
            "captions": FUSIONS,
            "looks": self.looks,
            "palette": PALETTE,
        }


def read_contents(folder: Path, published: Path = PUBLISHED) -> Contents:
    """Everything that the report of a folder shows.

    Args:
        folder: The tables, and what lies beside them; the raw runs, if they are there.
        published: The folder with one YAML file per paper.

    Raises:
        ValueError: If a file of the folder is broken, or there is no table.
        StoreError: If the raw runs cannot be read.
    """
    frames = read_tables(folder)
    if not frames:
        raise ValueError(f"There are no tables in {folder}: `make reproduce-table1` makes one, --results says where.")
    comparisons = read_comparisons(folder)
    papers = load_papers(published)
    found = verdicts(frames, papers, comparisons)
    tables = [_table(name, frame, comparisons.get(name), folder, papers) for name, frame in frames.items()]
    lines = {name: {_key(row, KEY): line for line, row in _numbered(frame)} for name, frame in frames.items()}
    compared = {
        name: {_key(row, COMPARISON): line for line, row in _numbered(rows)} for name, rows in comparisons.items()
    }
    numbers = {name: _cell_numbers(frame) for name, frame in frames.items()}

    def ground(one: RowRead) -> Ground:
        row, table = one.row, one.table
        if not one.quantity:
            place, label = Place(TRAINING, row["dataset"], row["options"]), METRICS[row["metric"]].label
            what = f"{label}, {Series.of(row)} minus {Series.of_baseline(row)}: {row['word']}"
            figure = f"{difference_text(row)}, p = {row['p_holm']:.2g} after Holm's correction"
            line = compared[table][_key(row, COMPARISON)]
            cell = numbers[table].get(cell_of({**row, "experiment": TRAINING}))
            name = f"{table}-comparisons"
            return Ground(f"#{name}-{line}", _named(name, line), _where(place, row), what, figure, table, cell)
        what = f"{quantity_label(one.quantity)}, {Series.of(row)}"
        line, where = lines[table][_key(row, KEY)], _where(Place.of(row), row)
        cell = numbers[table][cell_of(row)]
        return Ground(f"#{table}-{line}", _named(table, line), where, what, _figure(one), table, cell)

    claims = [ClaimContents(_slug(one.claim), one, [ground(row) for row in one.rows]) for one in found]
    outcomes = [one.verdict for one in found]
    return Contents(
        papers=papers,
        claims=claims,
        counts={outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
        beside=[_beside(one, number) for one in found if one.value is not None for number in one.numbers],
        tables=tables,
        absent=[name for name in TABLES if name not in frames],
        looks={
            name: {"color": look.color, "marker": look.marker, "hollow": look.hollow} for name, look in STYLES.items()
        },
    )


def _named(file: str, line: int) -> str:
    return f"{file}, line {line}"


def _slug(text: str) -> str:
    return "claim-" + re.sub(r"[^A-Za-z0-9]+", "-", text)


def _numbered(frame: pd.DataFrame) -> Iterator[tuple[int, dict[Any, Any]]]:
    """The rows with their lines in the CSV file, whose first line names the columns."""
    return enumerate(frame.to_dict("records"), start=2)


def _key(row: Mapping[Any, Any], columns: Iterable[str]) -> tuple[object, ...]:
    return tuple(None if pd.isna(row[column]) else row[column] for column in columns)


def _cell_numbers(frame: pd.DataFrame) -> dict[tuple[object, ...], int]:
    """Cell -> its number in the table."""
    cells = dict.fromkeys(map(cell_of, frame.to_dict("records")))
    return {cell: number for number, cell in enumerate(cells)}


def _where(place: Place, row: Mapping[Any, Any]) -> str:
    return f"{place}, {row['modalities']} modalities"


def _figure(one: RowRead) -> str:
    if one.quantity not in METRICS:
        return f"{one.row[one.quantity]:,}"
    if math.isnan(one.row["mean"]):
        return score_text(dict(one.row))
    return str(Score(one.row["mean"], one.row["ci95_low"], one.row["ci95_high"]))


def _beside(verdict: Verdict, number: Any) -> dict[str, Json]:
    score = number.score
    return {
        "claim": verdict.claim,
        "href": f"#{_slug(verdict.claim)}",
        "published": verdict.value,
        "said": verdict.published,
        "place": str(number.place) + ("" if number.decides else f", {number.table}"),
        "decides": number.decides,
        "told": number.told,
        "mean": score.mean,
        "low": _number(score.low),
        "high": _number(score.high),
    }


def _number(value: Any) -> Any:
    """A number as JSON has it; None for one that is missing."""
    return None if pd.isna(value) else value


def _table(
    name: str, frame: pd.DataFrame, comparisons: pd.DataFrame | None, folder: Path, papers: Sequence[Paper]
) -> TableContents:
    path = folder / f"{name}.csv"
    notes, units = _notes(path.with_suffix(".md"))
    runs = read_runs(path)
    histories = Histories(Store(folder / FILE), (run for row in runs.values() for run in row.runs))
    numbers = _cell_numbers(frame)
    published = published_cells(papers, name)
    frame = frame.assign(line=range(2, len(frame) + 2), number=[numbers[cell_of(row)] for _, row in _numbered(frame)])
    named = frame["options"].map(lambda options: tuple(decode(options)))
    groups = frame.groupby([frame["experiment"], frame["dataset"], named], sort=False)
    parts = [_section(f"{name}-place-{place}", rows, units, published) for place, (_, rows) in enumerate(groups)]
    cells: list[Json] = [None] * len(numbers)
    for _, rows in groups:
        for place, of_size in by_size(rows):
            for series, by_metric in by_series(of_size).items():
                first = next(iter(by_metric.values()))
                cells[first["number"]] = _cell(name, place, series, by_metric, runs.get(cell_of(first)), histories)
    return TableContents(
        name=name,
        title=TABLES[name].rstrip("."),
        csv=f"{folder.name}/{path.name}",
        notes=notes,
        sections=[section for section, _ in parts],
        comparisons=None if comparisons is None else _comparisons(name, comparisons),
        pictures=_pictures(path),
        moved=_moved(path, frame),
        datasets=list(dict.fromkeys(section.lines[0].dataset for section, _ in parts)),
        fusions=list(dict.fromkeys(line.fusion for section, _ in parts for line in section.lines)),
        cells=cells,
        plots=[plot for _, plot in parts],
        runs=_runs_said(path, runs, histories),
    )


def _runs_said(path: Path, runs: Mapping[Any, Runs], histories: Histories) -> str:
    if not runs:
        return (
            f"Values per seed are not here: {runs_path(path).name} is not beside the table. "
            f"`make reproduce-{path.stem}` writes it with the table; runs that are stored are not repeated for that."
        )
    said = f"Values per seed are from {runs_path(path).name}."
    if not histories:
        return f"{said} The raw runs, with their losses, are not here: `make reproduce-{path.stem}` trains them."
    return f"{said} Losses are from {FILE}."


def _section(
    section: str, rows: pd.DataFrame, units: Mapping[str, str], published: Mapping[tuple[Place, Series, str], float]
) -> tuple[Section, Json]:
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
    published: Mapping[tuple[Place, Series, str], float] | None,
) -> Line:
    row = next(iter(by_metric.values()))
    options = decode(place.options)
    values = [Value(f"{row['modalities']}", row["modalities"])]
    values += [_setting(name, options[name]) for name in settings]
    for metric in metrics:
        found = by_metric.get(metric)
        mean = None if found is None else _number(found["mean"])
        values.append(Value(score_text(found), mean, None if found is None else found["line"]))
    if published is not None:
        stated = {metric: published.get((place, series, metric)) for metric in metrics}
        said = [f"{METRICS[metric].label} {value:g}" for metric, value in stated.items() if value is not None]
        values.append(Value(", ".join(said) or "not stated"))
    total, seconds = _number(row["total_params"]), _number(row["train_seconds"])
    values += [
        Value(f"{row['seeds']}", row["seeds"]),
        Value(f"{row['fusion_params']:,}", float(row["fusion_params"])),
        Value(NO_FIGURE if total is None else f"{total:,}", total),
        Value(NO_FIGURE if seconds is None else f"{seconds:.1f}", seconds),
        Value(learning_rate_text(row), _number(row["learning_rate"])),
        Value(stopped_early_text(row), _number(row["stopped_early"])),
    ]
    return Line(row["number"], place.name, row["fusion"], str(series), values)


def _setting(name: str, value: Any) -> Value:
    text = words(encode({name: value})).partition(" = ")[2]
    return Value(text, value if isinstance(value, int | float) else text)


def _cell(
    table: str,
    place: Place,
    series: Series,
    by_metric: Mapping[str, dict[str, Any]],
    runs: Runs | None,
    histories: Histories,
) -> Json:
    row = next(iter(by_metric.values()))
    arguments = decode(series.arguments)
    return {
        "where": str(place),
        "series": str(series),
        "fusion": series.fusion,
        "modalities": row["modalities"],
        "variables": {**_numeric(decode(place.options)), **_numeric(arguments)}
        | ({} if series.degree is None else {"P": series.degree}),
        "settings": {name: _setting(name, value).text for name, value in decode(place.options).items()},
        "arguments": {name: _setting(name, value).text for name, value in arguments.items()},
        "seeds": row["seeds"],
        "engine": row["engine"],
        "fusion_params": float(row["fusion_params"]),
        "total_params": _number(row["total_params"]),
        "seconds": _number(row["train_seconds"]),
        "rate": learning_rate_text(row),
        "tuning": decode(row["tuning"]),
        "stopped": stopped_early_text(row),
        "scores": {
            metric: {
                "mean": _number(found["mean"]),
                "std": _number(found["std"]),
                "low": _number(found["ci95_low"]),
                "high": _number(found["ci95_high"]),
                "text": score_text(found),
                "line": found["line"],
            }
            for metric, found in by_metric.items()
        },
        "repeat": f'make reproduce-{table} ARGS="--datasets {place.name} --fusions {series.fusion} --results trial"',
        "runs": None if runs is None else _runs(runs, histories),
    }


def _numeric(settings: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: value
        for name, value in settings.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _runs(runs: Runs, histories: Histories) -> Json:
    return {
        "seeds": runs.seeds,
        "points": runs.points,
        "circumstances": [one.model_dump() for one in runs.circumstances],
        "runs": [{"id": run} | histories.of(run) for run in runs.runs],
    }


def _comparisons(name: str, frame: pd.DataFrame) -> Section:
    lines = []
    for line, row in _numbered(frame):
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


def _moved(path: Path, frame: pd.DataFrame) -> Moved:
    try:
        committed = committed_table(path)
    except ValueError as error:
        return Moved(f"There is nothing to compare with: {error}")
    if committed is None:
        return Moved(f"There is no committed {path.name} to compare with.")
    lines = {_key(row, KEY): row["line"] for row in frame.to_dict("records")}
    cells = [
        {
            "href": f"#{path.stem}-{lines[_key(row, KEY)]}",
            "name": _named(path.stem, lines[_key(row, KEY)]),
            "where": _where(Place.of(row), row),
            "what": f"{METRICS[row['metric']].label}, {Series.of(row)}",
            "committed": str(Score(row["committed"], row["ci95_low"], row["ci95_high"])),
            "now": "no mean" if pd.isna(row["new"]) else f"{row['new']:.4g}",
        }
        for row in moved_cells(frame, committed).to_dict("records")
    ]
    judged = int(committed["ci95_low"].notna().sum())
    return Moved(f"{len(cells)} of {judged} cells with an interval left it since the committed {path.name}.", cells)


def _pictures(path: Path) -> list[Picture]:
    found = [path.with_suffix(".png"), *sorted(path.parent.glob(f"{path.stem}-*.png"))]
    return [
        Picture(image.stem.replace("-", " "), "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode())
        for image in found
        if image.is_file()
    ]


def _notes(page: Path) -> tuple[str, dict[str, str]]:
    """What a table's page says before its figures, as HTML, and the unit of the errors by data set.

    Its links to other files lead nowhere from a file that is sent around: their targets are named instead.
    """
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    head = re.split(r"^(?:!\[|## )", text, maxsplit=1, flags=re.MULTILINE)[0]
    said = re.sub(r"^# .*\n", "", head)
    said = re.sub(r"\[([^\]]*)\]\(claims\.md\)", r"[the claims](#claims)", said)
    said = re.sub(r"\[([^\]]*)\]\((?!https?:|#)(?:\.\./)*([^)]*)\)", r"\1 (`\2`)", said)
    units, place = {}, ""
    for line in text.splitlines():
        place = line.removeprefix("## ") if line.startswith("## ") else place
        if unit := re.search(r", errors in (.+)\.$", line):
            units[place] = unit[1]
    return MarkdownIt("commonmark", {"html": False}).render(said), units
