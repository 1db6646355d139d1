"""Keras layers: the quantum ones, and the classical baselines beside them, all called the same way."""

from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.bilinear import FactorizedBilinearFusion
from tfq_fusion.layers.fusion.concat import ConcatFusion
from tfq_fusion.layers.fusion.decision import DempsterFusion, MeanFusion, ProductFusion
from tfq_fusion.layers.fusion.evidence import EvidenceFusion
from tfq_fusion.layers.fusion.graph import GraphFusion
from tfq_fusion.layers.fusion.hashed import HashedFusion
from tfq_fusion.layers.fusion.low_rank import LowRankFusion
from tfq_fusion.layers.fusion.quantum import QuantumFusionLayer
from tfq_fusion.layers.fusion.tensor import IntractableFusionError, TensorFusion
from tfq_fusion.layers.pqc import PQC, ControlledPQC

__all__ = [
    "PQC",
    "ConcatFusion",
    "ControlledPQC",
    "DempsterFusion",
    "EvidenceFusion",
    "FactorizedBilinearFusion",
    "Fusion",
    "GraphFusion",
    "HashedFusion",
    "IntractableFusionError",
    "LowRankFusion",
    "MeanFusion",
    "ProductFusion",
    "QuantumFusionLayer",
    "TensorFusion",
]
