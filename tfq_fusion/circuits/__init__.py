"""What the circuits are: Cirq and SymPy only, no TensorFlow."""

from tfq_fusion.circuits.ansatz import ENTANGLERS, entangler_ops, hardware_efficient_block
from tfq_fusion.circuits.encoding import MultiplexedRotation
from tfq_fusion.circuits.model import ModelCircuit, padded_symbols
from tfq_fusion.circuits.observables import (
    MEASUREMENTS,
    computational_observables,
    pauli_plane_observables,
    random_pauli_observables,
)
from tfq_fusion.circuits.qfl import qfl_circuit
from tfq_fusion.circuits.registers import FusionRegisters

__all__ = [
    "ENTANGLERS",
    "MEASUREMENTS",
    "FusionRegisters",
    "ModelCircuit",
    "MultiplexedRotation",
    "computational_observables",
    "entangler_ops",
    "hardware_efficient_block",
    "padded_symbols",
    "pauli_plane_observables",
    "qfl_circuit",
    "random_pauli_observables",
]
