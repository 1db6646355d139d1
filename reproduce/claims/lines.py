"""Reading a CSV file whose lines are pydantic models, and naming what is broken in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

Line = TypeVar("Line", bound=BaseModel)

EmptyIsNone = BeforeValidator(lambda value: None if value == "" else value)
"""In the annotation of a field: an empty cell is None."""

_REPAIR = "Repair the line, or make the table again."


def parse_lines(text: str, name: str, model: type[Line], key: Sequence[str]) -> list[Line]:
    """The lines of a file as models; their fields, in order, are its columns.

    Args:
        text: Of the file.
        name: What an error calls the file.
        model: Of a line.
        key: The columns that no two lines share.

    Raises:
        ValueError: If a line is broken or stands twice; the message names the file, the line and the column.
    """
    columns = list(model.model_fields)
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(lines, [])
        if header != columns:
            raise ValueError(f"{name}, line 1: expected the columns {columns}, got {header}. {_REPAIR}")
        numbered = ((lines.line_num, _named(cells, header, f"{name}, line {lines.line_num}")) for cells in lines)
        return check_lines(numbered, name, model, key)
    except csv.Error as error:
        raise ValueError(f"{name}, line {lines.line_num}: {error}. {_REPAIR}") from error


def check_lines(
    numbered: Iterable[tuple[int, Mapping[str, object]]], name: str, model: type[Line], key: Sequence[str]
) -> list[Line]:
    """As :func:`parse_lines`, of lines that are numbered and parted into cells by column."""
    found: list[Line] = []
    first_at: dict[tuple[object, ...], int] = {}
    for number, cells in numbered:
        line = _valid(cells, model, where=f"{name}, line {number}")
        named = tuple(getattr(line, column) for column in key)
        if named in first_at:
            raise ValueError(
                f"{name}, line {number}: {named} is already on line {first_at[named]}. Keep one of the two lines."
            )
        first_at[named] = number
        found.append(line)
    return found


def _named(cells: list[str], columns: list[str], where: str) -> dict[str, object]:
    if len(cells) != len(columns):
        raise ValueError(f"{where}: expected {len(columns)} cells, got {len(cells)}. {_REPAIR}")
    return dict(zip(columns, cells, strict=True))


def _valid(cells: Mapping[str, object], model: type[Line], where: str) -> Line:
    try:
        return model.model_validate(cells)
    except ValidationError as error:
        first = error.errors()[0]
        column = f"column {first['loc'][0]}, " if first["loc"] else ""
        got = repr(first["input"]) if first["loc"] else repr(",".join(map(str, cells.values())))
        raise ValueError(f"{where}: {column}{first['msg']}, got {got}. {_REPAIR}") from error
