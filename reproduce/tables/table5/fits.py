"""Numbers that several runs make together: how fast gradients decay, and how much noise QFL can bear."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from reproduce.sweep.runs import Pairs, RunResult
from reproduce.tables import grid


def _features(result: RunResult) -> int:
    return result.spec.protocol.features


_SWEEPS: Mapping[str, tuple[Callable[[RunResult], bool], Callable[[RunResult], float]]] = {
    "decay_per_qubit": (
        lambda result: _features(result) == 1,
        lambda result: result.modalities.bit_length() + 1,
    ),
    "exponent_in_modalities": (
        lambda result: _features(result) > 1 and result.spec.degree == 3,
        lambda result: math.log2(result.modalities),
    ),
    "decay_per_degree": (
        lambda result: _features(result) > 1 and result.modalities == 8,
        lambda result: float(result.spec.degree or 0),
    ),
}
"""Metric -> which results of "gradient-variance" belong to the sweep, and against what it is fitted."""


def decays(results: Sequence[RunResult]) -> Iterator[dict[str, Any]]:
    """Rows with the slopes of the binary logarithm of the gradients' variance, fitted by least squares per seed."""
    found = [result for result in results if result.spec.experiment == "gradient-variance"]
    for metric, (belongs, size) in _SWEEPS.items():
        curves: dict[Pairs, dict[int, list[RunResult]]] = defaultdict(lambda: defaultdict(list))
        for result in filter(belongs, found):
            curves[result.spec.arguments][result.spec.seed].append(result)
        for arguments, by_seed in curves.items():
            slopes = [
                float(np.polyfit([size(one) for one in curve], [_variance(one) for one in curve], 1)[0])
                for curve in by_seed.values()
                if len({size(one) for one in curve}) > 1
            ]
            largest = max((one for curve in by_seed.values() for one in curve), key=size)
            if slopes:
                settings = {"features": _features(largest)}, dict(arguments)
                yield grid.row(largest, settings, metric, slopes, len(slopes))


def _variance(result: RunResult) -> float:
    return result.metrics["test"]["gradient_variance_log2"]


def break_evens(results: Sequence[RunResult]) -> Iterator[dict[str, Any]]:
    """Rows with log10 of the rate of noise at which QFL falls to a classical fusion's accuracy with the same seed.

    Trained with noise, it is another model at every rate.
    """
    found = [result for result in results if result.spec.experiment == "noise" and result.metrics]
    levels = {
        (result.spec.fusion, result.spec.seed): result.metrics["test"]["accuracy@0"]
        for result in found
        if result.spec.fusion != "qfl"
    }
    cells: dict[tuple[str, str, str, int], list[RunResult]] = defaultdict(list)
    for result in found:
        options = dict(result.spec.options)
        if result.spec.fusion == "qfl":
            for fusion in sorted({name for name, _ in levels}):
                cells[options["channel"], options["trained"], fusion, result.spec.degree or 0].append(result)
    for (channel, trained, fusion, _), group in cells.items():
        rates = [
            crossing(accuracies(result), levels[fusion, result.spec.seed])
            for result in group
            if (fusion, result.spec.seed) in levels
        ]
        reached = [rate for rate in rates if rate is not None]
        if reached:
            settings = {"channel": channel}, {"trained": trained}
            yield grid.row(group[0], settings, f"break_even_{fusion}", reached, len(reached))


def accuracies(result: RunResult) -> dict[float, float]:
    """Rate of noise -> accuracy, from few to many errors."""
    scores = result.metrics["test"].items()
    return dict(sorted((float(name[9:]), score) for name, score in scores if name.startswith("accuracy@")))


def crossing(curve: Mapping[float, float], level: float) -> float | None:
    """log10 of the rate at which a curve first falls below a level, linear in log10 between neighbouring rates.

    None if the curve begins below, if it is below at the smallest rate that is not zero, or if it stays above. It may
    lack a rate of zero.
    """
    points = [(math.log10(rate), accuracy) for rate, accuracy in curve.items() if rate > 0]
    if curve.get(0.0, level) < level or points[0][1] < level:
        return None
    for (rate, above), (next_rate, below) in itertools.pairwise(points):
        if below < level:
            return rate + (above - level) / (above - below) * (next_rate - rate)
    return None
