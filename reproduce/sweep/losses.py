"""Losses over the epochs of runs, thinned out for people."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any

from reproduce.sweep.runs import TEST_OPTIONS, RunResult

EPOCHS = 30
"""How many epochs are told of at most, the first and the last among them."""


def loss_curves(results: Iterable[RunResult]) -> dict[str, Any]:
    """Mean losses of runs.

    Args:
        results: The runs.

    Returns:
        ``epoch``, at most :data:`EPOCHS` numbers from 1 on; and ``losses``, for each loss its means over the runs that
        were trained so long, with 4 digits, None where one is not finite. Nothing if no run has any.
    """
    # A model that is tested with a modality missing is one that was trained without: its losses stand there.
    trained = [result for result in results if not {*TEST_OPTIONS} & {*dict(result.spec.options)}]
    histories = [result.history for result in trained if result.history]
    if not histories:
        return {}
    epochs = _spread(max(len(values) for history in histories for values in history.values()))
    names = dict.fromkeys(name for history in histories for name in history)
    curves = {name: [history.get(name, []) for history in histories] for name in names}
    return {
        "epoch": [epoch + 1 for epoch in epochs],
        "losses": {
            name: [_mean([values[epoch] for values in each if epoch < len(values)]) for epoch in epochs]
            for name, each in curves.items()
        },
    }


def _spread(count: int) -> list[int]:
    """At most :data:`EPOCHS` of so many indices, evenly, with the first and the last."""
    shown = min(count, EPOCHS)
    return sorted({round(step * (count - 1) / max(shown - 1, 1)) for step in range(shown)})


def _mean(values: list[float]) -> float | None:
    mean = statistics.fmean(values) if values else math.nan
    return float(f"{mean:.4g}") if math.isfinite(mean) else None
