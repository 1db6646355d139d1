"""How long runs will take, from how long others took, and who is to do them."""

from __future__ import annotations

import collections
import dataclasses
import functools
import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

from reproduce.sweep.runs import BASELINES, FAILED, TRAINING, RunResult, RunSpec
from tfq_fusion.datasets import describe

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


def share_out(specs: Sequence[RunSpec], workers: Mapping[str, int], estimates: Estimates) -> dict[str, str]:
    """A worker for each run, so that all are busy for equally long and seeds of a run share what it compiles.

    Args:
        specs: The runs, the longest first.
        workers: How many runs each worker can do at the same time.
        estimates: How long they take.

    Returns:
        Id of the run -> worker; empty if there are no workers.
    """
    busy = dict.fromkeys(workers, 0.0)
    homes: dict[Hashable, str] = {}
    for spec in specs if busy else ():
        home = homes.setdefault(_cell(spec), min(busy, key=lambda worker: busy[worker]))
        busy[home] += estimates.seconds(spec) / workers[home]
    return {spec.id: homes[_cell(spec)] for spec in specs if homes}


def _cell(spec: RunSpec) -> Hashable:
    """What is equal for all seeds of a run."""
    return dataclasses.replace(spec, seed=0)


def _rule(spec: RunSpec) -> float:
    """Seconds on one core, roughly: tracing and compiling, then half of the epochs, as most stop early.

    The state of a QFL has as many amplitudes as there are features, give or take a factor of four: like the classical
    fusions it takes time in proportion to samples and modalities.
    """
    if spec.fusion in BASELINES:
        return 0.1
    if spec.experiment != TRAINING:  # nobody knows
        return 3.0
    samples, modalities = _size(str(spec.dataset), cast(tuple[tuple[str, Any], ...], spec.dataset_options))
    match spec.fusion:
        case "qfl":
            start, each = 3.0, 1.3e-6 + 0.3e-6 * (spec.degree or 1)
        case "qmfnn":  # from mixtures, as it is run by tables
            start, each = 4.0, 1e-5
        case _:
            start, each = 1.5, 1.5e-6
    epoch = 0.01 + samples * modalities * each
    return len(spec.protocol.learning_rates) * (start + spec.protocol.epochs / 2 * epoch)


@functools.cache
def _size(name: str, options: tuple[tuple[str, Any], ...]) -> tuple[int, int]:
    card = describe(name, **dict(options))
    return card.split.train, card.modality_count
