"""What the tables share: a grid of runs, and how its results fold into rows."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from reproduce.claims.rows import FUSIONS, METRICS, typed
from reproduce.report.style import STYLES
from reproduce.sweep.run.run_one import EXPERIMENTS, computation
from reproduce.sweep.runs import (
    BASELINES,
    DIVERGED,
    HISTORICAL_AVERAGE,
    INTRACTABLE,
    RunResult,
    RunSpec,
    each_once,
)
from reproduce.tables.datasets import load_all
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.engines import check_engine
from tfq_fusion.training import Protocol, t_interval

Profile = TypeVar("Profile")

OF_DEGREE = ("qfl", "control")


@dataclasses.dataclass(frozen=True)
class Block:
    """A data set with one choice of its modalities, and what is run on it.

    Attributes:
        dataset: Its name, or that of an experiment.
        fusions: Names of the fusions, in the order in which they are run; a baseline is run once, and on forecasts
            alone.
        degrees: Of "qfl" and "control".
        seeds: How many seeds, 0, 1, ...
        protocol: How each run is trained.
        options: Options of the loader.
        arguments: Further arguments of the fusions.
        folds: The number of folds of the data set where each seed is to test another one; else None.
    """

    dataset: str
    fusions: tuple[str, ...]
    degrees: tuple[int, ...]
    seeds: int
    protocol: Protocol
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    folds: int | None = None


def named(profile: str, profiles: Mapping[str, Profile]) -> Profile:
    """One of a table's profiles.

    Raises:
        ValueError: If there is none of this name.
    """
    if profile not in profiles:
        raise ValueError(f"Unknown profile {profile!r}: expected one of {', '.join(profiles)}.")
    return profiles[profile]


def chosen(
    fusions: Sequence[str] | None, known: tuple[str, ...], metrics: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The fusions that were asked for, each once, or all of the known ones.

    Args:
        fusions: What was asked for; None for all.
        known: The fusions of the table.
        metrics: What it reports, as for :func:`fold`.

    Raises:
        ValueError: If one is unknown, or if no page and figure could show it or a metric.
    """
    unknown = [fusion for fusion in fusions or () if fusion not in known]
    if unknown:
        raise ValueError(f"Unknown fusion {', '.join(unknown)}: expected among {', '.join(known)}.")
    nameless = [name for name in known if name not in FUSIONS or (name not in STYLES and name not in BASELINES)]
    if nameless:
        raise ValueError(
            f"{', '.join(nameless)} has no name in reproduce.claims.rows.FUSIONS, or no style in "
            "reproduce.report.style.STYLES: enter it there."
        )
    nameless = [name for names in metrics.values() for name in names if name not in METRICS]
    if nameless:
        raise ValueError(f"{', '.join(nameless)} is not in reproduce.claims.rows.METRICS: enter it there.")
    return tuple(dict.fromkeys(fusions or known))


def specs(blocks: Iterable[Block], engine: str, metrics: Mapping[str, Sequence[str]]) -> list[RunSpec]:
    """Every run of the blocks once, in their order.

    Args:
        blocks: What is run.
        engine: What runs the quantum fusions.
        metrics: What the table reports, as for :func:`fold`.

    Raises:
        FileNotFoundError: If data sets are not there; the message names them and says how to get them.
        ValueError: If a data set or the engine is unknown, or the table reports no metric for a data set.
    """
    check_engine(engine)
    blocks = list(blocks)
    loaded = iter(load_all((block.dataset, block.options) for block in blocks if block.dataset not in EXPERIMENTS))
    datasets = [None if block.dataset in EXPERIMENTS else next(loaded) for block in blocks]
    for block, dataset in zip(blocks, datasets, strict=True):
        task = dataset.task if dataset else block.dataset
        if task not in metrics:
            raise ValueError(
                f"{block.dataset} is about {task}: this table is not, expected among {', '.join(metrics)}."
            )
    return each_once(
        spec for block, dataset in zip(blocks, datasets, strict=True) for spec in _block_specs(block, dataset, engine)
    )


def _block_specs(block: Block, dataset: Dataset | None, engine: str) -> list[RunSpec]:

    def spec(fusion: str, seed: int, degree: int | None = None) -> RunSpec:
        fold = {} if block.folds is None else {"fold": seed % block.folds}
        return RunSpec(
            dataset=block.dataset,
            dataset_sha256=dataset.card.sha256 if dataset else "",
            fusion=fusion,
            seed=seed,
            protocol=block.protocol,
            degree=degree,
            **computation(block.dataset).stated(fusion, engine),
            arguments=block.arguments,
            dataset_options={**block.options, **fold},
        )

    baselines: tuple[str, ...] = BASELINES if dataset and dataset.task == "forecasting" else ()
    if dataset and dataset.time_of_day is None:
        baselines = tuple(baseline for baseline in baselines if baseline != HISTORICAL_AVERAGE)
    runs = [spec(baseline, seed=0) for baseline in baselines if baseline in block.fusions]
    for fusion, seed in itertools.product(block.fusions, range(block.seeds)):
        if fusion in OF_DEGREE:
            runs += [spec(fusion, seed, degree) for degree in block.degrees]
        elif fusion not in BASELINES:
            runs.append(spec(fusion, seed))
    return runs


def fold(
    results: Sequence[RunResult],
    metrics: Mapping[str, Sequence[str]],
    costs: Callable[[RunResult], Mapping[str, float | None]] = lambda result: {},
    labels: Callable[[RunSpec], tuple[str, str]] = lambda spec: (spec.dataset, spec.fusion),
) -> pd.DataFrame:
    """Fold runs into the rows of a results file: mean, deviation and interval over seeds, of the test metrics.

    Args:
        results: The runs.
        metrics: Task -> names of the test metrics to report; the task of an experiment is its name.
        costs: Further values of a run, by metric; None where there is none.
        labels: The cells for data set and fusion, see :func:`reproduce.claims.rows.label`; without the seed.

    Returns:
        One row per (data set, number of modalities, fusion, degree, metric). ``diverged`` is the share of seeds whose
        loss became NaN; the others are taken over the seeds that finished. A fusion that cannot be built has zero seeds
        and no mean.

    Raises:
        ValueError: If a run has two results: it would count as two seeds.
    """
    ids = Counter(result.spec.id for result in results)
    for result in results:
        if ids[result.spec.id] > 1:
            raise ValueError(
                f"Run {result.spec.id} ({result.spec}) has {ids[result.spec.id]} results, expected one. Fold each run "
                "once: results of one run are no seeds."
            )
    rows = []
    groups: dict[tuple[str, int, str, int | None], list[RunResult]] = {}
    for result in results:
        spec = result.spec
        dataset, fusion = labels(spec)
        groups.setdefault((dataset, result.modalities, fusion, spec.degree), []).append(result)
    for (dataset, modalities, fusion, degree), group in groups.items():
        ran = [result for result in group if result.status != INTRACTABLE]
        tests = [result.metrics["test"] for result in group if result.metrics]
        task = _task(group[0].spec.dataset)
        values = {name: [test[name] for test in tests if name in test] for name in metrics[task]}
        if tests:  # what no run of this fusion has is no score that all of them missed
            values = {name: scores for name, scores in values.items() if scores}
        if group[0].spec.dataset not in EXPERIMENTS:
            values["diverged"] = [float(result.status == DIVERGED) for result in ran]
        for each in [costs(result) for result in ran]:
            for name, cost in each.items():
                values.setdefault(name, []).extend([] if cost is None else [cost])
        for metric, samples in values.items():
            mean, std, low, high = t_interval(samples)
            rows.append(
                {
                    "dataset": dataset,
                    "modalities": modalities,
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


@functools.cache
def _task(dataset: str) -> str:
    return dataset if dataset in EXPERIMENTS else load(dataset).task


def constant_guess(datasets: Iterable[str]) -> dict[str, float]:
    """Test accuracy of always guessing the most frequent class of the training part, for data sets with classes."""
    accuracies = {}
    for name in datasets:
        dataset = load(name)
        if dataset.task == "classification":
            guess = np.bincount(dataset.train[1]).argmax()
            accuracies[name] = float(np.mean(dataset.test[1] == guess))
    return accuracies
