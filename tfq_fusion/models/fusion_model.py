"""A model for several modalities: one encoder each, a fusion, a head."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tfq_fusion._keras import keras


def fusion_model(
    widths: Mapping[str, int],
    fusion: keras.layers.Layer,
    outputs: int,
    task: str,
    features: int = 4,
    hidden: int = 16,
    head: int = 32,
    seed: int = 0,
) -> keras.Model:
    """Encoder per modality -> fusion -> head; all but the fusion is the same for every fusion.

    An encoder is Dense(hidden, ReLU) and Dense(features, tanh), so that a fusion sees features in [-1, 1]. The head is
    Dense(head, ReLU) and Dense(outputs), with a softmax for classes. The papers state neither: both are ours.

    Args:
        widths: Modality name -> width of its input vectors.
        fusion: Any fusion layer.
        outputs: Classes, or values to forecast.
        task: "classification" or "forecasting".
        features: Encoded features D per modality.
        hidden: Hidden units of each encoder.
        head: Hidden units of the head.
        seed: Seeds the initial weights of encoders and head, which therefore are equal for all fusions.

    Returns:
        A model from a dict ``name -> [batch, width]`` to ``[batch, outputs]``: probabilities or values.
    """
    rng = np.random.default_rng(seed)

    def dense(units: int, activation: str | None) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        return keras.layers.Dense(units, activation=activation, kernel_initializer=initializer)

    inputs = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    encoded = [dense(features, "tanh")(dense(hidden, "relu")(vector)) for vector in inputs.values()]
    fused = dense(head, "relu")(fusion(encoded))
    predicted = dense(outputs, "softmax" if task == "classification" else None)(fused)
    return keras.Model(inputs, predicted)
