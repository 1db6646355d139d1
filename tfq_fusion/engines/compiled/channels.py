"""Circuits with channels as gates on a density matrix: on its elements, or on its Pauli components, which are real."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import cirq
import numpy as np

from tfq_fusion._typing import ComplexArray, FloatArray
from tfq_fusion.circuits import is_channel
from tfq_fusion.engines.compiled.gates import Angle, EigenGate, LoweringError, angle_of, operation_gates, reordered

WIDEST = 3
"""Qubits of the widest gate that acts on Pauli components: its matrices are 64 x 64, those of four qubits 256 x 256."""

_FIXED = Angle("constant", 0, 0.0, 0.0)
_PAULIS = [cirq.unitary(pauli) for pauli in (cirq.I, cirq.X, cirq.Y, cirq.Z)]
COMPONENTS = np.stack([pauli.T.ravel() for pauli in _PAULIS])
"""Of one qubit the components of I, X, Y and Z, tr(P rho), from the elements of rho, row after row."""


def superoperators(
    circuit: cirq.Circuit, positions: Mapping[cirq.Qid, int], columns: Mapping[str, tuple[str, int]]
) -> Iterator[EigenGate]:
    r"""The gates and channels of a circuit as gates on a register of twice the size, which holds a density matrix.

    Position p becomes 2 p for the row's bit of a matrix element, and 2 p + 1 for the column's. A unitary U is U on the
    rows and its conjugate on the columns; a channel with the Kraus operators K is $\sum_K K \otimes K^*$.

    Args and errors are those of :func:`tfq_fusion.engines.compiled.gates.eigen_gates`.
    """

    def on_elements(operation: cirq.Operation) -> Iterator[EigenGate]:
        if is_channel(operation):
            yield _channel(operation, positions, columns)
            return
        for gate in operation_gates(operation, positions, columns):
            yield _on(gate, 0)
            yield _conjugated(_on(gate, 1))

    return _of_all(circuit, on_elements)


def transfer_gates(
    circuit: cirq.Circuit, positions: Mapping[cirq.Qid, int], columns: Mapping[str, tuple[str, int]]
) -> Iterator[EigenGate]:
    r"""The gates and channels of a circuit as gates on the Pauli components of a density matrix, $\mathrm{tr}(P \rho)$.

    Position p becomes the bits 2 p and 2 p + 1, which count I, X, Y and Z. The matrices are Pauli transfer matrices,
    $R_{PQ} = \mathrm{tr}(P\,E(Q)) / 2^q$ of a channel E on q qubits; those of a gate with an angle are
    $\sum_\delta \exp(i \pi t \delta) A_\delta$, over the differences of its eigenvalue phases, and real in all.

    Args and errors are those of :func:`tfq_fusion.engines.compiled.gates.eigen_gates`.
    """

    def on_components(operation: cirq.Operation) -> Iterator[EigenGate]:
        if is_channel(operation):
            channel = _channel(operation, positions, columns)
            bits = _bits(positions[qubit] for qubit in operation.qubits)
            yield dataclasses.replace(channel, targets=bits, projectors=_transferred(channel.projectors))
            return
        for gate in operation_gates(operation, positions, columns):
            yield _transfer(gate)

    return _of_all(circuit, on_components)


def sampled_matrices(gates: Sequence[EigenGate], bits: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    r"""What fixed transfer gates, and one with data among them, are in all.

    Args:
        gates: The gates, in order.
        bits: What they act on, the first one most significant.

    Returns:
        Frequencies $\omega$ ``[k]``, the first one zero, and ``matrices [2 k - 1, d, d]``: for the gate's exponent t
        the product of all is the sum of k matrices times $\cos(\pi \omega t)$ and of the others, for all frequencies
        but the first, times $\sin(\pi \omega t)$.
    """
    (place,) = (number for number, gate in enumerate(gates) if gate.angle.kind == "data")

    def product(fixed: Sequence[EigenGate]) -> FloatArray:
        matrices = (gate.expanded(bits)[1][0].real for gate in fixed)
        return functools.reduce(lambda found, matrix: matrix @ found, matrices, np.eye(2 ** len(bits)))

    phases, matrices = gates[place].expanded(bits)
    frequencies = np.unique(np.abs(phases))
    cosines = [matrices[np.abs(phases) == each].real.sum(axis=0) for each in frequencies]
    sines = [(matrices[phases == -each].imag - matrices[phases == each].imag).sum(axis=0) for each in frequencies[1:]]
    return frequencies, product(gates[place + 1 :]) @ np.stack([*cosines, *sines]) @ product(gates[:place])


def _of_all(circuit: cirq.Circuit, lowered: Callable[[cirq.Operation], Iterator[EigenGate]]) -> Iterator[EigenGate]:
    for number, moment in enumerate(circuit):
        for operation in moment:
            try:
                yield from lowered(operation.untagged)
            except LoweringError as error:
                raise LoweringError(f"Cannot compile {operation!r} in moment {number}: {error}") from error


def _channel(
    operation: cirq.Operation, positions: Mapping[cirq.Qid, int], columns: Mapping[str, tuple[str, int]]
) -> EigenGate:
    """A channel on the bits of all rows, then on those of the columns."""
    if cirq.is_measurement(operation):
        raise LoweringError("expectation values need no measurement: leave it out.")
    if len(operation.qubits) > 2:
        raise LoweringError("expected a channel of one or two qubits.")
    targets = tuple(2 * positions[qubit] + side for side in (0, 1) for qubit in operation.qubits)
    gate = operation.gate
    if isinstance(gate, cirq.RandomGateChannel) and cirq.is_parameterized(gate.probability):
        angle = angle_of(gate.probability, columns)
        if angle.kind == "data" or cirq.is_parameterized(gate.sub_gate):
            raise LoweringError("expected a probability that is a number or a weight, of a gate without symbols.")
        happens = _superoperator(gate.sub_gate)
        never = np.eye(len(happens))
        return EigenGate(targets, (), angle, np.zeros(2), np.stack([never, happens - never]), linear=True)
    return EigenGate(targets, (), _FIXED, np.zeros(1), _superoperator(operation)[np.newaxis])


def _superoperator(channel: Any) -> ComplexArray:
    summed: ComplexArray = np.sum([np.kron(operator, operator.conj()) for operator in cirq.kraus(channel)], axis=0)
    return summed


def _on(gate: EigenGate, side: int) -> EigenGate:
    """The gate on the rows of a density matrix, side 0, or on its columns, side 1."""
    targets = tuple(2 * position + side for position in gate.targets)
    controls = tuple((2 * position + side, value) for position, value in gate.controls)
    return dataclasses.replace(gate, targets=targets, controls=controls)


def _conjugated(gate: EigenGate) -> EigenGate:
    projectors = gate.projectors.conj()
    if gate.axis in ("x", "z"):  # the rotation turns the other way
        angle = dataclasses.replace(gate.angle, scale=-gate.angle.scale, offset=-gate.angle.offset)
        return dataclasses.replace(gate, angle=angle, projectors=projectors)
    return dataclasses.replace(gate, phases=-gate.phases, projectors=projectors)


def _transfer(gate: EigenGate) -> EigenGate:
    """A unitary gate as one on Pauli components."""
    order = [*(position for position, _ in gate.controls), *gate.targets]
    phases, projectors = gate.expanded(order)
    if gate.angle.kind == "constant":
        unitary = np.einsum("e,eij->ij", np.exp(1j * math.pi * gate.angle.offset * phases), projectors)
        whole = np.kron(unitary, unitary.conj())[np.newaxis]
        return EigenGate(_bits(order), (), _FIXED, np.zeros(1), _transferred(whole))
    terms: dict[float, Any] = {}
    for phase, left in zip(phases, projectors, strict=True):
        for other, right in zip(phases, projectors, strict=True):
            difference = round(phase - other, 12) + 0.0  # no zero of its own with a minus
            terms[difference] = terms.get(difference, 0.0) + np.kron(left, right.conj())
    return EigenGate(_bits(order), (), gate.angle, np.array(list(terms)), _transferred(np.stack(list(terms.values()))))


def _bits(positions: Iterable[int]) -> tuple[int, ...]:
    return tuple(2 * position + bit for position in positions for bit in (0, 1))


def _transferred(superoperators: ComplexArray) -> ComplexArray:
    """Matrices on the bits of rows, then of columns, as matrices on Pauli components."""
    count = (superoperators.shape[-1].bit_length() - 1) // 2
    side_by_side = [side * count + qubit for qubit in range(count) for side in (0, 1)]
    change = functools.reduce(np.kron, [COMPONENTS] * count)
    back = change.conj().T / 2**count
    return np.stack([change @ reordered(each, range(2 * count), side_by_side) @ back for each in superoperators])
