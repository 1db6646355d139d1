"""What is reported of a model, and of several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn import metrics

from tfq_fusion._typing import FloatArray
from tfq_fusion.arguments import integer, one_of

TASKS = ("classification", "multilabel", "forecasting")

REPORTED_STEPS = (3, 6, 12)
"""The steps at which errors of a longer forecast are reported, 15, 30 and 60 minutes of a five-minute series, as in
arXiv 1707.01926."""


def evaluate(task: str, truth: npt.NDArray[Any], predicted: FloatArray, horizon: int = 1) -> dict[str, float]:
    """The metrics of a task.

    Args:
        task: "classification", "multilabel" or "forecasting".
        truth: Class indices ``[n]``; zeros and ones ``[n, classes]``; or targets ``[n, horizon * outputs]`` in their
            own units, step by step, NaN where nothing was observed.
        predicted: Probabilities ``[n, classes]``, or forecasts ``[n, horizon * outputs]``.
        horizon: Steps of a forecast.

    Returns:
        For classes the accuracy and the macro-averaged one-vs-rest ROC AUC; where several can be true the
        macro-averaged ROC AUC alone, as the PTB-XL benchmark has it (arXiv 2004.13701). For forecasts MAE and RMSE, in
        the units of the targets, over all that was observed, and MAPE in percent if no target is zero; of a longer
        forecast also at each of :data:`REPORTED_STEPS` alone, as in "mae@3".

    Raises:
        ValueError: If the task is unknown, if targets and forecasts differ in shape or do not divide into the steps, if
            a forecast is NaN or infinite, or if no target of the forecast or of a reported step was observed.
    """
    one_of("task", task, TASKS)
    if task == "classification":
        # Float32 probabilities miss a sum of one by more than scikit-learn allows.
        probabilities = predicted.astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        if probabilities.shape[1] == 2:
            probabilities = probabilities[:, 1]
        return {
            "accuracy": float(metrics.accuracy_score(truth, predicted.argmax(axis=1))),
            "roc_auc": float(metrics.roc_auc_score(truth, probabilities, average="macro", multi_class="ovr")),
        }
    if task == "multilabel":
        return {"roc_auc": float(metrics.roc_auc_score(truth, predicted, average="macro"))}
    horizon = integer("horizon", horizon)
    if truth.shape != predicted.shape or truth.ndim != 2 or truth.shape[1] % horizon:
        raise ValueError(
            f"Targets and forecasts should have one shape [n, {horizon} * outputs], got {list(truth.shape)} and "
            f"{list(predicted.shape)}."
        )
    errors = _forecast_errors(truth, predicted, "the forecast")
    truth_by_step, predicted_by_step = (array.reshape(len(array), horizon, -1) for array in (truth, predicted))
    for step in REPORTED_STEPS:
        if step <= horizon:
            at_step = _forecast_errors(truth_by_step[:, step - 1], predicted_by_step[:, step - 1], f"step {step}")
            errors |= {f"{name}@{step}": value for name, value in at_step.items()}
    return errors


def _forecast_errors(truth: FloatArray, predicted: FloatArray, of: str) -> dict[str, float]:
    observed = ~np.isnan(truth)
    if not observed.any():
        raise ValueError(
            f"No target of {of} was observed, all {truth.size} are NaN: its errors are unknown. Evaluate samples with "
            "observations, or a shorter forecast."
        )
    truth, predicted = truth[observed], predicted[observed]
    if not np.isfinite(predicted).all():
        raise ValueError(f"Forecasts of {of} should be finite, got NaN or infinite values.")
    errors = {
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "rmse": float(np.sqrt(metrics.mean_squared_error(truth, predicted))),
    }
    # Targets that were standardised come back with rounding errors, zeros among them.
    if np.abs(truth).min() > 1e-5 * np.abs(truth).mean():
        errors["mape"] = 100 * float(metrics.mean_absolute_percentage_error(truth, predicted))
    return errors


def t_interval(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Mean, sample standard deviation, and the limits of the 95 % Student t-interval of the mean.

    With a single value all but the mean are NaN; without any, the mean is too.
    """
    if len(values) == 0:
        return (float("nan"),) * 4
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, float("nan"), float("nan"), float("nan")
    std = float(np.std(values, ddof=1))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * std / np.sqrt(len(values))
    return mean, std, mean - half, mean + half
