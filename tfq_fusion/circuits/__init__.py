"""What the circuits are: Cirq and SymPy only, no TensorFlow.

Cirq takes over a second to import, so a module is loaded when one of its names is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfq_fusion._lazy import lazy_names

if TYPE_CHECKING:
    from tfq_fusion.circuits.ansatz import ENTANGLERS as ENTANGLERS
    from tfq_fusion.circuits.ansatz import entangler_ops as entangler_ops
    from tfq_fusion.circuits.ansatz import hardware_efficient_block as hardware_efficient_block
    from tfq_fusion.circuits.encoding import MultiplexedRotation as MultiplexedRotation
    from tfq_fusion.circuits.evidence import evidence_fusion_circuit as evidence_fusion_circuit
    from tfq_fusion.circuits.evidence import fused_expectations as fused_expectations
    from tfq_fusion.circuits.evidence import fused_states as fused_states
    from tfq_fusion.circuits.feature_encoding import ENCODINGS as ENCODINGS
    from tfq_fusion.circuits.feature_encoding import amplitude_angles as amplitude_angles
    from tfq_fusion.circuits.feature_encoding import encode_features as encode_features
    from tfq_fusion.circuits.model import ModelCircuit as ModelCircuit
    from tfq_fusion.circuits.model import padded_symbols as padded_symbols
    from tfq_fusion.circuits.noise import KrausGate as KrausGate
    from tfq_fusion.circuits.noise import is_channel as is_channel
    from tfq_fusion.circuits.noise import with_noise as with_noise
    from tfq_fusion.circuits.observables import MEASUREMENTS as MEASUREMENTS
    from tfq_fusion.circuits.observables import computational_observables as computational_observables
    from tfq_fusion.circuits.observables import every_pauli_observable as every_pauli_observable
    from tfq_fusion.circuits.observables import pauli_plane_observables as pauli_plane_observables
    from tfq_fusion.circuits.observables import random_pauli_observables as random_pauli_observables
    from tfq_fusion.circuits.qcnn import CONVOLUTIONS as CONVOLUTIONS
    from tfq_fusion.circuits.qcnn import POOLINGS as POOLINGS
    from tfq_fusion.circuits.qcnn import READOUTS as READOUTS
    from tfq_fusion.circuits.qcnn import controlled_pool as controlled_pool
    from tfq_fusion.circuits.qcnn import qcnn_circuit as qcnn_circuit
    from tfq_fusion.circuits.qcnn import qcnn_layers as qcnn_layers
    from tfq_fusion.circuits.qcnn import su4_gates as su4_gates
    from tfq_fusion.circuits.qcnn import tutorial_gates as tutorial_gates
    from tfq_fusion.circuits.qcnn import tutorial_pool as tutorial_pool
    from tfq_fusion.circuits.qfl import hardware_mix as hardware_mix
    from tfq_fusion.circuits.qfl import qfl_circuit as qfl_circuit
    from tfq_fusion.circuits.registers import FusionRegisters as FusionRegisters
    from tfq_fusion.circuits.serialization import dump_circuit as dump_circuit
    from tfq_fusion.circuits.serialization import dump_operators as dump_operators
    from tfq_fusion.circuits.serialization import load_circuit as load_circuit
    from tfq_fusion.circuits.serialization import load_operators as load_operators

__getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
