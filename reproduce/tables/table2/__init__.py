"""Table 2: how the fusions hold up as modalities multiply, on electrocardiograms, traffic and noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.rows import KEY, Place, typed
from reproduce.sweep.runs import BASELINES, RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.table2.figures import size_figures
from reproduce.tables.tuning import tuned, tuned_finely, tuned_roughly
from tfq_fusion.datasets.sets.ecg import LEADS
from tfq_fusion.datasets.sets.ludb import FOLDS
from tfq_fusion.training import Protocol

TITLE = "Table 2: multimodal fusion as modalities multiply"
SYNTHETIC = "synthetic"
"""The experiment on noise, beside the data sets."""
UNBUILT = ("tfn",)
"""It has too many weights for any trained block; it is in the synthetic one, which shows that."""
METRICS = {
    "classification": ("accuracy", "roc_auc"),
    "multilabel": ("roc_auc",),
    "forecasting": ("mae", "rmse", "mape"),
    SYNTHETIC: ("gradient_norm_log10",),
}

_ECG: tuple[Mapping[str, Any], ...] = ({"leads": ("I", "II", "V2")}, {"leads": LEADS})
_TRAFFIC: tuple[Mapping[str, Any], ...] = ({"sensors": 12}, {"sensors": 48}, {"sensors": 207})
SIZES: dict[str, tuple[Mapping[str, Any], ...]] = {
    "ptb-xl": _ECG,
    "ludb": _ECG,
    "metr-la": _TRAFFIC,
    "los-loop": _TRAFFIC,
    "japanese-vowels": ({"channels": 3}, {"channels": 6}, {"channels": 12}),
    SYNTHETIC: tuple({"modalities": modalities} for modalities in (2, 4, 8, 16, 32, 64)),
}
"""Data set -> options of its loader, or experiment -> its options, one choice for each number of modalities."""
STAND_IN = "japanese-vowels"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        datasets: Names of the data sets, and :data:`SYNTHETIC`.
        seeds: How many seeds, 0, 1, ... On LUDB each of them tests every fold.
        protocol: How each run is trained on vowels.
        records: How each run is trained on electrocardiograms.
        forecasts: How each run is trained on traffic.
    """

    protocol: Protocol
    records: Protocol
    forecasts: Protocol

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"at most {self.protocol.epochs} epochs on classes and {self.forecasts.epochs} on traffic"


PROFILES = {
    "smoke": Profile(
        datasets=(STAND_IN, SYNTHETIC),
        seeds=2,
        protocol=Protocol(epochs=2),
        records=Protocol(epochs=2),
        forecasts=Protocol(epochs=2),
    ),
    "default": Profile(
        datasets=tuple(SIZES),
        seeds=20,
        protocol=tuned(Protocol(epochs=100)),
        records=tuned_roughly(Protocol(epochs=100)),
        forecasts=tuned_roughly(Protocol(epochs=20)),
    ),
    "paper": Profile(
        datasets=tuple(SIZES),
        seeds=50,
        protocol=tuned_finely(Protocol(epochs=300, patience=20)),
        records=tuned_finely(Protocol(epochs=300, patience=20)),
        forecasts=tuned_finely(Protocol(epochs=100)),
    ),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, data set by data set and from few modalities to many. On LUDB every seed tests every fold."""
    for name in profile.datasets:
        layers = [fusion for fusion in grid.LAYERS if fusion not in UNBUILT]
        for size in SIZES[name]:
            degrees = (1, 2, 3) if SIZES[name] is _ECG else (3,)
            protocol = _protocol(name, profile)
            if name == SYNTHETIC:
                yield from grid.runs(
                    (*layers, *UNBUILT), profile.seeds, degrees, protocol=protocol, experiment=name, options=size
                )
                continue
            yield from grid.runs(
                (*layers, *(BASELINES if SIZES[name] is _TRAFFIC else ())),
                profile.seeds,
                degrees,
                folds=FOLDS if name == "ludb" else None,
                dataset_options=size,
                protocol=protocol,
                dataset=name,
            )


def _protocol(name: str, profile: Profile) -> Protocol:
    if name == SYNTHETIC:
        return Protocol()  # of which only the widths count: the profile makes no difference
    if SIZES[name] is _TRAFFIC:
        return profile.forecasts
    return profile.records if SIZES[name] is _ECG else profile.protocol


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`, with what a run costs, and its weights relative to those of LMF."""
    return with_ratio_to_lmf(grid.fold(results, METRICS, _costs))


def _costs(result: RunResult) -> dict[str, float | None]:
    if result.seconds_per_epoch is None:
        return {}
    return {"seconds_per_epoch": result.seconds_per_epoch, "peak_memory_mb": result.peak_memory_mb}


def with_ratio_to_lmf(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a row "parameters_over_lmf" for every fusion with weights, where LMF was run beside it."""
    place = [*Place._fields, "modalities"]
    cells = frame.drop_duplicates([column for column in KEY if column != "metric"])
    lmf = cells.loc[cells["fusion"] == "lmf", [*place, "fusion_params"]].rename(columns={"fusion_params": "lmf"})
    weighted = cells[(cells["fusion_params"] > 0) & (cells["seeds"] > 0)].merge(lmf, on=place)
    rows = weighted.assign(
        metric="parameters_over_lmf",
        mean=(weighted["fusion_params"] / weighted["lmf"]).astype("float64"),
        **dict.fromkeys(("std", "ci95_low", "ci95_high"), float("nan")),
    ).drop(columns="lmf")
    return typed(pd.concat([frame, typed(rows)], ignore_index=True))


def notes(profile: Profile) -> list[str]:
    """How to read the table, and which data sets are missing from it."""
    found = [_HOW_TO_READ]
    for name in profile.missing:
        found.append(f"**{name}** is not here, so it has no rows: `make data DATASET={name}` fetches it.")
    if STAND_IN in profile.datasets:
        real = [name for name in profile.datasets if name not in (STAND_IN, SYNTHETIC)]
        found.append(
            f"**{STAND_IN}** stands in for the papers' data on a fresh clone: it travels with the package, and its "
            "first 3, first 6 and all 12 channels are the modalities. It is no electrocardiogram and no traffic"
            + ("." if real else ", and no claim about these is decided by it. Nothing else was trained here.")
        )
    return found


_HOW_TO_READ = """\
- *Parameters / LMF's*: fusion parameters relative to those of LMF (rank 4, our choice) with as many modalities.
- *s per epoch*: median over the epochs of a run, validation included. *Peak memory*: the most that the process had held
  by the end of a run, earlier runs of it included, so an upper bound. Both are means over seeds, on a busy machine.
- On *ludb* every seed tests every one of five folds of people, each tuned by itself, and its score is their mean:
  intervals are over seeds. What other people would change, the comparisons say.
- Traffic: 12 steps of five minutes in, 12 out, errors over all of them. *GCN* has the graph of the sensors there, and
  the complete graph everywhere else.
- *synthetic*: no training. The gradient of a random projection of the output in all encoded features, root mean square
  over 32 samples of noise, at the initial weights; all but QFL in double precision. *MFB* normalises its output, so
  its gradient does not vanish with the product of its projections."""


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=(*grid.LAYERS, *BASELINES),
    choices=tuple(SIZES),
    cells=cells,
    fold=fold,
    figures=size_figures,
    notes=notes,
    units={"metr-la": "miles per hour", "los-loop": "miles per hour"},
)
