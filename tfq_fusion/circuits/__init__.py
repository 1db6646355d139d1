"""What the circuits are: Cirq and SymPy only, no TensorFlow.

Cirq takes over a second to import, so a module is loaded when one of its names is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULES = {
    "ENTANGLERS": "ansatz",
    "MEASUREMENTS": "observables",
    "FusionRegisters": "registers",
    "ModelCircuit": "model",
    "MultiplexedRotation": "encoding",
    "computational_observables": "observables",
    "entangler_ops": "ansatz",
    "hardware_efficient_block": "ansatz",
    "padded_symbols": "model",
    "pauli_plane_observables": "observables",
    "qfl_circuit": "qfl",
    "random_pauli_observables": "observables",
}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
