"""Applying a step to states, undoing it, and what the adjoint method reads off it.

States are pairs of float arrays ``[states, 2**n, batch]``, real and imaginary parts: ``states`` is one on the way
forward; on the way back it is two, the state and the adjoint state, which the same inverse maps turn back. The batch
comes last, so that every operation runs over contiguous samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tfq_fusion._keras import ops
from tfq_fusion.engines.compiled.program import BlockStep, DiagonalStep, GateStep, RotationStep, Step

Complex = tuple[Any, Any]
"""Real and imaginary part."""


def apply(
    step: Step, states: Complex, inputs: Mapping[str, Any], constants: Mapping[str, Any], inverse: bool
) -> Complex:
    """The step, or its inverse, on states.

    Args:
        step: The step.
        states: ``[states, 2**n, batch]``.
        inputs: ``blocks``, matrices by family; ``cos`` and ``sin`` of half the angles, by table; ``exponents``.
        constants: The program's constants.
        inverse: Whether to undo the step.

    Returns:
        The new states.
    """
    match step:
        case BlockStep():
            matrix = inputs["blocks"][step.family][:, step.member]
            return _block(step, states, (matrix[0], matrix[1]), inverse)
        case DiagonalStep():
            return _diagonal(step, states, constants[f"diagonal {step.diagonal}"], inverse)
        case RotationStep():
            sin = inputs["sin"][step.table]
            return _rotation(step, states, inputs["cos"][step.table], -sin if inverse else sin)
        case GateStep():
            return _gate(step, states, inputs["exponents"][step.gate], constants, inverse)


def _block(step: BlockStep, states: Complex, matrix: Complex, inverse: bool) -> Complex:
    real, imaginary = matrix
    if inverse:
        real, imaginary = ops.transpose(real), -ops.transpose(imaginary)
    # One real product of twice the size does all four of a complex one.
    whole = ops.concatenate(
        [ops.concatenate([real, -imaginary], axis=1), ops.concatenate([imaginary, real], axis=1)], axis=0
    )
    rows = _joint_rows(step, states)
    if rows.shape[0] == 1:
        product = ops.matmul(whole, rows[0])[None]
    else:
        product = ops.matmul(ops.broadcast_to(whole, (rows.shape[0], *whole.shape)), rows)
    size = real.shape[0]
    return _from_rows(step, product[:, :size], states[0]), _from_rows(step, product[:, size:], states[1])


def _joint_rows(step: BlockStep, states: Complex) -> Any:
    """Real above imaginary parts, ``[states * left, 2 * block, rest]``."""
    return ops.concatenate([_rows(step, part) for part in states], axis=1)


def _rows(step: BlockStep, part: Any) -> Any:
    """One part as ``[states * left, block, rest]``; nothing is left of a block whose qubits are no neighbours."""
    size = math.prod(step.view[axis] for axis in step.axes)
    if len(step.axes) == 1:
        left = math.prod(step.view[: step.axes[0]])
        return ops.reshape(part, (part.shape[0] * left, size, -1))
    return ops.reshape(_to_front(part, step.view, step.axes), (part.shape[0], size, -1))


def _from_rows(step: BlockStep, rows: Any, part: Any) -> Any:
    if len(step.axes) == 1:
        return ops.reshape(rows, (*part.shape[:2], -1))
    return _from_front(rows, step.view, step.axes, part)


def _order(view: Sequence[int], axes: Sequence[int]) -> list[int]:
    return [*axes, *(axis for axis in range(len(view)) if axis not in axes)]


def _to_front(part: Any, view: Sequence[int], axes: Sequence[int]) -> Any:
    """``[states, 2**n, batch]`` as ``[states, *axes, *others, batch]``."""
    order = [1 + axis for axis in _order(view, axes)]
    return ops.transpose(ops.reshape(part, (part.shape[0], *view, -1)), (0, *order, 1 + len(view)))


def _from_front(front: Any, view: Sequence[int], axes: Sequence[int], part: Any) -> Any:
    order = _order(view, axes)
    tensor = ops.reshape(front, (part.shape[0], *(view[axis] for axis in order), -1))
    back = [1 + order.index(axis) for axis in range(len(view))]
    return ops.reshape(ops.transpose(tensor, (0, *back, 1 + len(view))), (*part.shape[:2], -1))


def _diagonal(step: DiagonalStep, states: Complex, diagonal: Any, inverse: bool) -> Complex:
    real, imaginary = states
    if step.real:
        return real * diagonal[:, None], imaginary * diagonal[:, None]
    cos, sin = diagonal[0][:, None], diagonal[1][:, None]
    sin = -sin if inverse else sin
    return cos * real - sin * imaginary, cos * imaginary + sin * real


def _halves(step: RotationStep, part: Any) -> tuple[Any, Any]:
    """The amplitudes with the target at 0 and at 1, ``[states, *view without target, batch]``."""
    low, high = ops.unstack(ops.reshape(part, (part.shape[0], *step.view, -1)), num=2, axis=1 + step.target)
    return low, high


def _rotation(step: RotationStep, states: Complex, cos: Any, sin: Any) -> Complex:
    (low, high), (low_i, high_i) = (_halves(step, part) for part in states)
    sizes = [size for axis, size in enumerate(step.addresses) if axis != step.target]
    cos, sin = ops.reshape(cos, (*sizes, -1)), ops.reshape(sin, (*sizes, -1))
    if step.axis == "x":
        new = (cos * low + sin * high_i, cos * high + sin * low_i), (cos * low_i - sin * high, cos * high_i - sin * low)
    elif step.axis == "y":
        new = (cos * low - sin * high, cos * high + sin * low), (cos * low_i - sin * high_i, cos * high_i + sin * low_i)
    else:
        new = (cos * low + sin * low_i, cos * high - sin * high_i), (cos * low_i - sin * low, cos * high_i + sin * high)
    real, imaginary = (
        ops.reshape(ops.stack(halves, axis=1 + step.target), (*part.shape[:2], -1))
        for halves, part in zip(new, states, strict=True)
    )
    return real, imaginary


def _gate(step: GateStep, states: Complex, exponent: Any, constants: Mapping[str, Any], inverse: bool) -> Complex:
    phases, mask = constants[f"gate {step.gate} phases"], constants[f"gate {step.gate} mask"][:, :, None]
    real, imaginary = constants[f"gate {step.gate} projectors"][0], constants[f"gate {step.gate} projectors"][1]
    # A fixed unitary has a single phase of zero and is its own "projector": its inverse is its adjoint.
    if inverse and phases.shape[0] == 1:
        real, imaginary = ops.swapaxes(real, 1, 2), -ops.swapaxes(imaginary, 1, 2)
    turns = math.pi * phases[:, None] * (-exponent if inverse else exponent)
    cos, sin = ops.cos(turns)[:, None, None], ops.sin(turns)[:, None, None]
    matrix = (
        ops.sum(cos * real[..., None] - sin * imaginary[..., None], axis=0),
        ops.sum(cos * imaginary[..., None] + sin * real[..., None], axis=0),
    )
    rows = _gate_rows(step, states)
    turned = _times(matrix, rows)
    kept = [part + mask * (new - part) for part, new in zip(rows, turned, strict=True)]
    return _from_front(kept[0], step.view, step.axes, states[0]), _from_front(kept[1], step.view, step.axes, states[1])


def _gate_rows(step: GateStep, states: Complex) -> Complex:
    """``[states, d, rest, batch]``."""
    size = 2 ** len(step.axes)
    real, imaginary = (
        ops.reshape(_to_front(part, step.view, step.axes), (part.shape[0], size, math.prod(step.view) // size, -1))
        for part in states
    )
    return real, imaginary


def _times(matrix: Complex, rows: Complex) -> Complex:
    """A matrix ``[d, d, batch]`` times rows ``[states, d, rest, batch]``, sample by sample."""
    size = rows[0].shape[1]

    def product(left: Any, right: Any) -> Any:
        return ops.stack([sum(left[i, j] * right[:, j] for j in range(size)) for i in range(size)], axis=1)

    return (
        product(matrix[0], rows[0]) - product(matrix[1], rows[1]),
        product(matrix[0], rows[1]) + product(matrix[1], rows[0]),
    )


def block_gradient(step: BlockStep, before: Complex, adjoint: Complex) -> Any:
    """The loss's gradient in the block's matrix, ``[2, d, d]``: in its real and imaginary parts.

    Args:
        step: The step.
        before: The state before it, ``[1, 2**n, batch]``.
        adjoint: The loss's gradient in the state after it, alike.
    """
    (real, imaginary), (real_adjoint, imaginary_adjoint) = (
        tuple(_rows(step, part) for part in state) for state in (before, adjoint)
    )

    def product(left: Any, right: Any) -> Any:
        return ops.einsum("lix,ljx->ij", left, right)

    return ops.stack(
        [
            product(real_adjoint, real) + product(imaginary_adjoint, imaginary),
            product(imaginary_adjoint, real) - product(real_adjoint, imaginary),
        ]
    )


def rotation_gradient(step: RotationStep, after: Complex, adjoint: Complex) -> Any:
    """The loss's gradient in the angles of the step's table, ``[addresses, batch]``."""
    (low, high), (low_i, high_i) = (_halves(step, part[0:1]) for part in after)
    (low_adjoint, high_adjoint), (low_adjoint_i, high_adjoint_i) = (_halves(step, part) for part in adjoint)
    if step.axis == "x":
        gradient = low_adjoint * high_i - low_adjoint_i * high + high_adjoint * low_i - high_adjoint_i * low
    elif step.axis == "y":
        gradient = high_adjoint * low + high_adjoint_i * low_i - low_adjoint * high - low_adjoint_i * high_i
    else:
        gradient = low_adjoint * low_i - low_adjoint_i * low - high_adjoint * high_i + high_adjoint_i * high
    idle = [
        1 + axis - (axis > step.target)
        for axis, size in enumerate(step.addresses)
        if axis != step.target and size == 1 and step.view[axis] > 1
    ]
    if idle:
        gradient = ops.sum(gradient, axis=tuple(idle))
    return 0.5 * ops.reshape(gradient, (math.prod(step.addresses), -1))


def gate_gradient(step: GateStep, after: Complex, adjoint: Complex, constants: Mapping[str, Any]) -> Any:
    """The loss's gradient in the step's exponent, ``[batch]``."""
    # d U(t) / dt = i pi G U(t), with the generator G = sum_e theta_e P_e.
    phases, projectors = constants[f"gate {step.gate} phases"], constants[f"gate {step.gate} projectors"]
    generator = math.pi * ops.einsum("e,pedf->pdf", phases, projectors)[..., None]
    moved = _times((-generator[1], generator[0]), _gate_rows(step, after))
    products = [new * part for new, part in zip(moved, _gate_rows(step, adjoint), strict=True)]
    mask = constants[f"gate {step.gate} mask"][:, :, None]
    return ops.sum(mask * (products[0] + products[1]), axis=(0, 1, 2))
