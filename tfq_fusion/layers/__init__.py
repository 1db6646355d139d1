"""Keras layers: the quantum ones, and the classical baselines beside them, all called the same way.

Every public class of a module in here can be imported from here.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same classes, as far as type checkers are to know them
    from tfq_fusion.layers.circuit_layer import CircuitLayer as CircuitLayer
    from tfq_fusion.layers.fusion.attention import AttentionFusion as AttentionFusion
    from tfq_fusion.layers.fusion.base import Fusion as Fusion
    from tfq_fusion.layers.fusion.bilinear import FactorizedBilinearFusion as FactorizedBilinearFusion
    from tfq_fusion.layers.fusion.concat import ConcatFusion as ConcatFusion
    from tfq_fusion.layers.fusion.decision import DempsterFusion as DempsterFusion
    from tfq_fusion.layers.fusion.decision import MeanFusion as MeanFusion
    from tfq_fusion.layers.fusion.decision import ProductFusion as ProductFusion
    from tfq_fusion.layers.fusion.evidence import EvidenceFusion as EvidenceFusion
    from tfq_fusion.layers.fusion.gated import GatedFusion as GatedFusion
    from tfq_fusion.layers.fusion.graph import GraphFusion as GraphFusion
    from tfq_fusion.layers.fusion.hashed import HashedFusion as HashedFusion
    from tfq_fusion.layers.fusion.low_rank import LowRankFusion as LowRankFusion
    from tfq_fusion.layers.fusion.quantum import QuantumFusionLayer as QuantumFusionLayer
    from tfq_fusion.layers.fusion.tensor import IntractableFusionError as IntractableFusionError
    from tfq_fusion.layers.fusion.tensor import TensorFusion as TensorFusion
    from tfq_fusion.layers.pqc import PQC as PQC
    from tfq_fusion.layers.pqc import ControlledPQC as ControlledPQC


def _public_classes() -> dict[str, type]:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }


_CLASSES = _public_classes()
__all__ = sorted(_CLASSES)


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return _CLASSES[name]


def __dir__() -> list[str]:
    return __all__
