"""From a circuit to a program: neighbouring gates fuse, and what the batch shares is told from what it does not."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import cirq
import numpy as np

from tfq_fusion.circuits import ModelCircuit, is_channel
from tfq_fusion.engines.arrays import SMALL_BATCH
from tfq_fusion.engines.compiled.clusters import clusters
from tfq_fusion.engines.compiled.cone import light_cone
from tfq_fusion.engines.compiled.gates import EigenGate, LoweringError, eigen_gates, superoperators
from tfq_fusion.engines.compiled.pauli import density_constants, pauli_constants, pauli_strings, string_constants
from tfq_fusion.engines.compiled.program import (
    Bank,
    BlockStep,
    DiagonalStep,
    Element,
    Family,
    GateStep,
    PhaseStep,
    Program,
    RotationStep,
    Sizes,
    Step,
    Structure,
    Tables,
)
from tfq_fusion.engines.compiled.walsh import sign_tables
from tfq_fusion.engines.memory import STATES, check_memory

MAX_BLOCK = 4
"""Qubits of the widest block: its 16 x 16 matrix keeps a matrix unit busy and is cheap to build."""

WIDE = 13
"""Qubits of the narrowest register on which passes over the states are dear, so that gates join larger blocks."""

WIDE_BLOCK = 5
"""Qubits of the widest block there: wider ones are not fewer."""

MAX_STEPS = 2_000
"""Steps of a program: XLA compiles about ten in a second, for values and gradient."""


@dataclasses.dataclass
class _Group:
    """Gates that become one step; ``kind`` is "block", "phases", "diagonal", "rotation" or "gate"."""

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
        count, width, gates = 2 * len(qubits), MAX_BLOCK, list(superoperators(spec.circuit, positions, columns))
    else:
        count, gates = len(qubits), list(eigen_gates(spec.circuit, positions, columns))
        if count >= WIDE and all(gate.diagonal or len(gate.qubits) <= WIDE_BLOCK for gate in gates):
            return _lower_wide(spec, positions, gates)
        width = math.ceil(count / math.ceil(count / MAX_BLOCK)) if count else 0

    groups: list[_Group] = []
    for gate in gates:
        _place(gate, groups, width, mixed)
        if len(groups) > MAX_STEPS:
            raise _too_many_steps(mixed)
    assembly = _Assembly(count, len(spec.data_symbols), len(spec.weight_symbols))
    steps = tuple(assembly.steps(groups))
    final = [assembly.order.index(position) for position in range(count)]
    if mixed:
        pairs = {qubit: (final[2 * position], final[2 * position + 1]) for qubit, position in positions.items()}
        return assembly.program(steps, density_constants(spec.operators, pairs), mixed=mixed)
    alone = {qubit: final[position] for qubit, position in positions.items()}
    return assembly.program(steps, pauli_constants(spec.operators, alone))


def _lower_wide(spec: ModelCircuit, positions: Mapping[cirq.Qid, int], gates: Sequence[EigenGate]) -> Program:
    whole, coefficients, constant = pauli_strings(spec.operators, positions)
    gates, measured = light_cone(gates, whole)
    groups = [
        _Group(
            "block" if cluster.qubits else "phases",
            cluster.gates,
            frozenset().union(*(gate.qubits for gate in cluster.gates)),
        )
        for cluster in clusters(gates, len(positions), WIDE_BLOCK)
    ]
    if len(groups) > MAX_STEPS:
        raise _too_many_steps(mixed=False)
    assembly = _Assembly(len(positions), len(spec.data_symbols), len(spec.weight_symbols))
    steps = tuple(assembly.steps(groups))
    final = [assembly.order.index(position) for position in range(len(positions))]
    placed = [(sign, [(final[position], letter) for position, letter in string]) for sign, string in measured]
    strings, observables = string_constants(placed, coefficients, len(positions))
    return assembly.program(steps, observables | {"constant": constant}, strings=strings)


def _too_many_steps(mixed: bool) -> LoweringError:
    return LoweringError(
        f"The circuit needs more than {MAX_STEPS:,} steps, which take minutes to compile. "
        f"Use fewer gates{' and channels' if mixed else ', or engine=' + repr('tfq')}."
    )


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


class _Assembly:
    """Collects the steps and constants of a program."""

    def __init__(self, count: int, data: int, weights: int) -> None:
        self.count, self.data, self.weights = count, data, weights
        self.order = list(range(count))
        self.constants: dict[str, np.ndarray] = {}
        self.diagonals = self.phases = 0
        self.tables: dict[Tables, dict[bytes, tuple[np.ndarray, np.ndarray]]] = {}
        self.gates: list[EigenGate] = []
        self.blocks: dict[Any, list[list[list[EigenGate]]]] = {}

    def steps(self, groups: Sequence[_Group]) -> Iterator[Step]:
        make = {
            "block": self._block,
            "phases": self._phases,
            "diagonal": self._diagonal,
            "rotation": self._rotation,
            "gate": self._gate,
        }
        waiting = list(groups)
        while waiting:
            group = waiting.pop(self._next(waiting))
            yield make[group.kind](group)

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

    def program(self, steps: tuple[Step, ...], observables: dict[str, np.ndarray], **settings: Any) -> Program:
        families = self._families()
        self.constants |= {
            "exponent data": self._mix(self.gates, "data", self.data),
            "exponent weights": self._mix(self.gates, "weight", self.weights),
            "exponent offset": np.array([gate.angle.offset for gate in self.gates]),
            **observables,
        }
        for tables, rows in self.tables.items():
            for name, arrays in zip(("mix", "offset"), zip(*rows.values(), strict=True), strict=True):
                self.constants[f"{tables.name} {name}"] = np.stack(arrays)
        structure = Structure(self.count, steps, families, len(self.gates), **settings)
        return Program(structure, self.constants)

    @staticmethod
    def _mix(gates: Sequence[EigenGate], kind: str, columns: int) -> np.ndarray:
        mix = np.zeros((len(gates), columns))
        for row, gate in enumerate(gates):
            if gate.angle.kind == kind:
                mix[row, gate.angle.index] = gate.angle.scale
        return mix

    def _diagonal(self, group: _Group) -> Step:
        diagonal = np.ones((2,) * self.count, np.complex128)
        for gate in group.gates:
            qubits = sorted(gate.qubits)
            phases, projectors = gate.expanded(qubits)
            turn = np.exp(1j * np.pi * gate.angle.offset * phases)
            entries = np.einsum("e,edd->d", turn, projectors).reshape((2,) * len(qubits))
            diagonal *= entries.reshape([2 if qubit in qubits else 1 for qubit in range(self.count)])
        entries = diagonal.transpose(self.order).ravel()
        real = bool(np.abs(entries.imag).max() < 1e-12)
        self.constants[f"diagonal {self.diagonals}"] = entries.real if real else np.stack([entries.real, entries.imag])
        self.diagonals += 1
        return DiagonalStep(self.diagonals - 1, real)

    def _phases(self, group: _Group) -> Step:
        terms: dict[Sizes, list[np.ndarray]] = {}
        for gate in group.gates:
            qubits = sorted(gate.qubits)
            phases, projectors = gate.expanded(qubits)
            turning = np.einsum("e,edd->d", phases, projectors).real
            for size in range(1, len(qubits) + 1):
                for string in itertools.combinations(range(len(qubits)), size):
                    high, low = sign_tables([string], len(qubits))
                    part = np.pi * np.mean(np.kron(high[0], low[0]) * turning)
                    if abs(part) > 1e-12:
                        numbers = self._mix([gate], "data", self.data), self._mix([gate], "weight", self.weights)
                        places = tuple(sorted(self.order.index(qubits[qubit]) for qubit in string))
                        own = np.concatenate([*numbers, [[gate.angle.offset]]], axis=1)[0]
                        terms[places] = terms.get(places, 0.0) + part * own
        mix = np.stack(list(terms.values()))
        name = f"phases {self.phases}"
        high, low = sign_tables(terms, self.count)
        data, weights, offset = np.split(mix, [self.data, self.data + self.weights], axis=1)
        self.constants |= {
            f"{name} high": high,
            f"{name} low": low,
            f"{name} weights": weights,
            f"{name} offset": offset[:, 0],
        }
        if data.any():
            self.constants[f"{name} data"] = data
        self.phases += 1
        return PhaseStep(self.phases - 1, bool(data.any()))

    def _rotation(self, group: _Group) -> Step:
        first = group.gates[0]
        controls, (target,) = _control_qubits(first), first.targets
        turns = [(axis, list(gates)) for axis, gates in itertools.groupby(group.gates, lambda gate: gate.axis or "")]
        tables = Tables("".join(axis for axis, _ in turns), 2 ** len(controls))
        offset = np.zeros((len(turns), tables.addresses))
        mix = np.zeros((*offset.shape, self.data))
        for place, (_, gates) in enumerate(turns):
            for gate in gates:
                values = dict(gate.controls)
                address = int("".join(str(values[qubit]) for qubit in controls) or "0", base=2)
                mix[place, address, gate.angle.index] += np.pi * gate.angle.scale
                offset[place, address] += np.pi * gate.angle.offset
        rows, content = self.tables.setdefault(tables, {}), mix.tobytes() + offset.tobytes()
        rows.setdefault(content, (mix, offset))
        places = tuple(sorted(self.order.index(qubit) for qubit in controls))
        order = tuple(controls.index(self.order[place]) for place in places)
        return RotationStep(tables, list(rows).index(content), self.count, self.order.index(target), places, order)

    def _gate(self, group: _Group) -> Step:
        (gate,) = group.gates
        number, order = len(self.gates), self._to_front(gate.targets)
        self.gates.append(gate)
        self.constants |= {
            f"gate {number} phases": gate.phases.astype(float),
            f"gate {number} projectors": np.stack([gate.projectors.real, gate.projectors.imag]),
        }
        if gate.controls:
            values = dict(gate.controls)
            rest = self.order[len(gate.targets) :]
            mask = np.zeros((2,) * len(rest))
            mask[tuple(values.get(qubit, slice(None)) for qubit in rest)] = 1
            self.constants[f"gate {number} mask"] = mask.ravel()
        return GateStep(number, len(gate.targets), order, bool(gate.controls))

    def _block(self, group: _Group) -> Step:
        qubits = sorted(group.qubits)
        rows = _rows(group.gates, qubits)
        shape = tuple((where, _padded(len(gates))) for where, gates in rows)
        key = len(qubits), shape, any(gate.angle.kind == "data" for gate in group.gates)
        members = self.blocks.setdefault(key, [])
        members.append([gates for _, gates in rows])
        return BlockStep(list(self.blocks).index(key), len(members) - 1, len(qubits), self._to_front(qubits))

    def _families(self) -> tuple[Family, ...]:
        """The families of blocks; the gates that they are built from go to banks."""
        rows: dict[Bank, list[list[EigenGate]]] = {}
        families = []
        for (width, shape, sampled), members in self.blocks.items():
            elements = []
            for position, (where, length) in enumerate(shape):
                bank = Bank(len(where), length, sampled)
                elements.append(Element(where, bank, len(rows.setdefault(bank, []))))
                rows[bank] += [member[position] for member in members]
            families.append(Family(width, len(members), tuple(elements), sampled))
        for bank, held in rows.items():
            self._bank(bank, held)
        return tuple(families)

    def _bank(self, bank: Bank, rows: Sequence[Sequence[EigenGate]]) -> None:
        expanded = []
        for own in rows:
            qubits = sorted(frozenset().union(*(gate.qubits for gate in own)))
            expanded.append([gate.expanded(qubits) for gate in own])
        most = max(len(phases) for row in expanded for phases, _ in row)
        size = 2**bank.width
        phases = np.zeros((len(rows), bank.length, most))
        projectors = np.zeros((len(rows), bank.length, most, size, size), np.complex128)
        projectors[:, :, 0] = np.eye(size)  # what pads a row does nothing
        mix, offset = np.zeros((len(rows), bank.length, self.weights)), np.zeros((len(rows), bank.length))
        of_data = np.zeros((len(rows), bank.length, self.data))
        linear = np.zeros((len(rows), bank.length, most))
        for row, (own, matrices) in enumerate(zip(rows, expanded, strict=True)):
            for column, (turning, projecting) in enumerate(matrices):
                phases[row, column, : len(turning)] = turning
                projectors[row, column, : len(turning)] = projecting
            mix[row, : len(own)] = self._mix(own, "weight", self.weights)
            of_data[row, : len(own)] = self._mix(own, "data", self.data)
            offset[row, : len(own)] = [gate.angle.offset for gate in own]
            if any(gate.linear for gate in own):
                linear[row, : len(own), 1] = [gate.linear for gate in own]
        projectors = projectors.reshape(-1, most, size, size)
        name = bank.name
        self.constants |= {
            f"{name} phases": phases.reshape(-1, most),
            f"{name} projectors": np.stack([projectors.real, projectors.imag]),
            f"{name} mix": mix.reshape(offset.size, self.weights),
            f"{name} offset": offset.ravel(),
        }
        if bank.sampled:
            self.constants[f"{name} data"] = of_data.reshape(offset.size, self.data)
        if linear.any():
            self.constants[f"{name} linear"] = linear.reshape(-1, most)


def _padded(length: int) -> int:
    return 2 ** math.ceil(math.log2(length))


def _rows(gates: Iterable[EigenGate], qubits: Sequence[int]) -> list[tuple[Sizes, list[EigenGate]]]:
    """Gates in rows on equal local qubits, in which those on fewer of these qubits join them."""
    rows: list[tuple[frozenset[int], list[EigenGate]]] = []
    for gate in gates:
        met = [number for number, (where, _) in enumerate(rows) if where & gate.qubits]
        if met and gate.qubits <= rows[met[-1]][0]:
            rows[met[-1]][1].append(gate)
            continue
        own = []
        for number in met:
            # What nothing on its qubits follows may wait for this gate.
            where, held = rows[number]
            if where <= gate.qubits and not any(where & later for later, _ in rows[number + 1 :]):
                own += held
                held.clear()
        rows = [row for row in rows if row[1]] + [(gate.qubits, [*own, gate])]
    return [(tuple(qubits.index(qubit) for qubit in sorted(where)), held) for where, held in rows]
