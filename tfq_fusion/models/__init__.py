"""Encoder per modality, fusion, head: assembled for a task."""

from tfq_fusion.fusions import make_fusion
from tfq_fusion.models.decision_network import DecisionNetwork
from tfq_fusion.models.evidence_network import EvidenceNetwork, class_code
from tfq_fusion.models.fusion_model import fusion_model
from tfq_fusion.models.image_network import image_network

__all__ = [
    "DecisionNetwork",
    "EvidenceNetwork",
    "class_code",
    "fusion_model",
    "image_network",
    "make_fusion",
]
