"""The circuits that are measured, and the figures to reach."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import cirq
import numpy as np
import sympy

from bench.problem import Problem
from tfq_fusion.circuits import ModelCircuit, padded_symbols, qfl_circuit


@dataclasses.dataclass(frozen=True)
class Workload:
    """One circuit, and what the compiled engine should reach on it; None where nothing is asked.

    Attributes:
        title: For people.
        build: Makes the problem.
        degree: The repetitions P of a Quantum Fusion Layer, whose operations :mod:`bench.roofline` counts.
        over_tfq: How many times faster than TensorFlow Quantum.
        over_peers: How many times faster than the fastest of the peers.
        over_roofline: How many times the roofline's time at most.
        first_call: The longest first call, in seconds.
    """

    title: str
    build: Callable[[], Problem]
    degree: int | None = None
    over_tfq: float | None = None
    over_peers: float | None = None
    over_roofline: float | None = None
    first_call: float | None = None


def qfl(modalities: int, features: int, degree: int, batch: int, hardware: bool = False) -> Problem:
    """The Quantum Fusion Layer with 32 random Pauli strings; in the gates that hardware has, if that is asked."""
    return _problem(qfl_circuit(modalities, features, degree, observables=32, hardware=hardware), batch)


def qcnn(qubits: int, batch: int) -> Problem:
    """A quantum convolutional network on product states, read out by one Z (Cong et al., arXiv 1810.03787).

    Each level applies one two-qubit block of 15 weights to all neighbours on a ring, then pools every second qubit
    into the one before it with 2 weights.
    """
    levels = (qubits - 1).bit_length()
    weights = padded_symbols("theta", 17 * levels)
    circuit = cirq.Circuit()
    active: Sequence[cirq.LineQubit] = cirq.LineQubit.range(qubits)
    for level in range(levels):
        symbols = weights[17 * level : 17 * (level + 1)]
        bonds = list(itertools.pairwise(active))
        ring = bonds[::2] + bonds[1::2] + ([(active[-1], active[0])] if len(active) > 2 else [])
        circuit += [_convolution(first, second, symbols[:15]) for first, second in ring]
        circuit += [_pooling(sink, source, symbols[15:]) for sink, source in bonds[::2]]
        active = active[::2]
    spec = ModelCircuit(circuit, (), weights, (cirq.PauliSum() + cirq.Z(active[0]),))

    angles = np.random.default_rng(1).uniform(-np.pi, np.pi, (batch, qubits, 2))
    preparations = tuple(
        cirq.Circuit((cirq.ry(a)(cirq.LineQubit(q)), cirq.rz(b)(cirq.LineQubit(q))) for q, (a, b) in enumerate(sample))
        for sample in angles
    )
    states = np.stack([cirq.final_state_vector(preparation, dtype=np.complex64) for preparation in preparations])
    return dataclasses.replace(_problem(spec, batch), preparations=preparations, states=states)


def reuploading(qubits: int, layers: int, batch: int) -> Problem:
    """Data re-uploading in which all angles are data, as behind a network: layers of rotations, CZs and inputs.

    The circuit of TensorFlow Quantum's tutorial on reinforcement learning (Skolik et al., arXiv 2103.15084), read out
    by one Pauli string.
    """
    register = cirq.LineQubit.range(qubits)
    symbols = iter(padded_symbols("x", (4 * layers + 3) * qubits))
    bonds = list(itertools.pairwise(register)) + ([(register[-1], register[0])] if qubits > 2 else [])

    def turned() -> Iterator[cirq.Operation]:
        for qubit in register:
            yield from (_rotation(kind, next(symbols))(qubit) for kind in ("rx", "ry", "rz"))

    circuit = cirq.Circuit()
    for _ in range(layers):
        circuit += [turned(), (cirq.CZ(*bond) for bond in bonds)]
        circuit += [_rotation("rx", next(symbols))(qubit) for qubit in register]
    circuit += turned()
    readout = cirq.PauliSum() + cirq.PauliString(cirq.Z(qubit) for qubit in register)
    data = tuple(sorted(cirq.parameter_symbols(circuit), key=str))
    return _problem(ModelCircuit(circuit, data, (), (readout,)), batch)


def hardware_efficient(qubits: int, layers: int, batch: int) -> Problem:
    """Rotations by data, then layers of rotations by weights about y and z, and of CZs; read out by every Z."""
    register = cirq.LineQubit.range(qubits)
    data, weights = padded_symbols("x", qubits), padded_symbols("theta", 2 * layers * qubits)
    unused = iter(weights)
    circuit = cirq.Circuit(cirq.ry(symbol)(qubit) for symbol, qubit in zip(data, register, strict=True))
    for _ in range(layers):
        circuit += [[cirq.ry(next(unused))(qubit), cirq.rz(next(unused))(qubit)] for qubit in register]
        circuit += [cirq.CZ(*bond) for bond in itertools.pairwise(register)]
    spec = ModelCircuit(circuit, data, weights, tuple(cirq.PauliSum() + cirq.Z(qubit) for qubit in register))
    return _problem(spec, batch)


def random_circuit(qubits: int, gates: int, batch: int) -> Problem:
    """Rotations of one and of two qubits, CZ, CNOT and H; a third of the angles is data."""
    rng = np.random.default_rng(2)
    register = cirq.LineQubit.range(qubits)
    unused = {"x": iter(padded_symbols("x", gates)), "theta": iter(padded_symbols("theta", gates))}
    fixed = {"CZ": cirq.CZ, "CNOT": cirq.CNOT}
    chances = {"rx": 0.2, "ry": 0.2, "rz": 0.2, "XX": 0.05, "YY": 0.05, "ZZ": 0.05, "CZ": 0.1, "CNOT": 0.1, "H": 0.05}
    circuit = cirq.Circuit()
    for kind in rng.choice(list(chances), size=gates, p=list(chances.values())).tolist():
        first, second = (register[position] for position in rng.choice(qubits, size=2, replace=False))
        if kind == "H":
            circuit += cirq.H(first)
        elif kind in fixed:
            circuit += fixed[kind](first, second)
        else:
            symbol = next(unused["x" if rng.random() < 1 / 3 else "theta"])
            circuit += _interaction(kind, symbol)(first, second) if kind.isupper() else _rotation(kind, symbol)(first)
    symbols = sorted(cirq.parameter_symbols(circuit), key=str)
    spec = ModelCircuit(
        circuit,
        tuple(symbol for symbol in symbols if symbol.name.startswith("x")),
        tuple(symbol for symbol in symbols if symbol.name.startswith("theta")),
        tuple(cirq.PauliSum() + pauli(qubit) for pauli in (cirq.Z, cirq.X) for qubit in (register[0], register[-1])),
    )
    return _problem(spec, batch)


def _problem(spec: ModelCircuit, batch: int) -> Problem:
    rng = np.random.default_rng(0)
    return Problem(
        circuit=spec.circuit,
        data_symbols=tuple(symbol.name for symbol in spec.data_symbols),
        weight_symbols=tuple(symbol.name for symbol in spec.weight_symbols),
        operators=spec.operators,
        data=rng.uniform(-np.pi / 2, np.pi / 2, (batch, len(spec.data_symbols))).astype(np.float32),
        weights=rng.uniform(-np.pi / 2, np.pi / 2, len(spec.weight_symbols)).astype(np.float32),
        upstream=rng.normal(size=(batch, len(spec.operators))).astype(np.float32),
    )


def _rotation(kind: str, symbol: sympy.Symbol) -> cirq.Gate:
    return {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}[kind](symbol)


def _interaction(kind: str, symbol: sympy.Symbol) -> cirq.Gate:
    gates: dict[str, Callable[..., cirq.Gate]] = {"XX": cirq.XXPowGate, "YY": cirq.YYPowGate, "ZZ": cirq.ZZPowGate}
    return gates[kind](exponent=symbol / sympy.pi, global_shift=-0.5)


def _convolution(first: cirq.Qid, second: cirq.Qid, symbols: Sequence[sympy.Symbol]) -> Iterator[cirq.Operation]:
    """Any two-qubit unitary: rotations, the three interactions, rotations."""
    angles = iter(symbols)
    for qubit in (first, second):
        yield from (_rotation(kind, next(angles))(qubit) for kind in ("rz", "ry", "rz"))
    yield from (_interaction(kind, next(angles))(first, second) for kind in ("XX", "YY", "ZZ"))
    for qubit in (first, second):
        yield from (_rotation(kind, next(angles))(qubit) for kind in ("rz", "ry", "rz"))


def _pooling(sink: cirq.Qid, source: cirq.Qid, symbols: Sequence[sympy.Symbol]) -> Iterator[cirq.Operation]:
    yield _rotation("rz", symbols[0])(sink).controlled_by(source, control_values=[1])
    yield _rotation("rx", symbols[1])(sink).controlled_by(source, control_values=[0])


_N8 = functools.partial(qfl, 22, 4, 5)
_RANDOM = functools.partial(random_circuit, 16, 200, 8)
_TUTORIAL = functools.partial(reuploading, 4, 5, 16)

WORKLOADS = {
    "qfl-n5": Workload("QFL n=5 P=3 B=32", lambda: qfl(3, 4, 3, 32), 3, 80, 6, first_call=5),
    "qfl-n6": Workload("QFL n=6 P=3 B=256", lambda: qfl(6, 4, 3, 256), 3, 200, 50, over_roofline=4, first_call=5),
    "qfl-n8-b32": Workload("QFL n=8 P=5 B=32", lambda: _N8(32), 5, 200, 100, over_roofline=4, first_call=5),
    "qfl-n8": Workload("QFL n=8 P=5 B=256", lambda: _N8(256), 5, 200, 100, over_roofline=4, first_call=5),
    "qfl-n11": Workload("QFL n=11 P=3 B=32", lambda: qfl(207, 4, 3, 32), 3, 150, 20),
    "qcnn-n8": Workload("QCNN n=8, 51 weights, B=256", lambda: qcnn(8, 256), None, 50, 3),
    "qcnn-n12": Workload("QCNN n=12, 68 weights, B=64", lambda: qcnn(12, 64), None, 8, 2),
    "random-n16": Workload("Random n=16, 200 gates, B=8", _RANDOM, None, 1.5, 1),
    "reuploading-n4": Workload("Re-uploading n=4, 5 layers, B=16", _TUTORIAL, None, 10, first_call=2),
    "reuploading-n8": Workload("Re-uploading n=8, 6 layers, B=64", lambda: reuploading(8, 6, 64), first_call=5),
    "hardware-n20": Workload("Hardware-efficient n=20, 3 layers, B=1", lambda: hardware_efficient(20, 3, 1)),
}
"""Quantum convolutional networks start from states, the others from zeros."""

QUICK = {
    "qfl-n3": Workload("QFL n=3 P=1 B=4", lambda: qfl(1, 3, 1, 4), 1),
    "qcnn-n4": Workload("QCNN n=4, 34 weights, B=4", lambda: qcnn(4, 4)),
}
"""For a look whether everything runs."""

SHALLOW = Workload("QFL n=8 P=5 B=256", WORKLOADS["qfl-n8"].build)
DEEP = Workload("QFL n=8 P=50 B=256", lambda: qfl(22, 4, 50, 256))
"""Ten times the depth, whose gradient should take at most :data:`MEMORY_RATIO` times the memory."""
MEMORY_RATIO = 1.5
SECOND_CALL = 1.0
"""Seconds that the first call of a process should take at most, if one before it compiled the same."""
