"""A model for several modalities: an encoder for each kind of signal, a fusion, a head."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfq_fusion._keras import keras
from tfq_fusion.models.encoders import encode_images, encode_vectors, encode_waveforms, encode_windows

if TYPE_CHECKING:
    from tfq_fusion.datasets.card import Modality

_ACTIVATIONS = {"classification": "softmax", "multilabel": "sigmoid", "forecasting": None}


def fusion_model(
    modalities: Sequence[Modality],
    fusion: keras.layers.Layer,
    outputs: int,
    task: str,
    features: int = 4,
    hidden: int = 16,
    head: int = 32,
    shared: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Encoder per modality -> fusion -> head; all but the fusion is the same for every fusion.

    The kind of a modality says which encoder of :mod:`tfq_fusion.models.encoders` it gets; each ends in a hyperbolic
    tangent, so that a fusion sees features in [-1, 1]. The head is Dense(head, ReLU) and Dense(outputs), with a softmax
    for classes and a sigmoid for labels of which several can be true. The papers state neither: both are ours.

    Neighbouring modalities of one kind and shape run as one operation, whether they come stacked in one array or one by
    one: hundreds of sensors cost no more variables than two.

    Args:
        modalities: The modalities, as in a data set's card.
        fusion: Any fusion layer; it is called with one tensor ``[batch, modalities, features]``.
        outputs: Classes, or values to forecast.
        task: "classification", "multilabel" or "forecasting".
        features: Encoded features D per modality.
        hidden: Hidden units of each encoder.
        head: Hidden units of the head.
        shared: Whether waveforms, and windows, share their encoder's weights; vectors and images never do.
        seed: Seeds the initial weights of encoders and head, which therefore are equal for all fusions.

    Returns:
        A model from a dict of arrays by name, as :func:`tfq_fusion.training.prepare` gives them, to
        ``[batch, outputs]``: probabilities or values.
    """
    rng = np.random.default_rng(seed)

    def dense(units: int, activation: str | None) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        return keras.layers.Dense(units, activation=activation, kernel_initializer=initializer)

    inputs = {modality.name: keras.Input(_input_shape(modality), name=modality.name) for modality in modalities}
    encoded = []
    for kind, neighbours in itertools.groupby(modalities, key=_encoded_together):
        group = list(neighbours)
        match kind[0]:
            case "vector":
                encoded.append(_vectors(group, inputs, features, hidden, rng))
            case "waveform":
                encoded.append(encode_waveforms(_stacked(group, inputs), features, hidden, rng, shared))
            case "window":
                encoded.append(encode_windows(_stacked(group, inputs), features, hidden, rng, shared))
            case "image":
                for image in group:
                    vector = encode_images(inputs[image.name], features, hidden, rng)
                    encoded.append(keras.layers.Reshape((1, features))(vector))
    stacked = encoded[0] if len(encoded) == 1 else keras.layers.Concatenate(axis=1)(encoded)
    fused = dense(head, "relu")(fusion(stacked))
    return keras.Model(inputs, dense(outputs, _ACTIVATIONS[task])(fused))


def _input_shape(modality: Modality) -> tuple[int, ...]:
    stack = (modality.count,) if modality.count > 1 else ()
    return (int(np.prod(stack + modality.shape)),) if modality.kind == "vector" else stack + modality.shape


def _encoded_together(modality: Modality) -> tuple[str, tuple[int, ...]]:
    return modality.kind, () if modality.kind == "vector" else modality.shape


def _vectors(
    group: Sequence[Modality], inputs: Mapping[str, Any], features: int, hidden: int, rng: np.random.Generator
) -> Any:
    widths = {modality.name: int(np.prod(modality.shape)) for modality in group}
    stacks = []
    for width, neighbours in itertools.groupby(group, key=lambda modality: widths[modality.name]):
        equal = list(neighbours)
        together = keras.layers.Concatenate()([inputs[modality.name] for modality in equal])
        stacks.append(keras.layers.Reshape((sum(modality.count for modality in equal), width))(together))
    return encode_vectors(stacks, features, hidden, rng)


def _stacked(group: Sequence[Modality], inputs: Mapping[str, Any]) -> Any:
    """Modalities of one shape as one tensor ``[batch, modalities, *shape]``."""
    tensors = [
        inputs[modality.name]
        if modality.count > 1
        else keras.layers.Reshape((1, *modality.shape))(inputs[modality.name])
        for modality in group
    ]
    return tensors[0] if len(tensors) == 1 else keras.layers.Concatenate(axis=1)(tensors)
