"""Pauli sums on a state, without dense matrices: permuted rows and signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cirq
import numpy as np

from tfq_fusion._keras import ops

CHUNK = 2**17
"""Rows of permuted amplitudes that are held at once."""


def pauli_constants(operators: Sequence[cirq.PauliSum], positions: Mapping[cirq.Qid, int]) -> dict[str, np.ndarray]:
    r"""Pauli sums as arrays.

    A string $i^{\#Y} X^x Z^z$ takes amplitude $b \oplus x$ to $b$ with a sign and a power of i. On real parts above
    imaginary parts that is a permutation of rows and signs.

    Returns:
        ``rows [strings, 2 * 2**n]`` and ``signs`` alike; ``coefficients [operators, strings]`` and ``identity
        [operators]``, the coefficient of the identity.
    """
    count = len(positions)
    basis = np.arange(2**count)
    rows, signs, entries = [], [], []
    coefficients: dict[tuple[tuple[int, str], ...], int] = {}
    identity = np.zeros(len(operators))
    for number, operator in enumerate(operators):
        for string in operator:
            letters = tuple(sorted((positions[qubit], str(pauli)) for qubit, pauli in string.items()))
            if not letters:
                identity[number] += string.coefficient.real
                continue
            if letters not in coefficients:
                coefficients[letters] = len(coefficients)
                row, sign = _string(letters, basis, count)
                rows.append(row)
                signs.append(sign)
            entries.append((number, coefficients[letters], string.coefficient.real))
    matrix = np.zeros((len(operators), len(coefficients)))
    for number, column, coefficient in entries:
        matrix[number, column] += coefficient
    shape = (len(coefficients), 2 ** (count + 1))
    return {
        "rows": np.array(rows, np.int32).reshape(shape),
        "signs": np.array(signs, np.float64).reshape(shape),
        "coefficients": matrix,
        "identity": identity,
    }


def _string(letters: Sequence[tuple[int, str]], basis: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    x = sum(1 << (count - 1 - position) for position, letter in letters if letter in "XY")
    z = sum(1 << (count - 1 - position) for position, letter in letters if letter in "ZY")
    y = sum(letter == "Y" for _, letter in letters)
    source = basis ^ x
    parity = np.array([int(value).bit_count() & 1 for value in source & z])
    # i^y times (real, imaginary): which part of the source lands in which part, and with which sign.
    swapped = y % 2
    part_sign = {0: (1, 1), 1: (-1, 1), 2: (-1, -1), 3: (1, -1)}[y % 4]
    row = np.concatenate([source + swapped * len(basis), source + (1 - swapped) * len(basis)])
    sign = np.concatenate([(1 - 2 * parity) * factor for factor in part_sign])
    return row, sign


def expectations(state: tuple[Any, Any], constants: Mapping[str, Any]) -> Any:
    """Expectation values ``[operators, batch]`` of a state, real and imaginary parts ``[2**n, batch]``."""
    parts = ops.concatenate(state)
    strings, rows = constants["rows"].shape
    chunk = max(1, CHUNK // rows)
    values = []
    for start in range(0, strings, chunk):
        permuted = ops.take(parts, constants["rows"][start : start + chunk], axis=0)
        # A matrix product sums over amplitudes: XLA's own reductions over the leading axes are many times slower.
        signs = constants["signs"][start : start + chunk]
        values.append(ops.einsum("tn,tnb->tb", signs, permuted * parts))
    identity = ops.zeros_like(parts[0]) + constants["identity"][:, None]
    return identity + ops.matmul(constants["coefficients"], ops.concatenate(values)) if values else identity


def apply_operators(state: tuple[Any, Any], upstream: Any, constants: Mapping[str, Any]) -> tuple[Any, Any]:
    """The sum of all operators, weighted by ``upstream [operators, batch]``, applied to the state."""
    parts = ops.concatenate(state)
    weights = ops.matmul(ops.transpose(constants["coefficients"]), upstream)
    total = ops.zeros_like(parts)
    for string in range(constants["rows"].shape[0]):
        permuted = ops.take(parts, constants["rows"][string], axis=0)
        total = total + permuted * (constants["signs"][string][:, None] * weights[string])
    size = state[0].shape[0]
    return total[:size], total[size:]
