"""From a specification to its data set and its model."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from reproduce.sweep.runs import Pairs, RunSpec
from tfq_fusion._keras import keras
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.datasets.dataset import choose_views
from tfq_fusion.models import DecisionNetwork, EvidenceNetwork, fusion_model, image_network, make_fusion
from tfq_fusion.training import Prepared


def checked_dataset(spec: RunSpec) -> Dataset:
    """The data set of a specification.

    Raises:
        ValueError: If it names none, or the data are not those of the specification.
    """
    if spec.dataset is None:
        raise ValueError(f"{spec} needs a data set, and names none.")
    dataset = _loaded(spec.dataset, spec.dataset_options)
    if dataset.card.sha256 != spec.dataset_sha256:
        raise ValueError(
            f"The data of {spec} have SHA-256 {dataset.card.sha256} here, expected {spec.dataset_sha256}. Install the "
            "same version of tfq-fusion and its data."
        )
    return dataset


@functools.lru_cache(maxsize=4)
def _loaded(name: str, options: Pairs) -> Dataset:
    """A data set, once per process: seeds of a cell run one after the other."""
    return load(name, **dict(options))


def as_seen(spec: RunSpec, dataset: Dataset) -> Dataset:
    """The data set as the model of a specification sees it: in vectors if its protocol says so, a CNN the pictures."""
    modalities = dataset.card.modalities
    if spec.fusion == "cnn":
        return choose_views(dataset, [modality.name for modality in modalities if len(modality.shape) == 3])
    if not spec.protocol.flatten:
        return dataset
    vectors = tuple(modality.model_copy(update={"kind": "vector"}) for modality in modalities)
    return dataclasses.replace(dataset, card=dataset.card.model_copy(update={"modalities": vectors}))


def assemble(
    spec: RunSpec, dataset: Dataset, data: Prepared, fusion: keras.layers.Layer | None = None
) -> tuple[keras.layers.Layer | None, keras.Model]:
    """The fusion and the model of a specification, with their initial weights; a CNN has no fusion.

    Args:
        spec: The specification.
        dataset: Its data set, :func:`as_seen`.
        data: The same, prepared.
        fusion: A fusion in place of the one that the specification names.

    Raises:
        IntractableFusionError: If the fusion has too many weights to be built.
    """
    protocol = spec.protocol
    modalities = dataset.card.modalities
    same: dict[str, Any] = {"hidden": protocol.hidden, "shared": protocol.shared_encoders, "seed": spec.seed}
    further = dict(spec.arguments)
    match spec.fusion:
        case "qmfnn":
            evidence = EvidenceNetwork(modalities, data.outputs, engine=spec.engine or "compiled", **same, **further)
            return evidence.fusion, evidence
        case "mean" | "product" | "dempster":
            decision = DecisionNetwork(modalities, data.outputs, spec.fusion, protocol.features, **same, **further)
            return decision.fusion, decision
        case "cnn":
            cnn = image_network(modalities, data.outputs, protocol.hidden, protocol.head, spec.seed, **further)
            return None, cnn
    if fusion is None:
        graph = {} if data.adjacency is None or spec.fusion != "gcn" else {"adjacency": data.adjacency}
        fusion = make_fusion(
            spec.fusion,
            widths=[protocol.features] * dataset.card.modality_count,
            units=protocol.units,
            degree=spec.degree or 1,
            engine=spec.engine or "compiled",
            seed=spec.seed,
            **{**graph, **further},
        )
    model = fusion_model(
        modalities,
        fusion,
        data.outputs,
        data.task,
        features=protocol.features,
        head=protocol.head,
        **same,
    )
    return fusion, model
