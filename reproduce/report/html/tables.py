"""A table in the report: its page, its sections, its figures, what moved, and its cells as the script reads them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt

from reproduce.claims.cells import Score, Series
from reproduce.claims.metrics import METRICS
from reproduce.claims.papers import Paper
from reproduce.claims.rows import KEY, Place, decode
from reproduce.claims.runs import Row as Runs
from reproduce.claims.runs import cell_of, read_runs, runs_path
from reproduce.claims.tables import TABLES
from reproduce.report.html.histories import Histories
from reproduce.report.html.rows import Json, cell_numbers, json_number, key_of, line_name, numbered, place_text
from reproduce.report.html.sections import Section, comparisons_section, place_section, setting_value
from reproduce.report.moved import committed_table, moved_cells
from reproduce.report.page import published_cells
from reproduce.report.reading import by_series, by_size, learning_rate_text, score_text, stopped_early_text
from reproduce.sweep.store import FILE, Store


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


def table_contents(
    name: str, frame: pd.DataFrame, comparisons: pd.DataFrame | None, folder: Path, papers: Sequence[Paper]
) -> TableContents:
    """A table as the report shows it.

    Args:
        name: Of the table.
        frame: Its rows.
        comparisons: Those beside it; None if there are none.
        folder: Where its page, its figures and its runs are, as far as they are there.
        papers: What is published.

    Raises:
        ValueError: If the file of its runs is broken.
        StoreError: If the raw runs cannot be read.
    """
    path = folder / f"{name}.csv"
    notes, units = _notes(path.with_suffix(".md"))
    runs = read_runs(path)
    histories = Histories(Store(folder / FILE), (run for row in runs.values() for run in row.runs))
    numbers = cell_numbers(frame)
    published = published_cells(papers, name)
    frame = frame.assign(line=range(2, len(frame) + 2), number=[numbers[cell_of(row)] for _, row in numbered(frame)])
    named = frame["options"].map(lambda options: tuple(decode(options)))
    groups = frame.groupby([frame["experiment"], frame["dataset"], named], sort=False)
    parts = [place_section(f"{name}-place-{place}", rows, units, published) for place, (_, rows) in enumerate(groups)]
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
        comparisons=None if comparisons is None else comparisons_section(name, comparisons),
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
    name = runs_path(path).name
    if not histories:
        raw = f"The raw runs, with the losses of each, are not here: `make reproduce-{path.stem}` trains them."
        return f"Values per seed and mean losses are from {name}. {raw}"
    return f"Values per seed are from {name}, losses from {FILE}."


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
        "settings": {name: setting_value(name, value).text for name, value in decode(place.options).items()},
        "arguments": {name: setting_value(name, value).text for name, value in arguments.items()},
        "seeds": row["seeds"],
        "engine": row["engine"],
        "fusion_params": float(row["fusion_params"]),
        "total_params": json_number(row["total_params"]),
        "seconds": json_number(row["train_seconds"]),
        "rate": learning_rate_text(row),
        "tuning": decode(row["tuning"]),
        "stopped": stopped_early_text(row),
        "scores": {
            metric: {
                "mean": json_number(found["mean"]),
                "std": json_number(found["std"]),
                "low": json_number(found["ci95_low"]),
                "high": json_number(found["ci95_high"]),
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
        **runs.losses.model_dump(),
        "circumstances": [one.model_dump() for one in runs.circumstances],
        "runs": [{"id": run} | histories.of(run) for run in runs.runs],
    }


def _moved(path: Path, frame: pd.DataFrame) -> Moved:
    try:
        committed = committed_table(path)
    except ValueError as error:
        return Moved(f"There is nothing to compare with: {error}")
    if committed is None:
        return Moved(f"There is no committed {path.name} to compare with.")
    lines = {key_of(row, KEY): row["line"] for row in frame.to_dict("records")}
    cells = [
        {
            "href": f"#{path.stem}-{lines[key_of(row, KEY)]}",
            "name": line_name(path.stem, lines[key_of(row, KEY)]),
            "where": place_text(Place.of(row), row),
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
