"""Metrics against formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion.training import evaluate, persistence_forecast, t_interval


def pairwise_auc(positive, scores):
    """Share of (positive, negative) pairs that are ordered rightly; ties count half."""
    ours, others = scores[positive], scores[~positive]
    return np.mean((ours[:, None] > others) + 0.5 * (ours[:, None] == others))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_accuracy_and_macro_one_vs_rest_roc_auc(seed, classes):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(classes, size=20)])
    predicted = rng.dirichlet(np.ones(classes), size=len(truth)).astype(np.float32)
    found = evaluate("classification", truth, predicted)
    areas = [pairwise_auc(truth == k, predicted[:, k]) for k in range(classes)]
    assert found["accuracy"] == np.mean(predicted.argmax(axis=1) == truth)
    assert found["roc_auc"] == pytest.approx(np.mean(areas), abs=1e-6)


def test_forecast_errors():
    truth = np.array([[1.0, 2.0], [3.0, 4.0]])
    predicted = np.array([[1.0, 4.0], [3.0, 0.0]])
    assert evaluate("forecasting", truth, predicted) == {"mae": 1.5, "rmse": pytest.approx(math.sqrt(5))}


def test_persistence_repeats_each_modality_s_last_value():
    inputs = {"a": np.array([[1, 2], [3, 4]]), "b": np.array([[5, 6], [7, 8]])}
    assert persistence_forecast(inputs).tolist() == [[2, 6], [4, 8]]


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=10))
def test_t_interval_is_scipy_s(values):
    mean, std, low, high = t_interval(values)
    assert mean == pytest.approx(sum(values) / len(values))
    error = stats.sem(values)
    assert std == pytest.approx(error * math.sqrt(len(values)))
    if error > 1e-6:
        assert (low, high) == pytest.approx(stats.t.interval(0.95, len(values) - 1, loc=mean, scale=error), abs=1e-6)


def test_t_interval_of_one_value_and_of_none():
    assert t_interval([2.0])[0] == 2.0
    assert all(map(math.isnan, t_interval([2.0])[1:]))
    assert all(map(math.isnan, t_interval([])))
