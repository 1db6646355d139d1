"""Running the program of a wide register, all blocks and phases: values, and their gradient by the adjoint method.

A pass over the states is dear there, and matrices are cheap: gates with data join blocks too, of which each sample has
matrices of its own. So a state is ``[batch, 2, 2**n]``, samples first: real parts, imaginary parts. A batch of 1 stands
for samples that are still all alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfq_fusion.engines.arrays import known_zero, ops, pull_back
from tfq_fusion.engines.compiled.blocks import block_matrices
from tfq_fusion.engines.compiled.program import BlockStep, PhaseStep, Sizes, Structure, inverse_order
from tfq_fusion.engines.compiled.walsh import collect, spread


def forward(
    structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any, states: Any
) -> tuple[Any, Any]:
    """Expectation values ``[batch, operators]``, and the final state.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: ``[batch, data]``, finite.
        weights: ``[weights]``.
        states: What the circuit starts from, real and imaginary parts ``[batch, 2, 2**n]``; None for zeros.
    """
    matrices, angles = _parameters(structure, constants, data, weights)
    state = _product(structure, matrices) if states is None else states
    for step in structure.steps[len(structure.leading) if states is None else 0 :]:
        if isinstance(step, BlockStep):
            state = _times(matrices[step.family][step.member], _to_front(step.order, state), step.width)
        elif isinstance(step, PhaseStep):
            state = _turned(_trigonometry(step, constants, angles), state)
    if state.shape[0] == 1:
        state = ops.broadcast_to(state, (ops.shape(data)[0], *state.shape[1:]))
    return _expectations(structure, constants, state), state


def backward(
    structure: Structure,
    constants: Mapping[str, Any],
    data: Any,
    weights: Any,
    state: Any,
    upstream: Any,
    same_start: bool,
) -> tuple[Any, Any]:
    """The gradients in data and weights; the state is uncomputed step by step together with the adjoint state.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: As for :func:`forward`.
        weights: Likewise.
        state: The final state.
        upstream: The loss's gradient in the expectation values, ``[batch, operators]``.
        same_start: Whether all samples start from zeros.
    """
    matrices, angles = _parameters(structure, constants, data, weights)
    (adjoint,) = pull_back(lambda state: _expectations(structure, constants, state), (state,), upstream)
    first = len(structure.leading) if same_start else 0
    block_gradients: dict[tuple[int, int], Any] = {}
    phase_gradients: dict[int, Any] = {}
    zero: Any = 0.0
    for number, step in reversed(list(enumerate(structure.steps))[first:]):
        if same_start and number == structure.shared - 1:
            # Before the first data, all samples have one state.
            state, adjoint = state[:1], ops.sum(adjoint, axis=0, keepdims=True)
        if isinstance(step, BlockStep):
            inverse = ops.swapaxes(matrices[step.family][step.member], 1, 2) + zero
            state, after = _times(inverse, state, step.width), adjoint
            adjoint = _times(inverse, adjoint, step.width)
            gradient = ops.matmul(_rows(after, step.width), ops.swapaxes(_rows(state, step.width), 1, 2))
            if not structure.families[step.family].sampled:
                gradient = ops.sum(gradient, axis=0, keepdims=True)
            block_gradients[step.family, step.member] = gradient
            undo = inverse_order(step.order)
            state, adjoint = _to_front(undo, state), _to_front(undo, adjoint)
        elif isinstance(step, PhaseStep):
            cos, sin = _trigonometry(step, constants, angles)
            crossed = adjoint[:, 1] * state[:, 0] - adjoint[:, 0] * state[:, 1]
            gradient = collect(*_tables(f"phases {step.phases}", constants), _halves(crossed))
            if not step.sampled:
                gradient = ops.sum(gradient, axis=0, keepdims=True)
            phase_gradients[step.phases] = gradient
            state, adjoint = (_turned((cos, zero - sin), each) for each in (state, adjoint))
        zero = known_zero(gradient)

    if same_start and structure.shared >= first:
        adjoint = ops.sum(adjoint, axis=0, keepdims=True)

    def again(data: Any, weights: Any) -> tuple[Any, ...]:
        matrices, angles = _parameters(structure, constants, data, weights)
        return matrices, angles, _product(structure, matrices) if same_start else None

    for step in structure.leading[:first]:
        place = step.family, step.member
        block_gradients[place] = ops.zeros_like(matrices[step.family][step.member])
    of_blocks = [
        ops.stack([block_gradients[number, member] for member in range(family.members)])
        for number, family in enumerate(structure.families)
    ]
    of_angles = [phase_gradients[number] for number in range(len(angles))]
    found = pull_back(again, (data, weights), (of_blocks, of_angles, adjoint if same_start else None))
    return found[0], found[1]


def _parameters(
    structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any
) -> tuple[list[Any], list[Any]]:
    """The blocks' matrices by family, and the angles of each diagonal, ``[samples, strings]``."""
    angles = []
    for step in structure.steps:
        if isinstance(step, PhaseStep):
            name = f"phases {step.phases}"
            own = ops.matmul(weights[None], ops.transpose(constants[f"{name} weights"])) + constants[f"{name} offset"]
            if step.sampled:
                own = own + ops.matmul(data, ops.transpose(constants[f"{name} data"]))
            angles.append(own)
    return block_matrices(structure.families, constants, data, weights), angles


def _product(structure: Structure, matrices: Sequence[Any]) -> Any:
    """The state after the leading blocks: the product of what each makes of zeros."""
    free = structure.qubits - sum(step.width for step in structure.leading)
    dtype = matrices[0].dtype
    zero = ops.one_hot(0, 2**free, dtype=dtype)
    product = ops.stack([zero, 0.0 * zero])[None]
    for step in structure.leading:
        column = ops.reshape(matrices[step.family][step.member][:, :, 0], (-1, 2, 2**step.width))
        real, imaginary = column[:, 0], column[:, 1]
        rows = [ops.concatenate(parts, axis=1) for parts in ([real, imaginary], [-imaginary, real])]
        # As a product of matrices, whose derivatives are such too.
        product = ops.reshape(ops.matmul(ops.stack(rows, axis=2), product), (-1, 2, product.shape[2] * 2**step.width))
    return product


def _to_front(order: Sizes, state: Any) -> Any:
    """Qubits in another order; neighbours that stay together are one axis."""
    starts = [place for place, axis in enumerate(order) if not place or axis != order[place - 1] + 1]
    if len(starts) == 1:
        return state
    runs = [order[start:end] for start, end in zip(starts, [*starts[1:], len(order)], strict=True)]
    ascending = sorted(runs)
    tensor = ops.reshape(state, (-1, 2, *(2 ** len(run) for run in ascending)))
    axes = (0, 1, *(2 + ascending.index(run) for run in runs))
    return ops.reshape(ops.transpose(tensor, axes), (-1, *state.shape[1:]))


def _rows(state: Any, width: int) -> Any:
    """Real above imaginary parts of the leading qubits, ``[batch, 2d, rest]``."""
    return ops.reshape(state, (-1, 2 * 2**width, state.shape[2] // 2**width))


def _times(matrix: Any, state: Any, width: int) -> Any:
    return ops.reshape(ops.matmul(matrix, _rows(state, width)), (-1, *state.shape[1:]))


def _halves(array: Any) -> Any:
    """``[batch, 2**n]`` as ``[batch, 2**(n // 2), rest]``."""
    high = 2 ** ((array.shape[1].bit_length() - 1) // 2)
    return ops.reshape(array, (-1, high, array.shape[1] // high))


def _tables(name: str, constants: Mapping[str, Any]) -> tuple[Any, Any]:
    return constants[f"{name} high"], constants[f"{name} low"]


def _trigonometry(step: PhaseStep, constants: Mapping[str, Any], angles: Sequence[Any]) -> tuple[Any, Any]:
    """Cosines and sines of a diagonal's phases, ``[samples, 2**n]``."""
    phases = spread(*_tables(f"phases {step.phases}", constants), angles[step.phases])
    both = ops.stack([ops.cos(phases), ops.sin(phases)])
    # XLA would compute them again for every sample; a product ends the fusion.
    both = ops.matmul(both, ops.eye(both.shape[-1], dtype=both.dtype))
    cos, sin = ops.unstack(ops.reshape(both, (2, -1, both.shape[2] * both.shape[3])), num=2)
    return cos, sin


def _turned(trigonometry: tuple[Any, Any], state: Any) -> Any:
    (cos, sin), real, imaginary = trigonometry, state[:, 0], state[:, 1]
    return ops.stack([real * cos - imaginary * sin, real * sin + imaginary * cos], axis=1)


def _expectations(structure: Structure, constants: Mapping[str, Any], state: Any) -> Any:
    """Expectation values ``[batch, operators]``."""
    high, low = _tables("strings", constants)
    values, start = [ops.zeros_like(state[:, 0, :0])], 0
    for strings in structure.strings or ():
        end = start + strings.count
        other = _flipped(strings.flipped, state)
        if strings.odd:
            products = other[:, 0] * state[:, 1] - other[:, 1] * state[:, 0]
        else:
            products = other[:, 0] * state[:, 0] + other[:, 1] * state[:, 1]
        values.append(collect(high[start:end], low[start:end], _halves(products)))
        start = end
    return ops.matmul(ops.concatenate(values, axis=1), ops.transpose(constants["coefficients"])) + constants["constant"]


def _flipped(places: Sizes, state: Any) -> Any:
    if not places:
        return state
    bits = ops.reshape(state, (-1, 2, *(2,) * (state.shape[2].bit_length() - 1)))
    flips = tuple(slice(None, None, -1 if axis - 2 in places else 1) for axis in range(len(bits.shape)))
    return ops.reshape(bits[flips], (-1, *state.shape[1:]))
