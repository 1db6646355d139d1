"""Table 1: the Quantum Fusion Layer beside the classical fusions, on the embedded data sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from reproduce.report.scores import score_figure
from reproduce.sweep.runs import PERSISTENCE, RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.tuning import tuned, tuned_finely
from tfq_fusion.datasets import describe
from tfq_fusion.training import Protocol

TITLE = "Table 1: multimodal fusion on small, diverse data sets"
DATASETS = ("japanese-vowels", "mfeat", "emoji", "traffic-detectors")
METRICS = {"classification": ("accuracy", "roc_auc"), "forecasting": ("mae", "rmse")}
DEGREES = (1, 2, 3, 5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        protocol: How each run is trained.
    """

    protocol: Protocol

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"at most {self.protocol.epochs} epochs"


PROFILES = {
    "smoke": Profile(datasets=DATASETS[:2], seeds=2, protocol=Protocol(epochs=3)),
    "default": Profile(datasets=DATASETS, seeds=20, protocol=tuned(Protocol(epochs=200))),
    "paper": Profile(datasets=DATASETS, seeds=50, protocol=tuned_finely(Protocol(epochs=300, patience=20))),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, data set by data set."""
    for dataset in profile.datasets:
        baselines = (PERSISTENCE,) if describe(dataset).task == "forecasting" else ()
        yield from grid.runs(
            (*grid.LAYERS, *baselines), profile.seeds, DEGREES, protocol=profile.protocol, dataset=dataset
        )


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`."""
    return grid.fold(results, METRICS)


def figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> dict[str, Figure]:
    """One, with a panel per data set and the best constant guess as a line."""
    guesses = grid.constant_guess(dict.fromkeys(frame["dataset"]))
    return {"": score_figure(frame, TITLE, profile, units, guesses)}


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=(*grid.LAYERS, PERSISTENCE),
    cells=cells,
    fold=fold,
    figures=figures,
    units={"traffic-detectors": "vehicles per 15 minutes"},
)
