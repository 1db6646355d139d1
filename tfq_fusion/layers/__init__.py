"""Keras layers: the quantum ones, and the classical baselines beside them, all called the same way."""

from tfq_fusion.layers.bilinear import FactorizedBilinearFusion
from tfq_fusion.layers.concat import ConcatFusion
from tfq_fusion.layers.decision import DempsterFusion, MeanFusion, ProductFusion
from tfq_fusion.layers.evidence import EvidenceFusion
from tfq_fusion.layers.graph import GraphFusion
from tfq_fusion.layers.hashed import HashedFusion
from tfq_fusion.layers.low_rank import LowRankFusion
from tfq_fusion.layers.pqc import PQC, ControlledPQC
from tfq_fusion.layers.quantum import QuantumFusionLayer
from tfq_fusion.layers.tensor import IntractableFusionError, TensorFusion

__all__ = [
    "PQC",
    "ConcatFusion",
    "ControlledPQC",
    "DempsterFusion",
    "EvidenceFusion",
    "FactorizedBilinearFusion",
    "GraphFusion",
    "HashedFusion",
    "IntractableFusionError",
    "LowRankFusion",
    "MeanFusion",
    "ProductFusion",
    "QuantumFusionLayer",
    "TensorFusion",
]
