"""How long runs will take, from how long others took, and who is to do them."""

from __future__ import annotations

import collections
import dataclasses
import functools
import statistics
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

from reproduce.sweep.runs import BASELINES, FAILED, TRAINING, Block, RunResult, RunSpec, by_training, in_blocks
from tfq_fusion.datasets import describe

SHORTEST_LIMIT = 600.0
"""Seconds before which no run counts as hanging."""

_LIMIT = 20
"""A run counts as hanging after so many times its estimate."""


class Estimates:
    """Seconds: the mean of other seeds of the same run, else a rule, scaled by how wrong it has been so far."""

    def __init__(self, results: Iterable[RunResult] = ()) -> None:
        self._seconds: dict[Hashable, list[float]] = collections.defaultdict(list)
        self._taken = self._by_rule = 0.0
        by_id = {result.spec.id: result for result in results}
        for block in in_blocks(result.spec for result in by_id.values()):
            self.learn([by_id[spec.id] for spec in block])

    def learn(self, results: Sequence[RunResult]) -> None:
        """Take into account how long the runs of a block took."""
        ended = [result for result in results if result.status != FAILED]
        for result in ended:
            self._seconds[_cell(result.spec)].append(result.seconds)
            self._taken += result.seconds
        self._by_rule += _by_rule(tuple(result.spec for result in ended))

    def seconds(self, block: Block) -> float:
        """Estimated wall time of a block, in seconds."""
        known = [seconds for spec in block if (seconds := self._seconds.get(_cell(spec)))]
        if len(known) == len(block):
            return sum(map(statistics.fmean, known))
        return _by_rule(block) * (self._taken / self._by_rule if self._taken else 1.0)

    def limit(self, block: Block) -> float:
        """Seconds after which a block counts as hanging."""
        return max(SHORTEST_LIMIT, _LIMIT * self.seconds(block))


def share_out(blocks: Sequence[Block], workers: Mapping[str, int], estimates: Estimates) -> dict[Block, str]:
    """A worker for each block, so that all are busy for equally long and seeds of a run share what it compiles.

    Args:
        blocks: The blocks, the longest first.
        workers: How many each worker can do at the same time.
        estimates: How long they take.

    Returns:
        Block -> worker; empty if there are no workers.
    """
    busy = dict.fromkeys(workers, 0.0)
    homes: dict[Hashable, str] = {}
    for block in blocks if busy else ():
        home = homes.setdefault(_cell(block[0]), min(busy, key=lambda worker: busy[worker]))
        busy[home] += estimates.seconds(block) / workers[home]
    return {block: homes[_cell(block[0])] for block in blocks if homes}


def _cell(spec: RunSpec) -> Hashable:
    """What is equal for all seeds of a run."""
    return dataclasses.replace(spec, seed=0)


def _by_rule(block: Block) -> float:
    """Seconds on one core of a block; whatever its runs are tested on, each seed is trained once."""
    found = 0.0
    for alike in by_training(block).values():
        seeds = len({spec.seed for spec in alike})
        found += seeds * _rule(alike[0], seeds)
    return found


def _rule(spec: RunSpec, seeds: int) -> float:
    """Seconds on one core, roughly, of one of so many seeds: compiling, then half of the epochs, as most stop early.

    The state of a QFL has as many amplitudes as there are features, give or take a factor of four: like the classical
    fusions it takes time in proportion to samples and modalities.
    """
    if spec.fusion in BASELINES:
        return 0.1
    if spec.experiment == "noise":
        options = dict(spec.options)
        with_noise = len(options["rates"]) if options["trained"] != "noiseless" else 0
        return 5.0 + 0.2 * options["epochs"] * with_noise * (spec.degree or 0)
    if spec.experiment != TRAINING:  # nobody knows
        return 3.0
    samples, modalities = _size(str(spec.dataset), cast(tuple[tuple[str, Any], ...], spec.dataset_options))
    samples = dict(spec.options).get("samples", samples)
    match spec.fusion:
        case "qfl":
            start, each = 6.0, 1.3e-6 + 0.3e-6 * (spec.degree or 1)
        case "qmfnn":  # from mixtures, as it is run by tables
            start, each = 6.0, 1e-5
        case _:
            start, each = 2.0, 0.5e-6
    rates = len(spec.protocol.learning_rates)
    tuning = rates * spec.protocol.tuning_seeds if rates > 1 else 0
    epochs = (seeds + tuning) * spec.protocol.epochs / 2
    return ((2 if tuning else 1) * start + epochs * (5e-4 + samples * modalities * each)) / seeds


@functools.cache
def _size(name: str, options: tuple[tuple[str, Any], ...]) -> tuple[int, int]:
    card = describe(name, **dict(options))
    return card.split.train, card.modality_count
