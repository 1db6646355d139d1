"""Running the program of a wide register, all blocks and phases: values, and their gradient by the adjoint method.

A pass over the states is dear there, and matrices are cheap: gates with data join blocks too, of which each sample has
matrices of its own. A state is ``[samples, 2, 2**n, batch]``, real parts, imaginary parts, and one of the outer axes is
1: samples come first for matrices of their own, one product each, and last for a matrix that they share, one product
for all. Both are 1 as long as all samples are alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfq_fusion.engines.arrays import known_zero, ops, pull_back
from tfq_fusion.engines.compiled.blocks import block_matrices
from tfq_fusion.engines.compiled.program import BlockStep, PhaseStep, Sizes, WideStructure, inverse_order
from tfq_fusion.engines.compiled.walsh import collect, spread


def forward(
    structure: WideStructure, constants: Mapping[str, Any], data: Any, weights: Any, states: Any
) -> tuple[Any, Any]:
    """Expectation values ``[samples, operators]``, and the final state.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: ``[batch, data]``, finite.
        weights: ``[weights]``.
        states: What the circuit starts from, complex ``[batch, 2**n]``; None for zeros.
    """
    matrices, angles = _parameters(structure, constants, data, weights)
    first = len(structure.leading) if states is None else 0
    if states is None:
        state = _product(structure, matrices, weights.dtype)
    else:
        state = ops.cast(ops.stack([ops.real(states), ops.imag(states)], axis=1), weights.dtype)
    state = state[..., None]
    places = structure.samples_last
    for number, step in list(enumerate(structure.steps))[first:]:
        if isinstance(step, BlockStep):
            state = _moved(step.order, state, places[number + 1])
            state = _times(matrices[step.family][structure.members[number]], state, step.width)
        elif isinstance(step, PhaseStep):
            state = _moved((), state, places[number + 1])
            state = _turned(_trigonometry(step, constants, angles), state)
    return _expectations(structure, constants, state), state


def backward(
    structure: WideStructure,
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
    if state.shape[0] == state.shape[3] == 1:
        upstream = ops.sum(upstream, axis=0, keepdims=True)
    (adjoint,) = pull_back(lambda state: _expectations(structure, constants, state), (state,), upstream)
    first = len(structure.leading) if same_start else 0
    places = structure.samples_last
    block_gradients: dict[tuple[int, int], Any] = {}
    phase_gradients: dict[int, Any] = {}
    zero: Any = 0.0
    for number, step in reversed(list(enumerate(structure.steps))[first:]):
        if same_start and number == structure.shared - 1:
            # Before the first data, all samples have one state.
            state, adjoint = state[:1, ..., :1], ops.sum(adjoint, axis=(0, 3), keepdims=True)
        undo: Sizes = ()
        if isinstance(step, BlockStep):
            inverse = ops.swapaxes(matrices[step.family][structure.members[number]], 1, 2) + zero
            after = _rows(adjoint, step.width)
            state, adjoint = (_times(inverse, each, step.width) for each in (state, adjoint))
            gradient = ops.matmul(after, ops.swapaxes(_rows(state, step.width), 1, 2))
            block_gradients[step.family, structure.members[number]] = gradient
            undo = inverse_order(step.order)
        elif isinstance(step, PhaseStep):
            cos, sin = _trigonometry(step, constants, angles)
            crossed = adjoint[:, 1] * state[:, 0] - adjoint[:, 0] * state[:, 1]
            if not step.sampled:
                crossed = ops.sum(crossed, axis=(0, 2), keepdims=True)
            gradient = collect(*_tables(f"phases {step.phases}", constants), crossed)
            phase_gradients[step.phases] = gradient
            state, adjoint = (_turned((cos, zero - sin), each) for each in (state, adjoint))
        state, adjoint = (_moved(undo, each, places[number]) for each in (state, adjoint))
        zero = known_zero(gradient)
    if same_start and structure.shared >= first:
        adjoint = ops.sum(adjoint, axis=(0, 3), keepdims=True)

    def again(data: Any, weights: Any) -> tuple[Any, ...]:
        matrices, angles = _parameters(structure, constants, data, weights)
        return matrices, angles, _product(structure, matrices, weights.dtype) if same_start else None

    for step, member in zip(structure.leading[:first], structure.members, strict=False):
        block_gradients[step.family, member] = ops.zeros_like(matrices[step.family][member])
    of_blocks = [
        ops.stack([block_gradients[number, member] for member in range(family.members)])
        for number, family in enumerate(structure.families)
    ]
    of_angles = [phase_gradients[number] for number in range(len(angles))]
    start = _moved((), adjoint, last=False)[..., 0] if same_start else None
    found = pull_back(again, (data, weights), (of_blocks, of_angles, start))
    return found[0], found[1]


def _parameters(
    structure: WideStructure, constants: Mapping[str, Any], data: Any, weights: Any
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


def _product(structure: WideStructure, matrices: Sequence[Any], dtype: Any) -> Any:
    """The state after the leading blocks: the product of what each makes of zeros."""
    free = structure.qubits - sum(step.width for step in structure.leading)
    zero = ops.one_hot(0, 2**free, dtype=dtype)
    product = ops.stack([zero, 0.0 * zero])[None]
    for step, member in zip(structure.leading, structure.members, strict=False):
        column = ops.reshape(matrices[step.family][member][:, :, 0], (-1, 2, 2**step.width))
        real, imaginary = column[:, 0], column[:, 1]
        rows = [ops.concatenate(parts, axis=1) for parts in ([real, imaginary], [-imaginary, real])]
        # As a product of matrices, whose derivatives are such too.
        product = ops.reshape(ops.matmul(ops.stack(rows, axis=2), product), (-1, 2, product.shape[2] * 2**step.width))
    return product


def _outer(state: Any) -> tuple[int, int]:
    """The outer axes of a state as a shape: -1 for the samples', which may be unknown, and 1 for the other."""
    return (-1, 1) if state.shape[3] == 1 else (1, -1)


def _moved(order: Sizes, state: Any, last: bool) -> Any:
    """Qubits in another order, if one is given, and samples first or last; neighbours that stay so are one axis."""
    order = order or tuple(range(state.shape[2].bit_length() - 1))
    starts = [place for place, axis in enumerate(order) if not place or axis != order[place - 1] + 1]
    runs = [order[start:end] for start, end in zip(starts, [*starts[1:], len(order)], strict=True)]
    ascending = sorted(runs)
    outer = _outer(state)
    tensor = ops.reshape(state, (outer[0], 2, *(2 ** len(run) for run in ascending), outer[1]))
    axes = [0, 1, *(2 + ascending.index(run) for run in runs), 2 + len(runs)]
    if (outer[0] == 1) != last:
        outer, axes[0], axes[-1] = outer[::-1], axes[-1], axes[0]
    if axes != sorted(axes):
        tensor = ops.transpose(tensor, axes)
    return ops.reshape(tensor, (outer[0], *state.shape[1:3], outer[1]))


def _rows(state: Any, width: int) -> Any:
    """Real above imaginary parts of the leading qubits, ``[samples, 2d, rest]``."""
    first, last = _outer(state)
    return ops.reshape(state, (first, 2 * 2**width, -1 if last < 0 else state.shape[2] // 2**width))


def _times(matrix: Any, state: Any, width: int) -> Any:
    first, last = _outer(state)
    return ops.reshape(ops.matmul(matrix, _rows(state, width)), (first, *state.shape[1:3], last))


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
    (cos, sin), real, imaginary = (part[..., None] for part in trigonometry), state[:, 0], state[:, 1]
    return ops.stack([real * cos - imaginary * sin, real * sin + imaginary * cos], axis=1)


def _expectations(structure: WideStructure, constants: Mapping[str, Any], state: Any) -> Any:
    """Expectation values ``[samples, operators]``."""
    high, low = _tables("strings", constants)
    values, start = [], 0
    for strings in structure.strings or ():
        end = start + strings.count
        other = _flipped(strings.flipped, state)
        if strings.odd:
            products = other[:, 0] * state[:, 1] - other[:, 1] * state[:, 0]
        else:
            products = other[:, 0] * state[:, 0] + other[:, 1] * state[:, 1]
        values.append(collect(high[start:end], low[start:end], products))
        start = end
    found = ops.concatenate(values, axis=1) if values else ops.zeros_like(state[:1, 0, :0, 0])
    return ops.matmul(found, ops.transpose(constants["coefficients"])) + constants["constant"]


def _flipped(places: Sizes, state: Any) -> Any:
    if not places:
        return state
    first, last = _outer(state)
    bits = ops.reshape(state, (first, 2, *(2,) * (state.shape[2].bit_length() - 1), last))
    flips = tuple(slice(None, None, -1 if axis - 2 in places else 1) for axis in range(len(bits.shape)))
    return ops.reshape(bits[flips], (first, *state.shape[1:3], last))
