"""A model for several modalities: one encoder each, a fusion, a head."""

from __future__ import annotations

import itertools
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

    Encoders share no weights, but those of neighbouring modalities of one width lie in one array and run as one
    operation: hundreds of sensors cost no more variables than two.

    Args:
        widths: Modality name -> width of its input vectors.
        fusion: Any fusion layer; it is called with one tensor ``[batch, modalities, features]``.
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

    def initializer(modalities: int = 1) -> keras.initializers.Initializer:
        # Glorot-uniform for each modality: Keras takes the first axis of a stack of kernels for part of its fans.
        return keras.initializers.VarianceScaling(
            scale=modalities, mode="fan_avg", distribution="uniform", seed=int(rng.integers(2**31))
        )

    def dense(units: int, activation: str | None) -> keras.layers.Layer:
        return keras.layers.Dense(units, activation=activation, kernel_initializer=initializer())

    def dense_per_modality(modalities: int, units: int, activation: str) -> keras.layers.Layer:
        return keras.layers.EinsumDense(
            "bmf,mfh->bmh",
            output_shape=(modalities, units),
            bias_axes="mh",
            activation=activation,
            kernel_initializer=initializer(modalities),
        )

    inputs = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    rectified = []
    for width, group in itertools.groupby(widths, key=lambda name: widths[name]):
        vectors = [inputs[name] for name in group]
        stacked = keras.layers.Reshape((len(vectors), width))(keras.layers.Concatenate()(vectors))
        rectified.append(dense_per_modality(len(vectors), hidden, "relu")(stacked))
    encoded = dense_per_modality(len(widths), features, "tanh")(keras.layers.Concatenate(axis=1)(rectified))
    fused = dense(head, "relu")(fusion(encoded))
    predicted = dense(outputs, "softmax" if task == "classification" else None)(fused)
    return keras.Model(inputs, predicted)
