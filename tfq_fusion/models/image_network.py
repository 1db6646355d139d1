"""A small convolutional network for pictures: fusion before any encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfq_fusion._keras import keras
from tfq_fusion.arguments import integer, seed_or_draw
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.models.encoders import check_modalities, encode_images, input_shape

if TYPE_CHECKING:
    from tfq_fusion.datasets.card import Modality


def image_network(
    modalities: Sequence[Modality], classes: int, filters: int = 8, units: int = 16, seed: int | None = None
) -> keras.Model:
    """Pictures stacked as channels, two convolutions with pooling, a dense layer, a softmax.

    Args:
        modalities: The modalities, as in a data set's card: pictures ``[height, width, channels]`` of one height and
            width, whatever kind of signal they are said to be.
        classes: The number of classes.
        filters: Filters of the first convolution; the second has twice as many.
        units: Units of the dense layer.
        seed: Seeds the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.

    Returns:
        A model from a dict of arrays by name, as :func:`tfq_fusion.training.prepare` gives them, to probabilities
        ``[batch, classes]``.

    Raises:
        ValueError: If a modality is no such picture, or another argument out of its range.
    """
    check_modalities(modalities)
    if len({modality.shape[:2] for modality in modalities}) != 1 or any(len(each.shape) != 3 for each in modalities):
        shapes = ", ".join(f"{modality.name} {list(modality.shape)}" for modality in modalities)
        raise ValueError(f"A CNN expects pictures [height, width, channels] of one height and width, got {shapes}.")
    classes, filters, units = integer("classes", classes), integer("filters", filters), integer("units", units)
    rng = np.random.default_rng(seed_or_draw(seed))
    inputs = {modality.name: keras.Input(input_shape(modality), name=modality.name) for modality in modalities}
    channels = [keras.layers.Reshape(picture.shape)(inputs[picture.name]) for picture in modalities]
    stacked = channels[0] if len(channels) == 1 else keras.layers.Concatenate()(channels)
    features = encode_images(stacked, units, filters, rng)
    initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
    return keras.Model(inputs, keras.layers.Dense(classes, "softmax", kernel_initializer=initializer)(features))


CNN = FusionEntry(name="cnn", caption="CNN", kind="classical")
