"""Encoder per modality, fusion, head: assembled for a task."""

from tfq_fusion.models.evidence_network import EvidenceNetwork, class_code
from tfq_fusion.models.fusion_model import fusion_model
from tfq_fusion.models.fusions import FUSIONS, make_fusion

__all__ = ["FUSIONS", "EvidenceNetwork", "class_code", "fusion_model", "make_fusion"]
