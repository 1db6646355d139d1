"""Encoders: all modalities of one kind in one stacked tensor, through one set of operations.

Each is a function from symbolic tensors of Keras to symbolic tensors, and ends in ``features`` units with a hyperbolic
tangent, so that a fusion sees features in [-1, 1]. The papers state no encoders: all of this is ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfq_fusion._keras import keras, ops, real_tensor, register
from tfq_fusion.arguments import floating_point, integer

if TYPE_CHECKING:
    from tfq_fusion.datasets.card import Modality


def encode_modalities(
    modalities: Sequence[Modality], features: int, hidden: int, rng: np.random.Generator, shared: bool = True
) -> tuple[dict[str, Any], Any]:
    """An encoder for each modality, by its kind.

    Neighbouring modalities of one kind and shape run as one operation, whether they come stacked in one array or one by
    one: hundreds of sensors cost no more variables than two.

    Args:
        modalities: The modalities, as in a data set's card.
        features: Features per modality.
        hidden: Hidden units or filters of each encoder.
        rng: Draws the seeds of the initial weights.
        shared: Whether waveforms, and windows, share their encoder's weights; vectors and images never do.

    Returns:
        The inputs by name, and the features ``[batch, modalities, features]``.

    Raises:
        ValueError: If there is no modality, one is none of a card, or two have one name.
    """
    check_modalities(modalities)
    inputs = {modality.name: keras.Input(input_shape(modality), name=modality.name) for modality in modalities}
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
    return inputs, encoded[0] if len(encoded) == 1 else keras.layers.Concatenate(axis=1)(encoded)


def check_modalities(modalities: Any) -> None:
    """Raise a ValueError unless these are modalities, at least one, of different names."""
    from tfq_fusion.datasets.card import Modality

    if not isinstance(modalities, (list, tuple)) or not all(isinstance(each, Modality) for each in modalities):
        raise ValueError(f"modalities should be a list of modalities, as in a data set's card, got {modalities!r}.")
    names = [each.name for each in modalities]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"modalities should be at least one, each with a name of its own, got {names}.")


def judge_classes(encoded: Any, classes: int, rng: np.random.Generator) -> Any:
    """A softmax over the classes for each modality, with weights of its own.

    Args:
        encoded: Features ``[batch, modalities, features]``.
        classes: The number of classes.
        rng: Draws the seeds of the initial weights.

    Returns:
        Probabilities ``[batch, modalities, classes]``.
    """
    return _Layers(rng, shared=False).dense(encoded, classes, "softmax")


def encode_vectors(stacks: Sequence[Any], features: int, hidden: int, rng: np.random.Generator) -> Any:
    """Two dense layers for each modality, with weights of its own: for features without an order.

    Args:
        stacks: Modalities of equal width in one tensor ``[batch, modalities, width]``, a tensor for each width.
        features: Features per modality.
        hidden: Units of the first layer.
        rng: Draws the seeds of the initial weights.

    Returns:
        ``[batch, modalities, features]``, the modalities of all stacks one after the other.
    """

    def dense(stack: Any, units: int, activation: str) -> Any:
        modalities = stack.shape[1]
        # Glorot-uniform for each modality: Keras takes the first axis of a stack of kernels for part of its fans.
        initializer = keras.initializers.VarianceScaling(
            scale=modalities, mode="fan_avg", distribution="uniform", seed=int(rng.integers(2**31))
        )
        layer = keras.layers.EinsumDense(
            "bmf,mfh->bmh",
            output_shape=(modalities, units),
            bias_axes="mh",
            activation=activation,
            kernel_initializer=initializer,
        )
        return layer(stack)

    rectified = [dense(stack, hidden, "relu") for stack in stacks]
    return dense(keras.layers.Concatenate(axis=1)(rectified), features, "tanh")


def encode_waveforms(signals: Any, features: int, hidden: int, rng: np.random.Generator, shared: bool = True) -> Any:
    """Two strided convolutions, and their mean over time: for waveforms whose events may be anywhere, such as an ECG.

    At 100 samples per second the second convolution sees 0.31 s, every 0.16 s.

    Args:
        signals: ``[batch, modalities, steps]`` or ``[batch, modalities, steps, channels]``, at least 31 steps.
        features: Features per modality.
        hidden: Filters of each convolution.
        rng: Draws the seeds of the initial weights.
        shared: Whether all modalities have the same weights, or each its own.

    Returns:
        ``[batch, modalities, features]``.
    """
    layers = _Layers(rng, shared)
    series = _with_channels(signals)
    for _ in range(2):
        series = layers.convolution(series, hidden, size=7, step=4)
    mean = keras.layers.AveragePooling2D((1, series.shape[2]))(series)
    return layers.dense(keras.layers.Reshape((signals.shape[1], hidden))(mean), features, "tanh")


def encode_windows(signals: Any, features: int, hidden: int, rng: np.random.Generator, shared: bool = True) -> Any:
    """Two convolutions over time, and all they give: for short windows in which every step has its place.

    Args:
        signals: ``[batch, modalities, steps]`` or ``[batch, modalities, steps, channels]``, at least 5 steps.
        features: Features per modality.
        hidden: Filters of each convolution.
        rng: Draws the seeds of the initial weights.
        shared: Whether all modalities have the same weights, or each its own.

    Returns:
        ``[batch, modalities, features]``.
    """
    layers = _Layers(rng, shared)
    series = _with_channels(signals)
    for _ in range(2):
        series = layers.convolution(series, hidden, size=3)
    _, modalities, steps, _ = series.shape
    return layers.dense(keras.layers.Reshape((modalities, steps * hidden))(series), features, "tanh")


def encode_images(images: Any, features: int, hidden: int, rng: np.random.Generator) -> Any:
    """Two convolutions with pooling, for one modality of small images.

    Args:
        images: ``[batch, height, width, channels]``, at least 4 by 4 pixels.
        features: Features.
        hidden: Filters of the first convolution; the second has twice as many.
        rng: Draws the seeds of the initial weights.

    Returns:
        ``[batch, features]``.
    """
    layers = _Layers(rng, shared=True)
    for filters in (hidden, 2 * hidden):
        initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        layer = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer=initializer)
        images = keras.layers.MaxPooling2D()(layer(images))
    return layers.dense(keras.layers.Flatten()(images), features, "tanh")


@register
class Frames(keras.layers.Layer):
    """Frames of series: a dense layer over them is a convolution over time.

    So the gradients of convolutions with a stride are products of matrices, where XLA takes hundreds of times as long
    for those of Keras' own on a CPU; and each modality can have weights of its own, for which Keras has ``groups``.

    - Input: ``[batch, modalities, steps, channels]``.
    - Output: ``[batch, modalities, (steps - size) // step + 1, size * channels]``.

    Args:
        size: Steps of a frame.
        step: Steps from the beginning of a frame to that of the next.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of its range; when called with another rank, or series that are too short.
    """

    def __init__(self, size: int, step: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        floating_point("dtype", self.compute_dtype)
        self.size = integer("size", size)
        self.step = integer("step", step)

    def call(self, inputs: Any) -> Any:
        """Cut the frames out."""
        inputs = real_tensor(inputs, "Frames expects series of real numbers, [batch, modalities, steps, channels]")
        self._check(inputs.shape)
        _, modalities, length, channels = inputs.shape
        frames = (length - self.size) // self.step + 1
        # Blocks of as many steps as lie between two frames: slices without a stride have cheaper gradients.
        blocks = -(-self.size // self.step)
        steps = (frames + blocks - 1) * self.step
        inputs = ops.pad(inputs[:, :, :steps], ((0, 0), (0, 0), (0, max(steps - length, 0)), (0, 0)))
        inputs = ops.reshape(inputs, (-1, modalities, frames + blocks - 1, self.step * channels))
        shifted = [inputs[:, :, block : block + frames] for block in range(blocks)]
        return ops.concatenate(shifted, axis=-1)[..., : self.size * channels]

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, modalities, frames, size * channels)``."""
        self._check(input_shape)
        batch, modalities, steps, channels = input_shape
        return batch, modalities, (steps - self.size) // self.step + 1, self.size * channels

    def _check(self, shape: Any) -> None:
        if len(shape) != 4 or shape[2] is None or shape[2] < self.size:
            raise ValueError(
                f"Frames expects series [batch, modalities, steps, channels] of at least {self.size} steps, a known "
                f"number, got shape {tuple(shape)}."
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer."""
        return {**super().get_config(), "size": self.size, "step": self.step}


class _Layers:
    """Layers over the last axis of ``[batch, modalities, ..., channels]``, with weights shared or for each modality."""

    def __init__(self, rng: np.random.Generator, shared: bool) -> None:
        self.rng = rng
        self.shared = shared

    def convolution(self, series: Any, filters: int, size: int, step: int = 1) -> Any:
        """Convolution over time with a rectifier: ``[batch, modalities, steps, channels]`` -> ``[..., filters]``."""
        if series.shape[2] < size:
            raise ValueError(f"The encoder expects longer signals: a convolution over {size} steps got {series.shape}.")
        return self.dense(Frames(size, step)(series), filters, "relu")

    def dense(self, inputs: Any, units: int, activation: str) -> Any:
        """Dense layer: ``[batch, modalities, ..., channels]`` -> ``[batch, modalities, ..., units]``."""
        initializer = _glorot_uniform(self.rng, inputs.shape[-1], units)
        if self.shared:
            return keras.layers.Dense(units, activation, kernel_initializer=initializer)(inputs)
        between = "t" * (len(inputs.shape) - 3)
        layer = keras.layers.EinsumDense(
            f"bm{between}c,mch->bm{between}h",
            output_shape=(*inputs.shape[1:-1], units),
            bias_axes="mh",
            activation=activation,
            kernel_initializer=initializer,
        )
        return layer(inputs)


def _glorot_uniform(rng: np.random.Generator, inputs: int, outputs: int) -> keras.initializers.Initializer:
    """As for a dense layer of one modality, which Keras cannot tell from the shape of several kernels in one array."""
    limit = float(np.sqrt(6 / (inputs + outputs)))
    return keras.initializers.RandomUniform(-limit, limit, seed=int(rng.integers(2**31)))


def _with_channels(signals: Any) -> Any:
    if len(signals.shape) == 4:
        return signals
    return keras.layers.Reshape((*signals.shape[1:], 1))(signals)


def input_shape(modality: Modality) -> tuple[int, ...]:
    """Shape of a modality's input without the batch axis: a vector is flat, a stack has an axis more."""
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
