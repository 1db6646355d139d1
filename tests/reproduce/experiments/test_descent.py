"""A search from many starts at once, on a function whose minima are known."""

import jax.numpy as jnp
import numpy as np
import pytest

from reproduce.experiments.expressivity.descent import TOGETHER, make_descent


def ripples(weights, lowest):
    """A minimum near every whole number, all equal along each axis but for a bowl around the lowest one."""
    return jnp.sum(1 - jnp.cos(2 * jnp.pi * weights) + 0.05 * (weights - lowest) ** 2)


@pytest.mark.parametrize("starts", [5, 3 * TOGETHER, 5 * TOGETHER + 1])
def test_the_first_of_what_is_found_is_the_best(starts):
    weights = np.random.default_rng(0).uniform(-4, 4, (starts, 2))
    weights[starts // 2] = [2.1, -0.9]
    found = make_descent(ripples)(weights, -1.0, np.array([2.0, -1.0]))
    assert len(found) <= TOGETHER
    np.testing.assert_allclose(found[0], [2, -1], atol=0.1)
    losses = [float(ripples(each, np.array([2.0, -1.0]))) for each in found]
    assert losses[0] == pytest.approx(min(losses), abs=1e-3)


def test_a_loss_that_is_low_enough_ends_the_search():
    seen = []

    def loss(weights):
        seen.append(weights.shape)
        return jnp.sum(weights**2)

    weights = np.ones((10 * TOGETHER, 3))
    weights[:TOGETHER] = 0
    found = make_descent(loss)(weights, 1e-3)
    np.testing.assert_allclose(found, np.zeros((TOGETHER, 3)), atol=1e-3)  # those after the first ones never ran
    assert len(seen) == 1  # it was compiled once
