"""What the raw runs tell of each run, as the report's script reads it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from typing import Any

from reproduce.claims.runs import DIGITS
from reproduce.sweep.runs import TEST_OPTIONS, RunResult
from reproduce.sweep.store import COLUMNS, Store

EPOCHS = 30
"""How many epochs of a run are shown at most, the first and the last among them."""


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
    told = {
        "seed": spec.seed,
        "name": str(spec),
        "status": result.status,
        "epochs": result.epochs,
        "seconds": round(result.seconds, 3),
        "rate": result.learning_rate,
    }
    # A model that is tested with a modality missing is one that was trained without: its losses stand there.
    if result.history and not {*TEST_OPTIONS} & {*dict(spec.options)}:
        epochs = _spread(max(map(len, result.history.values())))
        told["epoch"] = [epoch + 1 for epoch in epochs]
        told["losses"] = {
            name: [_short(values[epoch]) if epoch < len(values) else None for epoch in epochs]
            for name, values in result.history.items()
        }
    return told


def _spread(count: int) -> list[int]:
    """At most :data:`EPOCHS` of so many indices, evenly, with the first and the last."""
    shown = min(count, EPOCHS)
    return sorted({round(step * (count - 1) / max(shown - 1, 1)) for step in range(shown)})


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
