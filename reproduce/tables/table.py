"""What a table is: profiles that say how much is run, the runs, how they fold into rows, and what people see of it."""

from __future__ import annotations

import abc
import dataclasses
import functools
import importlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import FUSIONS
from reproduce.claims.tables import TABLES
from reproduce.experiments.registry import EXPERIMENTS
from reproduce.report.page import Figures
from reproduce.sweep.runs import TRAINING, Pairs, RunResult, RunSpec, each_once
from tfq_fusion.datasets import Card, available, describe
from tfq_fusion.engines import check_engine


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(abc.ABC):
    """How much of a table is run; tables add what else they vary.

    Attributes:
        datasets: Names of the data sets, and of experiments.
        seeds: How many seeds, 0, 1, ...
        missing: Names of data sets that would be run if they were here.
    """

    datasets: tuple[str, ...]
    seeds: int
    missing: tuple[str, ...] = ()

    @property
    @abc.abstractmethod
    def extent(self) -> str:
        """How long is trained, in words."""

    def with_seeds(self, seeds: int) -> Any:
        """The same with so many seeds."""
        return dataclasses.replace(self, seeds=seeds)


Some = TypeVar("Some", bound=Profile)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table(Generic[Some]):
    """One table. A module of this package that assigns one to ``TABLE`` is a command and a target of the Makefile.

    Attributes:
        title: Heading of its page and figures.
        profiles: How much is run, by name: smoke, default and paper.
        metrics: What is reported: task of a data set, or name of an experiment, -> names of the test metrics.
        fusions: The fusions that are run; any of them can be chosen.
        choices: The data sets and experiments that can be chosen; None for every data set whose task has metrics.
        cells: Every run of a profile, but for what follows from the rest of it: the hash of its data, engine and
            precision.
        fold: Makes rows of results, mostly by :func:`reproduce.tables.grid.fold`.
        settings: As it has them: fusions are compared that were trained with the same.
        figures: Draws its figures.
        comparison_figures: Draws further ones, from the frame, its comparisons and what made it, in words.
        notes: What a reader has to know about it, a paragraph each.
        units: Unit of the forecast errors by data set.

    Raises:
        ValueError: If a fusion, a metric, an experiment or a data set is not known; before anything runs.
    """

    title: str
    profiles: Mapping[str, Some]
    metrics: Mapping[str, Sequence[str]]
    fusions: tuple[str, ...]
    choices: tuple[str, ...] | None = None
    cells: Callable[[Some], Iterable[RunSpec]]
    fold: Callable[[Sequence[RunResult]], pd.DataFrame]
    figures: Figures
    settings: Callable[[RunSpec], tuple[Mapping[str, Any], Mapping[str, Any]]] = lambda spec: ({}, {})
    comparison_figures: Callable[[pd.DataFrame, pd.DataFrame, str], Mapping[str, Figure]] = lambda *_: {}
    notes: Callable[[Some], list[str]] = lambda profile: []
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        places = (*available(), *EXPERIMENTS)
        for what, names, known in (
            ("fusion", self.fusions, FUSIONS),
            ("metric", itertools.chain(*self.metrics.values()), METRICS),
            ("data set or experiment", self.choices or (), places),
            ("data set or experiment", itertools.chain(*(one.datasets for one in self.profiles.values())), places),
        ):
            require_known(what, names, known, f"of {self.title!r}")

    def plan(self, profile: str, seeds: int | None = None, datasets: Sequence[str] | None = None) -> Some:
        """A profile by name, with another number of seeds or other data sets where they are given.

        Data sets that are named have to be here; of those of the profile the ones that are here are run.

        Raises:
            ValueError: If the profile, a data set or an experiment is unknown.
        """
        require_known("profile", [profile], self.profiles)
        chosen = self.profiles[profile]
        if datasets:
            require_known("data set or experiment", datasets, self.choices or available())
            chosen = dataclasses.replace(chosen, datasets=tuple(dict.fromkeys(datasets)))
        else:
            here = tuple(name for name in chosen.datasets if name in EXPERIMENTS or _is_here(name))
            missing = tuple(name for name in chosen.datasets if name not in here)
            chosen = dataclasses.replace(chosen, datasets=here, missing=missing)
        return chosen if seeds is None else chosen.with_seeds(seeds)

    def specs(self, profile: Some, fusions: Sequence[str] | None = None, engine: str = "compiled") -> list[RunSpec]:
        """Every run once, in the order of :attr:`cells`.

        Args:
            profile: How much is run.
            fusions: Which fusions; None for all.
            engine: What runs the quantum ones.

        Raises:
            FileNotFoundError: If data sets are not here; the message names them and says how to get them.
            ValueError: If a fusion or the engine is unknown, the engine cannot run an experiment, no run is left, or
                nothing is reported of a data set.
        """
        check_engine(engine)
        require_known("fusion", fusions or (), self.fusions)
        _require_here(profile.datasets)
        cells = list(self.cells(profile))
        runs = each_once(self._complete(cell, engine) for cell in cells if not fusions or cell.fusion in fusions)
        if not runs:
            require_known("fusion", fusions or (), dict.fromkeys(cell.fusion for cell in cells), "of these data sets")
        return runs

    def _complete(self, cell: RunSpec, engine: str) -> RunSpec:
        card = None if cell.dataset is None else card_of(cell)
        about = card.task if card and cell.experiment == TRAINING else cell.experiment
        if about not in self.metrics:
            raise ValueError(
                f"{cell.dataset} is about {about}: this table is not, expected among {', '.join(self.metrics)}."
            )
        stated = EXPERIMENTS[cell.experiment].computation.stated(cell.fusion, engine)
        return dataclasses.replace(cell, dataset_sha256=card.sha256 if card else None, **stated)


def find(name: str) -> Table[Any]:
    """A table by its name.

    Raises:
        ValueError: If there is none.
    """
    require_known("table", [name], TABLES)
    table: Table[Any] = importlib.import_module(f"reproduce.tables.{name}").TABLE
    return table


def require_known(what: str, names: Iterable[str], known: Iterable[str], where: str = "") -> None:
    """Raise a ValueError that lists the known names unless these are among them."""
    known = list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        place = f" {where}" if where else ""
        raise ValueError(f"Unknown {what} {', '.join(unknown)}{place}: expected among {', '.join(known)}.")


def card_of(spec: RunSpec) -> Card:
    """The card of the data that a run is trained on."""
    return _card(str(spec.dataset), spec.dataset_options)


@functools.cache
def _card(name: str, options: Pairs) -> Card:
    """A card, once per process: that of downloaded data may have to hash them."""
    return describe(name, **dict(options))


def _is_here(dataset: str) -> bool:
    """Whether a data set can be loaded; a part of it that can is enough."""
    try:
        describe(dataset)
    except FileNotFoundError:
        return False
    return True


def _require_here(datasets: Iterable[str]) -> None:
    absent = [name for name in datasets if name not in EXPERIMENTS and not _is_here(name)]
    if absent:
        commands = ", ".join(f"`make data DATASET={name}`" for name in absent)
        raise FileNotFoundError(f"Data sets that are not there: {', '.join(absent)}. Get them with {commands}.")
