"""What is reported of a model, and of several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats
from sklearn import metrics


def evaluate(task: str, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The metrics of a task.

    Args:
        task: "classification" or "forecasting".
        truth: Class indices ``[n]``, or targets ``[n, outputs]`` in their own units.
        predicted: Probabilities ``[n, classes]``, or forecasts ``[n, outputs]``.

    Returns:
        For classes the accuracy and the macro-averaged one-vs-rest ROC AUC; for forecasts MAE and RMSE, over all
        samples and outputs, in the units of the targets.
    """
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
    return {
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "rmse": float(np.sqrt(metrics.mean_squared_error(truth, predicted))),
    }


def persistence_forecast(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The forecast that nothing changes: each modality's last value.

    Args:
        inputs: Modality name -> windows ``[n, steps]``.

    Returns:
        ``[n, modalities]``.
    """
    return np.stack([window[:, -1] for window in inputs.values()], axis=1)


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
