"""Applying a step to a state, undoing it on the way back, and the gradient that it leaves there.

A state is a float array ``[2, 2**n, batch]``, real parts and imaginary parts, or ``[1, 4**n, batch]``, the Pauli
components of a density matrix. One matrix for the whole batch is one real product, and the batch comes last, so that
every operation runs over contiguous samples. The order of the qubits changes from step to step (see :mod:`.program`).
A batch of 1 stands for samples that are still all alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfq_fusion.engines.arrays import ops
from tfq_fusion.engines.compiled.program import (
    BlockStep,
    DiagonalStep,
    GateStep,
    PermutationStep,
    RotationStep,
    SampledStep,
    Sizes,
    Step,
    inverse_order,
)


def forward(step: Step, state: Any, numbers: Any, constants: Mapping[str, Any]) -> Any:
    """The state after a step.

    Args:
        step: The step.
        state: ``[2, 2**n, batch]``.
        numbers: Of a block its matrix ``[2d, 2d]``, or ``[d, d]`` on Pauli components; of a rotation what the state and
            what is turned of it are multiplied with, ``[2 or 4, addresses, batch]``, see
            :func:`tfq_fusion.engines.compiled.rotations.rotations`; of other steps with data the exponent ``[batch]``.
        constants: The program's constants.
    """
    match step:
        case BlockStep():
            return _state(ops.matmul(numbers, _rows(_transposed(step.order, state), step.width)), state)
        case DiagonalStep():
            return _diagonal(step, state, constants, sign=1.0)
        case RotationStep():
            return _rotated(step, state, _parts(step, numbers), sign=1.0)
        case GateStep():
            matrix = _gate_matrix(step, numbers, constants)
            return _gate(step, _transposed(step.order, state), matrix, constants)
        case SampledStep():
            factors, _ = _factors(step, numbers, constants)
            return _state(_mixture(factors, _products(step, state, constants)), state)
        case PermutationStep():
            return _transposed(step.order, state)


def backward(
    step: Step,
    after: Any,
    adjoint: Any,
    numbers: Any,
    constants: Mapping[str, Any],
    zero: Any,
    before: Any = None,
) -> tuple[Any, Any, Any]:
    """Undoes a step, on the state and on the loss's gradient in it, the adjoint state.

    Args:
        step: The step.
        after: The state after it.
        adjoint: The loss's gradient in that state, of the same shape.
        numbers: As for :func:`forward`.
        constants: Likewise.
        zero: A scalar that is known when the gradients of later steps are: XLA, which orders by dependence alone, would
            keep the states of all steps and compute the gradients last.
        before: The state before the step, if it is known: what is not unitary cannot be undone.

    Returns:
        The state before the step, the loss's gradient in it, and what the step contributes to the gradient: in its
        block's matrix ``[2d, 2d]``, in its exponent ``[batch]``, or in angles of rotations that came last,
        ``[1, addresses, batch]`` about its axis, or about x, y and z if it has several, ``[3, addresses, batch]``.
    """
    match step:
        case BlockStep():
            inverse = ops.transpose(numbers) + zero
            adjoint_rows = _rows(adjoint, step.width)
            if before is None:
                rows = ops.matmul(inverse, _rows(after, step.width))
                before = _transposed(inverse_order(step.order), _state(rows, after))
            else:
                rows = _rows(_transposed(step.order, before), step.width)
            gradient = ops.matmul(adjoint_rows, ops.transpose(rows))
            adjoint = _state(ops.matmul(inverse, adjoint_rows), after)
            return before, _transposed(inverse_order(step.order), adjoint), gradient
        case DiagonalStep():
            if before is None:
                before = _diagonal(step, after, constants, sign=-1.0)
            return before, _diagonal(step, adjoint, constants, sign=-1.0), None
        case RotationStep():
            gradient = _rotation_gradient(step, after, adjoint)
            scalar, *vector = _parts(step, numbers)
            parts = (scalar, *(part + zero for part in vector))
            if before is None:
                before = _rotated(step, after, parts, sign=-1.0)
            return before, _rotated(step, adjoint, parts, sign=-1.0), gradient
        case GateStep():
            gradient = _gate_gradient(step, after, adjoint, constants)
            real, imaginary = _gate_matrix(step, numbers, constants)
            inverse = ops.swapaxes(real, 0, 1) + zero, -ops.swapaxes(imaginary, 0, 1)
            undo = inverse_order(step.order)
            if before is None:
                before = _transposed(undo, _gate(step, after, inverse, constants))
            return before, _transposed(undo, _gate(step, adjoint, inverse, constants)), gradient
        case SampledStep():
            factors, slopes = _factors(step, numbers, constants)
            rows = ops.reshape(adjoint, (2**step.width, after.shape[1] // 2**step.width, -1))
            left = _mixture(slopes, _products(step, before, constants)) * rows
            gradient = ops.sum(ops.reshape(left, (after.shape[1], -1)), axis=0)
            matrices = constants[f"sampled {step.matrix} matrices"] + zero
            columns = ops.reshape(ops.transpose(matrices, (2, 0, 1)), (2**step.width, -1))
            spread = ops.reshape(factors[:, None, None] * rows, (columns.shape[1], -1))
            return before, _transposed(inverse_order(step.order), _state(ops.matmul(columns, spread), after)), gradient
        case PermutationStep():
            undo = inverse_order(step.order)
            return _transposed(undo, after) if before is None else before, _transposed(undo, adjoint), None


def _qubits(state: Any) -> Any:
    """An axis for every qubit, ``[2, 2, ..., 2, batch]``.

    Elementwise steps all see a state so: XLA fuses them, and where a fused loop has to regroup axes it is slow.
    """
    return ops.reshape(state, (state.shape[0], *(2,) * (state.shape[1].bit_length() - 1), -1))


def _transposed(order: Sizes, state: Any) -> Any:
    if order == tuple(range(len(order))):
        return state
    return _state(ops.transpose(_qubits(state), (0, *(1 + axis for axis in order), 1 + len(order))), state)


def _rows(state: Any, width: int) -> Any:
    """Real above imaginary parts of the leading qubits, ``[2d, rest]``, or Pauli components ``[d, rest]``."""
    return ops.reshape(state, (state.shape[0] * 2**width, -1))


def _state(rows: Any, like: Any) -> Any:
    return ops.reshape(rows, (*like.shape[:2], -1))


def _diagonal(step: DiagonalStep, state: Any, constants: Mapping[str, Any], sign: float) -> Any:
    tensor = _qubits(state)
    parts = constants[f"diagonal {step.diagonal}"]
    if step.real:
        return _state(tensor * _qubits_of(parts), state)
    turned = tensor[::-1] * ops.reshape(_array([-sign, sign], state), (2,) + (1,) * (len(tensor.shape) - 1))
    return _state(tensor * _qubits_of(parts[0]) + turned * _qubits_of(parts[1]), state)


def _qubits_of(diagonal: Any) -> Any:
    return ops.reshape(diagonal, (*(2,) * (diagonal.shape[0].bit_length() - 1), 1))


def _array(values: Any, like: Any) -> Any:
    return ops.convert_to_tensor(np.array(values), dtype=like.dtype)


def _axes(step: RotationStep) -> str:
    return step.tables.axes if len(step.tables.axes) == 1 else "xyz"


def _parts(step: RotationStep, numbers: Any) -> Sequence[Any]:
    """What the state and what is turned of it are multiplied with, to be broadcast to ``[2, 2, ..., 2, batch]``."""

    def addressed(table: Any) -> Any:
        tensor = ops.reshape(table, (*(2,) * len(step.order), -1))
        tensor = ops.transpose(tensor, (*step.order, len(step.order)))
        return ops.reshape(tensor, (1, *(2 if axis in step.controls else 1 for axis in range(step.qubits)), -1))

    return [addressed(part) for part in ops.unstack(numbers, num=1 + len(_axes(step)))]


def _turned(step: RotationStep, axis: str, tensor: Any) -> Any:
    """The derivative of the rotation by twice the angle at zero, ``-i P``, applied to ``[2, 2, ..., 2, batch]``."""
    target = 1 + step.target
    axes, signs = {
        "x": ((0, target), [[1.0], [-1.0]]),
        "y": ((target,), [[-1.0, 1.0]]),
        "z": ((0,), [[1.0, -1.0], [-1.0, 1.0]]),
    }[axis]
    sign = np.array(signs)
    shape = [1] * (2 + step.qubits)
    shape[0], shape[target] = sign.shape
    flips = tuple(slice(None, None, -1 if axis in axes else 1) for axis in range(1 + step.qubits))
    return tensor[flips] * ops.reshape(_array(sign, tensor), shape)


def _rotated(step: RotationStep, state: Any, parts: Sequence[Any], sign: float) -> Any:
    tensor = _qubits(state)
    scalar, *vector = parts
    turned = scalar * tensor
    for axis, part in zip(_axes(step), vector, strict=True):
        turned = turned + part * (sign * _turned(step, axis, tensor))
    return _state(turned, state)


def _rotation_gradient(step: RotationStep, after: Any, adjoint: Any) -> Any:
    after, adjoint = _qubits(after), 0.5 * _qubits(adjoint)
    others = [axis for axis in range(step.qubits) if axis != step.target]
    controls = [place for place, axis in enumerate(others) if axis in step.controls]
    idle = [place for place, axis in enumerate(others) if axis not in step.controls]

    def about(axis: str) -> Any:
        low, high = ops.unstack(adjoint * _turned(step, axis, after), num=2, axis=1 + step.target)
        return ops.transpose(low[0] + low[1] + high[0] + high[1], (*idle, *controls, len(others)))

    gradient = ops.stack([about(axis) for axis in _axes(step)], axis=len(idle))
    if idle:
        gradient = ops.sum(ops.reshape(gradient, (2 ** len(idle), -1)), axis=0)
    tensor = ops.reshape(gradient, (len(_axes(step)), *(2,) * len(controls), -1))
    order = inverse_order(step.order)
    tensor = ops.transpose(tensor, (0, *(1 + axis for axis in order), 1 + len(controls)))
    return ops.reshape(tensor, (len(_axes(step)), 2 ** len(controls), -1))


def _gate_matrix(step: GateStep, exponent: Any, constants: Mapping[str, Any]) -> tuple[Any, Any]:
    """Real and imaginary part of a gate for every sample, ``[d, d, batch]``."""
    turns = math.pi * constants[f"gate {step.gate} phases"][:, None] * exponent
    cos, sin = ops.cos(turns), ops.sin(turns)
    real, imaginary = constants[f"gate {step.gate} projectors"][0], constants[f"gate {step.gate} projectors"][1]

    def mixed(projectors: Any, factors: Any) -> Any:
        return ops.einsum("eij,eb->ijb", projectors, factors)

    return mixed(real, cos) - mixed(imaginary, sin), mixed(imaginary, cos) + mixed(real, sin)


def _gate(step: GateStep, state: Any, matrix: tuple[Any, Any], constants: Mapping[str, Any]) -> Any:
    tensor = _targets_first(step, state)
    turned = _times(matrix, tensor)
    if step.controlled:
        turned = tensor + constants[f"gate {step.gate} mask"][:, None] * (turned - tensor)
    return _state(turned, state)


def _targets_first(step: GateStep, state: Any) -> Any:
    """``[2, d, rest, batch]``."""
    return ops.reshape(state, (2, 2**step.width, state.shape[1] // 2**step.width, -1))


def _times(matrix: tuple[Any, Any], tensor: Any) -> Any:
    """A matrix ``[d, d, batch]`` times ``[2, d, rest, batch]``, sample by sample."""
    size = matrix[0].shape[0]

    def product(part: Any, rows: Any) -> Any:
        return ops.stack([sum(part[i, j] * rows[j] for j in range(size)) for i in range(size)])

    real, imaginary = matrix
    return ops.stack(
        [
            product(real, tensor[0]) - product(imaginary, tensor[1]),
            product(real, tensor[1]) + product(imaginary, tensor[0]),
        ]
    )


def _gate_gradient(step: GateStep, after: Any, adjoint: Any, constants: Mapping[str, Any]) -> Any:
    # d U(t) / dt = i pi G U(t), with the generator G = sum_e theta_e P_e.
    phases, projectors = constants[f"gate {step.gate} phases"], constants[f"gate {step.gate} projectors"]
    generator = math.pi * ops.einsum("e,pedf->pdf", phases, projectors)[..., None]
    products = _times((-generator[1], generator[0]), _targets_first(step, after)) * _targets_first(step, adjoint)
    if step.controlled:
        products = products * constants[f"gate {step.gate} mask"][:, None]
    return ops.sum(ops.reshape(products, (math.prod(products.shape[:3]), -1)), axis=0)


def _factors(step: SampledStep, exponent: Any, constants: Mapping[str, Any]) -> tuple[Any, Any]:
    """What each of a step's matrices is multiplied with, ``[matrices, batch]``, and the derivative in the exponent."""
    rates = math.pi * constants[f"sampled {step.matrix} frequencies"][:, None]
    cos, sin = ops.cos(rates * exponent), ops.sin(rates * exponent)
    return ops.concatenate([cos, sin[1:]]), ops.concatenate([-rates * sin, (rates * cos)[1:]])


def _products(step: SampledStep, state: Any, constants: Mapping[str, Any]) -> Any:
    """All of a step's matrices times the components of the leading bits, ``[matrices, d, rest, batch]``."""
    rows = ops.reshape(_transposed(step.order, state), (2**step.width, -1))
    matrices = constants[f"sampled {step.matrix} matrices"]
    products = ops.matmul(ops.reshape(matrices, (-1, matrices.shape[-1])), rows)
    return ops.reshape(products, (*matrices.shape[:2], state.shape[1] // 2**step.width, -1))


def _mixture(factors: Any, products: Any) -> Any:
    """The products, each times its factor, in all: ``[d, rest, batch]``."""
    return sum(factors[number] * products[number] for number in range(products.shape[0]))
