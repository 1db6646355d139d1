"""How much a fusion with its initial weights heeds its inputs: what training has to begin with."""

from __future__ import annotations

import math

import numpy as np

from reproduce.sweep.runs import FINISHED, INTRACTABLE, RunResult, RunSpec

SAMPLES = 32


def gradient_at_initialisation(spec: RunSpec) -> RunResult:
    """The gradient norm of a fusion of so many modalities that are noise; nothing is trained.

    The gradient is that of ``r . h`` in all encoded features ``z`` of a sample, with the output ``h`` and one random
    ``r``, whose entries are independent and normal with variance 1 / units: on average over ``r`` its squared norm is
    that of the Jacobian divided by the units. Its root mean square over the samples is the gradient norm. The mean
    square of ``h`` would not do for ``r . h``: MFB normalises its output, so that has no gradient at all.

    Args:
        spec: With the option "modalities". The features are uniform in [-1, 1), as many as the
            protocol says. In double precision a product can be followed to 1e-308, where training in single precision
            sees zero from 1e-45.

    Returns:
        The result, with "gradient_norm_log10" as its one test metric.
    """
    import tensorflow as tf

    from tfq_fusion.layers import IntractableFusionError
    from tfq_fusion.models import make_fusion

    protocol = spec.protocol
    modalities = int(dict(spec.options)["modalities"])
    rng = np.random.default_rng(spec.seed)
    encoded = rng.uniform(-1, 1, size=(SAMPLES, modalities, protocol.features)).astype(spec.precision)
    try:
        fusion = make_fusion(
            spec.fusion,
            widths=[protocol.features] * modalities,
            units=protocol.units,
            degree=spec.degree or 1,
            engine=spec.engine or "compiled",
            seed=spec.seed,
            dtype=spec.precision,
            **dict(spec.arguments),
        )
        fusion.build(encoded.shape)
    except IntractableFusionError as error:
        return RunResult(spec, INTRACTABLE, modalities, fusion_params=error.parameters)
    inputs = tf.constant(encoded)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = fusion(inputs)
        direction = rng.normal(size=output.shape[1]) / math.sqrt(output.shape[1])
        value = tf.linalg.matvec(output, tf.constant(direction, output.dtype))
    gradient = np.asarray(tape.gradient(value, inputs), dtype=np.float64)
    size = float(np.sqrt(np.mean(np.sum(gradient**2, axis=(1, 2)))))
    return RunResult(
        spec,
        FINISHED,
        modalities,
        fusion_params=fusion.count_params(),
        metrics={"test": {"gradient_norm_log10": math.log10(size)}},
    )
