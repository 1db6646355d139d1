"""Which differences of a table count: each quantum fusion beside each classical one that was trained like it."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from reproduce.claims.comparisons import COLUMNS, typed
from reproduce.claims.rows import encode
from reproduce.sweep.runs import BASELINES, TRAINING, Pairs, RunResult, RunSpec
from reproduce.tables.grid import Settings
from reproduce.tables.table import card_of
from tfq_fusion.datasets import load
from tfq_fusion.fusions import fusions
from tfq_fusion.training import Comparison, Decision, ResampledScores, Stratum, compare, decide, resample_scores

COMPARED = ("accuracy", "roc_auc", "mae")
"""The metrics that can be taken of drawn test samples."""
DRAWS = 0
"""The seed that fixes which seeds and samples are drawn."""


class _Cell(NamedTuple):
    """Where fusions are trained alike; options and arguments are encoded."""

    dataset: str
    options: str
    modalities: int
    arguments: str


class _Member(NamedTuple):
    """A fusion of a cell."""

    fusion: str
    degree: int | None


class _Part(NamedTuple):
    """What sets results of one seed apart: options of the data set, such as its fold, and of the training."""

    dataset_options: Pairs
    options: Pairs


_Outcomes = dict[_Part, dict[int, np.ndarray]]
"""Part -> seed -> what the model says of each test sample."""


def compare_fusions(
    results: Sequence[RunResult], metrics: Mapping[str, Sequence[str]], settings: Callable[[RunSpec], Settings]
) -> pd.DataFrame:
    """Compares every quantum fusion with every other one that was trained on the same data with the same settings.

    A control is compared with the fusion of its own degree alone, and forecasts without a model with none. A seed
    counts if both fusions finished with it on every test part, such as every fold; with fewer than two there is no row.

    Args:
        results: The runs of a table; those that trained nothing are passed over.
        metrics: As of :func:`reproduce.tables.grid.fold`; :data:`COMPARED` are compared.
        settings: Likewise.

    Returns:
        The columns of :mod:`reproduce.claims.comparisons`. p is corrected and words are chosen over all rows.
    """
    truth = functools.cache(lambda dataset, options: load(dataset, **dict(options)).test[1])
    rows = []
    for cell, (task, members) in _by_cell(results, settings).items():
        pairs = [(first, second) for first in members for second in members if _are_compared(first, second)]
        if not pairs:
            continue
        parts = sorted({part for outcomes in members.values() for part in outcomes}, key=str)
        truths = [None if task == "forecasting" else truth(cell.dataset, part.dataset_options) for part in parts]
        tested = {member: _tested(task, members[member], parts, truths) for member in itertools.chain(*pairs)}
        for metric in [metric for metric in metrics[task] if metric in COMPARED]:
            trained = {member: found for member, found in tested.items() if found[0]}
            # NumPy and SciPy do this without Python's lock.
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                resampled = pool.map(functools.partial(_resample, metric), trained.values())
                scores = dict(zip(trained, resampled, strict=True))
            rows += [
                (cell, first, second, compare(scores[first], scores[second]))
                for first, second in pairs
                if len(set(tested[first][0]) & set(tested[second][0])) >= 2
            ]
    decisions = decide([found for *_, found in rows])
    records = [_record(*row, decision) for row, decision in zip(rows, decisions, strict=True)]
    return typed(pd.DataFrame(records, columns=COLUMNS))


def _by_cell(
    results: Sequence[RunResult], settings: Callable[[RunSpec], Settings]
) -> dict[_Cell, tuple[str, dict[_Member, _Outcomes]]]:
    """The task of each cell, and the outcomes of its fusions."""
    cells: dict[_Cell, tuple[str, dict[_Member, _Outcomes]]] = {}
    for result in results:
        spec = result.spec
        if spec.experiment != TRAINING or spec.fusion in BASELINES or result.outcomes is None:
            continue
        options, arguments = map(encode, settings(spec))
        cell = _Cell(str(spec.dataset), options, result.modalities, arguments)
        _, members = cells.setdefault(cell, (card_of(spec).task, {}))
        outcomes = members.setdefault(_Member(spec.fusion, spec.degree), {})
        outcomes.setdefault(_Part(spec.dataset_options, spec.options), {})[spec.seed] = result.outcomes
    return cells


def _are_compared(first: _Member, second: _Member) -> bool:
    ours, theirs = fusions()[first.fusion], fusions()[second.fusion]
    if ours.kind != "quantum" or theirs.kind == "quantum":
        return False
    return first.degree == second.degree or not theirs.has_degree


def _tested(
    task: str, outcomes: _Outcomes, parts: Sequence[_Part], truths: Sequence[np.ndarray | None]
) -> tuple[list[int], list[Stratum]]:
    """The seeds that finished on every part, and what they made of each."""
    seeds = sorted(set.intersection(*(set(outcomes.get(part, ())) for part in parts)))
    if not seeds:
        return [], []
    stacked = [np.stack([outcomes[part][seed] for seed in seeds]) for part in parts]
    return seeds, [
        _stratum(task, each, truth, part.dataset_options)
        for each, truth, part in zip(stacked, truths, parts, strict=True)
    ]


def _resample(metric: str, tested: tuple[list[int], list[Stratum]]) -> ResampledScores:
    return resample_scores(metric, *tested, seed=DRAWS)


def _stratum(task: str, outcomes: np.ndarray, truth: np.ndarray | None, samples: Pairs) -> Stratum:
    if truth is None:
        return Stratum(outcomes[..., 0], outcomes[0, :, 1], samples)
    predicted = outcomes.astype(np.float64)
    if task == "classification":  # as the metrics of the table are computed; several labels have no sum of one
        predicted /= predicted.sum(axis=2, keepdims=True)
    return Stratum(predicted, truth, samples)


def _record(cell: _Cell, first: _Member, second: _Member, found: Comparison, decision: Decision) -> dict[str, Any]:
    return {
        **cell._asdict(),
        **first._asdict(),
        "baseline": second.fusion,
        "baseline_degree": second.degree,
        "baseline_arguments": cell.arguments,
        "metric": found.metric,
        "seeds": found.seeds,
        "baseline_mean": found.baseline,
        "difference": found.difference,
        "ci95_low": found.ci95_low,
        "ci95_high": found.ci95_high,
        "ci90_low": found.ci90_low,
        "ci90_high": found.ci90_high,
        "p": found.p_value,
        "p_holm": decision.p_holm,
        "share_of_seeds": found.share_of_seeds,
        "word": decision.word,
    }
