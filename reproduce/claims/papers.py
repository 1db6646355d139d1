"""What the papers claim, read from ``published/*.yaml``, and a verdict per claim.

A file is one paper; nothing about a claim stands in code. A claim carries its own check: which rows of the results it
is held against, and how (:mod:`reproduce.claims.checks`). ``null`` always means "not stated in the sources at hand";
whoever has the paper replaces it by the number, and the verdict follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import Field, model_validator

from reproduce.claims.cells import MetricName, Model, Number, Results, RowRead, Series, Table
from reproduce.claims.check import AnyCheck, Check, Outcome, Reproduced
from reproduce.claims.checks import ValueCheck
from reproduce.claims.metrics import METRICS
from reproduce.claims.tables import TABLES

PUBLISHED = Path(__file__).parent / "published"

Scalar = Annotated[str | bool | int | float, Field(union_mode="smart")]


@dataclass(frozen=True)
class Verdict:
    """What became of one claim.

    Attributes:
        claim: The claim's id; for a cell of a paper's own tables, where it stands.
        statement: What is claimed.
        published: The published value with its unit, as text.
        confidence: "A", "B" or "C" as in :class:`Claim`; empty for a cell.
        reading: How we read the claim where the sources leave that open; else None.
        verdict: The outcome.
        reason: The figures that decided it, or what is missing.
        rows: The rows that were read for it.
        value: The published number; None if none is stated.
        numbers: What can be set beside that.
    """

    claim: str
    statement: str
    published: str
    confidence: str
    reading: str | None
    verdict: Outcome
    reason: str
    rows: tuple[RowRead, ...]
    value: float | None
    numbers: tuple[Reproduced, ...]


class Claim(Model):
    """One published claim.

    Attributes:
        id: Unique over all papers.
        statement: What is claimed, in our words.
        value: The published number; None if none is stated.
        unit: What the number counts; for a claim without number, what kind of claim it is.
        sources: Where it was read.
        confidence: A = the authors' own words, B = a digest that agrees with an abstract, C = one digest alone.
        reading: How we read the claim where the sources leave that open.
        check: How it is held against the results.
    """

    id: str
    statement: str
    value: Number | None
    unit: str
    sources: Annotated[tuple[Literal["abstract", "poster", "digest", "paper"], ...], Field(min_length=1)]
    confidence: Literal["A", "B", "C"]
    reading: str | None = None
    check: AnyCheck

    @property
    def published(self) -> str:
        """The value with its unit, as text."""
        return f"{self.unit} (no number)" if self.value is None else f"{self.value:g} ({self.unit})"

    def verdict(self, results: Mapping[str, Results]) -> Verdict:
        """What the tables, by name, say of the claim."""
        judged = _judged(self.check, self.value, results)
        return Verdict(self.id, self.statement, self.published, self.confidence, self.reading, *judged)


class Cell(Series):
    """One cell of the paper's own tables; ``value`` is None until somebody with the paper fills it in."""

    table: Table
    dataset: str
    metric: MetricName
    value: Number | None

    @property
    def series(self) -> Series:
        """Whose number it is."""
        return Series(fusion=self.fusion, degree=self.degree, arguments=self.arguments)

    def verdict(self, arxiv: str, results: Mapping[str, Results]) -> Verdict:
        """What the tables, by name, say of a cell that is filled in."""
        check = ValueCheck(table=self.table, dataset=self.dataset, series=self.series, quantity=self.metric)
        label = METRICS[self.metric].label
        place, statement = f"{self.dataset}, {self.series}, {label}", f"A cell of the tables of {arxiv}."
        judged = _judged(check, self.value, results)
        return Verdict(place, statement, f"{self.value:g} ({label})", "", None, *judged)


def _judged(
    check: Check, published: float | None, results: Mapping[str, Results]
) -> tuple[Outcome, str, tuple[RowRead, ...], float | None, tuple[Reproduced, ...]]:
    """The last fields of a verdict."""
    results = {name: table.unread() for name, table in results.items()}
    outcome, reason = check.judge(published, results)
    rows = {(id(one.row), one.quantity): one for table in results.values() for one in table.read}
    return outcome, reason, tuple(rows.values()), published, tuple(check.numbers(results))


class Paper(Model):
    """A paper: what it claims, how it says that was done, and which of its numbers are missing.

    Attributes:
        method: The method as far as stated, one step per entry.
        settings: The experiment's settings by name; None where not stated.
    """

    title: str
    authors: tuple[str, ...]
    arxiv: str
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    method: tuple[str, ...]
    settings: dict[str, Scalar | None]
    claims: tuple[Claim, ...]
    cells: tuple[Cell, ...] = ()

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> Paper:
        names = [f"claim {claim.id!r}" for claim in self.claims]
        names += [f"cell {cell.table}, {cell.dataset}, {cell}, {cell.metric}" for cell in self.cells]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValueError(f"the {name} stands twice")
        return self


def load_papers(folder: Path = PUBLISHED) -> list[Paper]:
    """Reads and checks every paper of a folder, oldest first.

    Raises:
        FileNotFoundError: If the folder holds no YAML file.
        ValueError: If a file is not valid YAML, a key, claim id or cell appears twice, or a field is unknown, missing
            or of the wrong type. The message names the file and every such field.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise FileNotFoundError(f"No published claims in {folder}; expected one YAML file per paper.")
    papers: list[Paper] = []
    file_of: dict[str, Path] = {}
    for path in paths:
        try:
            paper = Paper.model_validate(yaml.load(path.read_bytes(), Loader=_UniqueKeys))
        except (yaml.YAMLError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
        for claim in paper.claims:
            if claim.id in file_of:
                raise ValueError(f"{path}: the claim {claim.id!r} stands in {file_of[claim.id]} already.")
        file_of |= dict.fromkeys((claim.id for claim in paper.claims), path)
        papers.append(paper)
    return sorted(papers, key=lambda paper: paper.date)


def verdicts(
    tables: Mapping[str, pd.DataFrame], papers: Iterable[Paper], comparisons: Mapping[str, pd.DataFrame]
) -> list[Verdict]:
    """One verdict per claim, and one per cell of the papers' own tables whose value is filled in.

    Args:
        tables: The tables that are there, by name. A claim whose table is not among them is "not comparable".
        papers: What is published.
        comparisons: Those beside the tables, by the tables' names, see :mod:`reproduce.claims.comparisons`.
    """
    results = {name: Results(name, tables.get(name), comparisons.get(name)) for name in TABLES}
    found: list[Verdict] = []
    for paper in papers:
        found += [claim.verdict(results) for claim in paper.claims]
        found += [cell.verdict(paper.arxiv, results) for cell in paper.cells if cell.value is not None]
    return found


class _UniqueKeys(yaml.SafeLoader):
    """YAML without Python objects, in which no key of a mapping may stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As in YAML, which keeps the last of several equal keys."""
        keys = [key.value for key, _ in node.value]
        for number, (key, _) in enumerate(node.value):
            if key.value in keys[:number]:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
        return super().construct_mapping(node, deep)
