r"""Gradients by the parameter-shift rule: from values of the circuit at shifted angles, as a device can measure them.

In the exponent t of one gate, $\sum_e \exp(i \pi t \theta_e) P_e$, a value is a sum of sines and cosines of
$\omega_k t$, one for each distance $\omega_k$ of two eigenphases $\pi \theta_e$. With R distances the derivative is a
sum over R pairs of opposite shifts: one pair for a Pauli rotation (Crooks, arXiv 1905.13311), two for a controlled
rotation or a power of iSWAP (Wierichs et al., arXiv 2107.12390). The derivative in a symbol is the sum over the gates
that hold it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import keras3 as keras
from tfq_fusion._keras import ops
from tfq_fusion.circuits import ModelCircuit, is_channel, padded_symbols
from tfq_fusion.circuits.model import Content
from tfq_fusion.engines.compiled.gates import EigenGate, LoweringError, eigen_gates
from tfq_fusion.engines.shots import another_seed

AMPLITUDES = 2**16
"""So many of all shifted circuits of a sample are computed at one time: enough for speed, less than a wide register."""

Exact = Callable[[ModelCircuit], Any]


def values(
    exact: Callable[[ModelCircuit, Any, Any, Any], Any],
    measure: Callable[[Exact, ModelCircuit, Any], Any],
    spec: ModelCircuit,
    data: Any,
    weights: Any,
    states: Any,
    seed: Any,
) -> Any:
    """Values of a circuit whose gradient is computed from values of its shifted circuits.

    Args:
        exact: Circuit, data, weights and initial states -> exact values ``[batch, n_operators]``.
        measure: What gives exact values of circuits, a circuit and a seed -> its values, exact or estimated.
        spec: The circuit.
        data: ``[batch, n_data]``.
        weights: ``[n_weights]``.
        states: ``[batch, 2**n]``, what the circuit starts from; None for zeros.
        seed: What ``measure`` draws from; None if it does not.

    Returns:
        ``[batch, n_operators]``.

    Raises:
        LoweringError: If a channel holds a symbol.
    """
    # Apart from the values: gradients of a loss are products of both, which would have a bias.
    later = None if seed is None else another_seed(seed)
    found = measure(lambda spec: exact(spec, data, weights, states), spec, seed)
    shifts = _shifts(spec.content)
    if not len(shifts.columns):
        return found
    found = ops.stop_gradient(found)
    batch, dtype = ops.shape(data)[0], keras.backend.standardize_dtype(found.dtype)
    shared = ops.broadcast_to(weights, (batch, weights.shape[0]))
    angles = ops.take(ops.concatenate([data, shared], axis=1), shifts.columns, axis=1)
    groups, circuits, occurrences = shifts.moves.shape
    starts = None if states is None else ops.tile(states, (circuits, 1))

    def nothing(angles: Any) -> tuple[Any, Callable[..., Any]]:
        def shifted(spec: ModelCircuit) -> Any:
            def of_group(moves: Any) -> Any:
                moved = ops.reshape(angles + moves[:, None], (-1, occurrences))
                return exact(spec, moved, ops.zeros(0, dtype), starts)

            # Made here: on the way back JAX loops over no array that was made on the way there.
            moves = ops.convert_to_tensor(shifts.moves, dtype)
            if groups == 1:
                return of_group(moves[0])
            return ops.reshape(ops.map(of_group, moves), (groups * circuits * batch, len(spec.operators)))

        def gradient(*arguments: Any, upstream: Any = None) -> Any:
            (upstream,) = arguments if upstream is None else (upstream,)
            measured = measure(shifted, shifts.spec, later)
            measured = ops.reshape(measured, (groups * circuits, batch, len(spec.operators)))
            # No product by Keras, which is in single precision on PyTorch.
            return ops.transpose(ops.sum(upstream * measured, axis=-1)) @ ops.convert_to_tensor(shifts.factors, dtype)

        return ops.zeros_like(found), gradient

    return found + keras.ops.custom_gradient(nothing)(angles)


def of_two_values(spec: ModelCircuit) -> bool:
    """Whether each gate with a symbol has two eigenphases: one pair of shifts each, as all libraries choose them."""
    shifts = _shifts(spec.content)
    return np.count_nonzero(shifts.moves) == 2 * len(shifts.columns)


@dataclasses.dataclass(frozen=True, eq=False)
class _Shifts:
    """The shifted circuits of a circuit.

    Attributes:
        spec: The circuit with a data symbol of its own in each gate that has a symbol, and no weights.
        columns: Which of data and weights, in this order, each of these stands for, ``[occurrences]``.
        moves: What each shifted circuit adds to them, ``[groups, circuits, occurrences]``: nothing, where a group is
            filled up.
        factors: What its values contribute to the derivative in them, ``[groups * circuits, occurrences]``.
    """

    spec: ModelCircuit
    columns: npt.NDArray[np.int_]
    moves: npt.NDArray[np.float64]
    factors: npt.NDArray[np.float64]


@functools.lru_cache(maxsize=64)
def _shifts(content: Content) -> _Shifts:
    bound = (*content.data_symbols, *content.weight_symbols)
    qubits = sorted(content.circuit.all_qubits())
    positions = {qubit: position for position, qubit in enumerate(qubits)}
    names = {symbol.name: ("data", index) for index, symbol in enumerate(bound)}
    parts = [part for operation in content.circuit.all_operations() for part in _parts(operation, positions, names)]
    gates = [gate for _, gate in parts if gate is not None]
    symbols = padded_symbols("angle", len(gates))
    # A decomposition might leave a qubit out that is measured.
    operations, moves, factors = [cirq.I(qubit) for qubit in qubits], [], []
    unused = iter(enumerate(symbols))
    for operation, gate in parts:
        if gate is None:
            operations.append(operation)
            continue
        column, symbol = next(unused)
        operations.append(cirq.resolve_parameters_once(operation, {bound[gate.angle.index]: symbol}))
        own = np.eye(len(symbols))[column]
        for move, factor in _rule(gate):
            moves.append(move * own)
            factors.append(factor * own)
    spec = ModelCircuit(cirq.Circuit(operations), symbols, (), content.model_circuit().operators)
    columns = np.array([gate.angle.index for gate in gates], int)
    bits = len(qubits) * (2 if any(map(is_channel, operations)) else 1)
    groups = -(-len(moves) // max(AMPLITUDES // 2**bits, 1))
    circuits = -(-len(moves) // max(groups, 1))
    padding = [np.zeros(len(symbols))] * (groups * circuits - len(moves))
    return _Shifts(
        spec,
        columns,
        np.reshape([*moves, *padding], (groups, circuits, len(symbols))),
        np.reshape([*factors, *padding], (groups * circuits, len(symbols))),
    )


def _parts(
    operation: cirq.Operation, positions: Mapping[cirq.Qid, int], names: Mapping[str, tuple[str, int]]
) -> Iterator[tuple[cirq.Operation, EigenGate | None]]:
    """The operation as ones with at most one symbol, once in each, and the gate of each that has one."""
    operation = operation.untagged
    if not cirq.is_parameterized(operation):
        yield operation, None
        return
    if is_channel(operation):
        raise LoweringError(
            f"The rule shifts angles of gates, and {operation!r} is a channel with a symbol. Give its rate a number, "
            "or use differentiator='adjoint'."
        )
    gates = list(eigen_gates(cirq.Circuit(operation), positions, names))
    if len(gates) == 1:
        yield operation, gates[0]
    elif isinstance(operation, cirq.ControlledOperation):
        for part, _ in _parts(operation.sub_operation, positions, names):
            controlled = cirq.ControlledOperation(operation.controls, part, operation.control_values)
            yield from _parts(controlled, positions, names)
    else:
        for part in cirq.decompose_once(operation):
            yield from _parts(part, positions, names)


def _rule(gate: EigenGate) -> Iterator[tuple[float, float]]:
    """Pairs of what is added to the symbol of a gate, and the factor of the value there in the derivative."""
    phases = np.append(gate.phases, 0.0) if gate.controls else gate.phases
    distances = np.abs(np.subtract.outer(phases, phases)).round(9)
    frequencies = np.pi * np.unique(distances[distances > 0])
    # If frequencies are multiples of the smallest, these shifts have the smallest variance; if not, the equations have
    # a solution still: the sines are polynomials of growing degree, in numbers that differ, times one that is not zero.
    shifts = np.pi / 2 * (2 * np.arange(len(frequencies)) + 1) / frequencies.max(initial=0.0)
    factors = np.linalg.solve(2 * np.sin(np.outer(frequencies, shifts)), frequencies)
    scale = gate.angle.scale
    for shift, factor in zip(shifts, factors, strict=True):
        for sign in (1, -1):
            yield sign * shift / scale, sign * factor * scale
