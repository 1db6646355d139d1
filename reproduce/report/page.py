"""A results table for people: the CSV, a Markdown page and a figure, from one frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from reproduce.claims.cells import Series
from reproduce.claims.comparisons import NO_COMPARISONS, comparisons_csv, comparisons_path, parse_comparisons
from reproduce.claims.metrics import METRICS
from reproduce.claims.papers import PUBLISHED, Paper, Verdict, load_papers, verdicts
from reproduce.claims.rows import NO_SETTINGS, Place, to_csv, validated, words
from reproduce.claims.runs import runs_path
from reproduce.report.claims import CLAIMS, claims_page
from reproduce.report.comparisons import comparison_sections
from reproduce.report.markdown import pipe_table
from reproduce.report.ranks import table_ranks
from reproduce.report.reading import (
    NO_FIGURE,
    by_series,
    by_size,
    learning_rate_text,
    metrics_of,
    score_text,
    seeds_of,
    stopped_early_text,
)
from reproduce.report.readme import quoted
from reproduce.sweep.runs import TRAINING
from tfq_fusion.files import png, write_files

_HOW_TO_READ = """\
Scores are means over the seeds that finished ± half the width of their 95 % t-interval; a score without ± comes from a
single seed. Parameters are trainable ones, in the fusion alone and in the whole model; training time is the mean per
seed.

- *Learning rate*: the one, of those that were tried, with the lowest mean validation loss over seeds that are not
  reported; *edge* where it is the lowest or the highest that was tried, so that a better one may lie beyond. *Stopped
  early*: the share of seeds whose validation loss no longer fell before the last epoch; *too few epochs?* below 90 %.
- *intractable*: the fusion has too many parameters to be built.
- *diverged*: the loss of every seed became NaN; the column "Diverged" gives the share of seeds to which it happened.
- *not stated*: the sources at hand publish no figure for this row.
- *LMF, unit scale* is LMF with larger initial weights, whose product over many modalities does not vanish; *Control* is
  a classical fusion with as many parameters as QFL of the same P. Both are ours, no paper's.
- *Persistence* forecasts that nothing changes, *Historical average* what the training part had at that time of day."""

_CLAIMS = f"What the papers claim is held against the tables in [{CLAIMS}]({CLAIMS})."

Figures = Callable[[pd.DataFrame, str, Mapping[str, str]], Mapping[str, Figure]]
"""Draws the figures of a table from its frame, ``profile`` and ``units``, by what their names add to the table's."""


def write_table(
    frame: pd.DataFrame,
    path_stem: Path,
    title: str,
    profile: str,
    figures: Figures,
    notes: Sequence[str],
    units: Mapping[str, str],
    others: Mapping[str, pd.DataFrame],
    comparisons: Mapping[str, pd.DataFrame],
    published: Path = PUBLISHED,
    runs: str | None = None,
) -> tuple[list[Path], list[Verdict]]:
    """Writes a results table as ``.csv``, ``.md`` and ``.png``: all of them, or none if something raises.

    With it go a README that quotes the table, see :func:`reproduce.report.readme.quoted`, and the page of verdicts on
    all published claims, computed from the results files in the same folder, with this table in place of the one that
    is there.

    Figures that the page showed before and this table does not have are removed.

    A table with comparisons also has ``-comparisons.csv`` and their words on its page, and a figure of ranks, see
    :func:`reproduce.report.ranks.table_ranks`.

    Args:
        frame: The table, with the columns ``reproduce.claims.rows.COLUMNS``.
        path_stem: Where to write, without suffix.
        title: Heading of the page and the figure.
        profile: What made the table, in words.
        figures: Draws its figures.
        notes: What a reader has to know about this table, a paragraph each.
        units: Unit of the forecast errors by data set.
        others: The other tables of the folder by name.
        comparisons: Those of this table and of the others, by the table's name.
        published: The folder with one YAML file per paper.
        runs: The text of the file that says which runs the cells are made of, see :mod:`reproduce.claims.runs`; None
            where that is not known, and a file that is there is removed.

    Returns:
        What was written, and the verdicts.

    Raises:
        OSError: If a file cannot be written; the message names it.
        ValueError: If the frame has other columns or no valid rows, or a paper's file is broken.
    """
    csv, page = path_stem.with_suffix(".csv"), path_stem.with_suffix(".md")
    frame = validated(frame, str(csv))
    beside = comparisons_path(csv)
    content = comparisons_csv(comparisons.get(path_stem.name, NO_COMPARISONS))
    compared = parse_comparisons(content, str(beside))  # with the digits that the file keeps
    papers = load_papers(published)
    found = verdicts({**others, path_stem.name: frame}, papers, {**comparisons, path_stem.name: compared})
    drawn = dict(figures(frame, profile, units))
    if len(compared) and (ranks := table_ranks(frame, title, profile)):
        drawn["-ranks"] = ranks
    images = {path_stem.with_name(f"{path_stem.name}{name}.png"): figure for name, figure in drawn.items()}
    sections = [
        f"# {title}\n\nProfile: {profile}. {_CLAIMS}\n\n{_HOW_TO_READ}",
        *notes,
        *(f"![{title}{image.stem.removeprefix(path_stem.name).replace('-', ' ')}]({image.name})" for image in images),
        *_sections(frame, units, published_cells(papers, path_stem.name)),
        *comparison_sections(compared, beside.name),
    ]
    written = {csv: to_csv(frame).encode(), page: ("\n\n".join(sections) + "\n").encode()}
    written |= {image: png(figure) for image, figure in images.items()}
    if len(compared) or beside.exists():  # one that is there would be of another table
        written |= {beside: content.encode()}
    if runs is not None:
        written |= {runs_path(csv): runs.encode()}
    written |= {path_stem.with_name(CLAIMS): claims_page(found, papers).encode()}
    written |= quoted(frame, csv)
    path_stem.parent.mkdir(parents=True, exist_ok=True)
    stale = _images(page) | {runs_path(csv)}
    write_files(written)
    for path in stale - set(written):  # of the table that was there, and would pass for one of this
        path.unlink(missing_ok=True)
    return list(written), found


def _images(page: Path) -> set[Path]:
    """The figures beside a page that it shows."""
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    return {page.with_name(name) for name in re.findall(r"!\[[^\]]*\]\(([^()/]+\.png)\)", text)}


Cells = Mapping[tuple[Place, Series, str], float]
"""Published values by place, series and metric."""


def published_cells(papers: Iterable[Paper], table: str) -> Cells:
    """The values that the papers' own tables state for this one."""
    return {
        (Place(TRAINING, cell.dataset), cell.series, cell.metric): cell.value
        for paper in papers
        for cell in paper.cells
        if cell.table == table and cell.value is not None
    }


def _sections(frame: pd.DataFrame, units: Mapping[str, str], published: Cells) -> list[str]:
    sections = []
    settings = frame[frame["options"] != NO_SETTINGS]
    for _, rows in settings.groupby(["experiment", "dataset"], sort=False):
        sections.append(f"## {Place.of(rows.iloc[0]).name}\n\n{seeds_of(rows)}.\n\n{_settings(rows)}")
    most = frame.groupby([*Place._fields])["modalities"].max().to_dict()
    seen = set()
    for place, rows in by_size(frame[frame["options"] == NO_SETTINGS]):
        heading = "" if place in seen else f"## {place}\n\n"
        seen.add(place)
        compared = published if rows["modalities"].iloc[0] == most[place] else {}
        sections.append(heading + _size_section(rows, place, units.get(place.dataset), compared))
    return sections


def _size_section(rows: pd.DataFrame, place: Place, unit: str | None, published: Cells) -> str:
    metrics = metrics_of(rows)
    lines = []
    for series, by_metric in by_series(rows).items():
        row = next(iter(by_metric.values()))  # any of them: all have the same counts
        total, seconds = row["total_params"], row["train_seconds"]
        places = {metric: published.get((place, series, metric)) for metric in metrics}
        stated = [f"{METRICS[metric].label} {value:g}" for metric, value in places.items() if value is not None]
        lines.append(
            {
                "Fusion": str(series),
                **_scores(by_metric, metrics),
                "Fusion parameters": f"{row['fusion_params']:,}",
                "Model parameters": NO_FIGURE if pd.isna(total) else f"{total:,}",
                "Training, s": NO_FIGURE if pd.isna(seconds) else f"{seconds:.1f}",
                "Learning rate": learning_rate_text(row),
                "Stopped early": stopped_early_text(row),
                "Published": ", ".join(stated) or "not stated",
            }
        )
    facts = f"{rows['modalities'].iloc[0]} modalities, {seeds_of(rows)}" + (f", errors in {unit}" if unit else "")
    return f"{facts}.\n\n{pipe_table(lines, right=list(lines[0])[1:-1])}"


def _settings(rows: pd.DataFrame) -> str:
    """One table for all options of an experiment."""
    metrics = metrics_of(rows)
    lines = [
        {
            "Setting": words(place.options),
            "Modalities": f"{of_size['modalities'].iloc[0]}",
            "Fusion": str(series),
            **_scores(by_metric, metrics),
            "Fusion parameters": f"{next(iter(by_metric.values()))['fusion_params']:,}",
        }
        for place, of_size in by_size(rows)
        for series, by_metric in by_series(of_size).items()
    ]
    return pipe_table(lines, right=["Modalities", *list(lines[0])[3:]])


def _scores(by_metric: Mapping[str, dict[str, Any]], metrics: Iterable[str]) -> dict[str, str]:
    return {METRICS[metric].label: score_text(by_metric.get(metric)) for metric in metrics}
