"""The masked loss, against Keras' own and against a formula."""

import numpy as np
import pytest
import tensorflow as tf

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.training.losses import MaskedMeanSquaredError

pytestmark = pytest.mark.keras


def targets_and_forecasts(missing=0.0):
    rng = np.random.default_rng(0)
    truth, predicted = rng.normal(size=(2, 6, 5)).astype("f")
    truth[rng.uniform(size=truth.shape) < missing] = np.nan
    return truth, predicted


def test_without_gaps_it_is_keras_mean_squared_error():
    truth, predicted = targets_and_forecasts()
    assert float(MaskedMeanSquaredError()(truth, predicted)) == float(keras.losses.MeanSquaredError()(truth, predicted))


def test_it_is_the_mean_over_what_was_observed():
    truth, predicted = targets_and_forecasts(missing=0.6)
    found = float(MaskedMeanSquaredError()(truth, predicted))
    assert found == pytest.approx(np.nanmean((predicted - truth) ** 2), rel=1e-6)


def test_gradient_is_zero_where_nothing_was_observed_and_that_of_the_mean_elsewhere():
    truth, predicted = targets_and_forecasts(missing=0.6)
    forecast = tf.Variable(predicted)
    with tf.GradientTape() as tape:
        loss = MaskedMeanSquaredError()(truth, forecast)
    expected = np.nan_to_num(2 * (predicted - truth) / np.sum(~np.isnan(truth)))
    np.testing.assert_allclose(tape.gradient(loss, forecast), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_forecasts_of_any_precision_are_compared_with_targets_in_single(dtype):
    truth, predicted = targets_and_forecasts(missing=0.6)
    predicted = tf.cast(100 * predicted, dtype)  # squares that half precision does not hold
    found = float(MaskedMeanSquaredError()(truth, predicted))
    assert found == pytest.approx(np.nanmean((np.asarray(predicted).astype(float) - truth) ** 2), rel=1e-5)


def test_a_compiled_model_loads_with_its_loss(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", MaskedMeanSquaredError(name="gaps"))
    truth, predicted = targets_and_forecasts(missing=0.6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.loss, MaskedMeanSquaredError)
    assert float(loaded.loss(truth, predicted)) == float(model.loss(truth, predicted))


@pytest.mark.skipif(LEGACY, reason="losses of legacy Keras have no type")
def test_a_type_without_fractions_is_refused():
    with pytest.raises(ValueError, match="dtype should be a floating-point type such as 'float32', got 'int32'"):
        MaskedMeanSquaredError(dtype="int32")


def test_a_batch_without_any_observation_costs_nothing():
    assert float(MaskedMeanSquaredError()(np.full((2, 3), np.nan, "f"), np.ones((2, 3), "f"))) == 0
