"""Metrics against formulas."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion.datasets import load
from tfq_fusion.training import evaluate, prepare, t_interval


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


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_multilabel_has_the_macro_roc_auc(seed, classes):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.eye(classes), 1 - np.eye(classes), rng.integers(2, size=(20, classes))])
    predicted = rng.uniform(size=truth.shape).astype(np.float32)
    areas = [pairwise_auc(truth[:, k] == 1, predicted[:, k]) for k in range(classes)]
    assert evaluate("multilabel", truth, predicted) == {"roc_auc": pytest.approx(np.mean(areas))}


def test_forecast_errors():
    truth = np.array([[1.0, 2.0], [3.0, 4.0]])
    predicted = np.array([[1.0, 4.0], [3.0, 0.0]])
    expected = {"mae": 1.5, "rmse": pytest.approx(math.sqrt(5)), "mape": pytest.approx(50.0)}
    assert evaluate("forecasting", truth, predicted) == expected


@pytest.mark.parametrize("zero", [0.0, -0.0, 1e-6])
def test_percentages_of_zero_are_not_taken_even_if_it_was_rounded(zero):
    assert set(evaluate("forecasting", np.array([[zero, 2.0]]), np.ones((1, 2)))) == {"mae", "rmse"}


def test_counts_of_traffic_have_no_percentages_when_they_come_back_from_standardising():
    data = prepare(load("traffic-detectors"))
    for part in (data.validation, data.test):
        truth = data.target_scaler.inverse_transform(part[1])
        assert set(evaluate("forecasting", truth, truth + 1)) == {"mae", "rmse"}


def test_a_step_that_was_never_observed_is_named():
    truth = np.ones((4, 6))
    truth[:, 2] = np.nan
    with pytest.raises(ValueError, match="No target of step 3 was observed, all 4 are NaN"):
        evaluate("forecasting", truth, np.ones((4, 6)), horizon=6)
    with pytest.raises(ValueError, match="No target of the forecast was observed, all 2 are NaN"):
        evaluate("forecasting", np.full((2, 1), np.nan), np.ones((2, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "regression"}, r"task should be one of \['classification', 'multilabel', 'forecasting'\]"),
        ({"horizon": 0}, "horizon should be an integer of at least 1, got 0"),
        ({"horizon": 4}, r"one shape \[n, 4 \* outputs\], got \[2, 6\] and \[2, 6\]"),
        ({"predicted": np.ones((2, 5))}, r"got \[2, 6\] and \[2, 5\]"),
        ({"predicted": np.full((2, 6), np.inf)}, "Forecasts of the forecast should be finite"),
    ],
)
def test_what_cannot_be_evaluated_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate(**{"task": "forecasting", "truth": np.ones((2, 6)), "predicted": np.ones((2, 6)), **arguments})


def test_what_was_not_observed_does_not_count():
    truth = np.array([[1.0, np.nan], [np.nan, 4.0]])
    predicted = np.array([[2.0, 1e6], [-1e6, 1.0]])
    expected = {"mae": 2.0, "rmse": pytest.approx(math.sqrt(5)), "mape": pytest.approx(87.5)}
    assert evaluate("forecasting", truth, predicted) == expected


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 6, 7, 12]))
def test_longer_forecasts_are_reported_at_their_steps_too(seed, horizon):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 70, (5, horizon, 2))
    predicted = rng.uniform(1, 70, (5, horizon, 2))
    truth[0, :, 1] = np.nan
    found = evaluate("forecasting", truth.reshape(5, -1), predicted.reshape(5, -1), horizon)
    steps = [step for step in (3, 6, 12) if step <= horizon]
    assert set(found) == {"mae", "rmse", "mape"} | {f"{m}@{s}" for m in ("mae", "rmse", "mape") for s in steps}
    for name, part in [("", slice(None)), *((f"@{step}", slice(step - 1, step)) for step in steps)]:
        error, of = (predicted - truth)[:, part], truth[:, part]
        assert found[f"mae{name}"] == pytest.approx(np.nanmean(np.abs(error)))
        assert found[f"rmse{name}"] == pytest.approx(np.sqrt(np.nanmean(error**2)))
        assert found[f"mape{name}"] == pytest.approx(100 * np.nanmean(np.abs(error / of)))


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
