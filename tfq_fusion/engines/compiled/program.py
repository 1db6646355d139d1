"""What a circuit is lowered to: a short list of typed steps on a state of ``2**n`` amplitudes."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tfq_fusion.engines.arrays import ops

Sizes = tuple[int, ...]


def inverse_order(order: Sizes) -> Sizes:
    """The permutation that undoes a permutation."""
    return tuple(order.index(axis) for axis in range(len(order)))


@dataclasses.dataclass(frozen=True)
class BlockStep:
    """Multiply a few qubits by a matrix that the batch shares.

    Attributes:
        family: Which family of blocks the matrix is a member of.
        width: How many qubits it acts on.
        order: The permutation of qubits that brings them to the front, where they stay.
    """

    family: int
    width: int
    order: Sizes


@dataclasses.dataclass(frozen=True)
class DiagonalStep:
    """Multiply by a fixed diagonal.

    Attributes:
        diagonal: Which of the diagonals.
        real: Whether it holds signs only, no phases.
    """

    diagonal: int
    real: bool


@dataclasses.dataclass(frozen=True, order=True)
class Tables:
    """Tables of rotations that are alike but for their angles.

    Attributes:
        axes: What each turns about, one after the other: a string of "x", "y" and "z".
        addresses: How many angles about each: one for each value of the qubits that address them.
    """

    axes: str
    addresses: int

    @property
    def name(self) -> str:
        """What the names of their constants begin with."""
        return f"tables {self.axes} {self.addresses}"


@dataclasses.dataclass(frozen=True)
class RotationStep:
    """Turn one qubit by angles that depend on the sample and on other qubits.

    Attributes:
        tables: What it turns about; its angles are one of these tables.
        qubits: The number of qubits n.
        target: Where the target stands.
        controls: Where the qubits stand that address the table, ascending.
        order: The permutation that brings the table's qubits into the order that they have in the state.
    """

    tables: Tables
    qubits: int
    target: int
    controls: Sizes
    order: Sizes


@dataclasses.dataclass(frozen=True)
class GateStep:
    """Apply one gate whose exponent depends on the sample, or that is too wide for a block.

    Attributes:
        gate: Which of the gates; its exponent is one of all gates'.
        width: How many targets it has.
        order: The permutation of qubits that brings them to the front, where they stay.
        controlled: Whether it has controls.
    """

    gate: int
    width: int
    order: Sizes
    controlled: bool


@dataclasses.dataclass(frozen=True)
class SampledStep:
    """Multiply Pauli components of a few qubits by a matrix of each sample: a gate with data, and fixed ones around it.

    Attributes:
        matrix: Which of these; its exponent is one of all gates'.
        width: How many bits it acts on.
        order: The permutation of bits that brings them to the front, where they stay.
    """

    matrix: int
    width: int
    order: Sizes


@dataclasses.dataclass(frozen=True)
class PermutationStep:
    """Bring the qubits into another order.

    Attributes:
        order: The permutation.
    """

    order: Sizes


Step = BlockStep | DiagonalStep | RotationStep | GateStep | SampledStep | PermutationStep


@dataclasses.dataclass(frozen=True)
class Part:
    """Steps, done once or, alike but for their numbers, again and again.

    Attributes:
        steps: What is done in each pass, in order. If there are several passes, it leaves the order of the qubits.
        members: For each step the numbers that each pass takes: of a block the member of its family, of a rotation the
            table, of a gate the exponent; empty for others.
    """

    steps: tuple[Step, ...]
    members: tuple[Sizes, ...]
    passes: int


@dataclasses.dataclass(frozen=True)
class PhaseStep:
    """Multiply by a diagonal whose phases are sums of angles, each with a sign: a product of rotations of Z strings.

    Attributes:
        phases: Which of these diagonals.
        sampled: Whether angles depend on the sample.
    """

    phases: int
    sampled: bool


@dataclasses.dataclass(frozen=True, order=True)
class Bank:
    """Rows of gates that are multiplied alike.

    Attributes:
        width: Qubits of each gate.
        length: Gates in a row, a power of two.
        sampled: Whether each sample has gates of its own.
    """

    width: int
    length: int
    sampled: bool = False

    @property
    def name(self) -> str:
        """What the names of their constants begin with."""
        return f"bank {self.width} {self.length}{' sampled' if self.sampled else ''}"


@dataclasses.dataclass(frozen=True)
class Element:
    """Gates on the same qubits of a block, one after the other.

    Attributes:
        qubits: Local qubits, ascending.
        bank: Which bank holds them.
        start: The row of the family's first block; those of the others follow.
    """

    qubits: Sizes
    bank: Bank
    start: int


@dataclasses.dataclass(frozen=True)
class Family:
    """Blocks that are built alike, so that all of them are built at once.

    Attributes:
        width: Qubits of a block.
        members: How many blocks.
        elements: What the matrices are products of, in the order in which they act.
        sampled: Whether each sample has matrices of its own.
    """

    width: int
    members: int
    elements: tuple[Element, ...]
    sampled: bool = False


@dataclasses.dataclass(frozen=True)
class Strings:
    """Pauli strings that flip the same qubits.

    Attributes:
        flipped: Where the qubits stand that they flip.
        odd: Whether they hold an odd number of Y.
        count: How many strings.
    """

    flipped: Sizes
    odd: bool
    count: int


@dataclasses.dataclass(frozen=True)
class Structure:
    """All that compilation depends on: equal structures share their compiled functions.

    Attributes:
        qubits: The number of qubits n.
        parts: What is done, in order. Steps change the order of the qubits; at first it is the circuit's.
        shared: How many parts come before the first data.
        families: How the blocks are built.
        mixed: Whether the state is a density matrix. Then ``qubits`` counts the bits of its rows and of its columns,
            and blocks need not be unitary.
        real: Whether that is held as its Pauli components, see :mod:`.channels`: two bits count those of each qubit,
            and the leading axis of a state, else of real and imaginary parts, has one entry.
    """

    qubits: int
    parts: tuple[Part, ...]
    shared: int
    families: tuple[Family, ...]
    mixed: bool = False
    real: bool = False

    @property
    def tables(self) -> list[Tables]:
        """What rotations turn about."""
        steps = (step for part in self.parts for step in part.steps)
        return sorted({step.tables for step in steps if isinstance(step, RotationStep)})

    @property
    def kept(self) -> int:
        """How many states are kept at a time for the way back, if steps cannot be undone."""
        return max((len(part.steps) for part in self.parts), default=0) + sum(part.passes for part in self.parts)


@dataclasses.dataclass(frozen=True)
class WideStructure:
    """The same for a wide register, see :mod:`.wide`.

    Attributes:
        qubits: The number of qubits n.
        steps: What is done, in order. Steps change the order of the qubits; at first it is the circuit's.
        members: Of each block the member of its family; of phases nothing, zero.
        families: How the blocks are built.
        strings: What is measured.
    """

    qubits: int
    steps: tuple[BlockStep | PhaseStep, ...]
    members: Sizes
    families: tuple[Family, ...]
    strings: tuple[Strings, ...]
    mixed: ClassVar[bool] = False

    @property
    def leading(self) -> tuple[BlockStep, ...]:
        """The blocks that come first and have different qubits: of zeros they make a product state."""
        found: list[BlockStep] = []
        covered = 0
        for step in self.steps:
            if not isinstance(step, BlockStep) or min(step.order[: step.width]) < covered:
                break
            found.append(step)
            covered += step.width
        return tuple(found)

    @property
    def samples_last(self) -> list[bool]:
        """Whether the samples' axis comes last, at first and after each step of a wide register.

        It comes first for steps that depend on the sample, and last for blocks that do not.
        """
        found = [False]
        for step in self.steps:
            found.append(not self._sampled(step) and (found[-1] or isinstance(step, BlockStep)))
        return found

    @property
    def shared(self) -> int:
        """How many steps come before the first one that depends on the sample."""
        return next((number for number, step in enumerate(self.steps) if self._sampled(step)), len(self.steps))

    def _sampled(self, step: BlockStep | PhaseStep) -> bool:
        return self.families[step.family].sampled if isinstance(step, BlockStep) else step.sampled


Layout = tuple[tuple[str, bool, Sizes], ...]
"""For each constant its name, whether it holds floats, and its shape."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A lowered circuit: its structure, and the numbers that its compiled functions take as arguments.

    Attributes:
        structure: See :class:`Structure`.
        constants: Arrays by name:

            - for each bank of gates, row after row, ``bank WIDTH LENGTH phases [gates, e]``, ``projectors
              [2, gates, e, d, d]`` (real and imaginary parts), and ``mix [gates, weights]`` and ``offset [gates]``,
              which give the exponents; with ``linear [gates, e]`` if some have the exponent as a factor instead;
            - ``tables AXES ADDRESSES mix [tables, axes, addresses, data]`` and ``offset [tables, axes, addresses]``,
              which give the angles;
            - ``sampled N frequencies [k]`` and ``matrices [2 k - 1, d, d]``, see
              :func:`tfq_fusion.engines.compiled.channels.sampled_matrices`;
            - ``diagonal N [2**n]`` or, with imaginary parts, ``[2, 2**n]``, in the order that the qubits have then;
            - ``gate N phases [e]``, ``projectors [2, e, d, d]``, with controls ``mask [rest]``; ``exponent data
              [exponents, data]``, ``exponent weights [exponents, weights]`` and ``exponent offset [exponents]``;
            - the observables', see :func:`tfq_fusion.engines.compiled.pauli.pauli_constants`, or of a density matrix
              :func:`~tfq_fusion.engines.compiled.pauli.density_constants`.
    """

    structure: Structure | WideStructure
    constants: dict[str, npt.NDArray[Any]]

    def packed(self) -> tuple[Layout, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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
