"""The comparisons beside a table, ``<table>-comparisons.csv``: one row per quantum fusion, baseline and metric."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt

from reproduce.claims.cells import FusionName, MetricName, Word
from reproduce.claims.lines import EmptyIsNone, parse_lines
from reproduce.claims.rows import Settings
from reproduce.claims.tables import TABLES

_Probability = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Row(BaseModel):
    """One line of the file; the order of the fields is the order of the columns.

    ``difference`` is the score of ``fusion`` minus that of ``baseline``, which ``baseline_mean`` is;
    :class:`tfq_fusion.training.Comparison` and :func:`tfq_fusion.training.decide` say what the others are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Annotated[str, Field(min_length=1)]
    options: Settings
    modalities: PositiveInt
    fusion: FusionName
    degree: Annotated[PositiveInt | None, EmptyIsNone]
    arguments: Settings
    baseline: FusionName
    baseline_degree: Annotated[PositiveInt | None, EmptyIsNone]
    baseline_arguments: Settings
    metric: MetricName
    seeds: Annotated[int, Field(ge=2)]
    baseline_mean: FiniteFloat
    difference: FiniteFloat
    ci95_low: FiniteFloat
    ci95_high: FiniteFloat
    ci90_low: FiniteFloat
    ci90_high: FiniteFloat
    p: _Probability
    p_holm: _Probability
    share_of_seeds: Annotated[_Probability | None, EmptyIsNone]
    word: Word


COLUMNS = list(Row.model_fields)
"""The columns of the file, in order."""
KEY = COLUMNS[: COLUMNS.index("seeds")]
"""Those that name a comparison; no two rows share them."""

_WHOLE = ("modalities", "degree", "baseline_degree", "seeds")
_FLOATS = COLUMNS[COLUMNS.index("baseline_mean") : COLUMNS.index("word")]
_DTYPES = {**dict.fromkeys(COLUMNS, "object"), **dict.fromkeys(_WHOLE, "Int64"), **dict.fromkeys(_FLOATS, "float64")}


def comparisons_path(table: Path) -> Path:
    """Where the comparisons of a table are; ``table`` is its path, with or without a suffix."""
    return table.with_name(f"{table.stem}-comparisons.csv")


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns of the file in their order and types; a missing degree is ``pandas.NA``."""
    return rows[COLUMNS].astype(_DTYPES)


NO_COMPARISONS = typed(pd.DataFrame(columns=COLUMNS))


def comparisons_csv(frame: pd.DataFrame) -> str:
    """The text of the file, floats with 6 significant digits."""
    return typed(frame).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def parse_comparisons(text: str, name: str) -> pd.DataFrame:
    """The inverse of :func:`comparisons_csv`.

    Args:
        text: Of the file.
        name: What an error calls the file.

    Raises:
        ValueError: As :func:`reproduce.claims.lines.parse_lines`.
    """
    rows = parse_lines(text, name, Row, KEY)
    return typed(pd.DataFrame([row.model_dump() for row in rows], columns=COLUMNS))


def read_comparisons(folder: Path, but: str | None = None) -> dict[str, pd.DataFrame]:
    """The comparisons of the known tables that a folder has, by the table's name, but for one.

    Raises:
        ValueError: As :func:`parse_comparisons`.
    """
    paths = {name: comparisons_path(folder / name) for name in TABLES if name != but}
    return {
        name: parse_comparisons(path.read_text(encoding="utf-8", errors="replace"), str(path))
        for name, path in paths.items()
        if path.exists()
    }
