"""Quantum convolutional neural networks: convolutions between neighbours, poolings that halve the qubits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cirq
import sympy

from tfq_fusion.arguments import one_of
from tfq_fusion.circuits.feature_encoding import encode_features
from tfq_fusion.circuits.model import ModelCircuit, padded_symbols
from tfq_fusion.circuits.observables import every_pauli_observable

READOUTS = ("z", "pauli")
"""What :func:`qcnn_circuit` measures."""

Pairs = list[tuple[int, int]]
Gates = Callable[[cirq.Qid, cirq.Qid, Sequence[sympy.Symbol]], Iterator[cirq.OP_TREE]]


def su4_gates(first: cirq.Qid, second: cirq.Qid, weights: Sequence[sympy.Symbol]) -> Iterator[cirq.OP_TREE]:
    r"""Any two-qubit unitary, from 15 angles in radians, as Hur, Kim & Park write it.

    $$
    (V_{9,10,11} \otimes V_{12,13,14})\, C_{12}\, (R_y(w_8) \otimes I)\, C_{21}\, (R_y(w_6) \otimes R_z(w_7))\,
    C_{12}\, (V_{0,1,2} \otimes V_{3,4,5}), \qquad V_{a,b,c} = R_z(w_b) R_y(w_a) R_z(w_c),
    $$

    with $C_{12}$ the CNOT that the first qubit controls. V is the usual U3 up to a global phase (arXiv 2108.00661;
    the form is that of Vatan & Williams, arXiv quant-ph/0308006).
    """
    yield _rotate(first, weights[0:3]), _rotate(second, weights[3:6])
    yield cirq.CNOT(first, second), cirq.ry(weights[6]).on(first), cirq.rz(weights[7]).on(second)
    yield cirq.CNOT(second, first), cirq.ry(weights[8]).on(first), cirq.CNOT(first, second)
    yield _rotate(first, weights[9:12]), _rotate(second, weights[12:15])


def tutorial_gates(first: cirq.Qid, second: cirq.Qid, weights: Sequence[sympy.Symbol]) -> Iterator[cirq.OP_TREE]:
    r"""Any two-qubit unitary, from 15 exponents in half turns, as TensorFlow Quantum's tutorial writes it.

    $$
    (T_{9,10,11} \otimes T_{12,13,14})\, (X X)^{w_8} (Y Y)^{w_7} (Z Z)^{w_6}\, (T_{0,1,2} \otimes T_{3,4,5}), \qquad
    T_{a,b,c} = Z^{w_c} Y^{w_b} X^{w_a}
    $$

    Source: https://www.tensorflow.org/quantum/tutorials/qcnn.
    """
    yield _turn(first, weights[0:3]), _turn(second, weights[3:6])
    for gate, weight in zip((cirq.ZZ, cirq.YY, cirq.XX), weights[6:9], strict=True):
        yield gate(first, second) ** weight
    yield _turn(first, weights[9:12]), _turn(second, weights[12:15])


def controlled_pool(source: cirq.Qid, sink: cirq.Qid, weights: Sequence[sympy.Symbol]) -> Iterator[cirq.OP_TREE]:
    r"""Turn the sink by $R_z(w_0)$ where the source is 1, by $R_x(w_1)$ where it is 0; flip the source.

    Two angles in radians: $|0\rangle\langle 1| \otimes R_z(w_0) + |1\rangle\langle 0| \otimes R_x(w_1)$, source
    first (Hur, Kim & Park, arXiv 2108.00661: CRZ, X, CRX).
    """
    yield cirq.rz(weights[0]).on(sink).controlled_by(source)
    yield cirq.X(source)
    yield cirq.rx(weights[1]).on(sink).controlled_by(source)


def tutorial_pool(source: cirq.Qid, sink: cirq.Qid, weights: Sequence[sympy.Symbol]) -> Iterator[cirq.OP_TREE]:
    r"""A CNOT from source to sink, each in a basis of its own, as in TensorFlow Quantum's tutorial.

    $$
    (I \otimes T_{0,1,2}^\dagger)\, C\, (T_{3,4,5} \otimes T_{0,1,2}), \qquad T_{a,b,c} = Z^{w_c} Y^{w_b} X^{w_a},
    $$

    source first, from six exponents in half turns.
    """
    basis = cirq.Circuit(_turn(sink, weights[0:3]))
    yield basis, _turn(source, weights[3:6]), cirq.CNOT(source, sink), basis**-1


def _rotate(qubit: cirq.Qid, angles: Sequence[sympy.Symbol]) -> list[cirq.Operation]:
    theta, phi, delta = angles
    return [cirq.rz(delta).on(qubit), cirq.ry(theta).on(qubit), cirq.rz(phi).on(qubit)]


def _turn(qubit: cirq.Qid, exponents: Sequence[sympy.Symbol]) -> list[cirq.Operation]:
    return [gate(qubit) ** weight for gate, weight in zip((cirq.X, cirq.Y, cirq.Z), exponents, strict=True)]


def _neighbours(count: int) -> Pairs:
    pairs = [(i, i + 1) for i in range(count - 1)]
    return pairs[::2] + pairs[1::2]


def _ring_closed_first(count: int) -> Pairs:
    return [(0, count - 1), *(_neighbours(count) if count > 2 else [])]


def _ring_closed_last(count: int) -> Pairs:
    # On two qubits this is a second gate, the other way round, as in the tutorial.
    return [*_neighbours(count), (count - 1, 0)]


def _next_to_each_other(count: int) -> Pairs:
    return [(i, i + 1) for i in range(0, count - 1, 2)]


def _half_into_half(count: int) -> Pairs:
    half = count // 2
    return [(i, count - half + i) for i in range(half)]


class _Layer(NamedTuple):
    """A kind of layer: one gate's weights, its operations, and the pairs of positions that it acts on."""

    weights: int
    gates: Gates
    pairs: Callable[[int], Pairs]


_CONVOLUTIONS = {
    "su4": _Layer(15, su4_gates, _ring_closed_first),
    "tutorial": _Layer(15, tutorial_gates, _ring_closed_last),
}
_POOLINGS = {
    "controlled": _Layer(2, controlled_pool, _next_to_each_other),
    "tutorial": _Layer(6, tutorial_pool, _half_into_half),
}
_POOLING_OF = {"su4": "controlled", "tutorial": "tutorial"}

CONVOLUTIONS = tuple(_CONVOLUTIONS)
"""The convolutions of :func:`qcnn_circuit`."""
POOLINGS = tuple(_POOLINGS)
"""The poolings of :func:`qcnn_circuit`."""


def qcnn_layers(
    qubits: Sequence[cirq.Qid],
    convolution: str = "su4",
    pooling: str | None = None,
    shared: bool = True,
    readout: str = "z",
    prefix: str = "theta",
) -> tuple[cirq.Circuit, tuple[sympy.Symbol, ...], tuple[cirq.PauliSum, ...]]:
    """The layers of :func:`qcnn_circuit`, to be put behind another circuit.

    Args:
        qubits: The qubits, at least two; neighbours in the sequence are neighbours on the ring.
        convolution: See :func:`qcnn_circuit`.
        pooling: Likewise.
        shared: Likewise.
        readout: Likewise.
        prefix: What the names of the weights begin with.

    Returns:
        The circuit; its weights, layer after layer, those of a layer's convolution before those of its pooling; and
        the observables.

    Raises:
        ValueError: If pooling would leave no qubit, or a name is unknown; the message lists the known ones.
    """
    one_of("convolution", convolution, CONVOLUTIONS)
    pooling = _POOLING_OF[convolution] if pooling is None else pooling
    one_of("pooling", pooling, POOLINGS)
    one_of("readout", readout, READOUTS)
    if len(qubits) < 2:
        raise ValueError(f"qubits should be at least 2, got {len(qubits)}: pooling would leave no qubit.")

    kept, remain = list(qubits), 1 if readout == "z" else 2
    layers: list[tuple[_Layer, list[tuple[cirq.Qid, cirq.Qid]]]] = []

    def add(layer: _Layer) -> None:
        layers.append((layer, [(kept[first], kept[second]) for first, second in layer.pairs(len(kept))]))

    while len(kept) > 1:
        add(_CONVOLUTIONS[convolution])
        if len(kept) == remain:
            break
        add(_POOLINGS[pooling])
        sources = {source for source, _ in layers[-1][1]}
        kept = [qubit for qubit in kept if qubit not in sources]

    weights = padded_symbols(prefix, sum(layer.weights * (1 if shared else len(pairs)) for layer, pairs in layers))
    circuit, start = cirq.Circuit(), 0
    for layer, pairs in layers:
        for number, pair in enumerate(pairs):
            if number == 0 or not shared:
                own, start = weights[start : start + layer.weights], start + layer.weights
            circuit.append(layer.gates(*pair, own))
    if readout == "z":
        return circuit, weights, (cirq.PauliSum.wrap(cirq.Z(kept[-1])),)
    return circuit, weights, every_pauli_observable(kept)


def qcnn_circuit(
    qubits: int = 8,
    convolution: str = "su4",
    pooling: str | None = None,
    shared: bool = True,
    readout: str = "z",
    encoding: str | None = None,
) -> ModelCircuit:
    """A quantum convolutional neural network (Cong, Choi & Lukin, arXiv 1810.03787).

    Each layer is a convolution, one two-qubit unitary on every pair of neighbours on a ring, and a pooling, which
    acts on pairs of qubits and keeps one of each; an odd qubit is carried over. ``n`` qubits make ``ceil(log2(n))``
    layers. Discarded qubits are never measured: that is their partial trace.

    Args:
        qubits: The number of qubits, at least 2.
        convolution: "su4", the one of Hur, Kim & Park (arXiv 2108.00661): :func:`su4_gates`, the bond that closes
            the ring first; or "tutorial", TensorFlow Quantum's: :func:`tutorial_gates`, that bond last.
        pooling: "controlled", of each two neighbours the first into the second: :func:`controlled_pool`; "tutorial",
            the first half of the qubits into the last: :func:`tutorial_pool`; None for the one that the
            convolution's source uses. On 8 qubits "su4" has then 51 weights and "tutorial" 63, as published.
            Hur, Kim & Park number the qubits the other way, and pool the last two the other way.
        shared: Whether all gates of a convolution, and all of a pooling, have the same weights.
        readout: "z", Z of the one qubit that is left, the last; or "pauli": pooling stops at two qubits, and all
            15 Pauli strings on them but the identity are measured.
        encoding: How classical data enter, "angle", "dense_angle" or "amplitude", see
            :func:`~tfq_fusion.circuits.encode_features`; None where states are the data.

    Returns:
        The circuit. Weights are angles in radians for "su4" and "controlled", exponents in half turns for "tutorial".

    Raises:
        ValueError: If pooling would leave no qubit, or a name is unknown; the message lists the known ones.
    """
    line = cirq.LineQubit.range(qubits)
    layers, weights, operators = qcnn_layers(line, convolution, pooling, shared, readout)
    if encoding is None:
        return ModelCircuit(layers, (), weights, operators)
    encoder, data = encode_features(line, encoding)
    return ModelCircuit(encoder + layers, data, weights, operators)
