"""The evidence fusion block: modalities judge the same propositions, and a circuit combines their judgements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cirq
import numpy as np
import numpy.typing as npt
import sympy

from tfq_fusion._typing import FloatArray
from tfq_fusion.arguments import one_of
from tfq_fusion.circuits.model import ModelCircuit, padded_symbols
from tfq_fusion.circuits.qcnn import READOUTS, qcnn_layers


def evidence_fusion_circuit(
    modalities: int, propositions: int, convolution: str | None = "su4", readout: str = "pauli"
) -> ModelCircuit:
    r"""Evidence of several modalities, fused proposition by proposition, and a QCNN behind the fused qubits.

    **A reconstruction.** The paper (arXiv 2601.07856) states that its fusion block rests on evidence theory, that it is
    linear in complexity and that it is followed by a quantum convolutional neural network (QCNN); its circuits were
    not at hand. These are ours; the documentation has the derivation.

    Modality m says to which degree $\pi_{mk}$ proposition k is possible. Its *evidence qubit* (m, k) holds
    $\sqrt{1 - \pi_{mk}}\,|0\rangle + \sqrt{\pi_{mk}}\,|1\rangle$, by a rotation $R_y(2 \arcsin \sqrt{\pi_{mk}})$, and
    controls rotations of the *fused qubit* k. Where the evidence qubits of a proposition hold the bits x, its fused
    qubit becomes

    $$
    R_y\left(t_0 + \sum_m t_m x_m + t_\wedge \prod_m x_m + t_\vee \prod_m (1 - x_m)\right) |0\rangle .
    $$

    These are M + 3 gates and as many weights per proposition: one rotation, one with a control for each modality, one
    controlled by all evidence qubits being 1 and one by all being 0. Their special values are rules of combination,
    with p the probability to find the fused qubit in 1:

    - conjunctive (AND), $p = \prod_m \pi_m$: $t_\wedge = \pi$, all others 0;
    - disjunctive (OR), $p = 1 - \prod_m (1 - \pi_m)$: $t_0 = \pi$, $t_\vee = -\pi$, all others 0;
    - trust in modality m alone, $p = \pi_m$: $t_m = \pi$, all others 0;
    - voting: $t_m = \pi / M$ for every m, all others 0.

    Args:
        modalities: The number M of modalities, at least 2.
        propositions: The number K of propositions.
        convolution: The convolution of the QCNN on the K fused qubits, see :func:`~tfq_fusion.circuits.qcnn_circuit`.
            None for no QCNN: Z of each fused qubit is measured, $1 - 2 p$.
        readout: What is measured behind the QCNN, likewise.

    Returns:
        The circuit, on (M + 1) K qubits. Evidence qubit (m, k) is ``cirq.GridQubit(m, k)``, fused qubit k is
        ``cirq.GridQubit(M, k)``. Data are the angles of the evidence qubits, $2 \arcsin \sqrt{\pi_{mk}}$, modality by
        modality. Weights are $t_0, t_1, \ldots, t_M, t_\wedge, t_\vee$ in radians, proposition by proposition, then
        the QCNN's.

    Raises:
        ValueError: If an argument is out of its range; the message names the range.
    """
    if modalities < 2:
        raise ValueError(f"modalities should be at least 2, got {modalities}.")
    if propositions < 1:
        raise ValueError(f"propositions should be at least 1, got {propositions}.")
    one_of("readout", readout, READOUTS)
    qubits = cirq.GridQubit.rect(modalities + 1, propositions)
    evidence, fused = qubits[:-propositions], qubits[-propositions:]
    data = padded_symbols("x", modalities * propositions)
    weights = padded_symbols("fusion", propositions * (modalities + 3))

    circuit = cirq.Circuit(cirq.ry(angle).on(qubit) for angle, qubit in zip(data, evidence, strict=True))
    for k in range(propositions):
        own = weights[k * (modalities + 3) : (k + 1) * (modalities + 3)]
        circuit.append(combination_ops(evidence[k::propositions], fused[k], own))
    if convolution is None:
        return ModelCircuit(circuit, data, weights, tuple(cirq.PauliSum.wrap(cirq.Z(qubit)) for qubit in fused))
    layers, trained, operators = qcnn_layers(fused, convolution, readout=readout)
    return ModelCircuit(circuit + layers, data, (*weights, *trained), operators)


def combination_ops(
    evidence: Sequence[cirq.Qid], fused: cirq.Qid, weights: Sequence[sympy.Symbol | float]
) -> Iterator[cirq.Operation]:
    r"""The gates that combine the evidence for one proposition, see :func:`evidence_fusion_circuit`.

    A rotation with M controls stands for a number of elementary gates that is linear in M (Barenco et al., Phys. Rev. A
    52, 3457, 1995).

    Args:
        evidence: The evidence qubits, one for each modality.
        fused: The fused qubit.
        weights: $t_0, t_1, \ldots, t_M, t_\wedge, t_\vee$ in radians.

    Yields:
        M + 3 operations, for M modalities.
    """
    constant, *single, conjunctive, disjunctive = (cirq.ry(weight).on(fused) for weight in weights)
    yield constant
    for qubit, rotation in zip(evidence, single, strict=True):
        yield rotation.controlled_by(qubit)
    yield conjunctive.controlled_by(*evidence)
    yield disjunctive.controlled_by(*evidence, control_values=[0] * len(evidence))


def fused_states(masses: FloatArray, weights: FloatArray) -> npt.NDArray[np.float64]:
    """The reduced states of the fused qubits before the QCNN, from :func:`fused_expectations`.

    Args:
        masses: Degrees of possibility in [0, 1], ``[..., M, K]``.
        weights: The block's weights, the first ``K * (M + 3)`` of :func:`evidence_fusion_circuit`.

    Returns:
        Density matrices ``[..., K, 2, 2]``, real, float64. Fused qubits are independent of each other.
    """
    masses = np.asarray(masses, np.float64)
    table = np.reshape(weights, (masses.shape[-1], -1)).astype(np.float64)
    z, x = fused_expectations(masses, np.cos(table), np.sin(table))
    states: npt.NDArray[np.float64] = 0.5 * np.stack(
        [np.stack([1 + z, x], axis=-1), np.stack([x, 1 - z], axis=-1)], axis=-2
    )
    return states


def fused_expectations(masses: Any, cosines: Any, sines: Any) -> tuple[Any, Any]:
    r"""Z and X of the fused qubits before the QCNN, in closed form, for arrays and tensors alike.

    Evidence qubits are controls and no more, so a fused qubit is the mixture of what it becomes for each value x of
    their bits, with the probabilities of independent bits. A state $R_y(a)|0\rangle$ has $\langle Z \rangle + i \langle
    X \rangle = e^{i a}$, and the mean of that over x is a product over modalities but for two terms:

    $$
    \langle Z \rangle + i \langle X \rangle = e^{i t_0} \left[ \prod_m (1 - \pi_m + \pi_m e^{i t_m})
    + (e^{i t_\wedge} - 1) \prod_m \pi_m e^{i t_m} + (e^{i t_\vee} - 1) \prod_m (1 - \pi_m) \right]
    $$

    Args:
        masses: Degrees of possibility in [0, 1], ``[..., M, K]``.
        cosines: Of the block's weights, ``[K, M + 3]``.
        sines: Likewise.

    Returns:
        Both expectation values, ``[..., K]``.
    """

    def times(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
        """Complex numbers as pairs: not every backend differentiates its own."""
        return first[0] * second[0] - first[1] * second[1], first[0] * second[1] + first[1] * second[0]

    def turn(column: int) -> tuple[Any, Any]:
        return cosines[:, column], sines[:, column]

    modalities = masses.shape[-2]
    mean, every, none = (1.0, 0.0), (1.0, 0.0), 1.0
    for modality in range(modalities):
        possible = masses[..., modality, :]
        turned = times((possible, 0.0), turn(1 + modality))
        mean = times(mean, (1 - possible + turned[0], turned[1]))
        every = times(every, turned)
        none = none * (1 - possible)
    conjunctive, disjunctive = turn(modalities + 1), turn(modalities + 2)
    every = times(every, (conjunctive[0] - 1, conjunctive[1]))
    z = mean[0] + every[0] + none * (disjunctive[0] - 1)
    x = mean[1] + every[1] + none * disjunctive[1]
    return times((z, x), turn(0))
