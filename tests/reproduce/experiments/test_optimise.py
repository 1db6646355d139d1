"""A search from several starts, on functions whose minima are known."""

import numpy as np
import pytest
import tensorflow as tf

from reproduce.experiments.expressivity.optimise import flat_loss, minimise


def double_well(weights):
    """Two minima, the lower one near -1."""
    (x,) = weights
    return (x**2 - 1) ** 2 + 0.3 * x, np.array([4 * x * (x**2 - 1) + 0.3])


@pytest.mark.parametrize("starts", [(2.0, -2.0), (-2.0, 2.0)])
def test_the_best_of_all_starts_is_taken(starts):
    (found,) = minimise(double_well, [np.array([start]) for start in starts], enough=-np.inf, iterations=100)
    assert found == pytest.approx(-1.036, abs=1e-3)


def test_a_start_that_leads_far_enough_is_the_last():
    starts = iter([np.array([2.0]), np.array([-2.0])])
    (found,) = minimise(double_well, starts, enough=0.31, iterations=100)
    assert found > 0
    assert next(starts) == -2.0


def test_a_loss_of_several_variables_is_one_of_a_vector():
    variables = [tf.Variable(np.zeros((2, 1))), tf.Variable(np.zeros(3))]
    loss = flat_loss(variables, lambda scale: scale * tf.reduce_sum(variables[0]) + tf.reduce_sum(variables[1] ** 2))
    value, gradient = loss(np.arange(5.0), tf.constant(10.0, tf.float64))
    assert value == 10 * (0 + 1) + 4 + 9 + 16
    np.testing.assert_allclose(gradient, [10, 10, 4, 6, 8])
    np.testing.assert_array_equal(variables[1].numpy(), [2, 3, 4])
