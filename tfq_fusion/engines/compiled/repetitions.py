"""Where a sequence repeats itself, so that what is done again and again is compiled once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import IntegerArray

SAVED = 8
"""Items that a repetition must save, and an eighth of all: a loop costs more to run than a few steps in a row."""


def runs(items: Sequence[Hashable]) -> Iterator[tuple[int, int, int]]:
    """Split a sequence into runs, the one that saves most first.

    Args:
        items: Equal ones count as the same.

    Yields:
        Of each run, in order, where it starts, how long its period is, and how often that is passed. Without
        repetition the period is all of it, passed once.
    """
    numbers: dict[Hashable, int] = {}
    enough = max(SAVED, len(items) / 8)
    yield from _runs(np.array([numbers.setdefault(item, len(numbers)) for item in items], int), 0, enough)


def _runs(items: IntegerArray, offset: int, enough: float) -> Iterator[tuple[int, int, int]]:
    if not len(items):
        return
    saved, start, period = max(
        (_longest(items[:-period] == items[period:], period) for period in range(1, len(items) // 2 + 1)),
        default=(0, 0, 0),
        key=lambda found: (found[0], -found[2]),
    )
    if saved < enough:
        yield offset, len(items), 1
        return
    end = start + period + saved
    yield from _runs(items[:start], offset, enough)
    yield offset + start, period, 1 + saved // period
    yield from _runs(items[end:], offset + end, enough)


def _longest(equal: npt.NDArray[np.bool_], period: int) -> tuple[int, int, int]:
    """Of the longest run of items that equal those one period later: how many are saved, its start, the period."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]])))
    if not len(borders):
        return 0, 0, period
    lengths = (borders[1::2] - borders[::2]) // period * period
    best = int(lengths.argmax())
    return int(lengths[best]), int(borders[2 * best]), period
