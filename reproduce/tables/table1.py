"""Table 1: the Quantum Fusion Layer beside the classical fusions, on the embedded data sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from reproduce.sweep.runs import PERSISTENCE, RunResult, RunSpec
from reproduce.tables import grid
from tfq_fusion.training import Protocol

TITLE = "Table 1: multimodal fusion on small, diverse data sets"
DATASETS = ("japanese-vowels", "mfeat", "emoji", "traffic-detectors")
FUSIONS = ("qfl", "control", "concat", "tfn", "lmf", "lmf-unit", "mfb", "gcn", PERSISTENCE)
METRICS = {"classification": ("accuracy", "roc_auc"), "forecasting": ("mae", "rmse")}
DEGREES = (1, 2, 3, 5)
UNITS = {"traffic-detectors": "vehicles per 15 minutes"}
FIGURES = None
"""One figure, with a panel per data set."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """How much is run.

    Attributes:
        datasets: Names of the data sets.
        seeds: How many seeds, 0, 1, ...
        protocol: How each run is trained.
    """

    datasets: tuple[str, ...]
    seeds: int
    protocol: Protocol

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"at most {self.protocol.epochs} epochs"


PROFILES = {
    "smoke": Profile(DATASETS[:2], seeds=1, protocol=Protocol(epochs=3)),
    "default": Profile(DATASETS, seeds=3, protocol=Protocol()),
    "paper": Profile(
        DATASETS,
        seeds=10,
        protocol=Protocol(epochs=200, patience=20, learning_rates=(1e-3, 2e-3, 5e-3, 1e-2, 2e-2)),
    ),
}


def plan(profile: str, seeds: int | None = None, datasets: Sequence[str] | None = None) -> Profile:
    """A profile by name, with another number of seeds or other data sets where they are given.

    Raises:
        ValueError: If the profile is unknown.
    """
    known = grid.named(profile, PROFILES)
    return dataclasses.replace(
        known, seeds=seeds or known.seeds, datasets=tuple(dict.fromkeys(datasets or known.datasets))
    )


def specs(profile: Profile, fusions: Sequence[str] | None, engine: str) -> list[RunSpec]:
    """Every run of the table, data set by data set.

    Args:
        profile: How much is run.
        fusions: Which of :data:`FUSIONS`; None for all.
        engine: What runs "qfl".

    Raises:
        ValueError: If a fusion, a data set or the engine is unknown, or the table reports no metric for a data set; the
            message lists the known ones.
        FileNotFoundError: If data sets are not there; the message says how to get them.
    """
    names = grid.chosen(fusions, FUSIONS, METRICS)
    blocks = [grid.Block(names, DEGREES, profile.seeds, profile.protocol, dataset=name) for name in profile.datasets]
    return grid.specs(blocks, engine, METRICS)


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`."""
    return grid.fold(results, METRICS)


def chance(profile: Profile) -> dict[str, float]:
    """As :func:`reproduce.tables.grid.constant_guess`."""
    return grid.constant_guess(profile.datasets)


def notes(profile: Profile) -> list[str]:
    """Nothing that the table does not say itself."""
    return []
