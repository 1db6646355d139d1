"""Running a program: expectation values, and their gradient by the adjoint method."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfq_fusion.engines.arrays import (
    BATCH,
    SMALL_BATCH,
    complex_array,
    einsum,
    known_zero,
    ops,
    pull_back,
    scan,
)
from tfq_fusion.engines.compiled import kernels, wide
from tfq_fusion.engines.compiled.blocks import block_matrices
from tfq_fusion.engines.compiled.channels import COMPONENTS
from tfq_fusion.engines.compiled.pauli import apply_operators, expectations, read_off
from tfq_fusion.engines.compiled.program import (
    BlockStep,
    GateStep,
    Part,
    RotationStep,
    SampledStep,
    Sizes,
    Step,
    Structure,
    Tables,
    WideStructure,
)
from tfq_fusion.engines.compiled.rotations import angle_gradients, rotations


def forward(
    structure: Structure | WideStructure, constants: Mapping[str, Any], data: Any, weights: Any, states: Any
) -> tuple[Any, Any, Any, Any]:
    """Expectation values ``[batch, operators]``, and what :func:`backward` wants to know.

    Args:
        structure: The program's structure.
        constants: Its numbers.
        data: ``[batch, data]``.
        weights: ``[weights]``.
        states: What the circuit starts from, complex ``[batch, 2**n]``; None for zeros.

    Returns:
        The values; the final state ``[2, 2**n, batch]``, if it is a density matrix after those at the beginning of each
        part, and of each pass; for each kind of tables the cosines and sines of half the angles, ``[2, angles,
        batch]``; and ``[batch]``, NaN for samples that are not finite, else zero.
    """
    data, poison = _finite(data, weights.dtype)
    if isinstance(structure, WideStructure):
        values, state = wide.forward(structure, constants, data, weights, states)
        # No product mixes samples there: what is not finite is found in the end.
        values = values + poison[:, None]
        return values, [state], [], _poison(values)
    if states is not None:
        states, more = _finite(ops.concatenate([ops.real(states), ops.imag(states)], axis=1), weights.dtype)
        poison = poison + more
    blocks, angles, exponents = _parameters(structure, constants, data, weights)
    trigonometry = [materialized(ops.stack([ops.cos(0.5 * each), ops.sin(0.5 * each)])) for each in angles]
    numbers = _Numbers(blocks, _rotations_of(structure, trigonometry), exponents, constants)
    state = _initial_state(structure, states, weights.dtype)
    starts = []
    for place, part in enumerate(structure.parts):
        if _turn_on(structure, place):
            state = materialized(state)
        if part.passes == 1:
            starts.append(state)
            state = _states(part.steps, state, numbers.of(part, 0), constants)[-1]
        else:
            if place >= structure.shared:
                state = _of_each_sample(state, data)
            state, begun = _passed(structure, part, state, numbers)
            starts.append(begun)
    state = _of_each_sample(state, data)
    values = read_off(state, constants) if structure.mixed else expectations(state, constants)
    kept = [*(starts if structure.mixed else ()), state]
    return ops.transpose(values) + poison[:, None], kept, trigonometry, poison


def _passed(structure: Structure, part: Part, state: Any, numbers: _Numbers) -> tuple[Any, Any]:
    """The state after all passes of a part, and of density matrices those at the beginning of each."""
    always = numbers.of(part, 0)

    def once(state: Any, own: Sequence[Any]) -> tuple[Any, Any]:
        after = _states(part.steps, state, _in_pass(always, own), numbers.constants)[-1]
        return after, state if structure.mixed else ()

    found: tuple[Any, Any] = scan(once, state, numbers.of(part, range(part.passes)), length=part.passes)
    return found


def _states(steps: Sequence[Step], state: Any, own: Sequence[Any], constants: Mapping[str, Any]) -> list[Any]:
    """The state, and the states after each of the steps, which take their own numbers."""
    states = [state]
    for place, (step, numbers) in enumerate(zip(steps, own, strict=True)):
        state = kernels.forward(step, state, numbers, constants)
        if _both_rotate(steps[place : place + 2]):
            state = materialized(state)
        states.append(state)
    return states


def _of_each_sample(state: Any, data: Any) -> Any:
    """The state of each sample, if it was one for all."""
    return ops.broadcast_to(state, (*state.shape[:2], ops.shape(data)[0])) if state.shape[-1] == 1 else state


def backward(
    structure: Structure | WideStructure,
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
    channels do to a density matrix cannot be: the steps of a part are computed again from the state that was kept.

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
    if isinstance(structure, WideStructure):
        gradients = wide.backward(structure, constants, data, weights, kept[-1], upstream, same_start)
        return gradients[0] + poison[:, None], gradients[1] + ops.sum(poison)
    blocks, _, exponents = _parameters(structure, constants, data, weights)
    numbers = _Numbers(blocks, _rotations_of(structure, trigonometry), exponents, constants)
    *starts, state = kept
    if structure.mixed:
        (adjoint,) = pull_back(lambda state: read_off(state, constants), (state,), ops.transpose(upstream))
    else:
        adjoint = materialized(apply_operators(state, 2.0 * ops.transpose(upstream), constants))
    way = _Way(state, adjoint, ops.zeros_like(ops.transpose(data)))
    gathered: dict[Any, list[tuple[Sizes, Any]]] = {}
    zero = 0.0
    for place, part in reversed(list(enumerate(structure.parts))):
        if same_start and place == structure.shared - 1:
            # Before the first data, all samples have one state.
            way = _Way(way.state[..., :1], ops.sum(way.adjoint, axis=-1, keepdims=True), way.data_gradient)
        start = starts[place] if structure.mixed else ()
        if part.passes == 1:
            way, found, zero = _undone(part.steps, way, start, *numbers.back(part, 0), constants, zero)
            found = [each[None] for each in found]
        else:
            way, found = _passed_back(part, way, start, numbers)
            zero = 0.0
        if _turn_on(structure, place):
            way = way._replace(state=materialized(way.state), adjoint=materialized(way.adjoint))
        gathering = [(step, own) for step, own in zip(part.steps, part.members, strict=True) if _is_gathered(step)]
        for (step, own), gradients in zip(gathering, found, strict=True):
            gathered.setdefault(_kind(step), []).append((own[::-1], gradients))

    def again(weights: Any) -> Any:
        return _blocks(structure, constants, data, weights)

    families = [
        _by_member(gathered[number], family.members)[:, None] for number, family in enumerate(structure.families)
    ]
    (weight_gradient,) = pull_back(again, (weights,), families)
    data_gradient = way.data_gradient
    if exponents is not None:
        gradients = _by_member(gathered[GateStep], exponents.shape[0])
        data_gradient = data_gradient + ops.matmul(ops.transpose(constants["exponent data"]), gradients)
        shared = ops.sum(gradients, axis=1, keepdims=True)
        weight_gradient = weight_gradient + ops.matmul(ops.transpose(constants["exponent weights"]), shared)[:, 0]
    for tables, halves in zip(structure.tables, trigonometry, strict=True):
        if tables in gathered:
            mix = constants[f"{tables.name} mix"]
            gradients = ops.transpose(_by_member(gathered[tables], mix.shape[0]), (1, 0, 2, 3))
            gradients = angle_gradients(tables, _by_table(tables, halves), gradients)
            flat = ops.reshape(mix, (-1, mix.shape[-1]))
            data_gradient = data_gradient + ops.matmul(ops.transpose(flat), ops.reshape(gradients, (flat.shape[0], -1)))
    return ops.transpose(data_gradient) + poison[:, None], weight_gradient + ops.sum(poison)


class _Way(NamedTuple):
    """What is carried on the way back: the state, the loss's gradient in it, and that in the data, transposed."""

    state: Any
    adjoint: Any
    data_gradient: Any


def _passed_back(part: Part, way: _Way, starts: Any, numbers: _Numbers) -> tuple[_Way, list[Any]]:
    """The way back over all passes of a part, and what its steps leave there, pass after pass, the last one first."""
    always, backwards = numbers.back(part, 0), range(part.passes)[::-1]

    def once(way: _Way, given: Any) -> tuple[_Way, Any]:
        start, *changing = given
        own, mixes = (_in_pass(*each) for each in zip(always, changing, strict=True))
        way, found, _ = _undone(part.steps, way, start, own, mixes, numbers.constants, 0.0)
        return way, found

    starts = () if isinstance(starts, tuple) else starts[::-1]
    found: tuple[_Way, Any] = scan(once, way, (starts, *numbers.back(part, backwards)), length=part.passes)
    return found


def _undone(
    steps: Sequence[Step],
    way: _Way,
    start: Any,
    own: Sequence[Any],
    mixes: Sequence[Any],
    constants: Mapping[str, Any],
    zero: Any,
) -> tuple[_Way, list[Any], Any]:
    """Walk from the last step to the first.

    Args:
        steps: The steps.
        way: What is carried.
        start: The state at the beginning, from which the others are computed again; empty if steps can be undone.
        own: The numbers that each step takes.
        mixes: Of rotations about one axis how data make their angles, ``[addresses, data]``.
        constants: The program's constants.
        zero: See :func:`tfq_fusion.engines.compiled.kernels.backward`.

    Returns:
        What is carried on; what the steps leave in the gradient, but for rotations about one axis, in order; and zero,
        known when all this is.
    """
    state, adjoint, data_gradient = way
    # Of later steps XLA knows nothing else here, and would compute the states of all parts at once.
    states = None if isinstance(start, tuple) else _states(steps, start + zero, own, constants)
    found = []
    for place, step in reversed(list(enumerate(steps))):
        after, before = (state, None) if states is None else (states[place + 1], states[place])
        state, adjoint, gradient = kernels.backward(step, after, adjoint, own[place], constants, zero, before)
        if _both_rotate(steps[place - 1 : place + 1]):
            state, adjoint = state if states else materialized(state), materialized(adjoint)
        if _is_gathered(step):
            found.append(gradient)
            zero = known_zero(gradient)
        elif gradient is not None:
            data_gradient = data_gradient + ops.matmul(ops.transpose(mixes[place]), gradient[0])
            zero = known_zero(data_gradient)
    return _Way(state, adjoint, data_gradient), found[::-1], zero


def _is_gathered(step: Step) -> bool:
    """Whether what a step leaves in the gradient waits for that of all others."""
    several = isinstance(step, RotationStep) and len(step.tables.axes) > 1
    return several or isinstance(step, BlockStep | GateStep | SampledStep)


def _kind(step: Step) -> Any:
    """What tells whose numbers a step takes."""
    return step.family if isinstance(step, BlockStep) else step.tables if isinstance(step, RotationStep) else GateStep


def _by_member(gathered: Sequence[tuple[Sizes, Any]], members: int) -> Any:
    """Gradients ``[members, ...]``, each the sum of what was gathered for the member."""
    of, gradients = itertools.chain.from_iterable(own for own, _ in gathered), [each for _, each in gathered]
    joined = gradients[0] if len(gradients) == 1 else ops.concatenate(gradients)
    chosen = np.eye(members)[:, list(of)]
    if np.array_equal(chosen, np.eye(members)):
        return joined
    flat = ops.matmul(ops.cast(chosen, joined.dtype), ops.reshape(joined, (chosen.shape[1], -1)))
    return ops.reshape(flat, (members, *joined.shape[1:-1], -1))


@dataclasses.dataclass(frozen=True)
class _Numbers:
    """What steps take: matrices by family, rotations by tables, exponents; and the constants."""

    blocks: Sequence[Any]
    rotations: Mapping[Tables, Any]
    exponents: Any
    constants: Mapping[str, Any]

    def of(self, part: Part, passes: int | range) -> list[Any]:
        """For each step its own numbers in one pass, or, if they change, in several, pass after pass; else empty."""
        return [self._own(step, members, passes) for step, members in zip(part.steps, part.members, strict=True)]

    def _own(self, step: Step, members: Sizes, passes: int | range) -> Any:
        match step:
            case BlockStep():
                return _taken(self.blocks[step.family], members, passes)
            case RotationStep():
                return _taken(self.rotations[step.tables], members, passes)
            case GateStep() | SampledStep():
                return _taken(self.exponents, members, passes)
        return ()

    def back(self, part: Part, passes: int | range) -> tuple[list[Any], list[Any]]:
        """The same, and for each rotation about one axis how data make its angles."""
        mixes = [
            _taken(self.constants[f"{step.tables.name} mix"][:, 0], members, passes)
            if isinstance(step, RotationStep) and not _is_gathered(step)
            else ()
            for step, members in zip(part.steps, part.members, strict=True)
        ]
        return self.of(part, passes), mixes


def _taken(array: Any, members: Sizes, passes: int | range) -> Any:
    if isinstance(passes, int):
        return array[members[passes]]
    taken = [members[number] for number in passes]
    return ops.take(array, np.array(taken), axis=0) if len(set(taken)) > 1 else ()


def _in_pass(always: Sequence[Any], own: Sequence[Any]) -> list[Any]:
    """What steps take in a pass: their own numbers there, or else those that they always take."""
    return [first if isinstance(each, tuple) else each for first, each in zip(always, own, strict=True)]


def _blocks(structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any) -> list[Any]:
    return block_matrices(structure.families, constants, data, weights, structure.real)


def _parameters(structure: Structure, constants: Mapping[str, Any], data: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The blocks' matrices by family, the angles by kind of tables, and the exponents of gates ``[gates, batch]``."""
    features = ops.transpose(data)
    blocks = [matrices[:, 0] for matrices in _blocks(structure, constants, data, weights)]
    angles = []
    for tables in structure.tables:
        mix, offset = constants[f"{tables.name} mix"], constants[f"{tables.name} offset"]
        angles.append(ops.matmul(ops.reshape(mix, (-1, mix.shape[-1])), features) + ops.reshape(offset, (-1, 1)))
    if not constants["exponent offset"].shape[0]:
        return blocks, angles, None
    shared = ops.matmul(constants["exponent weights"], weights[:, None]) + constants["exponent offset"][:, None]
    return blocks, angles, ops.matmul(constants["exponent data"], features) + shared


def _rotations_of(structure: Structure, trigonometry: Sequence[Any]) -> dict[Tables, Any]:
    """What rotations multiply with, by kind of tables, each table's own."""
    found = {}
    for tables, halves in zip(structure.tables, trigonometry, strict=True):
        parts = rotations(tables, _by_table(tables, halves))
        found[tables] = parts if len(tables.axes) == 1 else materialized(parts)
    return found


def _by_table(tables: Tables, halves: Any) -> Any:
    """``[2, angles, batch]`` as ``[2, tables, axes, addresses, batch]``."""
    per_table = len(tables.axes) * tables.addresses
    return ops.reshape(halves, (2, halves.shape[1] // per_table, len(tables.axes), tables.addresses, -1))


def _turn_on(structure: Structure, place: int) -> bool:
    """Whether a part begins with a rotation after one."""
    last = structure.parts[place - 1].steps[-1:] if place else ()
    return _both_rotate((*last, *structure.parts[place].steps[:1]))


def _both_rotate(steps: Sequence[Step]) -> bool:
    """Whether these are two rotations: fused, each would compute the one before it twice for every amplitude."""
    return len(steps) == 2 and all(isinstance(step, RotationStep) for step in steps)


def materialized(array: Any) -> Any:
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
    if states is None and structure.real:
        # Of each qubit in zero the components of I and Z are 1.
        state = ops.ones((1, 1), dtype=dtype)
        for _ in range(structure.qubits // 2):
            state = ops.reshape(ops.convert_to_tensor([[1.0], [0.0], [0.0], [1.0]], dtype=dtype) * state, (1, -1))
        return state[..., None]
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
    elements = ops.reshape(ops.transpose(bits, (0, *pairs, 1 + structure.qubits)), (2, 4**count, -1))
    if not structure.real:
        return elements
    density = complex_array(elements[0], elements[1])
    for qubit in range(count):
        components = ops.convert_to_tensor(COMPONENTS, dtype=density.dtype)
        density = einsum("pe,aeb->apb", components, ops.reshape(density, (4**qubit, 4, -1)))
    return ops.reshape(ops.real(density), (1, 4**count, -1))
