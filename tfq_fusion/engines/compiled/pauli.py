"""Pauli sums on a state, without dense matrices: permuted rows and signs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import IntegerArray
from tfq_fusion.engines.arrays import ops
from tfq_fusion.engines.compiled.program import Strings
from tfq_fusion.engines.compiled.walsh import sign_tables

CHUNK = 2**12
"""Products of amplitudes, for the whole batch, that are held at once."""

_PHASES = ((1, 1), (-1, 1), (-1, -1), (1, -1))
"""For each power of i the signs with which real and imaginary part, swapped if it is odd, become its product's."""


def pauli_constants(
    operators: Sequence[cirq.PauliSum], positions: Mapping[cirq.Qid, int]
) -> dict[str, npt.NDArray[Any]]:
    r"""Pauli sums as arrays, whose shapes do not tell one random choice of strings from another.

    A string $i^{\#Y} X^x Z^z$ takes amplitude $b \oplus x$ to $b$ with a sign and a power of i. On real parts above
    imaginary parts that is a permutation of rows in pairs, and signs.

    Args:
        operators: The sums.
        positions: Where each qubit stands in the final state.

    Returns:
        ``rows`` and ``signs [strings, 2 * 2**n]``; of each pair of rows one, ``left``, its partner, ``right``, and
        twice its sign, ``pair signs [strings, 2**n]``; ``coefficients [operators, strings]``, and ``constant
        [operators]``, what is added. For a string of Z alone the pairs are the rows of sign -1 with themselves, which
        are taken twice from the norm, and the norm is in the constant.
    """
    count = len(positions)
    strings, coefficients, constant = pauli_strings(operators, positions)
    of_z = [all(letter == "Z" for _, letter in letters) for letters in strings]
    constant += coefficients @ np.array(of_z, float)

    basis = np.arange(2**count)
    tables = [_string(letters, basis, count) for letters in strings]
    shape = (len(strings), 2 ** (count + 1))
    rows = np.array([row for row, _ in tables], np.int32).reshape(shape)
    signs = np.array([sign for _, sign in tables], np.float64).reshape(shape)
    own = np.arange(shape[1])
    first = (own < rows) | (own == rows) & (signs < 0)
    return {
        "rows": rows,
        "signs": signs,
        "left": np.nonzero(first)[1].astype(np.int32).reshape(-1, len(basis)),
        "right": rows[first].reshape(-1, len(basis)),
        "pair signs": 2 * signs[first].reshape(-1, len(basis)),
        "coefficients": coefficients,
        "constant": constant,
    }


def density_constants(
    operators: Sequence[cirq.PauliSum], positions: Mapping[cirq.Qid, tuple[int, int]]
) -> dict[str, npt.NDArray[Any]]:
    r"""Pauli sums as arrays that are read off a density matrix.

    The expectation value of a string $i^{\#Y} X^x Z^z$ is a sum over the rows b: of the element in column $b \oplus x$,
    with a sign and a power of i, the real part.

    Args:
        operators: The sums.
        positions: Where the bits of row and column of each qubit stand in the final state.

    Returns:
        ``rows`` and ``signs [strings, 2**n]``; ``coefficients [operators, strings]``, and ``constant [operators]``.
    """
    count, places = len(positions), list(positions.values())
    strings, coefficients, constant = pauli_strings(operators, positions)
    bits = np.array(list(itertools.product((0, 1), repeat=count)), int).reshape(2**count, count)
    weights = 2 ** (2 * count - 1 - np.array(places, int).reshape(count, 2))
    rows, signs = np.zeros((len(strings), 2**count), np.int32), np.zeros((len(strings), 2**count))
    for number, letters in enumerate(strings):
        named = dict(letters)
        x, z = (np.array([place in named and named[place] in those for place in places], int) for those in ("XY", "ZY"))
        y = sum(letter == "Y" for _, letter in letters)
        rows[number] = bits @ weights[:, 0] + (bits ^ x) @ weights[:, 1] + y % 2 * 4**count
        signs[number] = (1 - 2 * (bits @ z % 2)) * _PHASES[y % 4][0]
    return {"rows": rows, "signs": signs, "coefficients": coefficients, "constant": constant}


def component_constants(
    operators: Sequence[cirq.PauliSum], positions: Mapping[cirq.Qid, tuple[int, int]]
) -> dict[str, npt.NDArray[Any]]:
    """Pauli sums as arrays that are read off the Pauli components of a density matrix, each string off one of them.

    Args and what is returned are those of :func:`density_constants`, but ``rows`` and ``signs`` are ``[strings, 1]``.
    """
    strings, coefficients, constant = pauli_strings(operators, positions)
    digits = {"X": (0, 1), "Y": (1, 0), "Z": (1, 1)}
    last = 2 * len(positions) - 1
    rows = [
        sum(bit << (last - place) for pair, letter in letters for place, bit in zip(pair, digits[letter], strict=True))
        for letters in strings
    ]
    return {
        "rows": np.array(rows, np.int32).reshape(-1, 1),
        "signs": np.ones((len(strings), 1)),
        "coefficients": coefficients,
        "constant": constant,
    }


def pauli_strings(
    operators: Sequence[cirq.PauliSum], positions: Mapping[cirq.Qid, Any]
) -> tuple[list[tuple[tuple[Any, str], ...]], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The different strings of the operators but the identity, as letters on positions; and how they are summed.

    Returns:
        The strings, ``coefficients [operators, strings]``, and ``constant [operators]``, the identity's coefficient.
    """
    constant = np.zeros(len(operators))
    entries = []
    for number, operator in enumerate(operators):
        for string in operator:
            letters = tuple(sorted((positions[qubit], str(pauli)) for qubit, pauli in string.items()))
            if letters:
                entries.append((number, letters, string.coefficient.real))
            else:
                constant[number] += string.coefficient.real
    strings = list(dict.fromkeys(letters for _, letters, _ in entries))
    coefficients = np.zeros((len(operators), len(strings)))
    for number, letters, coefficient in entries:
        coefficients[number, strings.index(letters)] += coefficient
    return strings, coefficients, constant


def string_constants(
    strings: Sequence[tuple[int, Sequence[tuple[int, str]]]], coefficients: npt.NDArray[np.float64], count: int
) -> tuple[tuple[Strings, ...], dict[str, npt.NDArray[Any]]]:
    """Pauli strings as flips of qubits and signs of Z strings, for a wide register.

    Args:
        strings: Their signs, and their letters on positions.
        coefficients: How they are summed, ``[operators, strings]``.
        count: The number of qubits n.

    Returns:
        The strings, by which qubits they flip; the signs on both halves of the register, ``strings high [strings,
        2**(n // 2)]`` and ``strings low``, and ``coefficients [operators, strings]``, in that order.
    """
    keys = []
    for _, letters in strings:
        flipped = tuple(sorted(position for position, letter in letters if letter in "XY"))
        keys.append((flipped, sum(letter == "Y" for _, letter in letters) % 2 == 1))
    order = sorted(range(len(strings)), key=lambda number: keys[number])
    signs = [sign * _PHASES[sum(letter == "Y" for _, letter in letters) % 4][0] for sign, letters in strings]
    of_z = [[position for position, letter in letters if letter in "ZY"] for _, letters in strings]
    high, low = sign_tables([of_z[number] for number in order], count)
    groups = tuple(Strings(*key, len(list(own))) for key, own in itertools.groupby(keys[number] for number in order))
    return groups, {
        "strings high": high,
        "strings low": low,
        "coefficients": coefficients[:, order] * np.array(signs)[order],
    }


def _string(letters: Sequence[tuple[int, str]], basis: IntegerArray, count: int) -> tuple[IntegerArray, IntegerArray]:
    x = sum(1 << (count - 1 - position) for position, letter in letters if letter in "XY")
    z = sum(1 << (count - 1 - position) for position, letter in letters if letter in "ZY")
    y = sum(letter == "Y" for _, letter in letters)
    source = basis ^ x
    parity = np.array([int(value).bit_count() & 1 for value in source & z])
    # i^y times (real, imaginary): which part of the source lands in which part, and with which sign.
    swapped = y % 2
    part_sign = _PHASES[y % 4]
    row = np.concatenate([source + swapped * len(basis), source + (1 - swapped) * len(basis)])
    sign = np.concatenate([(1 - 2 * parity) * factor for factor in part_sign])
    return row, sign


def expectations(state: Any, constants: Mapping[str, Any]) -> Any:
    """Expectation values ``[operators, batch]`` of a state ``[2, 2**n, batch]`` of norm 1."""
    parts = _parts(state)
    left, right, signs = constants["left"], constants["right"], constants["pair signs"]
    strings, pairs = left.shape
    if not strings:
        return ops.zeros_like(parts[:1]) + constants["constant"][:, None]
    chunk = max(1, CHUNK // pairs)
    values = []
    for start in range(0, strings, chunk):
        own = slice(start, start + chunk)
        products = ops.take(parts, left[own], axis=0) * ops.take(parts, right[own], axis=0)
        values.append(ops.einsum("tn,tnb->tb", signs[own], products))
    return ops.matmul(constants["coefficients"], ops.concatenate(values)) + constants["constant"][:, None]


def read_off(state: Any, constants: Mapping[str, Any]) -> Any:
    """Expectation values ``[operators, batch]`` of a density matrix, ``[2, 4**n, batch]`` or its Pauli components."""
    elements = ops.take(_parts(state), ops.reshape(constants["rows"], (-1,)), axis=0)
    strings, size = constants["rows"].shape
    values = ops.einsum("tn,tnb->tb", constants["signs"], ops.reshape(elements, (strings, size, -1)))
    return ops.matmul(constants["coefficients"], values) + constants["constant"][:, None]


def apply_operators(state: Any, upstream: Any, constants: Mapping[str, Any]) -> Any:
    """All operators, summed with weights ``upstream [operators, batch]``, applied to a state ``[2, 2**n, batch]``."""
    parts = _parts(state)
    weights = ops.matmul(ops.transpose(constants["coefficients"]), upstream)
    total = ops.zeros_like(parts)
    for string in range(constants["rows"].shape[0]):
        permuted = ops.take(parts, constants["rows"][string], axis=0)
        total = total + permuted * (constants["signs"][string][:, None] * weights[string])
    return ops.reshape(total, (*state.shape[:2], -1))


def _parts(state: Any) -> Any:
    """Real above imaginary parts, ``[2 * 2**n, batch]``, or Pauli components ``[4**n, batch]``."""
    return ops.reshape(state, (state.shape[0] * state.shape[1], -1))
