"""S(x): the multiplexed rotation, which turns the value qubit by the feature that the index register selects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt
import sympy

ROTATIONS = {"x": cirq.rx, "y": cirq.ry, "z": cirq.rz}


@cirq.value_equality(approximate=True)
class MultiplexedRotation(cirq.Gate):
    r"""A rotation of the last qubit (the value) whose angle the other qubits (the index) select.

    The unitary is

    $$
    \sum_{j=0}^{2^k-1} |j\rangle\langle j| \otimes R_a(x_j), \qquad
    R_a(x) = \exp(-i x \sigma_a / 2),\; a \in \{x, y, z\},
    $$

    with $k$ index qubits, the most significant first. It is the data encoding of the Quantum Fusion Layer
    (arXiv 2510.06938), and the "uniformly controlled rotation" of Möttönen et al., arXiv quant-ph/0404089.

    Example:
        >>> import cirq
        >>> import sympy
        >>> from tfq_fusion.circuits import MultiplexedRotation
        >>> rotation = MultiplexedRotation(sympy.symbols("x0 x1 x2"))
        >>> print(cirq.Circuit(rotation(*cirq.LineQubit.range(3))))
        0: ───◇───────────────────
              │
        1: ───◇───────────────────
              │
        2: ───Ry(x0, x1, x2, 0)───

    Args:
        angles: The angles $x_0, x_1, \ldots$ in radians, numbers or symbols. The index register has
            ``ceil(log2(len(angles)))`` qubits; addresses without an angle rotate by zero.
        axis: "x", "y" or "z".

    Raises:
        ValueError: If there is no angle, or the axis is unknown.
    """

    def __init__(self, angles: Sequence[cirq.TParamVal], axis: str = "y") -> None:
        if len(angles) == 0:
            raise ValueError("MultiplexedRotation expects at least one angle, got none.")
        if axis not in ROTATIONS:
            raise ValueError(f"axis should be one of {sorted(ROTATIONS)}, got {axis!r}.")
        self._index_qubits = (len(angles) - 1).bit_length()
        self._angles = (*angles, *(0,) * (2**self._index_qubits - len(angles)))
        self._axis = axis

    @property
    def angles(self) -> tuple[cirq.TParamVal, ...]:
        """One angle per address of the index register, in radians."""
        return self._angles

    @property
    def axis(self) -> str:
        """The rotation axis, "x", "y" or "z"."""
        return self._axis

    def _num_qubits_(self) -> int:
        return self._index_qubits + 1

    def _value_equality_values_(self) -> tuple[Any, ...]:
        return self._angles, self._axis

    def _is_parameterized_(self) -> bool:
        return any(cirq.is_parameterized(angle) for angle in self._angles)

    def _parameter_names_(self) -> Set[str]:
        return {name for angle in self._angles for name in cirq.parameter_names(angle)}

    def _resolve_parameters_(self, resolver: cirq.ParamResolver, recursive: bool) -> MultiplexedRotation:
        return MultiplexedRotation([resolver.value_of(a, recursive) for a in self._angles], self._axis)

    def __pow__(self, exponent: cirq.TParamVal) -> MultiplexedRotation:
        return MultiplexedRotation([angle * exponent for angle in self._angles], self._axis)

    def _has_unitary_(self) -> bool:
        return not self._is_parameterized_()

    def _unitary_(self) -> npt.NDArray[np.complex128] | None:
        if self._is_parameterized_():
            return None
        rotations = (cirq.unitary(ROTATIONS[self._axis](angle)) for angle in self._angles)
        unitary: npt.NDArray[np.complex128] = cirq.block_diag(*rotations)
        return unitary

    def _decompose_(self, qubits: Sequence[cirq.Qid]) -> Iterator[cirq.Operation]:
        """One controlled rotation per address, which TensorFlow Quantum can run; zero angles are left out."""
        *index, value = qubits
        for address, angle in enumerate(self._angles):
            if cirq.is_parameterized(angle) or angle != 0:
                bits = cirq.big_endian_int_to_bits(address, bit_count=self._index_qubits)
                yield ROTATIONS[self._axis](angle).on(value).controlled_by(*index, control_values=bits)

    @property
    def hardware_angles(self) -> tuple[cirq.TParamVal, ...]:
        """The angles of the rotations of :meth:`decompose_for_hardware`, signed means of :attr:`angles`."""
        size = len(self._angles)
        return tuple(
            sum((-1) ** (address & gray).bit_count() * angle for address, angle in enumerate(self._angles)) / size
            for gray in map(_gray, range(size))
        )

    def decompose_for_hardware(
        self, qubits: Sequence[cirq.Qid], angles: Sequence[cirq.TParamVal] | None = None
    ) -> Iterator[cirq.Operation]:
        """The form with ``2**k`` plain rotations and ``2**k`` CNOTs, for devices (Möttönen et al.).

        Between two rotations a CNOT (for the x axis a CZ, which anticommutes with it) flips the sign of the
        rotation for half of the addresses; the order is a Gray code, so that one entangling gate is enough each
        time.

        Args:
            qubits: The index qubits, most significant first, then the value qubit.
            angles: What to turn by in place of :attr:`hardware_angles`: symbols for those, since TensorFlow Quantum
                resolves no means of symbols.

        Yields:
            The operations, in order.
        """
        *index, value = qubits
        rotation = ROTATIONS[self._axis]
        entangle = cirq.CZ if self._axis == "x" else cirq.CNOT
        size = len(self._angles)
        for step, angle in enumerate(self.hardware_angles if angles is None else angles):
            yield rotation(angle).on(value)
            if index:
                changed = (_gray(step) ^ _gray((step + 1) % size)).bit_length() - 1
                yield entangle(index[-1 - changed], value)

    def _circuit_diagram_info_(self, args: cirq.CircuitDiagramInfoArgs) -> cirq.CircuitDiagramInfo:
        angles = ", ".join(args.format_real(angle) for angle in self._angles)
        return cirq.CircuitDiagramInfo(wire_symbols=("◇",) * self._index_qubits + (f"R{self._axis}({angles})",))

    def __repr__(self) -> str:
        angles = ", ".join(map(_expression_repr, self._angles))
        return f"tfq_fusion.circuits.MultiplexedRotation([{angles}], axis={self._axis!r})"

    @classmethod
    def _json_namespace_(cls) -> str:
        return "tfq_fusion"

    def _json_dict_(self) -> dict[str, Any]:
        return {"angles": self._angles, "axis": self._axis}


def _gray(number: int) -> int:
    return number ^ (number >> 1)


def _expression_repr(angle: cirq.TParamVal) -> str:
    if not isinstance(angle, sympy.Basic):
        return repr(angle)
    return re.sub(r"\b(?=[A-Z]\w*\()", "sympy.", sympy.srepr(angle))
