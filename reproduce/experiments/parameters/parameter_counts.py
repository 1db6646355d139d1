"""How many weights each fusion has, counted in the layer as it is built."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from reproduce.sweep.runs import FINISHED, INTRACTABLE, RunResult, RunSpec


def growth_exponent(counts: Mapping[int, int]) -> float:
    """The slope of a straight line through the logarithms: the exponent of a power law.

    Args:
        counts: Number of modalities -> number of weights, for at least two numbers of modalities.
    """
    sizes = [math.log(modalities) for modalities in counts]
    return float(np.polyfit(sizes, [math.log(count) for count in counts.values()], deg=1)[0])


def count_parameters(spec: RunSpec) -> RunResult:
    """Build a fusion for so many modalities and count its weights.

    Args:
        spec: With the option "modalities"; the protocol says how many features each has.

    Returns:
        The result, with the number of weights as "parameters", its one test metric.
    """
    from tfq_fusion.layers import IntractableFusionError
    from tfq_fusion.models import make_fusion

    protocol = spec.protocol
    modalities = dict(spec.options)["modalities"]
    fusion = make_fusion(
        spec.fusion,
        widths=[protocol.features] * modalities,
        units=protocol.units,
        degree=spec.degree or 1,
        engine=spec.engine or "compiled",
        seed=spec.seed,
    )
    try:
        fusion.build((None, modalities, protocol.features))
    except IntractableFusionError as error:
        return RunResult(spec, INTRACTABLE, modalities, fusion_params=error.parameters)
    count = fusion.count_params()
    return RunResult(spec, FINISHED, modalities, fusion_params=count, metrics={"test": {"parameters": float(count)}})
