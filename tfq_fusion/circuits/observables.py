"""What is measured: Pauli strings, all or seeded random ones, Pauli planes, and the computational basis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cirq
import numpy as np

MEASUREMENTS = ("random_pauli", "pauli_plane", "computational")
"""What :func:`qfl_circuit` measures."""

_PAULIS = (cirq.X, cirq.Y, cirq.Z)


def random_pauli_observables(
    qubits: Sequence[cirq.Qid], count: int, rng: np.random.Generator, locality: int | None = None
) -> tuple[cirq.PauliSum, ...]:
    """Distinct random Pauli strings, uniform over all strings but the identity, or over those of one weight.

    Args:
        qubits: The ``n`` qubits.
        count: How many strings, at most ``4**n - 1``; of weight w at most ``binomial(n, w) * 3**w``, and if there are
            so many, these are all of them in random order.
        rng: Source of randomness.
        locality: The weight, the number of qubits that each string acts on; None for any.

    Returns:
        One single-term sum per string.

    Raises:
        ValueError: If ``locality`` is not between 1 and ``n``, or ``count`` not between 1 and the number of strings.
    """
    size = len(qubits)
    if locality is not None:
        _check_locality(locality, size)
    most = 4**size - 1 if locality is None else math.comb(size, locality) * 3**locality
    _check_count(count, most, size, "random_pauli")
    chosen: dict[tuple[int, ...], None] = {}  # a dict keeps the order of drawing
    while len(chosen) < count:
        if locality is None:
            letters = rng.integers(0, 4, size=size)
        else:
            letters = np.zeros(size, dtype=int)
            letters[rng.choice(size, size=locality, replace=False)] = rng.integers(1, 4, size=locality)
        if any(letters):
            chosen[tuple(letters.tolist())] = None
    return tuple(_sum(_string(letters, qubits)) for letters in chosen)


def pauli_plane_observables(
    qubits: Sequence[cirq.Qid], count: int, rng: np.random.Generator, locality: int = 2
) -> tuple[cirq.PauliSum, ...]:
    r"""Products over ``locality`` random qubits of a Pauli at a random angle in a random Pauli plane.

    For each observable and each of its qubits a plane (P, Q) among (X, Y), (Y, Z) and (Z, X) and an angle
    $\varphi$ in $[0, 2\pi)$ are drawn; the factor is $\cos(\varphi) P + \sin(\varphi) Q$, whose eigenvalues are ±1.
    The paper (arXiv 2510.06938) names random Pauli-plane measurements without defining them: this reading is ours.

    Args:
        qubits: The ``n`` qubits.
        count: How many observables.
        rng: Source of randomness.
        locality: The number of qubits in each product, at most ``n``.

    Returns:
        Sums of ``2**locality`` Pauli strings.

    Raises:
        ValueError: If ``count`` is not positive, or ``locality`` not between 1 and ``n``.
    """
    if count < 1:
        raise ValueError(f"observables should be at least 1, got {count}.")
    _check_locality(locality, len(qubits))
    observables = []
    for _ in range(count):
        product = cirq.PauliSum.from_pauli_strings(cirq.PauliString())
        for position in sorted(rng.choice(len(qubits), size=locality, replace=False).tolist()):
            plane = int(rng.integers(3))
            angle = float(rng.uniform(0, 2 * np.pi))
            first, second = _PAULIS[plane], _PAULIS[(plane + 1) % 3]
            product *= np.cos(angle) * first(qubits[position]) + np.sin(angle) * second(qubits[position])
        observables.append(product)
    return tuple(observables)


def computational_observables(qubits: Sequence[cirq.Qid], count: int) -> tuple[cirq.PauliSum, ...]:
    """Products of Z: all single qubits in order, then all pairs, then all triples, until there are ``count``.

    All of them can be measured together, in the computational basis.

    Args:
        qubits: The ``n`` qubits.
        count: How many products, at most ``2**n - 1``.

    Returns:
        One single-term sum per product.

    Raises:
        ValueError: If ``count`` is not between 1 and ``2**n - 1``.
    """
    _check_count(count, 2 ** len(qubits) - 1, len(qubits), "computational")
    subsets = itertools.chain.from_iterable(
        itertools.combinations(qubits, weight) for weight in range(1, len(qubits) + 1)
    )
    return tuple(
        _sum(cirq.PauliString(cirq.Z(qubit) for qubit in subset)) for subset in itertools.islice(subsets, count)
    )


def every_pauli_observable(qubits: Sequence[cirq.Qid]) -> tuple[cirq.PauliSum, ...]:
    """All ``4**n - 1`` Pauli strings on ``n`` qubits but the identity; the letter of the last qubit changes fastest."""
    letters = itertools.product(range(4), repeat=len(qubits))
    return tuple(_sum(_string(string, qubits)) for string in itertools.islice(letters, 1, None))


def _check_locality(locality: int, qubits: int) -> None:
    if not 1 <= locality <= qubits:
        raise ValueError(f"locality should be between 1 and the {qubits} qubits, got {locality}.")


def _check_count(count: int, most: int, qubits: int, measurement: str) -> None:
    if not 1 <= count <= most:
        raise ValueError(
            f"observables should be between 1 and {most} for {measurement!r} on {qubits} qubits, got {count}."
        )


def _string(letters: Sequence[int], qubits: Sequence[cirq.Qid]) -> cirq.PauliString[cirq.Qid]:
    return cirq.PauliString(_PAULIS[letter - 1](qubit) for letter, qubit in zip(letters, qubits, strict=True) if letter)


def _sum(string: cirq.PauliString[cirq.Qid]) -> cirq.PauliSum:
    return cirq.PauliSum.from_pauli_strings(string)
