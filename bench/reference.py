"""The judge: expectation values and gradients in NumPy and double precision."""

from __future__ import annotations

import cirq
import numpy as np

from bench.gates import Gate, gates_of
from bench.problem import Outcome, Problem


def reference(problem: Problem) -> Outcome:
    """One step of a problem, gate by gate, by the adjoint method (Jones and Gacon, arXiv 2009.02823)."""
    gates = gates_of(problem)
    angles = {"data": problem.data.astype(float), "weights": problem.weights.astype(float)[np.newaxis]}
    shape = (problem.batch, *(2,) * problem.qubits)
    if problem.states is None:
        state = np.zeros(shape, complex)
        state.reshape(problem.batch, -1)[:, 0] = 1
    else:
        state = problem.states.astype(complex).reshape(shape)
    for gate in gates:
        _apply(gate, _angle(gate, angles), state)

    values, adjoint = np.empty(problem.upstream.shape), np.zeros_like(state)
    for column, operator in enumerate(problem.operators):
        image = sum((_string(term, state) for term in operator), np.zeros_like(state))
        values[:, column] = _inner(state, image).real
        adjoint += _per_sample(problem.upstream[:, column], state.ndim) * image

    gradients = {"data": np.zeros(problem.data.shape), "weights": np.zeros((1, *problem.weights.shape))}
    for gate in reversed(gates):
        angle = _angle(gate, angles)
        if gate.angle is not None:
            name, column = gate.angle
            where = _where(gate, state.ndim)
            slope = _inner(adjoint[where], _paulis(gate.kind, gate.targets, state[where])).imag
            gradients[name][:, column] += slope if name == "data" else slope.sum()
        inverse = None if angle is None else -angle
        _apply(gate, inverse, state)
        _apply(gate, inverse, adjoint)
    return Outcome(values, gradients["data"], gradients["weights"][0])


def _angle(gate: Gate, angles: dict[str, np.ndarray]) -> np.ndarray | None:
    if gate.angle is None:
        return None
    name, column = gate.angle
    return angles[name][:, column]


def _where(gate: Gate, rank: int) -> tuple[slice, ...]:
    """The amplitudes whose controls hold their values; every axis stays."""
    where = [slice(None)] * rank
    for position, value in zip(gate.controls, gate.values, strict=True):
        where[1 + position] = slice(value, value + 1)
    return tuple(where)


def _apply(gate: Gate, angle: np.ndarray | None, state: np.ndarray) -> None:
    part = state[_where(gate, state.ndim)]
    if gate.kind == "H":
        part[:] = (_paulis("X", gate.targets, part) + _paulis("Z", gate.targets, part)) / np.sqrt(2)
    elif angle is None:
        part[:] = _paulis(gate.kind, gate.targets, part)
    else:
        half = _per_sample(angle / 2, state.ndim)
        part[:] = np.cos(half) * part - 1j * np.sin(half) * _paulis(gate.kind, gate.targets, part)


def _paulis(letters: str, targets: tuple[int, ...], state: np.ndarray) -> np.ndarray:
    for letter, position in zip(letters, targets, strict=True):
        axis = 1 + position
        if letter in "XY":
            state = np.flip(state, axis)
        if letter in "YZ":
            factors = np.array([-1j, 1j] if letter == "Y" else [1, -1])
            state = state * factors.reshape([2 if other == axis else 1 for other in range(state.ndim)])
    return state


def _string(term: cirq.PauliString, state: np.ndarray) -> np.ndarray:
    letters = "".join(map(str, term.values()))
    return term.coefficient * _paulis(letters, tuple(qubit.x for qubit in term), state)


def _inner(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One inner product per sample."""
    return (left.conj() * right).reshape(len(left), -1).sum(axis=1)


def _per_sample(values: np.ndarray, rank: int) -> np.ndarray:
    return values.reshape(-1, *[1] * (rank - 1))
