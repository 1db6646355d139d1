"""What every check of a claim is, and the two that nothing decides.

A check is held against the table that it names. Where a number is missing on either side, the verdict is "not
comparable" and says what is missing.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import Self

from reproduce.claims.cells import (
    MetricName,
    Model,
    NotComparableError,
    Quantity,
    Results,
    Score,
    Series,
    Table,
    quantity_label,
)
from reproduce.claims.rows import NO_SETTINGS, TRAINING, Place, Settings

Outcome = Literal["reproduced", "not reproduced", "undecided", "not comparable"]
"""Undecided: the numbers are there, and too uncertain to tell."""
Metrics: TypeAlias = dict[str, MetricName]
"""Data sets, each with the metric that decides there."""


class Reproduced(NamedTuple):
    """A reproduced number, to be set beside a published one.

    Attributes:
        table: Where it was read.
        place: Of what.
        score: The number.
        told: The same in words.
        decides: Whether the claim is about that place; else it is shown as information.
    """

    table: str
    place: Place
    score: Score
    told: str
    decides: bool


class Check(Model, ABC):
    """How a claim is held against the results. A kind of check is a subclass that has a ``kind``."""

    kind: ClassVar[str]

    @abstractmethod
    def judge(self, published: float | None, results: Mapping[str, Results]) -> tuple[Outcome, str]:
        """The outcome, and in words what decided it.

        Args:
            published: The published value, if one is stated.
            results: Every table by its name.
        """

    def numbers(self, results: Mapping[str, Results]) -> list[Reproduced]:
        """The reproduced numbers that a published one can be set beside; none where the claim is about no number."""
        return []

    @classmethod
    def kinds(cls) -> dict[str, type[Check]]:
        """Every kind of check by its name."""
        found = {cls.kind: cls} if "kind" in vars(cls) else {}
        for kind in cls.__subclasses__():
            found |= kind.kinds()
        return found


def _of_its_kind(fields: Any) -> Any:
    kinds = Check.kinds()
    kind = fields.get("kind") if isinstance(fields, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"expected a kind among {', '.join(kinds)}")
    return kinds[kind].model_validate({name: value for name, value in fields.items() if name != "kind"})


AnyCheck: TypeAlias = Annotated[Check, BeforeValidator(_of_its_kind)]
"""A check of the kind that the field ``kind`` names."""


class NoCheck(Check):
    """Nothing in a results file could decide the claim; ``reason`` says why."""

    kind = "none"
    reason: str

    def judge(self, published: float | None, results: Mapping[str, Results]) -> tuple[Outcome, str]:
        """Never comparable."""
        return "not comparable", self.reason


class _Somewhere(Model):
    """Where in the results: by an experiment and its options, beside the data sets that are named."""

    experiment: str = TRAINING
    options: Settings = NO_SETTINGS

    def at(self, dataset: str) -> Place:
        """A data set there; empty where the experiment has none."""
        return Place(self.experiment, dataset, self.options)

    @model_validator(mode="after")
    def _names_a_data_set(self) -> Self:
        if self.experiment == TRAINING and getattr(self, "dataset", None) == "":
            raise ValueError("expected a data set, or another experiment than training")
        return self


class Shown(_Somewhere):
    """A cell of the results."""

    dataset: str = ""
    series: Series
    quantity: Quantity

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.at(self.dataset)


class OpenCheck(Check):
    """Nothing is claimed: what was measured here is shown as information."""

    kind = "open"
    table: Table
    shown: Annotated[tuple[Shown, ...], Field(min_length=1)]

    def judge(self, published: float | None, results: Mapping[str, Results]) -> tuple[Outcome, str]:
        """Never comparable; says what was measured."""
        try:
            found = "; ".join(
                f"{quantity_label(cell.quantity)} of {cell.series} on {cell.place} "
                f"{results[self.table].score(cell.place, cell.series, cell.quantity)}"
                for cell in self.shown
            )
        except NotComparableError as missing:
            return "not comparable", _sentence(str(missing))
        return "not comparable", f"Nothing is claimed that could be reproduced. Measured here: {found}."


class Comparison(_Somewhere, Check):
    """A check against the rows of one table, of an experiment and its options.

    Where the claim cannot be judged, what this table has on the ``nearest`` data sets, and other tables on those that
    ``elsewhere`` names, is shown as information.
    """

    table: Table
    nearest: tuple[str, ...] | Metrics = ()
    elsewhere: Mapping[Table, tuple[str, ...] | Metrics] = Field(default_factory=dict)

    @abstractmethod
    def holds(self, published: float | None, results: Results) -> tuple[bool | None, str]:
        """Whether the claim holds in the table, None if that is undecided, and the figures that say so.

        Raises:
            NotComparableError: If a number is missing.
        """

    @abstractmethod
    def on(self, place: Place, metric: str, results: Results) -> tuple[Any, str]:
        """What the table has on one data set, and the same in words; raises as :meth:`holds`.

        ``metric`` is what the data set is mapped to; empty where it is in a list.
        """

    def judge(self, published: float | None, results: Mapping[str, Results]) -> tuple[Outcome, str]:
        """By :meth:`holds`; where that cannot be told, with :meth:`on` of other data sets."""
        try:
            holds, reason = self.holds(published, results[self.table])
        except NotComparableError as missing:
            notes = ". ".join(self._notes(results))
            return "not comparable", _sentence(str(missing)) + (f" For information: {notes}." if notes else "")
        outcome: dict[bool | None, Outcome] = {True: "reproduced", False: "not reproduced", None: "undecided"}
        return outcome[holds], _sentence(reason)

    def _stated(self, published: float | None, dataset: str | None) -> tuple[float, Place]:
        if published is None:
            raise NotComparableError("the value is not stated in the sources at hand")
        if dataset is None:
            raise NotComparableError("the data set is not stated in the sources at hand")
        return published, self.at(dataset)

    def _notes(self, results: Mapping[str, Results]) -> Iterator[str]:
        for table, _, told in self._elsewhere(results):
            yield told[1] if table == self.table else f"In {table}, {told[1]}"

    def _elsewhere(self, results: Mapping[str, Results]) -> Iterator[tuple[str, Place, tuple[Any, str]]]:
        """What :meth:`on` says of the nearest data sets and of those of other tables, as far as they are there."""
        for table, datasets in ((self.table, self.nearest), *self.elsewhere.items()):
            for dataset in datasets:
                metric = datasets[dataset] if isinstance(datasets, dict) else ""
                with contextlib.suppress(NotComparableError):
                    yield table, self.at(dataset), self.on(self.at(dataset), metric, results[table])


class NumberCheck(Comparison):
    """A check of a published number: what :meth:`on` gives has one to set beside it."""

    @property
    @abstractmethod
    def stated_datasets(self) -> tuple[str, ...]:
        """The data sets that the claim is about, as far as they are stated."""

    def number(self, found: Any) -> Score:
        """The number in what :meth:`on` found; that itself, unless a kind of check finds more."""
        return found

    def numbers(self, results: Mapping[str, Results]) -> list[Reproduced]:
        """On the data sets that the claim is about, then on the others that it names; each place once."""
        found: dict[tuple[str, Place], Reproduced] = {}
        for place in map(self.at, self.stated_datasets):
            with contextlib.suppress(NotComparableError):
                value, told = self.on(place, "", results[self.table])
                found[self.table, place] = Reproduced(self.table, place, self.number(value), told, decides=True)
        for table, place, (value, told) in self._elsewhere(results):
            found.setdefault((table, place), Reproduced(table, place, self.number(value), told, decides=False))
        return list(found.values())


class DatasetCheck(NumberCheck):
    """A check of a number that is published for one data set; ``dataset`` is None if the sources do not state which."""

    dataset: str | None

    @property
    def stated_datasets(self) -> tuple[str, ...]:
        """The one, if it is stated."""
        return () if self.dataset is None else (self.dataset,)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
