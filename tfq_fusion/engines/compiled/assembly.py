"""From groups of gates to the steps of a program, and to their numbers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray
from tfq_fusion.engines.compiled.channels import sampled_matrices
from tfq_fusion.engines.compiled.gates import EigenGate
from tfq_fusion.engines.compiled.program import (
    Bank,
    BlockStep,
    DiagonalStep,
    Element,
    Family,
    GateStep,
    Part,
    PermutationStep,
    PhaseStep,
    RotationStep,
    SampledStep,
    Sizes,
    Step,
    Tables,
)
from tfq_fusion.engines.compiled.walsh import sign_tables


@dataclasses.dataclass
class Group:
    """Gates that become one step; ``kind`` is "block", "phases", "diagonal", "rotation", "gate" or "sampled"."""

    kind: str
    gates: list[EigenGate] = dataclasses.field(default_factory=list)
    qubits: frozenset[int] = frozenset()

    def add(self, gate: EigenGate) -> None:
        """Let a gate join."""
        self.gates.append(gate)
        self.qubits |= gate.qubits


def control_qubits(gate: EigenGate) -> Sizes:
    """The positions of a gate's controls, ascending."""
    return tuple(sorted(position for position, _ in gate.controls))


def matrices_of(gate: EigenGate) -> tuple[bytes, bytes]:
    """Equal for gates that are alike but for their qubits and their angles."""
    return gate.phases.tobytes(), gate.projectors.tobytes()


def layout(group: Group) -> tuple[int, tuple[tuple[Sizes, int], ...], bool]:
    """How a block is built of gates: its width, its rows with their lengths, and whether each sample has its own."""
    shape = tuple((where, _padded(len(gates))) for where, gates in _rows(group.gates, sorted(group.qubits)))
    return len(group.qubits), shape, any(gate.angle.kind == "data" for gate in group.gates)


def axes_of(group: Group) -> str:
    """What rotations of a qubit turn about, one after the other."""
    return "".join(axis for axis, _ in itertools.groupby(gate.axis or "" for gate in group.gates))


class Assembly:
    """Collects the parts and constants of a program."""

    def __init__(self, count: int, data: int, weights: int) -> None:
        self.count, self.data, self.weights = count, data, weights
        self.order = list(range(count))
        self.constants: dict[str, npt.NDArray[Any]] = {}
        self.diagonals: dict[bytes, DiagonalStep] = {}
        self.phases = 0
        self.tables: dict[Tables, dict[bytes, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]] = {}
        self.gates: dict[Hashable, int] = {}
        self.sampled: dict[bytes, int] = {}
        self.exponents: list[EigenGate] = []
        self.blocks: dict[Any, list[list[list[EigenGate]]]] = {}

    def part(self, stacks: Sequence[Sequence[Group]]) -> Part:
        """Steps from groups, those of all passes that are alike together."""
        start, passes = list(self.order), len(stacks[0])
        steps, members = self.steps(stacks)
        if passes > 1 and self.order != start:
            steps, members = (*steps, PermutationStep(self._to_front(start))), (*members, ())
        return Part(steps, members, passes)

    def steps(self, stacks: Sequence[Sequence[Group]]) -> tuple[tuple[Any, ...], tuple[Sizes, ...]]:
        """The steps of one pass, and of each the numbers that it takes in all."""
        make = {
            "block": self._block,
            "phases": self._phases,
            "diagonal": self._diagonal,
            "rotation": self._rotation,
            "gate": self._gate,
            "sampled": self._sampled,
        }
        waiting, found = list(stacks), []
        while waiting:
            alike = waiting.pop(self._next([first for first, *_ in waiting]))
            found.append(make[alike[0].kind](alike))
        return tuple(step for step, _ in found), tuple(members for _, members in found)

    def _next(self, waiting: Sequence[Group]) -> int:
        """The matrix whose qubits are in front already, if it may go first; else the first group."""
        passed: set[int] = set()
        for number, group in enumerate(waiting):
            if group.kind not in ("block", "sampled") or group.qubits & passed:
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

    def finish(self) -> tuple[tuple[Family, ...], dict[str, npt.NDArray[Any]]]:
        """The families of blocks, and all constants but the observables'."""
        families = self._families()
        self.constants |= {
            "exponent data": self._mix(self.exponents, "data", self.data),
            "exponent weights": self._mix(self.exponents, "weight", self.weights),
            "exponent offset": np.array([gate.angle.offset for gate in self.exponents]),
        }
        for tables, rows in self.tables.items():
            for name, arrays in zip(("mix", "offset"), zip(*rows.values(), strict=True), strict=True):
                self.constants[f"{tables.name} {name}"] = np.stack(arrays)
        return families, self.constants

    @staticmethod
    def _mix(gates: Sequence[EigenGate], kind: str, columns: int) -> npt.NDArray[np.float64]:
        mix = np.zeros((len(gates), columns))
        for row, gate in enumerate(gates):
            if gate.angle.kind == kind:
                mix[row, gate.angle.index] = gate.angle.scale
        return mix

    def _diagonal(self, alike: Sequence[Group]) -> tuple[Step, Sizes]:
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

    def _phases(self, alike: Sequence[Group]) -> tuple[PhaseStep, Sizes]:
        terms: dict[Sizes, FloatArray] = {}
        for gate in alike[0].gates:
            qubits = sorted(gate.qubits)
            phases, projectors = gate.expanded(qubits)
            turns, projections = np.pi * phases, np.einsum("edd->ed", projectors)
            if gate.angle.kind == "constant":
                # Not all fixed gates have eigenvalue phases: some are one matrix.
                diagonal, offset = np.angle(np.exp(1j * turns * gate.angle.offset) @ projections), 1.0
            else:
                diagonal, offset = turns @ projections.real, gate.angle.offset
            of_data, of_weights = self._mix([gate], "data", self.data), self._mix([gate], "weight", self.weights)
            mix = np.concatenate([of_data[0], of_weights[0], [offset]])
            sizes = range(1, len(qubits) + 1)
            strings = [string for size in sizes for string in itertools.combinations(range(len(qubits)), size)]
            for string, first, second in zip(strings, *sign_tables(strings, len(qubits)), strict=True):
                place = tuple(sorted(self.order.index(qubits[qubit]) for qubit in string))
                terms[place] = terms.get(place, np.zeros_like(mix)) + np.mean(np.kron(first, second) * diagonal) * mix
        # The empty string, a phase of all, is there where no other is.
        terms = {place: mix for place, mix in terms.items() if np.abs(mix).max() > 1e-12} or {(): np.zeros_like(mix)}
        high, low = sign_tables(terms, self.count)
        mixes = np.stack(list(terms.values()))
        data, weights, constant = np.split(mixes, [self.data, self.data + self.weights], axis=1)
        name = f"phases {self.phases}"
        self.constants |= {
            f"{name} high": high,
            f"{name} low": low,
            f"{name} weights": weights,
            f"{name} offset": constant[:, 0],
        }
        if data.any():
            self.constants[f"{name} data"] = data
        self.phases += 1
        return PhaseStep(self.phases - 1, bool(data.any())), ()

    def _rotation(self, alike: Sequence[Group]) -> tuple[Step, Sizes]:
        first = alike[0].gates[0]
        controls, (target,) = control_qubits(first), first.targets
        tables = Tables(axes_of(alike[0]), 2 ** len(controls))
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

    def _gate(self, alike: Sequence[Group]) -> tuple[Step, Sizes]:
        (gate,) = alike[0].gates
        order, values = self._to_front(gate.targets), dict(gate.controls)
        active = tuple(values.get(qubit, slice(None)) for qubit in self.order[len(gate.targets) :])
        number = self.gates.setdefault((matrices_of(gate), str(active)), len(self.gates))
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

    def _sampled(self, alike: Sequence[Group]) -> tuple[Step, Sizes]:
        bits = sorted(alike[0].qubits)
        frequencies, matrices = sampled_matrices(alike[0].gates, bits)
        number = self.sampled.setdefault(frequencies.tobytes() + matrices.tobytes(), len(self.sampled))
        self.constants |= {f"sampled {number} frequencies": frequencies, f"sampled {number} matrices": matrices}
        start = len(self.exponents)
        self.exponents += [gate for group in alike for gate in group.gates if gate.angle.kind == "data"]
        step = SampledStep(number, len(bits), self._to_front(bits))
        return step, tuple(range(start, len(self.exponents)))

    def _block(self, alike: Sequence[Group]) -> tuple[BlockStep, Sizes]:
        qubits, key = sorted(alike[0].qubits), layout(alike[0])
        members = self.blocks.setdefault(key, [])
        start = len(members)
        members += [[gates for _, gates in _rows(group.gates, qubits)] for group in alike]
        step = BlockStep(list(self.blocks).index(key), len(qubits), self._to_front(qubits))
        return step, tuple(range(start, len(members)))

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
    return 1 << math.ceil(math.log2(length))


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
