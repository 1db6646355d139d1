"""Why an evidence network decided as it did: what each modality says, how they conflict, and what each contributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tfq_fusion._keras import ops
from tfq_fusion._typing import FloatArray
from tfq_fusion.circuits import fused_states
from tfq_fusion.layers.fusion.evidence import MARGIN
from tfq_fusion.models.evidence_network import EvidenceNetwork

__all__ = ["IGNORANCE", "class_beliefs", "conflict", "explain"]

IGNORANCE = 0.5
"""The mass of a modality that knows nothing about a proposition. Every class then has the same belief, and the mass
function that stands for it is vacuous: combined with any other it changes nothing and conflicts with nothing."""

_BATCH = 32


def class_beliefs(masses: FloatArray, code: FloatArray) -> npt.NDArray[np.float64]:
    r"""Belief in each class, for independent propositions: $\prod_k \pi_k^{b_k} (1 - \pi_k)^{1 - b_k}$, normalised.

    Args:
        masses: Degrees of possibility in [0, 1], ``[..., K]``, kept a millionth off 0 and 1.
        code: What a class says about each proposition, ``[classes, K]``, see
            :func:`tfq_fusion.models.class_code`.

    Returns:
        Probabilities ``[..., classes]``, float64.
    """
    possible = np.clip(np.asarray(masses, np.float64), MARGIN, 1 - MARGIN)
    products = np.exp(np.log(possible) @ code.T + np.log1p(-possible) @ (1 - code).T)
    beliefs: npt.NDArray[np.float64] = products / products.sum(axis=-1, keepdims=True)
    return beliefs


def conflict(masses: FloatArray) -> npt.NDArray[np.float64]:
    r"""Dempster's conflict between modalities: what the conjunctive rule gives to the empty set.

    On the frame {proposition, not}, $\pi$ stands for the least committed mass function with these odds (Dubois, Prade &
    Smets 2008): $|2 \pi - 1|$ on the likelier of the two, and the rest on the whole frame. So a modality that knows
    nothing ($\pi = 1/2$) conflicts with none, and two that agree do not conflict, however unsure they are. The frames
    of the propositions are independent: without conflict over any of them there is none.

    Args:
        masses: Degrees of possibility in [0, 1], ``[..., M, K]``.

    Returns:
        Masses of the empty set in [0, 1], ``[...]``, float64.
    """
    committed = 2 * np.asarray(masses, np.float64) - 1
    nobody_for = np.prod(1 - np.maximum(committed, 0), axis=-2)
    nobody_against = np.prod(1 - np.maximum(-committed, 0), axis=-2)
    empty: npt.NDArray[np.float64] = 1 - np.prod(1 - (1 - nobody_for) * (1 - nobody_against), axis=-1)
    return empty


def explain(
    network: EvidenceNetwork, inputs: Mapping[str, npt.NDArray[np.float32]], classes: Sequence[str] | None = None
) -> pd.DataFrame:
    r"""What led to the network's decisions.

    A modality's part is measured by ablation: its masses are replaced by ignorance, 1/2 (see :data:`IGNORANCE`).

    Args:
        network: The network.
        inputs: Arrays by name, as the network takes them.
        classes: Names of the classes; their indices if None.

    Returns:
        A row for each sample and each source, which are its modalities by name; "block", the fused qubits before the
        QCNN; and "network", the output. Index levels "sample" and "source", columns:

        - ``belief``, a column for each class: of a modality and of the block :func:`class_beliefs` of its masses, of
          the network its output. Nothing in the loss holds the fused qubits to the propositions; they begin there.
        - ``conflict``: of the block :func:`conflict` between all modalities; of a modality how much less there would
          be without it.
        - ``contribution``, of a modality: how much less probable the decision, the network's most probable class,
          would be without it. Negative where it speaks against.
        - ``influence``, of a modality: how far the reduced state of the fused qubits moves without it, as infidelity
          $1 - F(\rho, \rho')$ in [0, 1] with Uhlmann's $F = (\mathrm{tr} \sqrt{\sqrt\rho \rho' \sqrt\rho})^2$: 0 if
          nothing behind the block can tell, 1 if a measurement there could with certainty.

        NaN where a source has no such figure.
    """
    masses = np.concatenate([ops.convert_to_numpy(network.unimodal(batch)) for batch in _batches(inputs)])
    samples, modalities, _ = masses.shape
    decided = _decide(network, masses)
    fused = fused_states(masses, network.fusion.combination)
    total = conflict(masses)
    decision = decided.argmax(axis=-1)

    sources = [*network.modalities, "block", "network"]
    names = list(range(len(network.code))) if classes is None else list(classes)
    beliefs = np.stack(
        [
            *np.moveaxis(class_beliefs(masses, network.code), 1, 0),
            class_beliefs(fused[..., 1, 1], network.code),
            decided,
        ],
        axis=1,
    )
    figures = np.full((samples, len(sources), 3), np.nan)
    figures[:, modalities, 0] = total
    for modality in range(modalities):
        without = masses.copy()
        without[:, modality] = IGNORANCE
        rows = np.arange(samples)
        figures[:, modality, 0] = total - conflict(without)
        figures[:, modality, 1] = decided[rows, decision] - _decide(network, without)[rows, decision]
        figures[:, modality, 2] = 1 - _fidelity(fused, fused_states(without, network.fusion.combination))
    return pd.DataFrame(
        np.concatenate([beliefs, figures], axis=-1).reshape(samples * len(sources), -1),
        index=pd.MultiIndex.from_product([range(samples), sources], names=["sample", "source"]),
        columns=pd.MultiIndex.from_tuples(
            [*(("belief", name) for name in names), ("conflict", ""), ("contribution", ""), ("influence", "")]
        ),
    )


def _batches(inputs: Mapping[str, npt.NDArray[np.float32]]) -> list[dict[str, npt.NDArray[np.float32]]]:
    samples = len(next(iter(inputs.values())))
    return [
        {name: array[begin : begin + _BATCH] for name, array in inputs.items()} for begin in range(0, samples, _BATCH)
    ]


def _decide(network: EvidenceNetwork, masses: FloatArray) -> FloatArray:
    """Probabilities of classes ``[samples, classes]``, a batch at a time: each size of a batch is compiled anew."""
    batches = np.split(masses, range(_BATCH, len(masses), _BATCH))
    return np.concatenate([ops.convert_to_numpy(network.head(network.fusion(batch))) for batch in batches])


def _fidelity(first: FloatArray, second: FloatArray) -> FloatArray:
    """Uhlmann's fidelity of products of qubits, ``[..., K, 2, 2]`` -> ``[...]``: of a qubit it is a closed form."""
    overlap = np.einsum("...ij,...ji->...", first, second)
    determinants = np.linalg.det(first) * np.linalg.det(second)
    fidelity: FloatArray = np.prod(np.minimum(overlap + 2 * np.sqrt(np.maximum(determinants, 0)), 1), axis=-1)
    return fidelity
