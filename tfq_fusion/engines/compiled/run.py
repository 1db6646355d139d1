"""Running a program: expectation values, and their gradient by the adjoint method."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfq_fusion.engines.arrays import BATCH, SMALL_BATCH, known_zero, ops, pull_back
from tfq_fusion.engines.compiled import kernels, wide
from tfq_fusion.engines.compiled.blocks import block_matrices
from tfq_fusion.engines.compiled.pauli import apply_operators, expectations, read_off
from tfq_fusion.engines.compiled.program import BlockStep, GateStep, RotationStep, Step, Structure, Tables
from tfq_fusion.engines.compiled.rotations import angle_gradients, rotations


def forward(
    structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any, states: Any
) -> tuple[Any, Any, Any, Any]:
    """Expectation values ``[batch, operators]``, and what :func:`backward` wants to know.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: ``[batch, data]``.
        weights: ``[weights]``.
        states: What the circuit starts from, complex ``[batch, 2**n]``; None for zeros.

    Returns:
        The values; the final state ``[2, 2**n, batch]``, after those at the beginning of each segment if they are
        density matrices; for each kind of tables the cosines and sines of half the angles, ``[2, angles, batch]``; and
        ``[batch]``, NaN for samples that are not finite, else zero.
    """
    data, poison = _finite(data, weights.dtype)
    if structure.strings is not None:
        values, state = wide.forward(structure, constants, data, weights, states)
        # No product mixes samples there: what is not finite is found in the end.
        values = values + poison[:, None]
        return values, [state], [], _poison(values)
    if states is not None:
        states, more = _finite(ops.concatenate([ops.real(states), ops.imag(states)], axis=1), weights.dtype)
        poison = poison + more
    blocks, angles, exponents = _parameters(structure, constants, data, weights)
    trigonometry = [_materialized(ops.stack([ops.cos(0.5 * each), ops.sin(0.5 * each)])) for each in angles]
    rotated = _rotations_of(structure, trigonometry)
    inputs = {"blocks": blocks, "rotations": rotated, "exponents": exponents}
    state = _initial_state(structure, states, weights.dtype)
    kept = []
    for number in range(len(structure.steps)):
        if structure.mixed and number % structure.segment == 0:
            kept.append(state)
        state = _step(structure, number, state, inputs, constants)
    if state.shape[-1] == 1:
        state = ops.broadcast_to(state, (*state.shape[:2], ops.shape(data)[0]))
    values = read_off(state, constants) if structure.mixed else expectations(state, constants)
    return ops.transpose(values) + poison[:, None], [*kept, state], trigonometry, poison


def _step(
    structure: Structure, number: int, state: Any, inputs: Mapping[str, Any], constants: Mapping[str, Any]
) -> Any:
    state = kernels.forward(structure.steps[number], state, inputs, constants)
    return _materialized(state) if _both_rotate(structure.steps[number : number + 2]) else state


def backward(
    structure: Structure,
    constants: Mapping[str, Any],
    data: Any,
    weights: Any,
    kept: Sequence[Any],
    trigonometry: Any,
    poison: Any,
    upstream: Any,
    same_start: bool,
) -> tuple[Any, Any]:
    """The gradients in data and weights.

    The state is uncomputed step by step together with the adjoint state, so that memory does not grow with depth. What
    channels do to a density matrix cannot be: each segment of steps is computed again from the state that was kept, and
    memory grows with the root of the depth.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: As for :func:`forward`.
        weights: Likewise.
        kept: The states, as :func:`forward` gave them.
        trigonometry: As :func:`forward` gave it.
        poison: Likewise.
        upstream: The loss's gradient in the expectation values, ``[batch, operators]``.
        same_start: Whether all samples start from zeros.
    """
    data, _ = _finite(data, weights.dtype)
    upstream, more = _finite(upstream, weights.dtype)
    poison = poison + more
    if structure.strings is not None:
        gradients = wide.backward(structure, constants, data, weights, kept[-1], upstream, same_start)
        return gradients[0] + poison[:, None], gradients[1] + ops.sum(poison)
    blocks, _, exponents = _parameters(structure, constants, data, weights)
    rotated = _rotations_of(structure, trigonometry)
    inputs = {"blocks": blocks, "rotations": rotated, "exponents": exponents}
    rotation_gradients: dict[tuple[Tables, int], Any] = {}
    block_gradients: dict[tuple[int, int], Any] = {}
    exponent_gradients: dict[int, Any] = {}
    data_gradient = ops.zeros_like(ops.transpose(data))

    def gather(step: Step, gradient: Any) -> Any:
        nonlocal data_gradient
        match step:
            case BlockStep():
                block_gradients[step.family, step.member] = gradient
            case RotationStep() if len(step.tables.axes) > 1:
                place = step.tables, step.row
                rotation_gradients[place] = gradient + rotation_gradients.get(place, 0.0)
            case RotationStep():
                mix = constants[f"{step.tables.name} mix"][step.row, 0]
                own = ops.matmul(ops.transpose(mix), gradient[0])
                both = ops.reshape(ops.stack([data_gradient, own]), (2, -1))
                gradient = data_gradient = ops.reshape(kernels.total(both), (own.shape[0], -1))
            case GateStep():
                exponent_gradients[step.gate] = gradient
        return gradient

    if structure.mixed:
        _recompute(structure, kept, ops.transpose(upstream), inputs, constants, gather)
    else:
        adjoint = apply_operators(kept[-1], 2.0 * ops.transpose(upstream), constants)
        _uncompute(structure, kept[-1], adjoint, inputs, constants, gather, same_start)

    def again(weights: Any) -> Any:
        return block_matrices(structure.families, constants, data, weights)

    families = [
        ops.stack([block_gradients[number, member] for member in range(family.members)])[:, None]
        for number, family in enumerate(structure.families)
    ]
    (weight_gradient,) = pull_back(again, (weights,), families)
    if exponent_gradients:
        gradients = ops.stack([exponent_gradients[gate] for gate in range(structure.gates)])
        data_gradient = data_gradient + ops.matmul(ops.transpose(constants["exponent data"]), gradients)
        shared = ops.sum(gradients, axis=1, keepdims=True)
        weight_gradient = weight_gradient + ops.matmul(ops.transpose(constants["exponent weights"]), shared)[:, 0]
    for tables, halves in zip(structure.tables, trigonometry, strict=True):
        mix = constants[f"{tables.name} mix"]
        if len(tables.axes) > 1:
            gradients = ops.stack([rotation_gradients[tables, row] for row in range(mix.shape[0])], axis=1)
            gradients = angle_gradients(tables, _by_table(tables, halves), gradients)
            flat = ops.reshape(mix, (-1, mix.shape[-1]))
            data_gradient = data_gradient + ops.matmul(ops.transpose(flat), ops.reshape(gradients, (flat.shape[0], -1)))
    return ops.transpose(data_gradient) + poison[:, None], weight_gradient + ops.sum(poison)


Gather = Callable[[Step, Any], Any]
"""Takes what a step leaves in the gradient, and gives an array that is known when it has been taken."""


def _uncompute(
    structure: Structure,
    state: Any,
    adjoint: Any,
    inputs: Mapping[str, Any],
    constants: Mapping[str, Any],
    gather: Gather,
    same_start: bool,
) -> None:
    """Walk from the last step to the first, and undo the state on the way."""
    adjoint = _materialized(adjoint)
    zero = 0.0
    for number, step in reversed(list(enumerate(structure.steps))):
        if same_start and number == structure.shared - 1:
            # Before the first data, all samples have one state.
            state, adjoint = state[..., :1], ops.sum(adjoint, axis=-1, keepdims=True)
        state, adjoint, gradient = kernels.backward(step, state, adjoint, inputs, constants, zero)
        if _both_rotate(structure.steps[number - 1 : number + 1]):
            state, adjoint = _materialized(state), _materialized(adjoint)
        if gradient is not None:
            zero = known_zero(gather(step, gradient))


def _recompute(
    structure: Structure,
    kept: Sequence[Any],
    upstream: Any,
    inputs: Mapping[str, Any],
    constants: Mapping[str, Any],
    gather: Gather,
) -> None:
    """Walk back over density matrices, those of a segment computed again from the one that was kept."""
    *starts, last = kept
    (adjoint,) = pull_back(lambda state: read_off(state, constants), (last,), upstream)
    zero = 0.0
    for segment, start in reversed(list(enumerate(starts))):
        first = segment * structure.segment
        # Of later steps XLA knows nothing else here, and would compute all segments at once.
        states = [start + zero]
        for number in range(first, min(first + structure.segment, len(structure.steps))):
            states.append(_step(structure, number, states[-1], inputs, constants))
        while len(states) > 1:
            after, before = states.pop(), states[-1]
            number = first + len(states) - 1
            if after.shape[-1] == 1:
                # Before the first data, all samples have one state.
                adjoint = ops.sum(adjoint, axis=-1, keepdims=True)
            step = structure.steps[number]
            _, adjoint, gradient = kernels.backward(step, after, adjoint, inputs, constants, zero, before)
            if _both_rotate(structure.steps[number - 1 : number + 1]):
                adjoint = _materialized(adjoint)
            if gradient is not None:
                zero = known_zero(gather(step, gradient))


def _parameters(structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The blocks' matrices by family, the angles by kind of tables, and the exponents of gates ``[gates, batch]``."""
    features = ops.transpose(data)
    blocks = [matrices[:, 0] for matrices in block_matrices(structure.families, constants, data, weights)]
    angles = []
    for tables in structure.tables:
        mix, offset = constants[f"{tables.name} mix"], constants[f"{tables.name} offset"]
        angles.append(ops.matmul(ops.reshape(mix, (-1, mix.shape[-1])), features) + ops.reshape(offset, (-1, 1)))
    if not structure.gates:
        return blocks, angles, None
    shared = ops.matmul(constants["exponent weights"], weights[:, None]) + constants["exponent offset"][:, None]
    return blocks, angles, ops.matmul(constants["exponent data"], features) + shared


def _rotations_of(structure: Structure, trigonometry: Sequence[Any]) -> dict[Tables, Any]:
    """What rotations multiply with, by kind of tables."""
    found = {}
    for tables, halves in zip(structure.tables, trigonometry, strict=True):
        parts = rotations(tables, _by_table(tables, halves))
        found[tables] = parts if len(tables.axes) == 1 else _materialized(parts)
    return found


def _by_table(tables: Tables, halves: Any) -> Any:
    """``[2, angles, batch]`` as ``[2, tables, axes, addresses, batch]``."""
    per_table = len(tables.axes) * tables.addresses
    return ops.reshape(halves, (2, halves.shape[1] // per_table, len(tables.axes), tables.addresses, -1))


def _both_rotate(steps: Sequence[Step]) -> bool:
    """Whether these are two rotations: fused, each would compute the one before it twice for every amplitude."""
    return len(steps) == 2 and all(isinstance(step, RotationStep) for step in steps)


def _materialized(array: Any) -> Any:
    """The same array, ``[2, ..., batch]``, by way of a matrix product, across samples, of finite numbers.

    XLA would fuse what makes it into everything that uses it: make it again for every amplitude, in slower loops. Over
    the leading axis, which no sample shares with another, the product made steps a quarter slower.
    """
    rows = ops.reshape(array, (-1, math.gcd(BATCH, 2 * math.prod(array.shape[1:-1]) * SMALL_BATCH)))
    return ops.reshape(ops.matmul(rows, ops.eye(rows.shape[1], dtype=rows.dtype)), (*array.shape[:-1], -1))


def _finite(rows: Any, dtype: Any) -> tuple[Any, Any]:
    """``[batch, ...]`` with zeros in place of what is not finite, and ``[batch]``, NaN for such samples, else zero.

    Products across samples may then have one that is NaN multiplied by zero: the others do not become NaN.
    """
    return ops.where(ops.isfinite(rows), rows, ops.zeros_like(rows)), ops.cast(_poison(rows), dtype)


def _poison(rows: Any) -> Any:
    """NaN for samples of ``[batch, ...]`` that are not finite, else zero."""
    finite = ops.all(ops.isfinite(rows), axis=1)
    return ops.where(finite, ops.cast(0.0, rows.dtype), ops.cast(math.nan, rows.dtype))


def _initial_state(structure: Structure, states: Any, dtype: Any) -> Any:
    """``[2, 2**n, batch]`` from real and imaginary parts side by side; from None zeros, alike for all samples."""
    if states is None:
        zero = ops.one_hot(0, 2**structure.qubits, dtype=dtype)
        return ops.stack([zero, 0.0 * zero])[..., None]
    size = states.shape[1] // 2
    parts = ops.cast(ops.reshape(ops.transpose(states), (2, size, -1)), dtype)
    if not structure.mixed:
        return parts
    real, imaginary = ops.unstack(parts, num=2)
    products = ops.stack(
        [
            real[:, None] * real + imaginary[:, None] * imaginary,
            imaginary[:, None] * real - real[:, None] * imaginary,
        ]
    )
    count = structure.qubits // 2
    bits = ops.reshape(products, (2, *(2,) * structure.qubits, -1))
    pairs = [axis for qubit in range(count) for axis in (1 + qubit, 1 + count + qubit)]
    return ops.reshape(ops.transpose(bits, (0, *pairs, 1 + structure.qubits)), (2, 4**count, -1))
