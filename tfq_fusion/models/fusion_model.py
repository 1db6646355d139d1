"""A model for several modalities: an encoder for each kind of signal, a fusion, a head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfq_fusion._keras import keras
from tfq_fusion.arguments import flag, integer, one_of, seed_or_draw
from tfq_fusion.models.encoders import encode_modalities

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
    seed: int | None = None,
) -> keras.Model:
    """Encoder per modality -> fusion -> head; all but the fusion is the same for every fusion.

    The kind of a modality says which encoder of ``tfq_fusion.models.encoders`` it gets; each ends in a hyperbolic
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
        seed: Seeds the initial weights of encoders and head, which therefore are equal for all fusions; None draws one,
            repeatable by ``keras.utils.set_random_seed``.

    Returns:
        A model from a dict of arrays by name, as :func:`tfq_fusion.training.prepare` gives them, to
        ``[batch, outputs]``: probabilities or values.

    Raises:
        ValueError: If the task is unknown, the fusion no layer, or another argument out of its range.
    """
    one_of("task", task, _ACTIVATIONS)
    if not isinstance(fusion, keras.layers.Layer):
        raise ValueError(f"fusion should be a layer of this process' Keras, {keras.__name__}, got {fusion!r}.")
    sizes = (("outputs", outputs), ("features", features), ("hidden", hidden), ("head", head))
    outputs, features, hidden, head = (integer(name, size) for name, size in sizes)
    rng = np.random.default_rng(seed_or_draw(seed))

    def dense(units: int, activation: str | None) -> keras.layers.Layer:
        initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        return keras.layers.Dense(units, activation=activation, kernel_initializer=initializer)

    inputs, encoded = encode_modalities(modalities, features, hidden, rng, flag("shared", shared))
    fused = dense(head, "relu")(fusion(encoded))
    return keras.Model(inputs, dense(outputs, _ACTIVATIONS[task])(fused))
