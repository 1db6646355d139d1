"""How long runs will take, from how long others took."""

from __future__ import annotations

import collections
import dataclasses
import functools
import statistics
from collections.abc import Hashable, Iterable

from reproduce.runs import FAILED, PERSISTENCE, RunResult, RunSpec
from tfq_fusion.datasets import load

SHORTEST_LIMIT = 600.0
"""Seconds before which no run counts as hanging."""

_LIMIT = 20
"""A run counts as hanging after so many times its estimate."""


class Estimates:
    """Seconds per run: the mean of other seeds of the same run, else a rule, scaled by how wrong it has been so far."""

    def __init__(self, results: Iterable[RunResult] = ()) -> None:
        self._seconds: dict[Hashable, list[float]] = collections.defaultdict(list)
        self._taken = self._by_rule = 0.0
        for result in results:
            self.learn(result)

    def learn(self, result: RunResult) -> None:
        """Take into account how long a run took."""
        if result.status != FAILED:
            self._seconds[_cell(result.spec)].append(result.seconds)
            self._taken += result.seconds
            self._by_rule += _rule(result.spec)

    def seconds(self, spec: RunSpec) -> float:
        """Estimated wall time of a run, in seconds."""
        known = self._seconds.get(_cell(spec))
        if known:
            return statistics.fmean(known)
        return _rule(spec) * (self._taken / self._by_rule if self._taken else 1.0)

    def limit(self, spec: RunSpec) -> float:
        """Seconds after which a run counts as hanging."""
        return max(SHORTEST_LIMIT, _LIMIT * self.seconds(spec))


def _cell(spec: RunSpec) -> Hashable:
    return dataclasses.replace(spec, seed=0)


def _rule(spec: RunSpec) -> float:
    """Seconds on one core of 2024: tracing, and half of the epochs, since most trainings stop early.

    A QFL state has as many amplitudes as there are features, give or take a factor of four, so both kinds of fusion
    take time in proportion to samples and modalities.
    """
    if spec.fusion == PERSISTENCE:
        return 0.1
    samples, modalities = _size(spec.dataset)
    tracing, per_sample = (6.0, 10e-6 * (spec.degree or 1)) if spec.fusion == "qfl" else (2.0, 5e-6)
    protocol = spec.protocol
    training = protocol.epochs / 2 * samples * (50e-6 + per_sample * modalities)
    return len(protocol.learning_rates) * (tracing + training)


@functools.cache
def _size(dataset: str) -> tuple[int, int]:
    inputs, labels = load(dataset).train
    return len(labels), len(inputs)
