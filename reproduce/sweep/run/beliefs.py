"""What the modalities of a network say by themselves: how often each is right, and how they contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tfq_fusion.training import Prepared

if TYPE_CHECKING:
    from tfq_fusion.models import DecisionNetwork, EvidenceNetwork


def belief_metrics(network: DecisionNetwork | EvidenceNetwork, data: Prepared, seed: int) -> dict[str, float]:
    """How well single modalities decide on the test part, and whether noise in one shows as conflict.

    The conflict is :func:`tfq_fusion.models.explain.conflict` over the propositions that tell the classes apart; where
    modalities judge classes, a proposition's mass is the probability of the classes for which it holds.

    Args:
        network: A trained network whose modalities judge classes or propositions.
        data: Its data.
        seed: Of the noise.

    Returns:
        "own_accuracy", the mean over modalities of the accuracy of each one's own decision; "conflict", the mean over
        samples; "conflict_with_noise", the same with normal noise in place of a modality's standardised inputs, the
        mean over modalities.
    """
    from tfq_fusion.models.explain import conflict

    inputs, labels = data.test
    probabilities, masses = _judgements(network, inputs)
    rng = np.random.default_rng(seed)
    disturbed = []
    for name, array in inputs.items():
        noise = rng.normal(size=array.shape).astype(array.dtype)
        disturbed.append(conflict(_judgements(network, {**inputs, name: noise})[1]).mean())
    return {
        "own_accuracy": float(np.mean(probabilities.argmax(axis=-1) == labels[:, None])),
        "conflict": float(conflict(masses).mean()),
        "conflict_with_noise": float(np.mean(disturbed)),
    }


def _judgements(
    network: DecisionNetwork | EvidenceNetwork, inputs: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Each modality's probabilities ``[n, modalities, classes]``, and masses ``[n, modalities, propositions]``."""
    from tfq_fusion.models import EvidenceNetwork, class_code
    from tfq_fusion.models.explain import class_beliefs

    said = np.asarray(network.unimodal(inputs))
    if isinstance(network, EvidenceNetwork):
        return class_beliefs(said, network.code), said
    return said, np.clip(said @ class_code(said.shape[-1]), 0, 1)
