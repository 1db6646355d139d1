"""Gates as the compiler sees them: sums of projectors with turning phases."""

from __future__ import annotations

import dataclasses
import functools
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt
import sympy

from tfq_fusion._typing import ComplexArray, FloatArray

_AXES: dict[type[cirq.EigenGate], str] = {cirq.XPowGate: "x", cirq.YPowGate: "y", cirq.ZPowGate: "z"}
"""Of these gates and their subclasses, which cirq.rx, cirq.ry and cirq.rz make."""


class LoweringError(ValueError):
    """A circuit holds something that cannot be compiled."""


@dataclasses.dataclass(frozen=True)
class Angle:
    """A gate's exponent, ``scale * symbol + offset``.

    Attributes:
        kind: "constant", "data" or "weight".
        index: The column of the data or the position among the weights; zero for a constant.
        scale: What the symbol is multiplied by; zero for a constant.
        offset: What is added.
    """

    kind: str
    index: int
    scale: float
    offset: float


@dataclasses.dataclass(frozen=True, eq=False)
class EigenGate:
    r"""$U(t) = \sum_e \exp(i \pi t \theta_e) P_e$ on the targets, where all controls have their values.

    Every gate that TensorFlow Quantum accepts is a product of such gates.

    Attributes:
        targets: Positions of the target qubits; the matrices have the first one most significant.
        controls: Pairs (position, value).
        angle: The exponent t.
        phases: The eigenvalue phases theta, ``[e]``.
        projectors: The projectors P, complex ``[e, 2**targets, 2**targets]``.
        axis: "x", "y" or "z" if the gate is a rotation by pi * t about that axis, up to a phase that nothing sees.
        linear: Whether it is $P_0 + t P_1$ instead: a channel that happens with probability t.
    """

    targets: tuple[int, ...]
    controls: tuple[tuple[int, int], ...]
    angle: Angle
    phases: FloatArray
    projectors: ComplexArray
    axis: str | None = None
    linear: bool = False

    @property
    def qubits(self) -> frozenset[int]:
        """Targets and controls."""
        return frozenset((*self.targets, *(position for position, _ in self.controls)))

    @functools.cached_property
    def diagonal(self) -> bool:
        """Whether the gate is diagonal for every exponent."""
        off = self.projectors * (1 - np.eye(self.projectors.shape[-1]))
        return bool(np.abs(off).max() < 1e-12)

    def expanded(self, qubits: Sequence[int]) -> tuple[FloatArray, ComplexArray]:
        """Phases and projectors of the gate, controls included, on ``qubits``, the first one most significant."""
        controls, values = [p for p, _ in self.controls], [v for _, v in self.controls]
        active = np.zeros((2,) * len(controls))
        active[tuple(values)] = 1
        on = np.diag(active.ravel())
        phases = self.phases
        projectors: list[npt.NDArray[Any]] = [np.kron(on, projector) for projector in self.projectors]
        if controls:
            phases = np.append(phases, 0.0)
            projectors.append(np.kron(np.eye(len(on)) - on, np.eye(2 ** len(self.targets))))
        order = [*controls, *self.targets]
        idle = [qubit for qubit in qubits if qubit not in order]
        return phases, np.stack(
            [reordered(np.kron(p, np.eye(2 ** len(idle))), [*order, *idle], qubits) for p in projectors]
        )


def reordered(matrix: ComplexArray, qubits: Sequence[int], wanted: Sequence[int]) -> ComplexArray:
    """A matrix on qubits, the first one most significant, as the same on these qubits in the order that is wanted."""
    count = len(qubits)
    axes = [qubits.index(qubit) for qubit in wanted]
    tensor = matrix.reshape((2,) * (2 * count)).transpose([*axes, *(count + axis for axis in axes)])
    return tensor.reshape(matrix.shape)


def eigen_gates(
    circuit: cirq.Circuit, positions: Mapping[cirq.Qid, int], columns: Mapping[str, tuple[str, int]]
) -> Iterator[EigenGate]:
    """The gates of a circuit in order.

    Args:
        circuit: The circuit.
        positions: Qubit -> position, the first one most significant.
        columns: Name of a symbol -> ("data" or "weight", index).

    Yields:
        Products of them make each operation of the circuit.

    Raises:
        LoweringError: If an operation cannot be compiled; the message names it and its moment.
    """
    for number, moment in enumerate(circuit):
        for operation in moment:
            try:
                yield from operation_gates(operation, positions, columns)
            except LoweringError as error:
                raise LoweringError(
                    f"Cannot compile {operation!r} in moment {number}: {error} Use engine='tfq' if it accepts the gate."
                ) from error


def operation_gates(
    operation: cirq.Operation, positions: Mapping[cirq.Qid, int], columns: Mapping[str, tuple[str, int]]
) -> Iterator[EigenGate]:
    """The gates whose product one unitary operation is; args and errors are those of :func:`eigen_gates`."""
    operation = operation.untagged
    if isinstance(operation, cirq.ControlledOperation):
        choices = [tuple(values) for values in operation.control_values.expand()]
        if len(choices) != 1:
            raise LoweringError(f"expected one control value per qubit, got {operation.control_values}.")
        controls = tuple((positions[qubit], value) for qubit, value in zip(operation.controls, choices[0], strict=True))
        for own in operation_gates(operation.sub_operation, positions, columns):
            yield dataclasses.replace(own, controls=(*controls, *own.controls), axis=_controlled_axis(own))
        return
    gate = operation.gate
    if _holds_text(gate):
        raise LoweringError(
            "its conditions are text, which Cirq evaluates: write the gate as cirq.Z and cirq.ZZ gates."
        )
    targets = tuple(positions[qubit] for qubit in operation.qubits)
    if isinstance(gate, cirq.IdentityGate):
        return
    # The eigenspaces of a phased gate turn with its phase exponent; its decomposition below has none such.
    if isinstance(gate, cirq.EigenGate) and not isinstance(gate, cirq.PhasedISwapPowGate):
        # Cirq's own decomposition into eigenspaces; there is no public name for it.
        components = gate._eigen_components()
        phases = np.array([phase + gate.global_shift for phase, _ in components])
        projectors = np.array([projector for _, projector in components], dtype=np.complex128)
        axis = next((axis for kind, axis in _AXES.items() if isinstance(gate, kind)), None)
        yield EigenGate(targets, (), angle_of(gate.exponent, columns), phases, projectors, axis)
    elif not cirq.is_parameterized(operation) and cirq.has_unitary(operation) and len(targets) <= 4:
        unitary = cirq.unitary(operation)
        yield EigenGate(targets, (), Angle("constant", 0, 0.0, 0.0), np.zeros(1), unitary[np.newaxis])
    else:
        parts = cirq.decompose_once(operation, default=None)
        if parts is None:
            raise LoweringError("it is neither unitary nor known by a decomposition.")
        for part in parts:
            yield from operation_gates(part, positions, columns)


def _holds_text(gate: Any) -> bool:
    while gate is not None and not isinstance(gate, cirq.BooleanHamiltonianGate):
        gate = getattr(gate, "sub_gate", None) or getattr(gate, "_original", None)
    return gate is not None


def _controlled_axis(gate: EigenGate) -> str | None:
    # Under a control the phase between a power gate and a rotation becomes visible.
    return gate.axis if gate.axis and abs(gate.phases.sum()) < 1e-12 else None


@functools.lru_cache(maxsize=65536)
def _affine(expression: sympy.Expr) -> tuple[sympy.Symbol | None, float, float]:
    symbols = expression.free_symbols
    if not symbols:
        return None, 0.0, float(expression)
    if len(symbols) == 1:
        (symbol,) = symbols
        slope = expression.diff(symbol)
        if slope.is_number:
            return symbol, float(slope), float(expression.subs(symbol, 0))
    raise LoweringError(f"the exponent {expression} is not a number times one symbol, plus a number.")


def angle_of(exponent: cirq.TParamVal, columns: Mapping[str, tuple[str, int]]) -> Angle:
    """An exponent as a number times one symbol, plus a number; raises LoweringError if it is something else."""
    if isinstance(exponent, numbers.Real):
        return Angle("constant", 0, 0.0, float(exponent))
    if not isinstance(exponent, sympy.Expr):  # SymPy would evaluate text
        raise LoweringError(f"the exponent should be a number or an expression of SymPy, got {exponent!r}.")
    symbol, scale, offset = _affine(exponent)
    if symbol is None:
        return Angle("constant", 0, 0.0, offset)
    kind, index = columns[symbol.name]
    return Angle(kind, index, scale, offset)
