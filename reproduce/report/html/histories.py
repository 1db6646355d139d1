"""What the raw runs tell of each run, as the report's script reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

from reproduce.claims.runs import DIGITS
from reproduce.sweep.losses import loss_curves
from reproduce.sweep.runs import RunResult
from reproduce.sweep.store import COLUMNS, Store


class Histories:
    """Runs of a store by the beginnings of their ids.

    Args:
        store: Where they are; it may be empty.
        runs: Which of them are looked for.
    """

    def __init__(self, store: Store, runs: Iterable[str]) -> None:
        wanted = set(runs)
        there = [line["id"] for line in csv.DictReader(store.rows(), COLUMNS)] if wanted else []
        found = store.results(run for run in there if run[:DIGITS] in wanted)
        self._runs = {result.spec.id[:DIGITS]: _told(result) for result in found}

    def __bool__(self) -> bool:
        return bool(self._runs)

    def of(self, run: str) -> dict[str, Any]:
        """Seed, status, epochs, seconds, learning rate, commit and losses of a run; nothing if it is not there."""
        return self._runs.get(run, {})


def _told(result: RunResult) -> dict[str, Any]:
    spec = result.spec
    return {
        "seed": spec.seed,
        "name": str(spec),
        "status": result.status,
        "epochs": result.epochs,
        "seconds": round(result.seconds, 3),
        "rate": result.learning_rate,
    } | loss_curves([result])
