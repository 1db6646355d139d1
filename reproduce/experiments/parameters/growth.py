"""How many weights a fusion has, and how that grows with the modalities: counted, nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec

if TYPE_CHECKING:
    from tfq_fusion._keras import keras

CLASSES = 10


def fusion_growth(spec: RunSpec) -> RunResult:
    """The weights of a fusion of so many modalities, and how many times those of two modalities they are.

    Args:
        spec: With the option "modalities". Each has the protocol's number of features; for a fusion of
            decisions they judge ten classes, for "qmfnn" as many propositions as tell ten classes apart.

    Returns:
        The result, with "fusion_growth" as its one test metric.
    """
    modalities = int(dict(spec.options)["modalities"])
    weights, few = _weights(spec, modalities), _weights(spec, 2)
    metrics = {"test": {"fusion_growth": weights / few}}
    return RunResult(spec, FINISHED, modalities, fusion_params=weights, metrics=metrics)


def _weights(spec: RunSpec, modalities: int) -> int:
    layer, width = _layer(spec, modalities)
    layer.build((None, modalities, width))
    return int(layer.count_params())


def _layer(spec: RunSpec, modalities: int) -> tuple[keras.layers.Layer, int]:
    """The fusion, and how many features each modality has for it."""
    # TensorFlow takes seconds to import: nothing above needs it.
    from tfq_fusion.layers import DempsterFusion, EvidenceFusion
    from tfq_fusion.models import class_code, make_fusion

    if spec.fusion == "qmfnn":
        return EvidenceFusion(engine=spec.engine or "compiled", seed=spec.seed), class_code(CLASSES).shape[1]
    if spec.fusion == "dempster":
        return DempsterFusion(), CLASSES
    width = spec.protocol.features
    return make_fusion(spec.fusion, [width] * modalities, units=spec.protocol.units, seed=spec.seed), width
