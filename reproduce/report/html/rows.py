"""Rows of results files as the report refers to them: by their lines, their places and the numbers of their cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from reproduce.claims.rows import Place
from reproduce.claims.runs import cell_of

Json = Any
"""What JSON can hold."""


def numbered(frame: pd.DataFrame) -> Iterator[tuple[int, dict[Any, Any]]]:
    """The rows with their lines in the CSV file, whose first line names the columns."""
    return enumerate(frame.to_dict("records"), start=2)


def key_of(row: Mapping[Any, Any], columns: Iterable[str]) -> tuple[object, ...]:
    """What names a row: its values of these columns."""
    return tuple(None if pd.isna(row[column]) else row[column] for column in columns)


def cell_numbers(frame: pd.DataFrame) -> dict[tuple[object, ...], int]:
    """Cell -> its number in the table."""
    cells = dict.fromkeys(map(cell_of, frame.to_dict("records")))
    return {cell: number for number, cell in enumerate(cells)}


def line_name(file: str, line: int) -> str:
    """What a row is called."""
    return f"{file}, line {line}"


def place_text(place: Place, row: Mapping[Any, Any]) -> str:
    """Where a row was measured."""
    return f"{place}, {row['modalities']} modalities"


def json_number(value: Any) -> Any:
    """A number as JSON has it; None for one that is missing."""
    return None if pd.isna(value) else value
