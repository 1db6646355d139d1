"""Sums over Z strings on wide registers, without a table of all their signs.

The sign that a string gives to a basis state is that of the first half of the qubits times that of the others: two
tables of ``2**(n/2)`` columns take the place of one of ``2**n``, and matrix products that of sums.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.engines.arrays import ops


def sign_tables(
    strings: Collection[Sequence[int]], count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The signs of Z strings, given as positions, on halves of a register: ``[strings, 2**(n // 2)]``, and the rest."""
    high = count // 2
    tables = []
    for first, width in ((0, high), (high, count - high)):
        bits = np.arange(2**width)[:, np.newaxis] >> np.arange(width)[::-1] & 1
        held = np.array([[first + place in string for place in range(width)] for string in strings], int)
        tables.append(1.0 - 2.0 * (held.reshape(len(strings), width) @ bits.T % 2))
    return tables[0], tables[1]


def spread(high: Any, low: Any, numbers: Any) -> Any:
    """Numbers ``[samples, strings]`` summed with the signs of each basis state, ``[samples, 2**(n // 2), rest]``."""
    return ops.matmul(ops.transpose(high) * numbers[:, None], low)


def collect(high: Any, low: Any, array: Any) -> Any:
    """Sums with the signs of strings over basis states: ``[samples, strings]`` of ``[samples, 2**n, batch]``.

    One of the outer axes is 1, and the other is the samples'.
    """
    halves = high.shape[1], low.shape[1]
    if array.shape[2] == 1:
        return ops.sum(ops.matmul(ops.reshape(array, (-1, *halves)), ops.transpose(low)) * ops.transpose(high), axis=1)
    sums = ops.matmul(low, ops.reshape(array, (*halves, -1)))
    return ops.transpose(ops.sum(sums * ops.transpose(high)[..., None], axis=0))
