"""Losses that Keras lacks."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import at_least_single, keras, ops, register
from tfq_fusion.arguments import floating_point
from tfq_fusion.training.preprocessing import Prepared


@register
class MaskedMeanSquaredError(keras.losses.Loss):
    """Mean squared error over the targets that were observed; those that were not are NaN.

    The mean is over all observed targets of a batch, however they are spread over its samples; without any it is 0.
    Where none is missing this is ``keras.losses.MeanSquaredError``. It is computed in single precision at least.

    Args:
        **kwargs: As for every Keras loss.

    Raises:
        ValueError: If ``dtype`` is no floating-point type.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        floating_point("dtype", getattr(self, "dtype", "float32"))  # legacy Keras' losses have none

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses ``[batch]`` of targets and forecasts ``[batch, outputs]``."""
        y_pred = at_least_single(ops.convert_to_tensor(y_pred))
        y_true = ops.cast(y_true, y_pred.dtype)
        missing = ops.isnan(y_true)
        # Chosen before it is squared: the gradient of a NaN that is thrown away later is still NaN.
        error = ops.where(missing, ops.zeros_like(y_pred), y_pred - y_true)
        observed = ops.mean(ops.cast(ops.logical_not(missing), y_pred.dtype))
        return ops.mean(ops.square(error), axis=-1) / ops.maximum(observed, keras.backend.epsilon())


def loss_of(data: Prepared) -> keras.losses.Loss:
    """Squared error for forecasts; for classes cross-entropy, focal where the classes are imbalanced.

    All class losses take one column of labels per class.
    """
    if data.task == "forecasting":
        return MaskedMeanSquaredError()
    if data.task == "multilabel":
        return keras.losses.BinaryCrossentropy()
    if data.imbalanced:
        return keras.losses.CategoricalFocalCrossentropy()
    return keras.losses.CategoricalCrossentropy()
