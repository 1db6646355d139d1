"""Which gates of a wide register are applied together: few passes over its states, each of many gates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tfq_fusion.engines.compiled.gates import EigenGate

PHASE_COST = 0.6
"""What a step of phases costs, which moves no amplitude, of what a block costs."""

WINDOW = 256
"""How many of the next gates are looked at for a step: all of them would take a time that grows with their square."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Gates that become one step.

    Attributes:
        gates: The gates, in order.
        qubits: The qubits of a block, as the bits of an integer; zero for gates that are all diagonal.
    """

    gates: list[EigenGate]
    qubits: int


def clusters(gates: Sequence[EigenGate], count: int, width: int) -> list[Cluster]:
    """Partition gates into blocks and diagonals, by what absorbs most gates for what it costs.

    The first clusters are blocks on different qubits, which act on zeros: a product of small states is a state.

    Args:
        gates: The gates in order, each of ``width`` qubits at most or diagonal.
        count: The number of qubits.
        width: The most qubits of a block.
    """
    waiting = [(sum(1 << qubit for qubit in gate.qubits), gate) for gate in gates]
    found: list[Cluster] = []

    def take(taken: Sequence[int], qubits: int) -> None:
        found.append(Cluster([waiting[number][1] for number in taken], qubits))
        for number in reversed(taken):
            del waiting[number]

    free = (1 << count) - 1
    while qubits := _block([mask for mask, _ in waiting[:WINDOW]], width, free):
        take(_inside([mask for mask, _ in waiting[:WINDOW]], qubits), qubits)
        free &= ~qubits
    while waiting:
        masks = [mask for mask, _ in waiting[:WINDOW]]
        qubits = _block(masks, width, -1)
        inside = _inside(masks, qubits)
        diagonal = _ready(masks, [gate.diagonal for _, gate in waiting[:WINDOW]])
        if len(diagonal) > PHASE_COST * len(inside):
            take(diagonal, 0)
        else:
            take(inside, qubits)
    return found


def _ready(masks: Sequence[int], eligible: Sequence[bool]) -> list[int]:
    """The eligible gates that no other gate on their qubits has to precede."""
    found, blocked = [], 0
    for number, (mask, fits) in enumerate(zip(masks, eligible, strict=True)):
        if fits and not mask & blocked:
            found.append(number)
        else:
            blocked |= mask
    return found


def _inside(masks: Sequence[int], qubits: int) -> list[int]:
    """The gates that can be applied first, one after the other, and touch these qubits alone."""
    found, blocked = [], 0
    for number, mask in enumerate(masks):
        if not mask & (~qubits | blocked):
            found.append(number)
        else:
            blocked |= mask
            if not qubits & ~blocked:
                break
    return found


def _block(masks: Sequence[int], width: int, free: int) -> int:
    """The qubits of a block, grown from one of the gates that may be next so that it holds many; 0 if there is none."""
    first, blocked = set(), 0
    for mask in masks:
        if not mask & (blocked | ~free) and mask.bit_count() <= width:
            first.add(mask)
        blocked |= mask
    grown = {_grown(seed, first, masks, width, free) for seed in first}
    return max(grown, key=lambda qubits: (len(_inside(masks, qubits)), -qubits.bit_count(), -qubits), default=0)


def _grown(qubits: int, first: set[int], masks: Sequence[int], width: int, free: int) -> int:
    while True:
        held = len(_inside(masks, qubits))
        more = {mask & ~qubits for mask in masks if mask & qubits} | {mask & ~qubits for mask in first}
        fitting = [new for new in more if new and not new & ~free and new.bit_count() <= width - qubits.bit_count()]
        if not fitting:
            return qubits
        qubits |= max(fitting, key=lambda new: ((len(_inside(masks, qubits | new)) - held) / new.bit_count(), -new))
