"""U(theta): hardware-efficient blocks and their entanglers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cirq
import sympy

from tfq_fusion.arguments import one_of

ENTANGLERS = ("all_to_all", "ring", "brick")
"""Which qubits :func:`entangler_ops` entangles."""


def entangler_ops(qubits: Sequence[cirq.Qid], entangler: str) -> Iterator[cirq.Operation]:
    """Controlled-Z gates between pairs of qubits.

    Args:
        qubits: The qubits, in order.
        entangler: "all_to_all", every pair; "ring", neighbours and the last with the first; "brick", neighbours,
            the pairs that start at even positions before those that start at odd ones.

    Yields:
        The operations.

    Raises:
        ValueError: If the entangler is unknown.
    """
    one_of("entangler", entangler, ENTANGLERS)
    count = len(qubits)
    neighbours = [(i, i + 1) for i in range(count - 1)]
    if entangler == "all_to_all":
        pairs = list(itertools.combinations(range(count), 2))
    elif entangler == "ring":
        # Two qubits have one bond: a second CZ on it would undo the first.
        pairs = neighbours + ([(count - 1, 0)] if count > 2 else [])
    else:
        pairs = neighbours[::2] + neighbours[1::2]
    for first, second in pairs:
        yield cirq.CZ(qubits[first], qubits[second])


def hardware_efficient_block(
    qubits: Sequence[cirq.Qid], symbols: Sequence[sympy.Symbol], entangler: str = "all_to_all"
) -> cirq.Circuit:
    r"""One layer of $R_z(c_q) R_y(b_q) R_x(a_q)$ on every qubit $q$, then the entangler.

    Args:
        qubits: The ``n`` qubits.
        symbols: ``3 * n`` angles in radians: a, b and c of the first qubit, of the second, and so on.
        entangler: See :func:`entangler_ops`.

    Returns:
        The block.

    Raises:
        ValueError: If the number of symbols is not ``3 * n`` or the entangler is unknown.
    """
    if len(symbols) != 3 * len(qubits):
        raise ValueError(
            f"A block on {len(qubits)} qubits expects {3 * len(qubits)} symbols, three per qubit, got {len(symbols)}."
        )
    rotations = (
        rotation(symbol).on(qubit)
        for position, qubit in enumerate(qubits)
        for rotation, symbol in zip((cirq.rx, cirq.ry, cirq.rz), symbols[3 * position :], strict=False)
    )
    return cirq.Circuit(rotations, entangler_ops(qubits, entangler))
