"""Fusion at decision level: every modality has judged the classes already, and a rule combines the judgements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfq_fusion._keras import at_least_single, ops, register, visible_values
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import modality_widths, split_modalities

TOLERANCE = 2**-5
"""Probabilities sum to 1 within this: those of a softmax in bfloat16, of up to 10,000 classes, within 2**-6, and who
gets them in another type cannot tell where they are from."""


class _DecisionFusion(Fusion):
    def output_width(self, widths: tuple[int, ...]) -> int:
        """The number of classes."""
        return _classes(widths)


@register
class MeanFusion(_DecisionFusion):
    """The mean of the modalities' probabilities, ``p_c = sum_m p_mc / M``. It has no weights.

    The sum rule of Kittler et al., "On combining classifiers", IEEE TPAMI 20 (3), 226-239, 1998.

    - Input: a list of ``[batch, classes]`` tensors or one ``[batch, modalities, classes]`` tensor of probabilities.
    - Output: probabilities ``[batch, classes]``.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import MeanFusion
        >>> sure, unsure = np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])
        >>> MeanFusion()([sure, unsure]).numpy().round(2)
        array([[0.65, 0.35]], dtype=float32)

    Raises:
        ValueError: When called with modalities of different numbers of classes, or (in eager execution) with values
            that are no probabilities; and as :class:`ConcatFusion`.
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        return ops.cast(ops.mean(_probabilities(inputs, self._widths, fixed=False), axis=1), self.compute_dtype)


@register
class ProductFusion(_DecisionFusion):
    """The product of the modalities' probabilities, ``p_c ~ prod_m p_mc``, normalised. It has no weights.

    The product rule of Kittler et al. (see :class:`MeanFusion`) with equal priors: Bayes' rule for modalities that are
    independent given the class. Probabilities below 1e-7 count as 1e-7, so no modality alone can rule out a class.

    Input, output and errors are those of :class:`MeanFusion`.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import ProductFusion
        >>> sure, unsure = np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])
        >>> ProductFusion()([sure, unsure]).numpy().round(2)
        array([[0.86, 0.14]], dtype=float32)
    """

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        logarithms = ops.log(ops.maximum(_probabilities(inputs, self._widths, fixed=False), 1e-7))
        return ops.cast(ops.softmax(ops.sum(logarithms, axis=1), axis=-1), self.compute_dtype)


@register
class DempsterFusion(_DecisionFusion):
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
    It has one weight per modality.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import DempsterFusion
        >>> sure, unsure = np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])
        >>> DempsterFusion()([sure, unsure]).numpy().round(2)
        array([[0.63, 0.37]], dtype=float32)
    """

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        self.ignorance = self.add_weight(name="ignorance", shape=(len(widths), 1), initializer="zeros", autocast=False)

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        logits = at_least_single(ops.convert_to_tensor(self.ignorance))
        ignorance = ops.sigmoid(logits)
        masses = (1 - ignorance) * _probabilities(inputs, self.widths)
        # In logarithms and relative to the largest: the products of many modalities in conflict would vanish.
        classes = ops.sum(ops.log(masses + ignorance), axis=1)
        largest = ops.max(classes, axis=-1, keepdims=True, initial=-np.inf)
        frame = ops.exp(ops.sum(ops.log_sigmoid(logits)) - largest)
        shares = ops.exp(classes - largest) - frame + frame / self.widths[0]
        return ops.cast(shares / ops.sum(shares, axis=-1, keepdims=True), self.compute_dtype)


def _classes(widths: tuple[int, ...]) -> int:
    """How many classes every modality judges."""
    first, *others = widths
    if any(width != first for width in others):
        raise ValueError(
            f"A fusion of decisions expects every modality to judge the same classes, got modalities of {widths} "
            "classes. Give each as many outputs as there are classes."
        )
    return first


def _probabilities(inputs: Any, widths: tuple[int, ...], fixed: bool = True) -> Any:
    """``[batch, modalities, classes]``; arguments are those of :func:`split_modalities`."""
    modalities = split_modalities(inputs, widths, fixed)
    _classes(modality_widths([modality.shape for modality in modalities]))
    for position, modality in enumerate(modalities):
        values = visible_values(modality)
        if values is None or values.size == 0:
            continue
        values = values.astype(np.float64)
        sums = values.sum(axis=-1)
        if (values < 0).any() or (np.abs(sums - 1) > TOLERANCE).any():
            raise ValueError(
                f"Modality {position} holds no probabilities: expected values of at least 0 that sum to 1 for each "
                f"sample, got values from {values.min():g} to {values.max():g} and sums from {sums.min():g} to "
                f"{sums.max():g}. Put a softmax before the layer."
            )
    return at_least_single(ops.stack(modalities, axis=1))
