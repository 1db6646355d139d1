"""Comparisons on a table's page: a matrix of words per data set, the quantum fusions across and the baselines down."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reproduce.claims.cells import Series, difference_text
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS, TRAINING, Place
from reproduce.report.claims import STATISTICS
from reproduce.report.markdown import pipe_table
from reproduce.report.reading import NO_FIGURE, metrics_of


def comparison_sections(comparisons: pd.DataFrame, csv: str) -> list[str]:
    """What the words mean, and a table per data set and number of modalities, of its first metric.

    Args:
        comparisons: The comparisons of a table.
        csv: The name of their file.

    Returns:
        The sections; none of no comparisons.
    """
    if comparisons.empty:
        return []
    said = (
        "## Which differences count\n\n"
        "Score of a quantum fusion minus that of a baseline with the same settings, and its 95 % interval over seeds "
        "and test samples.\n\n"
        "- *better*, *worse*: p, after Holm's correction over all comparisons of this table "
        f"({len(comparisons)}), is below 0.05, and the interval lies off zero.\n"
        "- *equivalent*: the 90 % interval lies within ±0.01; of MAE, within ±1 % of the baseline's.\n"
        "- *undecided*: neither, or fewer than six seeds.\n\n"
        f"[Which differences count]({STATISTICS}) says why. [{csv}]({csv}) has every metric, and all figures."
    )
    groups = comparisons.groupby(["dataset", "options", "modalities"], sort=False)
    return [said, *(_section(rows[rows["metric"] == metrics_of(rows)[0]]) for _, rows in groups)]


def _section(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    place = Place(TRAINING, first["dataset"], first["options"])
    lines: dict[str, dict[str, str]] = {}
    columns = [str(Series.of(row)) for row in rows.to_dict("records")]
    for column, row in zip(columns, rows.to_dict("records"), strict=True):
        cells = lines.setdefault(_baseline(row), {"Baseline": _baseline(row), **dict.fromkeys(columns, NO_FIGURE)})
        cells[column] = f"{row['word']}, {difference_text(row)}"
    order = [_label(fusion, of_degree) for fusion in FUSIONS for of_degree in (False, True)]
    table = pipe_table([lines[name] for name in order if name in lines])
    seeds = " to ".join(dict.fromkeys(f"{count}" for count in (rows["seeds"].min(), rows["seeds"].max())))
    facts = f"{METRICS[first['metric']].label}, {seeds} seeds"
    return f"### {place}, {first['modalities']} modalities\n\n{facts}.\n\n{table}"


def _baseline(row: dict[Any, Any]) -> str:
    return _label(row["baseline"], not pd.isna(row["baseline_degree"]))


def _label(fusion: str, of_degree: bool) -> str:
    return f"{FUSIONS[fusion]} of the same P" if of_degree else FUSIONS[fusion]
