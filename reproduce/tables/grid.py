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

from reproduce.claims.rows import COLUMNS, FUSIONS, METRICS, encode, typed
from reproduce.report.style import STYLES
from reproduce.sweep.run.run_one import computation
from reproduce.sweep.runs import (
    BASELINES,
    DIVERGED,
    HISTORICAL_AVERAGE,
    INTRACTABLE,
    TRAINING,
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
    """A data set with one choice of its modalities, or an experiment, and what is run there.

    Attributes:
        fusions: Names of the fusions, in the order in which they are run; a baseline is run once, and on forecasts
            alone.
        degrees: Of "qfl" and "control".
        seeds: How many seeds, 0, 1, ...
        protocol: How each run is trained.
        experiment: Its name, or :data:`reproduce.sweep.runs.TRAINING`.
        dataset: Name of the data set; None for an experiment that needs none.
        dataset_options: Options of the loader.
        options: Settings of the experiment.
        arguments: Further arguments of the fusions.
        folds: The number of folds of the data set where each seed is to test another one; else None.
    """

    fusions: tuple[str, ...]
    degrees: tuple[int, ...]
    seeds: int
    protocol: Protocol
    experiment: str = TRAINING
    dataset: str | None = None
    dataset_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
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
    loaded = iter(load_all((block.dataset, block.dataset_options) for block in blocks if block.dataset))
    datasets = [next(loaded) if block.dataset else None for block in blocks]
    for block, dataset in zip(blocks, datasets, strict=True):
        task = dataset.task if dataset and block.experiment == TRAINING else block.experiment
        if task not in metrics:
            raise ValueError(
                f"{block.dataset or block.experiment} is about {task}: this table is not, expected among "
                f"{', '.join(metrics)}."
            )
    return each_once(
        spec for block, dataset in zip(blocks, datasets, strict=True) for spec in _block_specs(block, dataset, engine)
    )


def _block_specs(block: Block, dataset: Dataset | None, engine: str) -> list[RunSpec]:

    def spec(fusion: str, seed: int, degree: int | None = None) -> RunSpec:
        fold = {} if block.folds is None else {"fold": seed % block.folds}
        return RunSpec(
            fusion=fusion,
            seed=seed,
            protocol=block.protocol,
            experiment=block.experiment,
            dataset=block.dataset,
            dataset_sha256=dataset.card.sha256 if dataset else None,
            dataset_options={**block.dataset_options, **fold},
            options=block.options,
            degree=degree,
            arguments=block.arguments,
            **computation(block.experiment).stated(fusion, engine),
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


Settings = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Of a cell: the options and the arguments that set it apart from others of its table."""


def fold(
    results: Sequence[RunResult],
    metrics: Mapping[str, Sequence[str]],
    costs: Callable[[RunResult], Mapping[str, float | None]] = lambda result: {},
    settings: Callable[[RunSpec], Settings] = lambda spec: ({}, {}),
) -> pd.DataFrame:
    """Fold runs into the rows of a results file: mean, deviation and interval over seeds, of the test metrics.

    Args:
        results: The runs.
        metrics: Task -> names of the test metrics to report; the task of an experiment is its name.
        costs: Further values of a run, by metric; None where there is none.
        settings: The settings of the cell that a run belongs to.

    Returns:
        One row per cell. ``diverged`` is the share of seeds whose loss became NaN; the others are taken over the seeds
        that finished. A fusion that cannot be built has zero seeds and no mean.

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
    groups: dict[tuple[object, ...], tuple[Settings, list[RunResult]]] = {}
    for result in results:
        spec = result.spec
        options, arguments = settings(spec)
        place = spec.experiment, spec.dataset, encode(options), result.modalities
        groups.setdefault((*place, spec.fusion, encode(arguments), spec.degree), ((options, arguments), []))[1].append(
            result
        )
    for cell, group in groups.values():
        first, ran = group[0], [result for result in group if result.status != INTRACTABLE]
        tests = [result.metrics["test"] for result in group if result.metrics]
        values = {name: [test[name] for test in tests if name in test] for name in metrics[_task(first.spec)]}
        if tests:  # what no run of this fusion has is no score that all of them missed
            values = {name: scores for name, scores in values.items() if scores}
        if first.spec.experiment == TRAINING:
            values["diverged"] = [float(result.status == DIVERGED) for result in ran]
        for each in [costs(result) for result in ran]:
            for name, cost in each.items():
                values.setdefault(name, []).extend([] if cost is None else [cost])
        seconds = sum(result.seconds for result in ran) / len(ran) if ran else None
        rows += [row(first, cell, metric, samples, len(ran), seconds) for metric, samples in values.items()]
    return typed(pd.DataFrame(rows, columns=COLUMNS))


def row(
    of: RunResult, settings: Settings, metric: str, samples: Sequence[float], seeds: int, seconds: float | None = None
) -> dict[str, Any]:
    """A row of a results file.

    Args:
        of: One of its runs.
        settings: Those of the cell.
        metric: What was measured.
        samples: A value per seed that has one.
        seeds: How many seeds were run.
        seconds: How long each took, on average.
    """
    spec = of.spec
    mean, std, low, high = t_interval(samples)
    return {
        "dataset": spec.dataset or "",
        "modalities": of.modalities,
        "fusion": spec.fusion,
        "degree": spec.degree,
        "engine": spec.engine,
        "metric": metric,
        "mean": mean,
        "std": std,
        "ci95_low": low,
        "ci95_high": high,
        "seeds": seeds,
        "fusion_params": of.fusion_params,
        "total_params": of.total_params,
        "train_seconds": seconds,
        "experiment": spec.experiment,
        "options": encode(settings[0]),
        "arguments": encode(settings[1]),
    }


def _task(spec: RunSpec) -> str:
    return spec.experiment if spec.experiment != TRAINING else _task_of(str(spec.dataset))


@functools.cache
def _task_of(dataset: str) -> str:
    return load(dataset).task


def constant_guess(datasets: Iterable[str]) -> dict[str, float]:
    """Test accuracy of always guessing the most frequent class of the training part, for data sets with classes."""
    accuracies = {}
    for name in datasets:
        dataset = load(name)
        if dataset.task == "classification":
            guess = np.bincount(dataset.train[1]).argmax()
            accuracies[name] = float(np.mean(dataset.test[1] == guess))
    return accuracies
