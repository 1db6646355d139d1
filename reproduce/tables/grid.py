"""What the tables share: a grid of runs, and how its results fold into rows."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reproduce.claims.rows import COLUMNS, NO_SETTINGS, encode, typed
from reproduce.sweep.runs import BASELINES, DIVERGED, INTRACTABLE, TRAINING, RunResult, RunSpec
from reproduce.tables.table import card_of
from tfq_fusion.datasets import load
from tfq_fusion.fusions import fusions
from tfq_fusion.training import t_interval

LAYERS = tuple(name for name, entry in fusions().items() if entry.make)
"""The fusions that are layers between encoders and a head, in the order of display."""


def runs(
    names: Iterable[str],
    seeds: int,
    degrees: Iterable[int] = (),
    folds: int | None = None,
    dataset_options: Mapping[str, Any] | None = None,
    **same: Any,
) -> Iterator[RunSpec]:
    """Runs of some fusions with every seed: forecasts without a model first, once; then fusion by fusion.

    Args:
        names: The fusions.
        seeds: How many seeds, 0, 1, ...
        degrees: Of the fusions that have one.
        folds: The number of folds of the data set, each of which is tested with every seed; None if it has none.
        dataset_options: Options of the data set's loader.
        same: Further fields of :class:`RunSpec`, the same for all.
    """
    parts = [{}] if folds is None else [{"fold": fold} for fold in range(folds)]
    options = [{**(dataset_options or {}), **part} for part in parts]
    for name in sorted(names, key=lambda name: name not in BASELINES):
        of_degree = degrees if fusions()[name].has_degree else (None,)
        of_seed = range(1 if name in BASELINES else seeds)
        for degree, part, seed in itertools.product(of_degree, options, of_seed):
            yield RunSpec(fusion=name, seed=seed, degree=degree, dataset_options=part, **same)


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
        One row per cell. Where a seed has several results, one for each fold, its score is their mean. ``diverged`` is
        the share of seeds whose loss became NaN; the others are taken over the seeds that finished. A fusion that
        cannot be built has zero seeds and no mean.

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
        tests = [(result.spec.seed, result.metrics["test"]) for result in group if result.metrics]
        about = card_of(first.spec).task if first.spec.experiment == TRAINING else first.spec.experiment
        values = {name: _by_seed((seed, test[name]) for seed, test in tests if name in test) for name in metrics[about]}
        if tests:  # what no run of this fusion has is no score that all of them missed
            values = {name: scores for name, scores in values.items() if scores}
        if first.spec.experiment == TRAINING:
            values["diverged"] = _by_seed((result.spec.seed, float(result.status == DIVERGED)) for result in ran)
        for each in [costs(result) for result in ran]:
            for name, cost in each.items():
                values.setdefault(name, []).extend([] if cost is None else [cost])
        seconds = sum(result.seconds for result in ran) / len(ran) if ran else None
        seeds, tuned = len({result.spec.seed for result in ran}), _tuned(ran)
        rows += [row(first, cell, metric, samples, seeds, seconds) | tuned for metric, samples in values.items()]
    return typed(pd.DataFrame(rows, columns=COLUMNS))


def _by_seed(scores: Iterable[tuple[int, float]]) -> list[float]:
    """The mean score of each seed."""
    found: dict[int, list[float]] = {}
    for seed, score in scores:
        found.setdefault(seed, []).append(score)
    return [statistics.fmean(of_seed) for of_seed in found.values()]


def _tuned(ran: Sequence[RunResult]) -> dict[str, Any]:
    """The columns that say how the learning rate of a cell was chosen, and whether its epochs sufficed."""
    trained = [result for result in ran if result.learning_rate is not None]
    curves = [result.tuning for result in trained if result.tuning]
    rates = {result.learning_rate for result in trained}
    means = {rate: statistics.fmean(curve[rate] for curve in curves) for rate in (curves[0] if curves else ())}
    shown = {f"{rate:g}": float(f"{mean:.6g}") if math.isfinite(mean) else None for rate, mean in means.items()}
    early = [float(result.epochs < result.spec.protocol.epochs) for result in trained]
    return {
        "learning_rate": rates.pop() if len(rates) == 1 else None,
        "tuning": encode(shown),
        "stopped_early": statistics.fmean(early) if early else None,
    }


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
        "learning_rate": None,
        "tuning": NO_SETTINGS,
        "stopped_early": None,
    }


def constant_guess(datasets: Iterable[str]) -> dict[str, float]:
    """Test accuracy of always guessing the most frequent class of the training part, for data sets with classes."""
    accuracies = {}
    for name in datasets:
        dataset = load(name)
        if dataset.task == "classification":
            guess = np.bincount(dataset.train[1]).argmax()
            accuracies[name] = float(np.mean(dataset.test[1] == guess))
    return accuracies
