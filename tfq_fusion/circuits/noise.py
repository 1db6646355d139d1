"""Noise: circuits with channels after their gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt


@cirq.value_equality
class KrausGate(cirq.Gate):
    r"""The channel $\rho \mapsto \sum_i K_i \rho K_i^\dagger$ as a value, which ``cirq.KrausChannel`` is not.

    Example:
        >>> import cirq
        >>> from tfq_fusion.circuits import KrausGate
        >>> damping = KrausGate(cirq.kraus(cirq.amplitude_damp(0.1)))
        >>> damping == KrausGate(cirq.kraus(cirq.amplitude_damp(0.1)))
        True
        >>> print(cirq.Circuit(damping(cirq.LineQubit(0))))
        0: ───Kraus───

    Args:
        operators: The operators K, each complex ``[2**n, 2**n]``, with $\sum_i K_i^\dagger K_i = 1$.

    Raises:
        ValueError: If they are no such operators.
    """

    def __init__(self, operators: Sequence[Any]) -> None:
        stacked = np.array(operators, np.complex128)
        size = stacked.shape[-1]
        if stacked.ndim != 3 or stacked.shape[1] != size or size & (size - 1) or size < 2:
            raise ValueError(f"operators should have shape [count, 2**n, 2**n], got {list(stacked.shape)}.")
        if not np.allclose(np.einsum("kji,kjl->il", stacked.conj(), stacked), np.eye(size), atol=1e-6):
            raise ValueError("The products of the operators' adjoints with them should add up to the identity.")
        self._operators = tuple(tuple(map(tuple, operator)) for operator in stacked.tolist())

    def _value_equality_values_(self) -> tuple[Any, ...]:
        return self._operators

    def _num_qubits_(self) -> int:
        return (len(self._operators[0]) - 1).bit_length()

    def _kraus_(self) -> tuple[npt.NDArray[np.complex128], ...]:
        return tuple(np.array(operator) for operator in self._operators)

    def _circuit_diagram_info_(self, args: cirq.CircuitDiagramInfoArgs) -> tuple[str, ...]:
        return ("Kraus",) * self._num_qubits_()

    def __repr__(self) -> str:
        return f"tfq_fusion.circuits.KrausGate({self._operators!r})"

    def _json_dict_(self) -> dict[str, Any]:
        return {"operators": self._operators}

    @classmethod
    def _json_namespace_(cls) -> str:
        return "tfq_fusion"


def as_values(circuit: cirq.AbstractCircuit) -> cirq.AbstractCircuit:
    """The circuit with a :class:`KrausGate` for each of Cirq's channels that have no hash."""
    unhashable = (cirq.KrausChannel, cirq.MixedUnitaryChannel)

    def value(operation: cirq.Operation) -> cirq.Operation:
        if isinstance(operation.gate, unhashable) and not cirq.is_measurement(operation):
            return KrausGate(cirq.kraus(operation)).on(*operation.qubits).with_tags(*operation.tags)
        return operation

    if not any(isinstance(operation.gate, unhashable) for operation in circuit.all_operations()):
        return circuit
    return cirq.Circuit(cirq.Moment(map(value, moment)) for moment in circuit)


def with_noise(circuit: cirq.AbstractCircuit, noise: cirq.NoiseModel | cirq.Gate) -> cirq.Circuit:
    r"""A circuit with noise.

    Args:
        circuit: The circuit; it stays as it is.
        noise: A channel of one qubit, such as ``cirq.depolarize(0.01)``, which acts after every gate on each qubit of
            it; or a noise model, which says itself where it acts. A model made of a channel acts after every moment
            on all qubits, and not only where there was a gate.

    Returns:
        The circuit with channels as operations.

    Raises:
        TypeError: If ``noise`` is neither.
        ValueError: If it is a gate of more than one qubit.
    """
    if isinstance(noise, cirq.NoiseModel):
        return circuit.unfreeze().with_noise(noise)
    if not isinstance(noise, cirq.Gate):
        raise TypeError(
            f"noise should be a channel of one qubit, such as cirq.depolarize(0.01), or a noise model of Cirq, got "
            f"{type(noise).__name__}."
        )
    if noise.num_qubits() != 1:
        raise ValueError(f"noise should act on one qubit, got {noise!r}, which acts on {noise.num_qubits()}.")
    return cirq.Circuit(
        each
        for operation in circuit.all_operations()
        for each in (operation, *(noise.on(qubit) for qubit in operation.qubits))
    )


def is_channel(operation: cirq.Operation) -> bool:
    """Whether an operation is no unitary, whatever the values of its symbols; a measurement is one such."""
    if cirq.is_parameterized(operation):
        return isinstance(operation.gate, cirq.RandomGateChannel)
    return not cirq.has_unitary(operation) and cirq.has_kraus(operation)
