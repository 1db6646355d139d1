"""Table 2: how the fusions hold up as modalities multiply, on electrocardiograms, traffic and noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.rows import KEY, Place, typed
from reproduce.sweep.runs import HISTORICAL_AVERAGE, PERSISTENCE, RunResult, RunSpec
from reproduce.tables import grid
from reproduce.tables.table2.figures import size_figures
from tfq_fusion.datasets import available, state
from tfq_fusion.datasets.sets.ecg import LEADS
from tfq_fusion.datasets.sets.ludb import FOLDS
from tfq_fusion.training import Protocol

TITLE = "Table 2: multimodal fusion as modalities multiply"
SYNTHETIC = "synthetic"
"""The experiment beside the data sets."""
TRAINED = ("qfl", "control", "concat", "lmf", "lmf-unit", "mfb", "gcn", PERSISTENCE, HISTORICAL_AVERAGE)
FUSIONS = (*TRAINED, "tfn")
"""TFN has too many weights for any trained block; it is in the synthetic one, which shows that."""
UNITS = {"metr-la": "miles per hour", "los-loop": "miles per hour"}
FIGURES = size_figures
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


@dataclasses.dataclass(frozen=True)
class Profile:
    """How much is run.

    Attributes:
        datasets: Names of the data sets, and :data:`SYNTHETIC`.
        seeds: How many seeds, 0, 1, ... On LUDB seed k tests fold k modulo 5.
        protocol: How each run on classes is trained.
        forecasts: How each run on traffic is trained.
        missing: Names of the data sets that the profile would run if they were there.
    """

    datasets: tuple[str, ...]
    seeds: int
    protocol: Protocol
    forecasts: Protocol
    missing: tuple[str, ...] = ()

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"at most {self.protocol.epochs} epochs on classes and {self.forecasts.epochs} on traffic"


PROFILES = {
    "smoke": Profile((STAND_IN, SYNTHETIC), seeds=1, protocol=Protocol(epochs=2), forecasts=Protocol(epochs=2)),
    "default": Profile(tuple(SIZES), seeds=5, protocol=Protocol(epochs=30), forecasts=Protocol(epochs=12)),
    "paper": Profile(
        tuple(SIZES),
        seeds=10,
        protocol=Protocol(epochs=200, patience=20, learning_rates=(1e-3, 2e-3, 5e-3, 1e-2, 2e-2)),
        forecasts=Protocol(epochs=100, patience=10, learning_rates=(1e-3, 2e-3, 5e-3, 1e-2, 2e-2)),
    ),
}


def plan(profile: str, seeds: int | None = None, datasets: Sequence[str] | None = None) -> Profile:
    """A profile by name, with another number of seeds or other data sets where they are given.

    Data sets that are named have to be there; of those of the profile the ones that are there are run.

    Raises:
        ValueError: If the profile or a data set is unknown.
    """
    known = grid.named(profile, PROFILES)
    unknown = [name for name in datasets or () if name not in SIZES]
    if unknown:
        raise ValueError(f"Table 2 has no data set {', '.join(unknown)}: expected among {', '.join(SIZES)}.")
    here = [name for name in known.datasets if name not in available() or state(name) in ("embedded", "ready")]
    return dataclasses.replace(
        known,
        seeds=seeds or known.seeds,
        datasets=tuple(dict.fromkeys(datasets or here)),
        missing=() if datasets else tuple(name for name in known.datasets if name not in here),
    )


def specs(profile: Profile, fusions: Sequence[str] | None, engine: str) -> list[RunSpec]:
    """Every run of the table, data set by data set and from few modalities to many.

    Args:
        profile: How much is run.
        fusions: Which of :data:`FUSIONS`; None for all.
        engine: What runs "qfl".

    Raises:
        MissingDataError: If a data set is not there.
        ValueError: If a fusion or the engine is unknown.
    """
    names = grid.chosen(fusions, FUSIONS, METRICS)
    blocks = (_block(name, size, profile, names) for name in profile.datasets for size in SIZES[name])
    return grid.specs(blocks, engine, METRICS)


def _block(name: str, options: Mapping[str, Any], profile: Profile, fusions: tuple[str, ...]) -> grid.Block:
    names = ("experiment", "options") if name == SYNTHETIC else ("dataset", "dataset_options")
    place: dict[str, Any] = dict(zip(names, (name, options), strict=True))
    return grid.Block(
        fusions=tuple(fusion for fusion in fusions if fusion in TRAINED or name == SYNTHETIC),
        degrees=(1, 2, 3) if SIZES[name] is _ECG else (3,),
        seeds=profile.seeds,
        protocol=_protocol(name, profile),
        **place,
        folds=FOLDS if name == "ludb" else None,
    )


def _protocol(name: str, profile: Profile) -> Protocol:
    if name == SYNTHETIC:
        return Protocol()  # of which only the widths count: the profile makes no difference
    return profile.forecasts if SIZES[name] is _TRAFFIC else profile.protocol


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


def chance(profile: Profile) -> dict[str, float]:
    """Nothing: the figures show no accuracy."""
    return {}


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
- On *ludb* seed k tests fold k modulo 5: its intervals are over seeds and people at once.
- Traffic: 12 steps of five minutes in, 12 out, errors over all of them. *GCN* has the graph of the sensors there, and
  the complete graph everywhere else.
- *synthetic*: no training. The gradient of a random projection of the output in all encoded features, root mean square
  over 32 samples of noise, at the initial weights; all but QFL in double precision. *MFB* normalises its output, so
  its gradient does not vanish with the product of its projections."""
