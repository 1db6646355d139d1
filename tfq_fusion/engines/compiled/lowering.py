"""From a circuit to a program: neighbouring gates fuse, and what the batch shares is told from what it does not."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from tfq_fusion.circuits import ModelCircuit, is_channel
from tfq_fusion.engines.arrays import SMALL_BATCH
from tfq_fusion.engines.compiled.gates import EigenGate, LoweringError, eigen_gates, superoperators
from tfq_fusion.engines.compiled.pauli import density_constants, pauli_constants
from tfq_fusion.engines.compiled.program import (
    Bank,
    BlockStep,
    DiagonalStep,
    Element,
    Family,
    GateStep,
    Part,
    PermutationStep,
    Program,
    RotationStep,
    Sizes,
    Step,
    Structure,
    Tables,
)
from tfq_fusion.engines.compiled.repetitions import runs
from tfq_fusion.engines.memory import STATES, check_memory

MAX_BLOCK = 4
"""Qubits of the widest block: its 16 x 16 matrix keeps a matrix unit busy and is cheap to build."""

MAX_STEPS = 2_000
"""Steps of a program: XLA compiles about ten in a second, for values and gradient."""


@dataclasses.dataclass
class _Group:
    """Gates that become one step; ``kind`` is "block", "diagonal", "rotation" or "gate"."""

    kind: str
    gates: list[EigenGate] = dataclasses.field(default_factory=list)
    qubits: frozenset[int] = frozenset()

    def add(self, gate: EigenGate) -> None:
        self.gates.append(gate)
        self.qubits |= gate.qubits


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
    check_memory(len(qubits), _bytes_per_amplitude(spec, mixed), "compiled")
    columns = {symbol.name: ("data", index) for index, symbol in enumerate(spec.data_symbols)}
    columns |= {symbol.name: ("weight", index) for index, symbol in enumerate(spec.weight_symbols)}
    if mixed:
        # Two qubits, or one, have a block of their own: the bits of its rows and columns are neighbours.
        count, width, gates = 2 * len(qubits), MAX_BLOCK, superoperators(spec.circuit, positions, columns)
    else:
        count, gates = len(qubits), eigen_gates(spec.circuit, positions, columns)
        width = math.ceil(count / math.ceil(count / MAX_BLOCK)) if count else 0

    groups: list[_Group] = []
    for gate in gates:
        _place(gate, groups, width, mixed)
    shared = next((number for number, group in enumerate(groups) if group.kind in ("rotation", "gate")), len(groups))
    repeated = [_passes(some, mixed) for some in (groups[:shared], groups[shared:])]
    if sum(len(stacks) for stacks in itertools.chain.from_iterable(repeated)) > MAX_STEPS:
        raise LoweringError(
            f"The circuit needs more than {MAX_STEPS:,} steps, which take minutes to compile. "
            f"Use fewer gates{' and channels' if mixed else ', or engine=' + repr('tfq')}."
        )
    assembly = _Assembly(count, len(spec.data_symbols), len(spec.weight_symbols))
    before, after = (tuple(map(assembly.part, some)) for some in repeated)
    final = [assembly.order.index(position) for position in range(count)]
    if mixed:
        pairs = {qubit: (final[2 * position], final[2 * position + 1]) for qubit, position in positions.items()}
        return assembly.program(before, after, density_constants(spec.operators, pairs), mixed)
    alone = {qubit: final[position] for qubit, position in positions.items()}
    return assembly.program(before, after, pauli_constants(spec.operators, alone), mixed)


def _bytes_per_amplitude(spec: ModelCircuit, mixed: bool) -> int:
    """What any batch needs: the states of the smallest one, and each string's rows and signs, in 4 bytes each."""
    if mixed:
        return STATES * 2 * 4 * SMALL_BATCH * 2 ** len(spec.circuit.all_qubits())
    strings = {frozenset(string.items()) for operator in spec.operators for string in operator}
    return STATES * 2 * 4 * SMALL_BATCH + 4 * 7 * len(strings)


def _place(gate: EigenGate, groups: list[_Group], width: int, mixed: bool) -> None:
    """Add a gate to the latest group that it may join, without passing a gate on one of its qubits; else a new one."""
    if gate.angle.kind == "data":
        kind = "rotation" if gate.axis else "gate"
    elif gate.diagonal and gate.angle.kind == "constant" and len(gate.qubits) > 1 and not mixed:
        kind = "diagonal"
    else:
        kind = "block" if len(gate.qubits) <= width else "gate"
    for group in reversed(groups):
        if group.kind == kind and _may_join(gate, group, width):
            group.add(gate)
            return
        if group.qubits & gate.qubits:
            break
    groups.append(_Group(kind))
    groups[-1].add(gate)


def _may_join(gate: EigenGate, group: _Group, width: int) -> bool:
    if group.kind == "diagonal":
        return True
    if group.kind == "block":
        union = group.qubits | gate.qubits
        # Blocks of neighbours at fixed borders need no transposition; others grow only where gates connect them.
        return len({qubit // width for qubit in union}) == 1 or (
            bool(group.qubits & gate.qubits) and len(union) <= width
        )
    if group.kind == "rotation":
        other = group.gates[0]
        return (gate.targets, _control_qubits(gate)) == (other.targets, _control_qubits(other))
    return False


def _control_qubits(gate: EigenGate) -> Sizes:
    return tuple(sorted(position for position, _ in gate.controls))


def _passes(groups: Sequence[_Group], mixed: bool) -> list[list[Sequence[_Group]]]:
    """The groups of each part, those of all its passes that are alike together."""
    found: list[list[Sequence[_Group]]] = []
    for start, period, passes in runs([_likeness(group) for group in groups]):
        stacks = [groups[start + place : start + passes * period : period] for place in range(period)]
        # Of parts whose steps cannot be undone the first state is kept, and the others are computed again.
        size = max(1, math.isqrt(period)) if mixed and passes == 1 else period
        found += [stacks[first : first + size] for first in range(0, period, size)]
    return found


def _likeness(group: _Group) -> Hashable:
    """Equal for groups that differ in nothing but the numbers which their step takes."""
    if group.kind == "block":
        return group.kind, tuple(sorted(group.qubits)), _layout(group)
    if group.kind == "rotation":
        first = group.gates[0]
        return group.kind, first.targets, _control_qubits(first), _axes(group)
    # The angle of a diagonal is fixed, that of a gate is one of its numbers.
    fixed = group.kind == "diagonal"
    gates = [(gate.targets, gate.controls, *_content(gate), fixed and gate.angle.offset) for gate in group.gates]
    return group.kind, tuple(gates)


def _content(gate: EigenGate) -> tuple[bytes, bytes]:
    return gate.phases.tobytes(), gate.projectors.tobytes()


def _layout(group: _Group) -> Hashable:
    """How a block is built of gates."""
    layers = _layers(group.gates, sorted(group.qubits))
    return tuple(tuple((where, _padded(len(gates))) for where, gates in layer) for layer in layers)


def _axes(group: _Group) -> str:
    return "".join(axis for axis, _ in itertools.groupby(gate.axis or "" for gate in group.gates))


class _Assembly:
    """Collects the parts and constants of a program."""

    def __init__(self, count: int, data: int, weights: int) -> None:
        self.count, self.data, self.weights = count, data, weights
        self.order = list(range(count))
        self.constants: dict[str, np.ndarray] = {}
        self.diagonals: dict[bytes, DiagonalStep] = {}
        self.tables: dict[Tables, dict[bytes, tuple[np.ndarray, np.ndarray]]] = {}
        self.gates: dict[Hashable, int] = {}
        self.exponents: list[EigenGate] = []
        self.blocks: dict[Any, list[list[list[list[EigenGate]]]]] = {}

    def part(self, stacks: Sequence[Sequence[_Group]]) -> Part:
        """Steps from groups, those of all passes that are alike together."""
        make = {"block": self._block, "diagonal": self._diagonal, "rotation": self._rotation, "gate": self._gate}
        start, passes = list(self.order), len(stacks[0])
        waiting, found = list(stacks), []
        while waiting:
            alike = waiting.pop(self._next([first for first, *_ in waiting]))
            found.append(make[alike[0].kind](alike))
        if passes > 1 and self.order != start:
            found.append((PermutationStep(self._to_front(start)), ()))
        steps, members = zip(*found, strict=True)
        return Part(steps, members, passes)

    def _next(self, waiting: Sequence[_Group]) -> int:
        """The block that is in front already, if it may go first; else the first group."""
        passed: set[int] = set()
        for number, group in enumerate(waiting):
            if group.kind != "block" or group.qubits & passed:
                break
            if set(self.order[: len(group.qubits)]) == group.qubits:
                return number
            passed |= group.qubits
        return 0

    def _to_front(self, qubits: Sequence[int]) -> Sizes:
        new = [*qubits, *(qubit for qubit in self.order if qubit not in qubits)]
        order = tuple(self.order.index(qubit) for qubit in new)
        self.order = new
        return order

    def program(
        self, before: tuple[Part, ...], after: tuple[Part, ...], observables: dict[str, np.ndarray], mixed: bool
    ) -> Program:
        """The program of the parts before the first data, and of those after it."""
        families = self._families()
        self.constants |= {
            "exponent data": self._mix(self.exponents, "data", self.data),
            "exponent weights": self._mix(self.exponents, "weight", self.weights),
            "exponent offset": np.array([gate.angle.offset for gate in self.exponents]),
            **observables,
        }
        for tables, rows in self.tables.items():
            for name, arrays in zip(("mix", "offset"), zip(*rows.values(), strict=True), strict=True):
                self.constants[f"{tables.name} {name}"] = np.stack(arrays)
        return Program(Structure(self.count, before + after, len(before), families, mixed), self.constants)

    @staticmethod
    def _mix(gates: Sequence[EigenGate], kind: str, columns: int) -> np.ndarray:
        mix = np.zeros((len(gates), columns))
        for row, gate in enumerate(gates):
            if gate.angle.kind == kind:
                mix[row, gate.angle.index] = gate.angle.scale
        return mix

    def _diagonal(self, alike: Sequence[_Group]) -> tuple[Step, Sizes]:
        diagonal = np.ones((2,) * self.count, np.complex128)
        for gate in alike[0].gates:
            qubits = sorted(gate.qubits)
            phases, projectors = gate.expanded(qubits)
            turn = np.exp(1j * np.pi * gate.angle.offset * phases)
            entries = np.einsum("e,edd->d", turn, projectors).reshape((2,) * len(qubits))
            diagonal *= entries.reshape([2 if qubit in qubits else 1 for qubit in range(self.count)])
        entries = diagonal.transpose(self.order).ravel()
        real = bool(np.abs(entries.imag).max() < 1e-12)
        parts = entries.real if real else np.stack([entries.real, entries.imag])
        step = self.diagonals.setdefault(parts.tobytes(), DiagonalStep(len(self.diagonals), real))
        self.constants[f"diagonal {step.diagonal}"] = parts
        return step, ()

    def _rotation(self, alike: Sequence[_Group]) -> tuple[Step, Sizes]:
        first = alike[0].gates[0]
        controls, (target,) = _control_qubits(first), first.targets
        tables = Tables(_axes(alike[0]), 2 ** len(controls))
        rows = self.tables.setdefault(tables, {})
        members = []
        for group in alike:
            offset = np.zeros((len(tables.axes), tables.addresses))
            mix = np.zeros((*offset.shape, self.data))
            for place, (_, gates) in enumerate(itertools.groupby(group.gates, lambda gate: gate.axis)):
                for gate in gates:
                    values = dict(gate.controls)
                    address = int("".join(str(values[qubit]) for qubit in controls) or "0", base=2)
                    mix[place, address, gate.angle.index] += np.pi * gate.angle.scale
                    offset[place, address] += np.pi * gate.angle.offset
            content = mix.tobytes() + offset.tobytes()
            rows.setdefault(content, (mix, offset))
            members.append(list(rows).index(content))
        places = tuple(sorted(self.order.index(qubit) for qubit in controls))
        order = tuple(controls.index(self.order[place]) for place in places)
        return RotationStep(tables, self.count, self.order.index(target), places, order), tuple(members)

    def _gate(self, alike: Sequence[_Group]) -> tuple[Step, Sizes]:
        (gate,) = alike[0].gates
        order, values = self._to_front(gate.targets), dict(gate.controls)
        active = tuple(values.get(qubit, slice(None)) for qubit in self.order[len(gate.targets) :])
        number = self.gates.setdefault((_content(gate), str(active)), len(self.gates))
        self.constants |= {
            f"gate {number} phases": gate.phases.astype(float),
            f"gate {number} projectors": np.stack([gate.projectors.real, gate.projectors.imag]),
        }
        if gate.controls:
            mask = np.zeros((2,) * len(active))
            mask[active] = 1
            self.constants[f"gate {number} mask"] = mask.ravel()
        start = len(self.exponents)
        self.exponents += [gate for group in alike for gate in group.gates]
        step = GateStep(number, len(gate.targets), order, bool(gate.controls))
        return step, tuple(range(start, len(self.exponents)))

    def _block(self, alike: Sequence[_Group]) -> tuple[Step, Sizes]:
        qubits = sorted(alike[0].qubits)
        key = len(qubits), _layout(alike[0])
        members = self.blocks.setdefault(key, [])
        start = len(members)
        for group in alike:
            members.append([[gates for _, gates in layer] for layer in _layers(group.gates, qubits)])
        step = BlockStep(list(self.blocks).index(key), len(qubits), self._to_front(qubits))
        return step, tuple(range(start, len(members)))

    def _families(self) -> tuple[Family, ...]:
        """The families of blocks; the gates that they are built from go to banks."""
        rows: dict[Bank, list[list[EigenGate]]] = {}
        families = []
        for (width, layout), members in self.blocks.items():
            layers = []
            for depth, layer in enumerate(layout):
                elements = []
                for position, (where, length) in enumerate(layer):
                    bank = Bank(len(where), length)
                    elements.append(Element(where, bank, len(rows.setdefault(bank, []))))
                    rows[bank] += [member[depth][position] for member in members]
                layers.append(tuple(elements))
            families.append(Family(width, len(members), tuple(layers)))
        for bank, held in rows.items():
            self._bank(bank, held)
        return tuple(families)

    def _bank(self, bank: Bank, rows: Sequence[Sequence[EigenGate]]) -> None:
        expanded = [[gate.expanded(sorted(gate.qubits)) for gate in row] for row in rows]
        most = max(len(phases) for row in expanded for phases, _ in row)
        size = 2**bank.width
        phases = np.zeros((len(rows), bank.length, most))
        projectors = np.zeros((len(rows), bank.length, most, size, size), np.complex128)
        projectors[:, :, 0] = np.eye(size)  # what pads a row does nothing
        mix, offset = np.zeros((len(rows), bank.length, self.weights)), np.zeros((len(rows), bank.length))
        linear = np.zeros((len(rows), bank.length, most))
        for row, (own, matrices) in enumerate(zip(rows, expanded, strict=True)):
            for column, (turning, projecting) in enumerate(matrices):
                phases[row, column, : len(turning)] = turning
                projectors[row, column, : len(turning)] = projecting
            mix[row, : len(own)] = self._mix(own, "weight", self.weights)
            offset[row, : len(own)] = [gate.angle.offset for gate in own]
            if any(gate.linear for gate in own):
                linear[row, : len(own), 1] = [gate.linear for gate in own]
        projectors = projectors.reshape(-1, most, size, size)
        name = f"bank {bank.width} {bank.length}"
        self.constants |= {
            f"{name} phases": phases.reshape(-1, most),
            f"{name} projectors": np.stack([projectors.real, projectors.imag]),
            f"{name} mix": mix.reshape(offset.size, self.weights),
            f"{name} offset": offset.ravel(),
        }
        if linear.any():
            self.constants[f"{name} linear"] = linear.reshape(-1, most)


def _padded(length: int) -> int:
    return 2 ** math.ceil(math.log2(length))


def _layers(gates: Iterable[EigenGate], qubits: Sequence[int]) -> list[list[tuple[Sizes, list[EigenGate]]]]:
    """Elements on different local qubits, layer after layer; gates on equal qubits join one element."""
    layers: list[dict[Sizes, list[EigenGate]]] = []
    for gate in gates:
        where = tuple(sorted(qubits.index(qubit) for qubit in gate.qubits))
        depth = next(
            (d for d in reversed(range(len(layers))) if any(set(where) & set(other) for other in layers[d])), -1
        )
        if depth >= 0 and where in layers[depth]:
            layers[depth][where].append(gate)
        else:
            if depth + 1 == len(layers):
                layers.append({})
            layers[depth + 1][where] = [gate]
    return [sorted(layer.items()) for layer in layers]
