"""The results file: one tidy CSV per table, one row per cell.

A row says what was run (an experiment, a data set, options), with which fusion (its arguments, its degree), and one
metric of it. Options and arguments are JSON objects. ``tuning`` is another: learning rate -> mean validation loss over
the tuning seeds, null where one diverged; empty where there was no choice. ``learning_rate`` is the one that was
chosen, and empty where parts of a cell, such as folds, chose different ones. ``stopped_early`` is the share of runs
that early stopping ended before the last epoch.

How a cell without a mean is to be read follows from its seeds: none were run because the fusion cannot be built at that
size ("intractable"), or some were and every one of them ended in NaN ("diverged"), but for a metric that says what else
it means.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from reproduce.claims.lines import EmptyIsNone, check_lines, parse_lines
from reproduce.claims.metrics import METRICS
from reproduce.claims.tables import TABLES
from tfq_fusion.files import write_files
from tfq_fusion.fusions import fusions

KEY = ["experiment", "dataset", "options", "modalities", "fusion", "arguments", "degree", "metric"]
"""The columns that name a cell; no two rows of a table share them."""

TRAINING = "training"
"""The experiment of a row whose models are merely trained on a data set."""

NO_SETTINGS = "{}"
"""Options or arguments where there are none."""


FUSIONS = {name: entry.caption for name, entry in fusions().items()}
"""The fusions and what people call them, in the order of display."""


def encode(settings: Mapping[str, Any]) -> str:
    """Options or arguments as they stand in a results file: JSON with sorted keys and no spaces.

    Raises:
        ValueError: If a number is not finite.
    """
    return json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)


def decode(text: str) -> dict[str, Any]:
    """The inverse of :func:`encode`."""
    return dict(json.loads(text))


def _canonical(given: object) -> str:
    """Options or arguments as :func:`encode` writes them, given so or as a mapping."""
    try:
        settings = json.loads(given) if isinstance(given, str) else given
        text = encode(settings) if isinstance(settings, dict) else None
    except (TypeError, ValueError, RecursionError):
        text = None
    if text is None or (isinstance(given, str) and given != text):
        raise ValueError("expected a JSON object with sorted keys and no spaces, {} for none")
    return text


Settings = Annotated[str, BeforeValidator(_canonical)]
"""Options or arguments, see :func:`encode`; a mapping is encoded."""


def words(settings: str) -> str:
    """Options or arguments in words, such as "channels = 3, scale = 0.5pi"."""
    return ", ".join(f"{name} = {_said(name, value)}".replace("_", " ") for name, value in decode(settings).items())


def _said(name: str, value: Any) -> str:
    if name == "scale":  # an angle
        return f"{value / math.pi:g}pi"
    return f"{value:g}" if isinstance(value, float) else str(value)


class Place(NamedTuple):
    """What a fusion was run on.

    ``dataset`` is empty for an experiment that needs none; ``options``, see :func:`encode`, are what sets it apart from
    other places of the same table.
    """

    experiment: str
    dataset: str
    options: str = NO_SETTINGS

    @classmethod
    def of(cls, row: Mapping[Any, Any] | pd.Series) -> Place:
        """That of a row of a table."""
        return cls(row["experiment"], row["dataset"], row["options"])

    @property
    def name(self) -> str:
        """The experiment, or the data set where models are merely trained on one."""
        return self.dataset if self.experiment == TRAINING else self.experiment

    def __str__(self) -> str:
        said = words(self.options)
        return f"{self.name} ({said})" if said else self.name


def caption(fusion: str, degree: int | None = None, arguments: str = NO_SETTINGS) -> str:
    """What people call a fusion, or a variant of it."""
    details = ([] if degree is None else [f"P = {degree}"]) + [said for said in [words(arguments)] if said]
    return FUSIONS[fusion] + (f" ({', '.join(details)})" if details else "")


def check_degree(fusion: str, degree: int | None) -> None:
    """Raises ValueError unless qfl has a degree, control has one or none, and no other fusion has one."""
    entry = fusions()[fusion]
    if entry.has_degree and entry.kind == "quantum" and degree is None:
        raise ValueError(f"{fusion} needs a degree")
    if degree is not None and not entry.has_degree:
        raise ValueError(f"a degree belongs to qfl and to its control; {fusion} has none")


_Int64 = Field(le=2**63 - 1)


class Row(BaseModel):
    """One line of a results file; the order of the fields is the order of the columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    modalities: Annotated[PositiveInt, _Int64]
    fusion: str
    degree: Annotated[PositiveInt | None, _Int64, EmptyIsNone]
    engine: Annotated[str | None, EmptyIsNone]
    metric: str
    mean: Annotated[FiniteFloat | None, EmptyIsNone]
    std: Annotated[NonNegativeFloat | None, EmptyIsNone]
    ci95_low: Annotated[FiniteFloat | None, EmptyIsNone]
    ci95_high: Annotated[FiniteFloat | None, EmptyIsNone]
    seeds: Annotated[NonNegativeInt, _Int64]
    fusion_params: NonNegativeInt
    total_params: Annotated[NonNegativeInt | None, _Int64, EmptyIsNone]
    train_seconds: Annotated[NonNegativeFloat | None, EmptyIsNone]
    experiment: Annotated[str, Field(min_length=1)]
    options: Settings
    arguments: Settings
    learning_rate: Annotated[PositiveFloat | None, EmptyIsNone]
    tuning: Annotated[Settings, BeforeValidator(lambda given: NO_SETTINGS if given == "" else given)]
    stopped_early: Annotated[float | None, Field(ge=0, le=1), EmptyIsNone]

    @model_validator(mode="after")
    def _is_consistent(self) -> Row:
        for column, value, known in (("fusion", self.fusion, FUSIONS), ("metric", self.metric, METRICS)):
            if value not in known:
                raise ValueError(f"unknown {column} {value!r}; known are {', '.join(known)}")
        metric = METRICS[self.metric]
        if self.mean is not None and not metric.low <= self.mean <= metric.high:
            raise ValueError(f"expected a mean {self.metric} from {metric.low:g} to {metric.high:g}")
        check_degree(self.fusion, self.degree)
        if self.experiment == TRAINING and not self.dataset:
            raise ValueError("trained on no data set")
        tried = decode(self.tuning)
        if tried and self.learning_rate is not None and f"{self.learning_rate:g}" not in tried:
            raise ValueError("the learning rate is none of those that it was tuned among")
        if self.seeds == 0 and self.mean is not None:
            raise ValueError("a mean over no seeds")
        if (self.ci95_low is None) != (self.ci95_high is None):
            raise ValueError("an interval needs both ci95_low and ci95_high")
        if self.ci95_low is None or self.ci95_high is None:
            return self
        if self.mean is None or not self.ci95_low <= self.mean <= self.ci95_high:
            raise ValueError("the mean lies outside its own interval")
        return self


COLUMNS = list(Row.model_fields)
"""The columns of a results file, in order."""

_DTYPES = {
    # The weights of a tensor fusion of 48 modalities do not fit into 64 bits.
    **dict.fromkeys(("dataset", "fusion", "engine", "metric", "fusion_params"), "object"),
    **dict.fromkeys(("experiment", "options", "arguments", "tuning"), "object"),
    **dict.fromkeys(("modalities", "degree", "seeds", "total_params"), "Int64"),
    **dict.fromkeys(("mean", "std", "ci95_low", "ci95_high", "train_seconds"), "float64"),
    **dict.fromkeys(("learning_rate", "stopped_early"), "float64"),
}


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the columns of a results file in their order and types.

    Whole numbers become pandas' nullable ``Int64``, so that an empty degree does not turn the others into floats;
    ``fusion_params`` holds Python integers, which have no upper bound.

    Raises:
        ValueError: If a column is missing or unknown.
    """
    if set(frame.columns) != set(COLUMNS):
        missing = [column for column in COLUMNS if column not in frame.columns]
        unknown = [column for column in frame.columns if column not in COLUMNS]
        raise ValueError(f"A results table has the columns {COLUMNS}; missing: {missing}, unknown: {unknown}.")
    return frame[COLUMNS].astype(_DTYPES)


def to_csv(frame: pd.DataFrame) -> str:
    """The text of a results file, floats with 6 significant digits.

    Raises:
        ValueError: If a column is missing or unknown.
    """
    return typed(frame).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def validated(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """What :func:`from_csv` would give of the text that :func:`to_csv` makes of a frame.

    Args:
        frame: A table.
        name: What an error calls its file.

    Raises:
        ValueError: If a column is missing or unknown, or as :func:`from_csv`.
    """
    frame = typed(frame).reset_index(drop=True)
    floats = frame.select_dtypes("float64").columns
    frame[floats] = frame[floats].map(lambda value: float(f"{value:.6g}"))
    lines = ((line, dict(zip(COLUMNS, cells, strict=True))) for line, cells in enumerate(_cells(frame), start=2))
    return _table(check_lines(lines, name, Row, KEY))


def _cells(frame: pd.DataFrame) -> Iterator[list[object]]:
    missing = frame.isna()
    for cells, empty in zip(frame.itertuples(index=False), missing.itertuples(index=False), strict=True):
        yield ["" if none else cell for cell, none in zip(cells, empty, strict=True)]


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes a results file as :func:`to_csv` has it, and makes its folder.

    Raises:
        OSError: If the file cannot be written.
        ValueError: If a column is missing or unknown.
    """
    content = to_csv(frame).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_files({path: content})


def read_table(path: Path) -> pd.DataFrame:
    """Reads a results file, see :func:`from_csv`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: As :func:`reproduce.claims.lines.parse_lines`.
    """
    return from_csv(path.read_text(encoding="utf-8", errors="replace"), str(path))


def read_tables(folder: Path, but: str | None = None) -> dict[str, pd.DataFrame]:
    """The known tables that a folder has, by name, but for one; whatever else lies there is no table.

    Raises:
        ValueError: As :func:`read_table`.
    """
    paths = {name: folder / f"{name}.csv" for name in TABLES if name != but}
    return {name: read_table(path) for name, path in paths.items() if path.exists()}


def from_csv(text: str, name: str) -> pd.DataFrame:
    """The inverse of :func:`to_csv`.

    Args:
        text: Of a results file.
        name: What an error calls the file.

    Returns:
        A frame with the columns ``COLUMNS``, typed as :func:`typed` does; an empty cell is a missing value.

    Raises:
        ValueError: As :func:`reproduce.claims.lines.parse_lines`.
    """
    return _table(parse_lines(text, name, Row, KEY))


def _table(rows: list[Row]) -> pd.DataFrame:
    return typed(pd.DataFrame([row.model_dump() for row in rows], columns=COLUMNS))
