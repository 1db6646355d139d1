"""What a circuit is lowered to: a short list of typed steps on a state of ``2**n`` amplitudes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from tfq_fusion._keras import ops

Sizes = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class BlockStep:
    """Multiply a few qubits by a matrix that the batch shares.

    Attributes:
        family: Which family of blocks the matrix belongs to.
        member: Which of the family's matrices it is.
        view: Sizes of runs of qubits that do or do not belong to the block.
        axes: The axes of ``view`` that belong to it.
    """

    family: int
    member: int
    view: Sizes
    axes: Sizes


@dataclasses.dataclass(frozen=True)
class DiagonalStep:
    """Multiply by a fixed diagonal.

    Attributes:
        diagonal: Which of the diagonals.
        real: Whether it holds signs only, no phases.
    """

    diagonal: int
    real: bool


@dataclasses.dataclass(frozen=True)
class RotationStep:
    """Turn one qubit about an axis by an angle that depends on the sample and on other qubits.

    Attributes:
        table: Which table of angles ``[addresses, batch]``.
        axis: "x", "y" or "z".
        view: Sizes of runs of qubits that address the table, do not address it, or are the target.
        target: The target's axis in ``view``.
        addresses: The table's shape to broadcast against ``view``: 1 where a run does not address it.
    """

    table: int
    axis: str
    view: Sizes
    target: int
    addresses: Sizes


@dataclasses.dataclass(frozen=True)
class GateStep:
    """Apply one gate whose exponent depends on the sample, or that is too wide for a block.

    Attributes:
        gate: Which of the gates and exponents.
        view: Sizes of runs of qubits.
        axes: The targets' axes in ``view``.
    """

    gate: int
    view: Sizes
    axes: Sizes


Step = BlockStep | DiagonalStep | RotationStep | GateStep


@dataclasses.dataclass(frozen=True)
class Element:
    """Gates on the same qubits of a block, one after the other.

    Attributes:
        qubits: Local qubits, ascending.
        start: Where the bank of gates of this width holds them: position after position, block after block.
        length: How many there are.
    """

    qubits: Sizes
    start: int
    length: int


@dataclasses.dataclass(frozen=True)
class Family:
    """Blocks that are built alike, so that all of them are built at once.

    Attributes:
        width: Qubits of a block.
        members: How many blocks.
        layers: Elements on different qubits, layer after layer.
    """

    width: int
    members: int
    layers: tuple[tuple[Element, ...], ...]


@dataclasses.dataclass(frozen=True)
class Structure:
    """All that compilation depends on: equal structures share their compiled functions.

    Attributes:
        qubits: The number of qubits n.
        steps: What is done, in order.
        families: How the blocks are built.
        tables: How many tables of angles there are.
        gates: How many gates have a step of their own.
    """

    qubits: int
    steps: tuple[Step, ...]
    families: tuple[Family, ...]
    tables: int
    gates: int


Layout = tuple[tuple[str, bool, Sizes], ...]
"""For each constant its name, whether it holds floats, and its shape."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A lowered circuit: its structure, and the numbers that its compiled functions take as arguments.

    Attributes:
        structure: See :class:`Structure`.
        constants: Arrays by name:

            - for the gates of each width in blocks ``bank WIDTH phases [gates, e]``, ``projectors [2, gates, e, d, d]``
              (real and imaginary parts), and ``mix [gates, weights]`` and ``offset [gates]``, which give the exponents;
            - ``table N mix [addresses, data]`` and ``offset [addresses]``, which give the angles;
            - ``diagonal N [2**n]`` or, with imaginary parts, ``[2, 2**n]``;
            - ``gate N phases [e]``, ``projectors [2, e, d, d]``, ``mask [d, rest]``; ``exponent data [gates, data]``,
              ``exponent weights [gates, weights]`` and ``exponent offset [gates]``;
            - the observables', see :func:`tfq_fusion.engines.compiled.pauli.pauli_constants`.
    """

    structure: Structure
    constants: dict[str, np.ndarray]

    def packed(self) -> tuple[Layout, np.ndarray, np.ndarray]:
        """All constants in two arrays, floats and integers: each argument of a compiled function costs time."""
        layout = tuple(
            (name, bool(np.issubdtype(array.dtype, np.floating)), array.shape) for name, array in self.constants.items()
        )
        parts = {floats: [np.zeros(0)] for floats in (True, False)}
        for (_, floats, _), array in zip(layout, self.constants.values(), strict=True):
            parts[floats].append(array.ravel())
        return layout, np.concatenate(parts[True]), np.concatenate(parts[False])


def unpack(layout: Layout, floats: Any, integers: Any) -> dict[str, Any]:
    """The constants by name, from the arrays that hold them all."""
    constants, taken = {}, {True: 0, False: 0}
    for name, is_float, shape in layout:
        start, size = taken[is_float], math.prod(shape)
        constants[name] = ops.reshape((floats if is_float else integers)[start : start + size], shape)
        taken[is_float] += size
    return constants
