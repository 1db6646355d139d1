"""From a specification to its data set and its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reproduce.runs import RunSpec
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.training import Prepared

if TYPE_CHECKING:
    from tfq_fusion._keras import keras


def checked_dataset(spec: RunSpec, name: str, options: Mapping[str, Any]) -> Dataset:
    """The data set of a specification.

    Args:
        spec: The specification, which has the hash of the data.
        name: The data set's name.
        options: Options of its loader.

    Raises:
        ValueError: If the data are not those of the specification.
    """
    dataset = load(name, **options)
    if dataset.card.sha256 != spec.dataset_sha256:
        raise ValueError(
            f"The data of {spec} have SHA-256 {dataset.card.sha256} here, expected {spec.dataset_sha256}. Install the "
            "same version of tfq-fusion and its data."
        )
    return dataset


def assemble(
    spec: RunSpec, dataset: Dataset, data: Prepared, fusion: keras.layers.Layer | None = None
) -> tuple[keras.layers.Layer, keras.Model]:
    """The fusion and the model of a specification, with their initial weights.

    Args:
        spec: The specification.
        dataset: Its data set.
        data: The same, prepared.
        fusion: A fusion in place of the one that the specification names.

    Raises:
        IntractableFusionError: If the fusion has too many weights to be built.
    """
    # TensorFlow takes seconds to import: nothing above needs it.
    from tfq_fusion.models import fusion_model, make_fusion

    protocol = spec.protocol
    if fusion is None:
        graph = {} if data.adjacency is None or spec.fusion != "gcn" else {"adjacency": data.adjacency}
        fusion = make_fusion(
            spec.fusion,
            widths=[protocol.features] * dataset.card.modality_count,
            units=protocol.units,
            degree=spec.degree or 1,
            engine=spec.engine or "compiled",
            seed=spec.seed,
            **{**graph, **dict(spec.arguments)},
        )
    model = fusion_model(
        dataset.card.modalities,
        fusion,
        data.outputs,
        data.task,
        features=protocol.features,
        hidden=protocol.hidden,
        head=protocol.head,
        shared=protocol.shared_encoders,
        seed=spec.seed,
    )
    return fusion, model
