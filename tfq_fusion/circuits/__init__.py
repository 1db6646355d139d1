"""What the circuits are: Cirq and SymPy only, no TensorFlow.

Cirq takes over a second to import, so a module is loaded when one of its names is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfq_fusion.circuits.ansatz import ENTANGLERS, entangler_ops, hardware_efficient_block
    from tfq_fusion.circuits.encoding import MultiplexedRotation
    from tfq_fusion.circuits.evidence import evidence_fusion_circuit, fused_states
    from tfq_fusion.circuits.feature_encoding import ENCODINGS, amplitude_angles, encode_features
    from tfq_fusion.circuits.model import ModelCircuit, padded_symbols
    from tfq_fusion.circuits.observables import (
        MEASUREMENTS,
        computational_observables,
        every_pauli_observable,
        pauli_plane_observables,
        random_pauli_observables,
    )
    from tfq_fusion.circuits.qcnn import CONVOLUTIONS, POOLINGS, READOUTS, qcnn_circuit, qcnn_layers
    from tfq_fusion.circuits.qfl import hardware_mix, qfl_circuit
    from tfq_fusion.circuits.registers import FusionRegisters
    from tfq_fusion.circuits.serialization import dump_circuit, dump_operators, load_circuit, load_operators

_MODULES = {
    "CONVOLUTIONS": "qcnn",
    "ENCODINGS": "feature_encoding",
    "ENTANGLERS": "ansatz",
    "MEASUREMENTS": "observables",
    "POOLINGS": "qcnn",
    "READOUTS": "qcnn",
    "FusionRegisters": "registers",
    "ModelCircuit": "model",
    "MultiplexedRotation": "encoding",
    "amplitude_angles": "feature_encoding",
    "computational_observables": "observables",
    "dump_circuit": "serialization",
    "dump_operators": "serialization",
    "encode_features": "feature_encoding",
    "entangler_ops": "ansatz",
    "every_pauli_observable": "observables",
    "evidence_fusion_circuit": "evidence",
    "fused_states": "evidence",
    "hardware_efficient_block": "ansatz",
    "hardware_mix": "qfl",
    "load_circuit": "serialization",
    "load_operators": "serialization",
    "padded_symbols": "model",
    "pauli_plane_observables": "observables",
    "qcnn_circuit": "qcnn",
    "qcnn_layers": "qcnn",
    "qfl_circuit": "qfl",
    "random_pauli_observables": "observables",
}

__all__ = [
    "CONVOLUTIONS",
    "ENCODINGS",
    "ENTANGLERS",
    "MEASUREMENTS",
    "POOLINGS",
    "READOUTS",
    "FusionRegisters",
    "ModelCircuit",
    "MultiplexedRotation",
    "amplitude_angles",
    "computational_observables",
    "dump_circuit",
    "dump_operators",
    "encode_features",
    "entangler_ops",
    "every_pauli_observable",
    "evidence_fusion_circuit",
    "fused_states",
    "hardware_efficient_block",
    "hardware_mix",
    "load_circuit",
    "load_operators",
    "padded_symbols",
    "pauli_plane_observables",
    "qcnn_circuit",
    "qcnn_layers",
    "qfl_circuit",
    "random_pauli_observables",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
