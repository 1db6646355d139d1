"""What no observable sees is left out: gates outside the light cone, and fixed Clifford gates at its end."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.engines.compiled.gates import EigenGate

Letters = tuple[tuple[int, str], ...]
"""A Pauli string: the letters X, Y, Z on positions, ascending."""

_PAULIS = {"I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}


def light_cone(
    gates: Sequence[EigenGate], strings: Sequence[Letters]
) -> tuple[list[EigenGate], list[tuple[int, Letters]]]:
    """The gates on which expectation values depend, and the strings that have these values after them.

    From the last gate to the first, a gate is left out that commutes with every string, or that makes other strings of
    them, unless it is followed by a gate on its qubits that stays.

    Args:
        gates: The gates, in order.
        strings: What is measured after them.

    Returns:
        The gates that stay, and for each string its sign and what is measured in its place.
    """
    signed = [(1, string) for string in strings]
    kept: list[EigenGate] = []
    blocked: frozenset[int] = frozenset()
    for gate in reversed(gates):
        before = None if gate.qubits & blocked else _before(gate, signed)
        if before is None:
            kept.append(gate)
            blocked |= gate.qubits
        else:
            signed = before
    return kept[::-1], signed


def _before(gate: EigenGate, signed: Sequence[tuple[int, Letters]]) -> list[tuple[int, Letters]] | None:
    """The strings to measure before a gate instead of after it; None if they are no strings."""
    qubits = sorted(gate.qubits)
    found = []
    for sign, string in signed:
        here = "".join(dict(string).get(qubit, "I") for qubit in qubits)
        if set(here) <= ({"I", "Z"} if gate.diagonal else {"I"}):
            found.append((sign, string))
            continue
        if gate.angle.kind != "constant" or len(qubits) > 2:
            return None
        phases, projectors = gate.expanded(qubits)
        unitary = np.einsum("e,eij->ij", np.exp(1j * np.pi * gate.angle.offset * phases), projectors)
        turned = unitary.conj().T @ _matrix(here) @ unitary
        for letters in map("".join, itertools.product("IXYZ", repeat=len(qubits))):
            overlap = np.trace(_matrix(letters) @ turned).real / len(turned)
            if abs(abs(overlap) - 1) < 1e-9:
                others = {position: letter for position, letter in string if position not in gate.qubits}
                others |= {qubit: letter for qubit, letter in zip(qubits, letters, strict=True) if letter != "I"}
                found.append((sign * round(overlap), tuple(sorted(others.items()))))
                break
        else:
            return None
    return found


@functools.cache
def _matrix(letters: str) -> npt.NDArray[Any]:
    return functools.reduce(np.kron, [_PAULIS[letter] for letter in letters])
