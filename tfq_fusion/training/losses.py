"""Losses that Keras lacks."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import keras, ops


class MaskedMeanSquaredError(keras.losses.Loss):
    """Mean squared error over the targets that were observed; those that were not are NaN.

    The mean is over all observed targets of a batch, however they are spread over its samples; without any it is 0.
    Where none is missing this is ``keras.losses.MeanSquaredError``.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses ``[batch]`` of targets and forecasts ``[batch, outputs]``."""
        missing = ops.isnan(y_true)
        # Chosen before it is squared: the gradient of a NaN that is thrown away later is still NaN.
        error = ops.where(missing, ops.zeros_like(y_pred), y_pred - y_true)
        observed = ops.mean(ops.cast(ops.logical_not(missing), y_pred.dtype))
        return ops.mean(ops.square(error), axis=-1) / ops.maximum(observed, keras.backend.epsilon())
