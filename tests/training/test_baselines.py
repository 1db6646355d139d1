"""Forecasts without a model, against loops."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.training import historical_average, persistence_forecast


def test_persistence_repeats_each_modality_s_last_value():
    inputs = {"a": np.array([[1, 2], [3, 4]]), "b": np.array([[5, 6], [7, 8]])}
    assert persistence_forecast(inputs).tolist() == [[2, 6], [4, 8]]


def test_persistence_of_a_stack_repeats_it_step_by_step():
    stack = np.array([[[1, 2], [5, 6]], [[3, 4], [7, 8]]])  # two samples of two sensors
    assert persistence_forecast({"sensors": stack}, horizon=3).tolist() == [[2, 6] * 3, [4, 8] * 3]


def forecast_set(train, validation, horizon, outputs=2):
    """Targets and times of day as a data set holds them."""
    parts = {"train": train, "validation": validation}
    return types.SimpleNamespace(
        train=(None, train[0]),
        time_of_day={name: slots for name, (_, slots) in parts.items()},
        card=types.SimpleNamespace(name="toy", horizon=horizon, outputs=("a", "b")[:outputs]),
    )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_historical_average_is_the_training_mean_at_that_time_of_day(seed):
    rng = np.random.default_rng(seed)
    days = rng.uniform(1, 70, (3, 288, 2)).astype(np.float32)
    days[0, 5, 1] = days[1, 7, 0] = np.nan
    series = days.reshape(-1, 2)
    targets = np.concatenate([series[:-1], series[1:]], axis=1)  # the next step and the one after it
    slots = np.arange(len(targets)) % 288
    data = forecast_set((targets, slots), (targets[:3], np.array([5, 7, 287])), horizon=2)
    found = historical_average(data)
    seen = days.reshape(-1, 2)[:-1]  # the last step is nobody's first
    for part, starts in data.time_of_day.items():
        for row in rng.integers(len(starts), size=5):
            for step in range(2):
                slot = (starts[row] + step) % 288
                expected = np.nanmean(seen[slot::288], axis=0)
                np.testing.assert_allclose(found[part][row, 2 * step : 2 * step + 2], expected, rtol=1e-5)


def test_a_time_of_day_that_was_never_observed_gets_the_mean_of_all():
    targets = np.array([[1, 10], [3, np.nan]], dtype=np.float32)
    data = forecast_set((targets, np.array([0, 1])), (targets, np.array([1, 200])), horizon=1)
    assert historical_average(data)["validation"].tolist() == [[3, 10], [2, 10]]


def test_without_times_of_day_there_is_no_historical_average():
    data = forecast_set((np.ones((1, 2)), np.zeros(1)), (np.ones((1, 2)), np.zeros(1)), horizon=1)
    data.time_of_day = None
    with pytest.raises(ValueError, match="toy does not say at which time of day"):
        historical_average(data)
