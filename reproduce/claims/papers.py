"""What the two papers claim, read from ``published/*.yaml``: one file per paper, nothing about a claim in code.

A claim carries its own check: which rows of the results it is held against, and how. ``null`` always means "not stated
in the sources at hand"; whoever has the paper replaces it by the number, and the verdict follows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from reproduce.claims.rows import FUSIONS, METRICS, base, caption, check_degree
from reproduce.claims.tables import TABLES

PUBLISHED = Path(__file__).parent / "published"


def _one_of(known: dict[str, Any], what: str, part: Callable[[str], str] = str) -> AfterValidator:
    def check(name: str) -> str:
        if part(name) not in known:
            raise ValueError(f"unknown {what} {name!r}; known are {', '.join(known)}")
        return name

    return AfterValidator(check)


Number = Annotated[FiniteFloat, Field(strict=True)]
Tolerance = Annotated[FiniteFloat, Field(strict=True, ge=0)]
Degree = Annotated[int, Field(strict=True, ge=1)]
Size = Annotated[int, Field(strict=True, ge=1)]
"""A number of modalities."""
MetricName = Annotated[str, _one_of(METRICS, "metric")]
FusionName = Annotated[str, _one_of(FUSIONS, "fusion", base)]
"""Of a fusion, or of a variant of one."""
Quantity = Annotated[str, _one_of(METRICS | dict.fromkeys(("modalities", "fusion_params", "total_params")), "quantity")]
Scalar = Annotated[str | bool | int | float, Field(union_mode="smart")]
Table = Annotated[str, _one_of(TABLES, "table")]
"""The one table whose rows a check is held against: ``make reproduce-<table>``."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(_Model):
    """A fusion as it stands in the results: by name, and for QFL and its control by degree."""

    fusion: FusionName
    degree: Degree | None = None

    @model_validator(mode="after")
    def _degree_fits(self) -> Series:
        check_degree(self.fusion, self.degree)
        return self

    def __str__(self) -> str:
        return caption(self.fusion, self.degree)


class ValueCheck(_Model):
    """The published value lies in the 95 % interval of the reproduced one, give or take ``tolerance``.

    ``modalities`` says with how many of them, here and below; None for the most that the table has on the data set.
    ``nearest`` names data sets of the table that are shown as information while ``dataset`` is not reproduced.
    """

    kind: Literal["value"]
    table: Table
    dataset: str | None
    series: Series
    quantity: Quantity
    tolerance: Tolerance = 0.0
    modalities: Size | None = None
    nearest: tuple[str, ...] = ()


class RatioCheck(_Model):
    """The published value lies in the interval of ``numerator / denominator``, give or take ``tolerance``.

    The interval of the ratio is the widest that the two 95 % intervals allow. Counts have no spread: for them only the
    tolerance counts. ``elsewhere`` maps other tables to data sets of theirs that are shown like ``nearest`` ones.
    """

    kind: Literal["ratio"]
    table: Table
    dataset: str | None
    numerator: Series
    denominator: Series
    quantity: Quantity
    tolerance: Tolerance = 0.0
    modalities: Size | None = None
    nearest: tuple[str, ...] = ()
    elsewhere: dict[Table, tuple[str, ...]] = {}


class OrderingCheck(_Model):
    """``above`` beats every one of ``below`` on every data set.

    One series beats another if its 95 % interval lies wholly on the better side of the other's, or if every seed of the
    other diverged. ``datasets`` and ``nearest`` map each data set to the metric it is judged by; ``elsewhere`` does so
    for each of other tables, see :class:`RatioCheck`.
    """

    kind: Literal["ordering"]
    table: Table
    above: Series
    below: tuple[Series, ...]
    datasets: dict[str, MetricName]
    nearest: dict[str, MetricName] = {}
    elsewhere: dict[Table, dict[str, MetricName]] = {}


class StabilityCheck(_Model):
    """From ``few`` to ``many`` modalities ``degrades`` gets worse, and ``stable`` does not.

    A series gets worse if its 95 % interval with many lies wholly on the worse side of that with few, or if with many
    every seed diverged.
    """

    kind: Literal["stability"]
    table: Table
    dataset: str
    metric: MetricName
    few: Size
    many: Size
    stable: Series
    degrades: Series
    nearest: tuple[str, ...] = ()


class DegreeShapeCheck(_Model):
    """On every data set the mean gets better from each degree of ``rises`` to the next, and worse at ``drops_at``.

    The means alone are compared: with few seeds the intervals of neighbouring degrees overlap.
    """

    kind: Literal["degree_shape"]
    table: Table
    rises: Annotated[tuple[Degree, ...], Field(min_length=2)]
    drops_at: Degree
    datasets: dict[str, MetricName]


class GrowthCheck(_Model):
    """Fusion parameters grow by no larger a factor than the modalities, between the fewest and the most of these."""

    kind: Literal["growth"]
    table: Table
    dataset: str
    series: Series


class Shown(_Model):
    """A cell of the results."""

    dataset: str
    series: Series
    quantity: Quantity


class OpenCheck(_Model):
    """Nothing is claimed: what was measured here is shown as information."""

    kind: Literal["open"]
    table: Table
    shown: Annotated[tuple[Shown, ...], Field(min_length=1)]


class EqualsDegreeCheck(_Model):
    """With every number of modalities and at every one of ``degrees``, a figure of QFL is the degree itself."""

    kind: Literal["equals_degree"]
    table: Table
    dataset: str
    quantity: MetricName
    degrees: tuple[Degree, ...]


class LeastDegreeCheck(_Model):
    """The lowest degree at which QFL scores ``at_most`` is the published value, and none of ``others`` scores that.

    A score counts as at most so much if its 95 % interval lies wholly there. ``nearest`` is as for :class:`ValueCheck`.
    """

    kind: Literal["least_degree"]
    table: Table
    dataset: str | None
    quantity: MetricName
    at_most: Number
    others: tuple[Series, ...]
    nearest: tuple[str, ...] = ()


class FewerParametersCheck(_Model):
    """At its own best accuracy a network has at most one ``times``-th of the parameters that any other one needs.

    Of the sizes of ``fusion`` the one with the best mean accuracy counts, and of the others' parameters what
    :mod:`reproduce.tables.table4.equal_accuracy` reads off their curves. If no other network reaches that accuracy, the
    largest has to have ``times`` as many parameters. ``times`` is the published value where it is None.
    """

    kind: Literal["fewer_parameters"]
    table: Table
    fusion: FusionName
    datasets: tuple[str, ...]
    modalities: Size
    times: Number | None = None
    nearest: tuple[str, ...] = ()


class SpreadCheck(_Model):
    """On every data set the scores of ``series`` deviate over seeds no more than those of the worst of ``among``.

    The sample standard deviations are compared; a seed of ``series`` that diverged decides against it.
    """

    kind: Literal["spread"]
    table: Table
    series: Series
    among: tuple[Series, ...]
    datasets: dict[str, MetricName]
    modalities: Size
    nearest: dict[str, MetricName] = {}


class NoCheck(_Model):
    """Nothing in a results file could decide the claim; ``reason`` says why."""

    kind: Literal["none"]
    reason: str


Check = Annotated[
    ValueCheck
    | RatioCheck
    | OrderingCheck
    | StabilityCheck
    | DegreeShapeCheck
    | GrowthCheck
    | EqualsDegreeCheck
    | LeastDegreeCheck
    | OpenCheck
    | FewerParametersCheck
    | SpreadCheck
    | NoCheck,
    Field(discriminator="kind"),
]


class Claim(_Model):
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
    check: Check

    @property
    def published(self) -> str:
        """The value with its unit, as text."""
        return f"{self.unit} (no number)" if self.value is None else f"{self.value:g} ({self.unit})"


class Cell(Series):
    """One cell of the paper's own tables; ``value`` is None until somebody with the paper fills it in."""

    table: Table
    dataset: str
    metric: MetricName
    value: Number | None


class Paper(_Model):
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


def load_papers(folder: Path = PUBLISHED) -> list[Paper]:
    """Reads and checks every paper of a folder, oldest first.

    Raises:
        FileNotFoundError: If the folder holds no YAML file.
        ValueError: If a file is not valid YAML, a key, claim id or cell appears twice, or a field is unknown, missing
            or of the wrong type. Every finding names file, line and field.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise FileNotFoundError(f"No published claims in {folder}; expected one YAML file per paper.")
    papers: list[Paper] = []
    first_at: dict[str, str] = {}
    for path in paths:
        root, content = _parse(path)
        try:
            paper = Paper.model_validate(content)
        except ValidationError as error:
            raise ValueError("\n".join(_finding(path, root, detail) for detail in error.errors())) from error
        for position, claim in enumerate(paper.claims):
            line = _line(root, ("claims", position, "id"))
            if claim.id in first_at:
                raise ValueError(
                    f"{path}, line {line}: claims.{position}.id: {claim.id!r} is already used in {first_at[claim.id]}."
                )
            first_at[claim.id] = f"{path}, line {line}"
        cells: dict[tuple[object, ...], int] = {}
        for position, cell in enumerate(paper.cells):
            line = _line(root, ("cells", position))
            key = cell.table, cell.dataset, cell.fusion, cell.degree, cell.metric
            if key in cells:
                raise ValueError(f"{path}, line {line}: cells.{position}: this cell is already on line {cells[key]}.")
            cells[key] = line
        papers.append(paper)
    return sorted(papers, key=lambda paper: paper.date)


def _parse(path: Path) -> tuple[yaml.Node, Any]:
    source = path.read_bytes()
    try:
        root = yaml.compose(source, Loader=yaml.SafeLoader)
        content = yaml.safe_load(source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ValueError(f"{path}, line {line}: not valid YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}.") from error
    if root is None:
        raise ValueError(f"{path}, line 1: the file is empty; expected the fields {list(Paper.model_fields)}.")
    _refuse_duplicate_keys(path, root)
    return root, content


def _refuse_duplicate_keys(path: Path, node: yaml.Node) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicate_keys(path, item)
    elif isinstance(node, yaml.MappingNode):
        first_at: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in first_at:
                raise ValueError(f"{path}, line {line}: {key.value!r} is already set on line {first_at[key.value]}.")
            first_at[key.value] = line
            _refuse_duplicate_keys(path, value)


def _finding(path: Path, root: yaml.Node, detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "the file"
    got = "" if detail["type"] == "missing" else f", got {detail['input']!r}"
    return f"{path}, line {_line(root, detail['loc'])}: {field}: {detail['msg']}{got}."


def _line(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
    """The line of a field, or of what should have held it; parts that are no field (a union's tag) are passed over."""
    line = node.start_mark.line
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    node, line = value, key.start_mark.line
                    break
    return line + 1
