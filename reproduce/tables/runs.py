"""Which runs the cells of a table are made of, the value of each seed, and their losses."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.runs import DIGITS, KEY, Cell, cell_of
from reproduce.sweep.losses import loss_curves
from reproduce.sweep.runs import RunResult, RunSpec

Fold = Callable[[Sequence[RunResult]], pd.DataFrame]


def runs_of_cells(results: Sequence[RunResult], fold: Fold) -> list[dict[str, Any]]:
    """The rows of :mod:`reproduce.claims.runs`, in the order of the table.

    What a table folds runs into is for it to say, so it is asked: a cell is made of the runs whose results alone give
    rows of it, and its value of a seed is the mean of the table of that seed's results alone. Cells that only several
    blocks make together, such as fits, have values and no runs.

    Args:
        results: The runs of a table.
        fold: Makes it.
    """
    means = {(cell_of(row), row["metric"]): row["mean"] for row in _rows(fold(results))}
    made: dict[Cell, list[RunResult]] = {cell: [] for cell, _ in means}
    for block in _parted(results, lambda spec: dataclasses.replace(spec, seed=0)):
        for cell in dict.fromkeys(map(cell_of, _rows(fold(block)))):
            if cell in made:
                made[cell] += block
    points: dict[Cell, dict[str, dict[int, float]]] = {}
    for of_seed in _parted(results, lambda spec: spec.seed):
        for row in _rows(fold(of_seed)):
            if not math.isnan(row["mean"]):
                of_metric = points.setdefault(cell_of(row), {}).setdefault(row["metric"], {})
                of_metric[of_seed[0].spec.seed] = row["mean"]
    return [_row(cell, runs, _means(means, cell, points.get(cell, {}))) for cell, runs in made.items()]


def _rows(frame: pd.DataFrame) -> Iterable[dict[Any, Any]]:
    return frame.to_dict("records")


def _parted(results: Iterable[RunResult], key: Callable[[RunSpec], object]) -> Iterable[list[RunResult]]:
    parts: dict[object, list[RunResult]] = {}
    for result in results:
        parts.setdefault(key(result.spec), []).append(result)
    return parts.values()


def _means(
    means: Mapping[tuple[Cell, str], float], cell: Cell, points: Mapping[str, dict[int, float]]
) -> dict[str, dict[int, float]]:
    """The metrics of a cell whose mean in the table is that of its points."""
    return {
        metric: by_seed
        for metric, by_seed in points.items()
        if math.isclose(means.get((cell, metric), math.nan), statistics.fmean(by_seed.values()), abs_tol=1e-12)
    }


def _row(cell: Cell, runs: Sequence[RunResult], points: dict[str, dict[int, float]]) -> dict[str, Any]:
    seeds = sorted({result.spec.seed for result in runs}.union(*points.values()))
    circumstances = [
        {"commit": result.commit, "machine": result.machine, "versions": result.versions} for result in runs
    ]
    return {
        **dict(zip(KEY, cell, strict=True)),
        "seeds": seeds,
        "points": {metric: [by_seed.get(seed) for seed in seeds] for metric, by_seed in points.items()},
        "losses": loss_curves(runs),
        "runs": [result.spec.id[:DIGITS] for result in runs],
        "circumstances": list({repr(each): each for each in circumstances}.values()),
    }
