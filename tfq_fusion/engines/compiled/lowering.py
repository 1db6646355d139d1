"""From a circuit to a program: neighbouring gates fuse, and what the batch shares is told from what it does not."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import cirq

from tfq_fusion.circuits import ModelCircuit, is_channel
from tfq_fusion.engines.arrays import SMALL_BATCH
from tfq_fusion.engines.compiled import channels
from tfq_fusion.engines.compiled.assembly import Assembly, Group, axes_of, control_qubits, layout, matrices_of
from tfq_fusion.engines.compiled.clusters import clusters
from tfq_fusion.engines.compiled.cone import light_cone
from tfq_fusion.engines.compiled.gates import EigenGate, LoweringError, eigen_gates
from tfq_fusion.engines.compiled.pauli import (
    component_constants,
    density_constants,
    pauli_constants,
    pauli_strings,
    string_constants,
)
from tfq_fusion.engines.compiled.program import Program, Structure, WideStructure
from tfq_fusion.engines.compiled.repetitions import runs
from tfq_fusion.engines.memory import STATES, check_memory

MAX_BLOCK = 4
"""Qubits of the widest block: its 16 x 16 matrix keeps a matrix unit busy and is cheap to build."""

WIDE = 12
"""Qubits of the narrowest register on which passes over the states are dear, so that gates join larger blocks."""

WIDE_BLOCK = 5
"""Qubits of the widest block there: wider ones are not fewer."""

MAX_STEPS = 2_000
"""Steps of a program: XLA compiles about ten in a second, for values and gradient."""


def lower(spec: ModelCircuit) -> Program:
    """Lower a circuit to a program.

    Raises:
        LoweringError: If a gate cannot be compiled, or the program has more than :data:`MAX_STEPS` steps.
        MemoryError: If the machine has no room for the states, the observables' tables included.
        ValueError: If an operator acts on a qubit that the circuit lacks.
    """
    qubits = sorted(spec.circuit.all_qubits())
    positions = {qubit: position for position, qubit in enumerate(qubits)}
    for operator in spec.operators:
        missing = sorted(set(operator.qubits) - set(qubits))
        if missing:
            raise ValueError(f"An operator acts on {missing}, but the circuit has only the qubits {qubits}.")
    mixed = any(map(is_channel, spec.circuit.all_operations()))
    real = mixed and all(len(operation.qubits) <= channels.WIDEST for operation in spec.circuit.all_operations())
    check_memory(len(qubits), _bytes_per_amplitude(spec, mixed, real), "compiled")
    columns = {symbol.name: ("data", index) for index, symbol in enumerate(spec.data_symbols)}
    columns |= {symbol.name: ("weight", index) for index, symbol in enumerate(spec.weight_symbols)}
    if mixed:
        # Two qubits, or one, have a block of their own: the bits of its rows and columns are neighbours.
        lowered = channels.transfer_gates if real else channels.superoperators
        count, width, gates = 2 * len(qubits), MAX_BLOCK, list(lowered(spec.circuit, positions, columns))
    else:
        count, gates = len(qubits), list(eigen_gates(spec.circuit, positions, columns))
        if count >= WIDE and all(gate.diagonal or len(gate.qubits) <= WIDE_BLOCK for gate in gates):
            return _lower_wide(spec, positions, gates)
        width = math.ceil(count / math.ceil(count / MAX_BLOCK)) if count else 0

    if real:
        kind_with = functools.partial(_kind_on_components, width=width)
    else:
        kind_with = functools.partial(_kind_on_amplitudes, width=width, mixed=mixed)
    groups: list[Group] = []
    for gate in gates:
        _place(gate, groups, kind_with)
    sampled = ("rotation", "gate", "sampled")
    shared = next((number for number, group in enumerate(groups) if group.kind in sampled), len(groups))
    repeated = [_passes(some, mixed) for some in (groups[:shared], groups[shared:])]
    _require_few(sum(map(len, itertools.chain.from_iterable(repeated))), mixed)
    assembly = Assembly(count, len(spec.data_symbols), len(spec.weight_symbols))
    before, after = (tuple(map(assembly.part, some)) for some in repeated)
    final = [assembly.order.index(position) for position in range(count)]
    if mixed:
        pairs = {qubit: (final[2 * position], final[2 * position + 1]) for qubit, position in positions.items()}
        observables = (component_constants if real else density_constants)(spec.operators, pairs)
    else:
        observables = pauli_constants(spec.operators, {qubit: final[place] for qubit, place in positions.items()})
    families, constants = assembly.finish()
    return Program(Structure(count, before + after, len(before), families, mixed, real), constants | observables)


def _lower_wide(spec: ModelCircuit, positions: Mapping[cirq.Qid, int], gates: Sequence[EigenGate]) -> Program:
    whole, coefficients, constant = pauli_strings(spec.operators, positions)
    gates, measured = light_cone(gates, whole)
    groups = [
        Group(
            "block" if cluster.qubits else "phases",
            cluster.gates,
            frozenset().union(*(gate.qubits for gate in cluster.gates)),
        )
        for cluster in clusters(gates, len(positions), WIDE_BLOCK)
    ]
    _require_few(len(groups), mixed=False)
    assembly = Assembly(len(positions), len(spec.data_symbols), len(spec.weight_symbols))
    steps, members = assembly.steps([[group] for group in groups])
    final = [assembly.order.index(position) for position in range(len(positions))]
    placed = [(sign, [(final[position], letter) for position, letter in string]) for sign, string in measured]
    strings, observables = string_constants(placed, coefficients, len(positions))
    families, constants = assembly.finish()
    member = tuple(own[0] if own else 0 for own in members)
    structure = WideStructure(len(positions), steps, member, families, strings)
    return Program(structure, constants | observables | {"constant": constant})


def _require_few(steps: int, mixed: bool) -> None:
    if steps > MAX_STEPS:
        raise LoweringError(
            f"The circuit needs more than {MAX_STEPS:,} steps, which take minutes to compile. "
            f"Use fewer gates{' and channels' if mixed else ', or engine=' + repr('tfq')}."
        )


def _bytes_per_amplitude(spec: ModelCircuit, mixed: bool, real: bool) -> int:
    """What any batch needs: the states of the smallest one, and each string's rows and signs, in 4 bytes each."""
    if mixed:
        amplitudes: int = 2 ** len(spec.circuit.all_qubits())
        return STATES * (1 if real else 2) * 4 * SMALL_BATCH * amplitudes
    strings = {frozenset(string.items()) for operator in spec.operators for string in operator}
    return STATES * 2 * 4 * SMALL_BATCH + 4 * 7 * len(strings)


def _place(gate: EigenGate, groups: list[Group], kind_with: Callable[[EigenGate, Group | None], str]) -> None:
    """Add a gate to the latest group that it may join, without passing a gate on one of its qubits; else a new one.

    ``kind_with`` is the kind of a group, or for None of a new one, once the gate is in it; empty if it may not join.
    """
    for group in reversed(groups):
        kind = kind_with(gate, group)
        if kind:
            group.kind = kind
            group.add(gate)
            return
        if group.qubits & gate.qubits:
            break
    groups.append(Group(kind_with(gate, None)))
    groups[-1].add(gate)


def _kind_on_amplitudes(gate: EigenGate, group: Group | None, width: int, mixed: bool) -> str:
    """What joins is alike: rotations of a qubit, fixed diagonals, or gates of a block."""
    if gate.angle.kind == "data":
        kind = "rotation" if gate.axis else "gate"
    elif gate.diagonal and gate.angle.kind == "constant" and len(gate.qubits) > 1 and not mixed:
        kind = "diagonal"
    else:
        kind = "block" if len(gate.qubits) <= width else "gate"
    return kind if group is None or (group.kind == kind and _may_join(gate, group, width)) else ""


def _may_join(gate: EigenGate, group: Group, width: int) -> bool:
    if group.kind == "diagonal":
        return True
    if group.kind == "block":
        union = group.qubits | gate.qubits
        # Blocks of neighbours at fixed borders need no transposition; others grow only where gates connect them.
        return _neighbours(union, width) or (bool(group.qubits & gate.qubits) and len(union) <= width)
    if group.kind == "rotation":
        other = group.gates[0]
        return (gate.targets, control_qubits(gate)) == (other.targets, control_qubits(other))
    return False


def _kind_on_components(gate: EigenGate, group: Group | None, width: int) -> str:
    """What joins is one matrix: of any gates with weights, or of one gate with data and fixed ones."""
    kinds = {"sampled" if gate.angle.kind == "data" else "block"} | ({group.kind} if group else set())
    kind = "sampled" if "sampled" in kinds else "block"
    if group is None:
        return kind
    angles = [gate.angle.kind, *(other.angle.kind for other in group.gates)]
    if kind == "sampled" and angles.count("constant") < len(angles) - 1:
        return ""
    union = group.qubits | gate.qubits
    near = group.qubits & gate.qubits or _neighbours(union, width)
    return kind if near and len(union) <= max(width, len(group.qubits)) else ""


def _neighbours(qubits: Iterable[int], width: int) -> bool:
    """Whether qubits lie between two of the borders that stand after every ``width`` qubits."""
    return len({qubit // width for qubit in qubits}) == 1


def _passes(groups: Sequence[Group], mixed: bool) -> list[list[Sequence[Group]]]:
    """The groups of each part, those of all its passes that are alike together."""
    found: list[list[Sequence[Group]]] = []
    for start, period, passes in runs([_likeness(group) for group in groups]):
        stacks = [groups[start + place : start + passes * period : period] for place in range(period)]
        # Of parts whose steps cannot be undone the first state is kept, and the others are computed again.
        size = max(1, math.isqrt(period)) if mixed and passes == 1 else period
        found += [stacks[first : first + size] for first in range(0, period, size)]
    return found


def _likeness(group: Group) -> Hashable:
    """Equal for groups that differ in nothing but the numbers which their step takes."""
    if group.kind == "block":
        return group.kind, tuple(sorted(group.qubits)), layout(group)
    if group.kind == "rotation":
        first = group.gates[0]
        return group.kind, first.targets, control_qubits(first), axes_of(group)
    if group.kind == "sampled":
        bits = sorted(group.qubits)
        return group.kind, tuple(bits), *(each.tobytes() for each in channels.sampled_matrices(group.gates, bits))
    # The angle of a diagonal is fixed, that of a gate is one of its numbers.
    fixed = group.kind == "diagonal"
    gates = [(gate.targets, gate.controls, *matrices_of(gate), fixed and gate.angle.offset) for gate in group.gates]
    return group.kind, tuple(gates)
