"""Fusion at decision level: every modality has judged the classes already, and a rule combines the judgements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfq_fusion._keras import keras, ops, register, visible_values
from tfq_fusion.layers.modalities import Shape, batch_size, modality_widths, split_modalities


@register
class MeanFusion(keras.layers.Layer):
    """The mean of the modalities' probabilities, ``p_c = sum_m p_mc / M``. It has no weights.

    The sum rule of Kittler et al., "On combining classifiers", IEEE TPAMI 20 (3), 226-239, 1998.

    Input: a list of ``[batch, classes]`` tensors or one ``[batch, modalities, classes]`` tensor of probabilities.
    Output: probabilities ``[batch, classes]``.

    Raises:
        ValueError: When called with modalities of different numbers of classes, or (in eager execution) with values
            that are no probabilities; and as :class:`ConcatFusion`.
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        return ops.mean(_probabilities(inputs), axis=1)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        """``(batch, classes)``."""
        return batch_size(input_shape), _classes(input_shape)


@register
class ProductFusion(keras.layers.Layer):
    """The product of the modalities' probabilities, ``p_c ~ prod_m p_mc``, normalised. It has no weights.

    The product rule of Kittler et al. (see :class:`MeanFusion`) with equal priors: Bayes' rule for modalities that are
    independent given the class. Probabilities below 1e-7 count as 1e-7, so no modality alone can rule out a class.

    Input, output and errors are those of :class:`MeanFusion`.
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        logarithms = ops.log(ops.maximum(_probabilities(inputs), 1e-7))
        return ops.softmax(ops.sum(logarithms, axis=1), axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        """``(batch, classes)``."""
        return batch_size(input_shape), _classes(input_shape)


@register
class DempsterFusion(keras.layers.Layer):
    r"""Dempster's rule of combination, with a learned share of ignorance for each modality.

    Each modality's probabilities are discounted as in Shafer, "A mathematical theory of evidence" (1976): the mass of
    a class becomes ``(1 - a_m) p_mc``, and ``a_m`` goes to ignorance, the whole frame of classes. ``a_m``, one number
    for each modality, is the sigmoid of a trained weight that starts at 0. Masses on single classes and the frame
    combine in closed form (products over modalities, conflict left out and the rest normalised):

    - class c: ``prod_m ((1 - a_m) p_mc + a_m) - prod_m a_m``
    - the frame: ``prod_m a_m``

    The frame's mass is shared equally by all classes in the end, which makes the pignistic probability (Smets & Kennes,
    Artificial Intelligence 66, 191-234, 1994).

    Input, output and errors are those of :class:`MeanFusion`.
    Weights: one per modality.
    """

    def build(self, input_shape: Shape) -> None:
        """Make the weights."""
        self._widths = modality_widths(input_shape)
        self.ignorance = self.add_weight(name="ignorance", shape=(len(self._widths), 1), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        ignorance = ops.sigmoid(self.ignorance)
        masses = (1 - ignorance) * _probabilities(inputs, self._widths)
        # In logarithms and relative to the largest: the products of many modalities in conflict would vanish.
        classes = ops.sum(ops.log(masses + ignorance), axis=1)
        largest = ops.max(classes, axis=-1, keepdims=True)
        frame = ops.exp(ops.sum(ops.log_sigmoid(self.ignorance)) - largest)
        shares = ops.exp(classes - largest) - frame + frame / masses.shape[-1]
        return shares / ops.sum(shares, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        """``(batch, classes)``."""
        return batch_size(input_shape), _classes(input_shape)


def _classes(input_shape: Shape) -> int:
    """How many classes every modality judges."""
    first, *others = widths = modality_widths(input_shape)
    if any(width != first for width in others):
        raise ValueError(
            f"A fusion of decisions expects every modality to judge the same classes, got modalities of {widths} "
            "classes. Give each as many outputs as there are classes."
        )
    return first


def _probabilities(inputs: Any, widths: tuple[int, ...] | None = None) -> Any:
    """``[batch, modalities, classes]``; ``widths`` as for :func:`split_modalities`."""
    modalities = split_modalities(inputs, widths)
    _classes([modality.shape for modality in modalities])
    for position, modality in enumerate(modalities):
        values = visible_values(modality)
        if values is not None and ((values < 0).any() or (np.abs(values.sum(axis=-1) - 1) > 1e-3).any()):
            raise ValueError(
                f"Modality {position} holds no probabilities: expected values of at least 0 that sum to 1 for each "
                f"sample, got values from {values.min():g} to {values.max():g} and sums from "
                f"{values.sum(axis=-1).min():g} to {values.sum(axis=-1).max():g}. Put a softmax before the layer."
            )
    return ops.stack(modalities, axis=1)
