"""The scores of a table in a document that quotes them, between two comments that name the table's file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reproduce.claims.metrics import METRICS
from reproduce.report.markdown import pipe_table
from reproduce.report.reading import NO_FIGURE, by_series, by_size, metrics_of, score_text


def quoted(frame: pd.DataFrame, csv: Path) -> dict[Path, bytes]:
    """The README beside the folder of a table with the table's scores in it, ready to be written.

    Args:
        frame: The table.
        csv: Its file; the README is one folder further up, and its comments name the file as seen from there.

    Returns:
        Path -> content; nothing if there is no README or it does not quote that file.
    """
    readme = csv.absolute().parent.parent / "README.md"
    name = f"{csv.absolute().parent.name}/{csv.name}"
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    if not readme.is_file():
        return {}
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    return {readme: f"{before}{begin}{score_table(frame)}{end}{after}".encode()} if found and closed else {}


def score_table(frame: pd.DataFrame) -> str:
    """A line per fusion: the first metric of each data set, and its parameters wherever it could be built."""
    sizes = [(name, metrics_of(rows)[0], by_series(rows)) for name, rows in by_size(frame)]
    lines = []
    for series in by_series(frame):
        line = {"Fusion": str(series)}
        built = []
        for name, metric, cells in sizes:
            by_metric = cells.get(series, {})
            line[f"{name}, {METRICS[metric].label}"] = score_text(by_metric.get(metric))
            built += [row["fusion_params"] for row in by_metric.values() if row["seeds"] > 0]
        ends = dict.fromkeys(f"{count:,}" for count in (min(built), max(built))) if built else [NO_FIGURE]
        lines.append({**line, "Fusion parameters": " to ".join(ends)})
    return pipe_table(lines, right=list(lines[0])[1:])
