"""The fusions that the tables compare, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfq_fusion._keras import keras
from tfq_fusion.arguments import integer
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.layers import (
    ConcatFusion,
    FactorizedBilinearFusion,
    GraphFusion,
    HashedFusion,
    LowRankFusion,
    QuantumFusionLayer,
    TensorFusion,
)

FUSIONS = ("qfl", "concat", "tfn", "lmf", "lmf-unit", "mfb", "gcn", "control")


def make_fusion(
    name: str,
    widths: Sequence[int],
    units: int = 32,
    degree: int = 1,
    engine: str = "compiled",
    seed: int | None = None,
    **arguments: Any,
) -> keras.layers.Layer:
    """A fusion layer by its name in the tables.

    Args:
        name: One of :data:`tfq_fusion.models.FUSIONS`.
        widths: The number of features of each modality.
        units: Width of the output ("concat" has none: it keeps every feature).
        degree: Degree of "qfl"; and for "control" the degree of the QFL whose number of weights it matches.
        engine: What runs "qfl".
        seed: Seeds the initial weights and the observables; None draws one, as the layers do.
        arguments: Further arguments of the layer.

    Returns:
        The layer, not built yet.

    Raises:
        ValueError: If the name is unknown, or another argument out of its range.
    """
    if not isinstance(name, str) or name not in FUSIONS:
        raise ValueError(f"Unknown fusion {name!r}: expected one of {list(FUSIONS)}.")
    units, degree = integer("units", units), integer("degree", degree)
    if not isinstance(widths, (list, tuple)):
        raise ValueError(f"widths should be a list, with the number of features of each modality, got {widths!r}.")
    widths = [integer("widths", width) for width in widths]
    match name:
        case "qfl":
            return QuantumFusionLayer(degree, observables=units, engine=engine, seed=seed, **arguments)
        case "control":
            weights = len(qfl_circuit(len(widths), widths, degree).weight_symbols)
            return HashedFusion(units, parameters=weights, seed=seed, **arguments)
        case "concat":
            return ConcatFusion(**arguments)
        case "tfn":
            return TensorFusion(units, seed=seed, **arguments)
        case "lmf":
            return LowRankFusion(units, seed=seed, **arguments)
        case "lmf-unit":
            return LowRankFusion(units, initialization="unit", seed=seed, **arguments)
        case "mfb":
            return FactorizedBilinearFusion(units, seed=seed, **arguments)
        case "gcn":
            return GraphFusion(units, seed=seed, **arguments)
    raise AssertionError(name)
