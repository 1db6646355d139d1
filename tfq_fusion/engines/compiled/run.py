"""Running a program: expectation values, and their gradient by the adjoint method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfq_fusion._keras import ops
from tfq_fusion.engines.compiled import kernels
from tfq_fusion.engines.compiled.blocks import block_matrices
from tfq_fusion.engines.compiled.kernels import Complex
from tfq_fusion.engines.compiled.pauli import apply_operators, expectations
from tfq_fusion.engines.compiled.program import BlockStep, GateStep, RotationStep, Structure
from tfq_fusion.engines.jit import pull_back


def forward(
    structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any, states: Any
) -> tuple[Any, ...]:
    """Expectation values ``[batch, operators]``, and the final state's real and imaginary parts ``[2**n, batch]``.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: ``[batch, data]``.
        weights: ``[weights]``.
        states: What the circuit starts from, complex ``[batch, 2**n]``; None for zeros.
    """
    inputs = _inputs(structure, *_parameters(structure, constants, data, weights))
    state = _initial_state(structure, ops.shape(data)[0], states, weights.dtype)
    for step in structure.steps:
        state = kernels.apply(step, state, inputs, constants, inverse=False)
    final = state[0][0], state[1][0]
    return ops.transpose(expectations(final, constants)), *final


def backward(
    structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any, final: Complex, upstream: Any
) -> tuple[Any, Any]:
    """The gradients in data and weights.

    The state is uncomputed step by step together with the adjoint state, so that memory does not grow with depth.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: As for :func:`forward`.
        weights: Likewise.
        final: The final state.
        upstream: The loss's gradient in the expectation values, ``[batch, operators]``.
    """
    parameters = _parameters(structure, constants, data, weights)
    inputs = _inputs(structure, *parameters)
    adjoint = apply_operators(final, 2.0 * ops.transpose(upstream), constants)
    pair = ops.stack([final[0], adjoint[0]]), ops.stack([final[1], adjoint[1]])
    blocks: dict[tuple[int, int], Any] = {}
    tables: dict[int, Any] = {}
    exponents: dict[int, Any] = {}
    for step in reversed(structure.steps):
        after, after_adjoint = _one(pair, 0), _one(pair, 1)
        pair = kernels.apply(step, pair, inputs, constants, inverse=True)
        match step:
            case BlockStep():
                blocks[step.family, step.member] = kernels.block_gradient(step, _one(pair, 0), after_adjoint)
            case RotationStep():
                gradient = kernels.rotation_gradient(step, after, after_adjoint)
                tables[step.table] = tables[step.table] + gradient if step.table in tables else gradient
            case GateStep():
                exponents[step.gate] = kernels.gate_gradient(step, after, after_adjoint, constants)
    families = [
        ops.stack([blocks[number, member] for member in range(family.members)], axis=1)
        for number, family in enumerate(structure.families)
    ]
    gradients = (
        families,
        [tables[number] for number in range(len(tables))],
        ops.stack([exponents[number] for number in range(len(exponents))]) if exponents else None,
    )

    def again(data: Any, weights: Any) -> Any:
        return _parameters(structure, constants, data, weights)

    return pull_back(again, (data, weights), gradients)


def _one(pair: Complex, number: int) -> Complex:
    return pair[0][number : number + 1], pair[1][number : number + 1]


def _parameters(structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The blocks' matrices by family, the angles by table, and the exponents of single gates ``[gates, batch]``."""
    features = ops.transpose(data)
    blocks = block_matrices(structure.families, constants, weights)
    tables = [
        ops.matmul(constants[f"table {number} mix"], features) + constants[f"table {number} offset"][:, None]
        for number in range(structure.tables)
    ]
    if not structure.gates:
        return blocks, tables, None
    shared = ops.matmul(constants["exponent weights"], weights[:, None]) + constants["exponent offset"][:, None]
    return blocks, tables, ops.matmul(constants["exponent data"], features) + shared


def _inputs(structure: Structure, blocks: Any, tables: Any, exponents: Any) -> dict[str, Any]:
    cos, sin = [ops.cos(0.5 * table) for table in tables], [ops.sin(0.5 * table) for table in tables]
    return {"blocks": blocks, "cos": cos, "sin": sin, "exponents": exponents}


def _initial_state(structure: Structure, batch: Any, states: Any, dtype: Any) -> Complex:
    if states is None:
        zeros = ops.zeros((1, 2**structure.qubits, batch), dtype=dtype)
        return zeros + ops.one_hot(0, 2**structure.qubits, dtype=dtype)[:, None], zeros
    turned = ops.transpose(states)[None]
    return ops.cast(ops.real(turned), dtype), ops.cast(ops.imag(turned), dtype)
