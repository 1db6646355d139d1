"""Table 1: the Quantum Fusion Layer beside the classical fusions, on the embedded data sets."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from reproduce.datasets import load_all
from reproduce.results import typed
from reproduce.runs import DIVERGED, INTRACTABLE, PERSISTENCE, RunResult, RunSpec
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.engines import check_engine
from tfq_fusion.training import Protocol, t_interval

TITLE = "Table 1: multimodal fusion on small, diverse data sets"
DATASETS = ("japanese-vowels", "mfeat", "emoji", "traffic-detectors")
CLASSICAL = ("concat", "tfn", "lmf", "lmf-unit", "mfb", "gcn")
OF_DEGREE = ("qfl", "control")
FUSIONS = (*OF_DEGREE, *CLASSICAL, PERSISTENCE)
DEGREES = (1, 2, 3, 5)
UNITS = {"traffic-detectors": "vehicles per 15 minutes"}


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
    if profile not in PROFILES:
        raise ValueError(f"Unknown profile {profile!r}: expected one of {', '.join(PROFILES)}.")
    known = PROFILES[profile]
    return dataclasses.replace(known, seeds=seeds or known.seeds, datasets=tuple(datasets or known.datasets))


def specs(profile: Profile, fusions: Sequence[str] | None, engine: str) -> list[RunSpec]:
    """Every run of the table, data set by data set.

    Args:
        profile: How much is run.
        fusions: Which of :data:`FUSIONS`; None for all.
        engine: What runs "qfl".

    Raises:
        ValueError: If a fusion, a data set or the engine is unknown; the message lists the known ones.
        FileNotFoundError: If data sets are not there; the message says how to get them.
    """
    check_engine(engine)
    fusions = fusions or FUSIONS
    unknown = [fusion for fusion in fusions if fusion not in FUSIONS]
    if unknown:
        raise ValueError(f"Unknown fusion {', '.join(unknown)}: expected among {', '.join(FUSIONS)}.")
    datasets = load_all(profile.datasets)
    return [spec for name, data in datasets.items() for spec in _dataset_specs(name, data, profile, fusions, engine)]


def _dataset_specs(name: str, dataset: Dataset, profile: Profile, fusions: Sequence[str], engine: str) -> list[RunSpec]:
    def spec(fusion: str, seed: int, degree: int | None = None) -> RunSpec:
        return RunSpec(
            dataset=name,
            dataset_sha256=dataset.card.sha256,
            fusion=fusion,
            seed=seed,
            protocol=profile.protocol,
            degree=degree,
            engine=engine if fusion == "qfl" else None,
        )

    runs = [spec(PERSISTENCE, seed=0)] if PERSISTENCE in fusions and dataset.task == "forecasting" else []
    for fusion, seed in itertools.product(fusions, range(profile.seeds)):
        if fusion in OF_DEGREE:
            runs += [spec(fusion, seed, degree) for degree in DEGREES]
        elif fusion in CLASSICAL:
            runs.append(spec(fusion, seed))
    return runs


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """Fold runs into the rows of a results file: mean, deviation and interval over seeds, of the test metrics.

    Returns:
        One row per (data set, fusion, degree, metric). ``diverged`` is the share of seeds whose loss became NaN; the
        others are taken over the seeds that finished. A fusion that cannot be built has zero seeds and no mean.
    """
    rows = []
    groups: dict[tuple[str, str, int | None], list[RunResult]] = {}
    for result in results:
        groups.setdefault((result.spec.dataset, result.spec.fusion, result.spec.degree), []).append(result)
    for (dataset, fusion, degree), group in groups.items():
        ran = [result for result in group if result.status != INTRACTABLE]
        tests = [result.metrics["test"] for result in group if result.metrics]
        names = ("mae", "rmse") if load(dataset).task == "forecasting" else ("accuracy", "roc_auc")
        values = {name: [test[name] for test in tests] for name in names}
        values["diverged"] = [float(result.status == DIVERGED) for result in ran]
        for metric, samples in values.items():
            mean, std, low, high = t_interval(samples)
            rows.append(
                {
                    "dataset": dataset,
                    "modalities": group[0].modalities,
                    "fusion": fusion,
                    "degree": degree,
                    "engine": group[0].spec.engine,
                    "metric": metric,
                    "mean": mean,
                    "std": std,
                    "ci95_low": low,
                    "ci95_high": high,
                    "seeds": len(ran),
                    "fusion_params": group[0].fusion_params,
                    "total_params": group[0].total_params,
                    "train_seconds": sum(result.seconds for result in ran) / len(ran) if ran else None,
                }
            )
    return typed(pd.DataFrame(rows))


def constant_guess(datasets: Sequence[str]) -> dict[str, float]:
    """Test accuracy of always guessing the most frequent class of the training part, for data sets with classes."""
    accuracies = {}
    for name in datasets:
        dataset = load(name)
        if dataset.task == "classification":
            guess = np.bincount(dataset.train[1]).argmax()
            accuracies[name] = float(np.mean(dataset.test[1] == guess))
    return accuracies
