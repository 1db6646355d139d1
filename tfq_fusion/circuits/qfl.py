"""The circuit of the Quantum Fusion Layer (arXiv 2510.06938)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cirq
import numpy as np
import numpy.typing as npt

from tfq_fusion.arguments import one_of
from tfq_fusion.circuits.ansatz import ENTANGLERS, hardware_efficient_block
from tfq_fusion.circuits.encoding import MultiplexedRotation
from tfq_fusion.circuits.model import ModelCircuit, padded_symbols
from tfq_fusion.circuits.observables import (
    MEASUREMENTS,
    computational_observables,
    pauli_plane_observables,
    random_pauli_observables,
)
from tfq_fusion.circuits.registers import FusionRegisters


def qfl_circuit(
    modalities: int,
    features: int | Sequence[int],
    degree: int,
    blocks: int = 1,
    entangler: str = "all_to_all",
    signal: str = "ry",
    measurement: str = "random_pauli",
    observables: int = 32,
    seed: int = 0,
    locality: int | None = None,
    hardware: bool = False,
) -> ModelCircuit:
    r"""The Quantum Fusion Layer: ``degree`` repetitions of the encoding between trained unitaries.

    $$ U(\theta_P)\, S(x)\, U(\theta_{P-1}) \cdots S(x)\, U(\theta_0)\, |0\rangle $$

    S(x) is a :class:`MultiplexedRotation` over all features and a constant term at index 0, whose angle is zero; it
    appears as controlled rotations, which TensorFlow Quantum can run. Each U is ``blocks`` hardware-efficient
    blocks. With ``n = ceil(log2(M * D + 1)) + 1`` qubits there are ``3 * n * blocks * (degree + 1)`` weights. The
    paper states the structure, but neither the entangler, nor the blocks per U, nor the number of observables:
    those defaults are ours.

    Example:
        >>> from tfq_fusion.circuits import qfl_circuit
        >>> spec = qfl_circuit(modalities=3, features=4, degree=2)
        >>> len(spec.circuit.all_qubits()), len(spec.data_symbols), len(spec.weight_symbols), len(spec.operators)
        (5, 12, 45, 32)

    Args:
        modalities: The number M of modalities.
        features: The number D of features of every modality, or one number per modality.
        degree: The number P of repetitions. In each angle an expectation value is a trigonometric polynomial with
            frequencies 0, 1/2, 1, ..., P: its period is 4 pi, because the branch of the constant term does not turn.
        blocks: Hardware-efficient blocks in each U.
        entangler: "all_to_all", "ring" or "brick".
        signal: The rotation that carries the data: "rx", "ry" or "rz".
        measurement: "random_pauli", "pauli_plane" or "computational".
        observables: How many are measured.
        seed: Seeds the choice of observables.
        locality: The qubits per observable. None for any number of them with "random_pauli", and for 2 with
            "pauli_plane"; "computational" has no use for it.
        hardware: Whether to write S(x) as single-qubit rotations and CNOTs, as
            :meth:`MultiplexedRotation.decompose_for_hardware` does. The data symbols are then the angles of those
            rotations, which :func:`hardware_mix` makes from the features' angles.

    Returns:
        The circuit. Its data symbols are angles in radians, modality by modality.

    Raises:
        ValueError: If an argument is out of its range; the message names the range.
    """
    for name, number in (("modalities", modalities), ("degree", degree), ("blocks", blocks)):
        if number < 1:
            raise ValueError(f"{name} should be at least 1, got {number}.")
    one_of("signal", signal, ("rx", "ry", "rz"))
    one_of("entangler", entangler, ENTANGLERS)
    one_of("measurement", measurement, MEASUREMENTS)
    registers = FusionRegisters.of(modalities, features)
    qubits = registers.qubits

    data = padded_symbols("x", registers.terms - 1)
    encoding = MultiplexedRotation((0, *data), axis=signal[1])
    if hardware:
        data = padded_symbols("phi", len(encoding.angles))
        encoding_ops = tuple(encoding.decompose_for_hardware(qubits, data))
    else:
        encoding_ops = tuple(cirq.decompose_once(encoding.on(*qubits)))
    weights = padded_symbols("theta", 3 * len(qubits) * blocks * (degree + 1))
    per_block = 3 * len(qubits)
    layers = iter(
        hardware_efficient_block(qubits, weights[start : start + per_block], entangler)
        for start in range(0, len(weights), per_block)
    )
    circuit = cirq.Circuit(itertools.islice(layers, blocks))
    for _ in range(degree):
        circuit += cirq.Circuit(encoding_ops, itertools.islice(layers, blocks))

    rng = np.random.default_rng(seed)
    if measurement == "random_pauli":
        operators = random_pauli_observables(qubits, observables, rng, locality)
    elif measurement == "pauli_plane":
        operators = pauli_plane_observables(qubits, observables, rng, 2 if locality is None else locality)
    else:
        operators = computational_observables(qubits, observables)
    return ModelCircuit(circuit, data, weights, operators)


def hardware_mix(features: int) -> npt.NDArray[np.float64]:
    """What makes the data of a ``hardware`` circuit from the angles of all features: ``angles @ mix``.

    Args:
        features: The number of features of all modalities together.

    Returns:
        ``[features, 2**k]``, float64, with ``k = ceil(log2(features + 1))`` index qubits.
    """
    units = np.eye(features + 1)[1:]
    return np.array([MultiplexedRotation(unit).hardware_angles for unit in units])
