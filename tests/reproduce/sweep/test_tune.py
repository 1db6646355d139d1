"""The learning rate: the best mean validation loss, of seeds that nobody reports."""

import math

import pytest

from reproduce.__main__ import MOST_SEEDS
from reproduce.sweep.run.tune import FIRST_SEED, tune
from tfq_fusion.training import Protocol
from tfq_fusion.training.fitted import Fitted


def trainer(losses):
    """Trains nothing: learning rate -> per seed, the validation losses of its epochs; notes what it was asked for."""

    def train(seeds, rates):
        train.asked += zip(seeds, rates, strict=True)
        return [fitted(rate, losses[rate][seed - FIRST_SEED]) for seed, rate in zip(seeds, rates, strict=True)]

    train.asked = []
    return train


def fitted(rate, val_loss):
    diverged = not all(map(math.isfinite, val_loss))
    return Fitted({}, rate, len(val_loss), diverged, {"val_loss": val_loss}, None, None, {}, None)


def protocol(*rates, seeds=2):
    return Protocol(learning_rates=rates, tuning_seeds=seeds)


def test_the_lowest_mean_over_seeds_of_the_lowest_loss_over_epochs_is_chosen():
    # The best single seed is of 0.1, and so is the lowest last loss.
    train = trainer({0.01: [[0.5, 0.9], [0.4, 0.9]], 0.1: [[0.8, 0.1], [1.0, 1.0]]})
    rate, means = tune(train, protocol(0.1, 0.01))
    assert rate == 0.01
    assert means == {0.1: pytest.approx(0.55), 0.01: pytest.approx(0.45)}


def test_every_rate_is_tried_with_the_same_seeds_at_once_and_none_of_them_is_ever_reported():
    train = trainer({rate: [[1.0]] * 3 for rate in (0.1, 0.01)})
    tune(train, protocol(0.1, 0.01, seeds=3))
    tuning = [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2]
    assert train.asked == [*((seed, 0.1) for seed in tuning), *((seed, 0.01) for seed in tuning)]
    assert FIRST_SEED >= MOST_SEEDS


def test_a_rate_with_a_seed_that_diverged_has_an_infinite_loss():
    train = trainer({0.1: [[0.1], [0.1, math.nan]], 0.01: [[9.0], [9.0]]})
    assert tune(train, protocol(0.1, 0.01)) == (0.01, {0.1: math.inf, 0.01: 9.0})


def test_the_lowest_rate_is_chosen_if_all_diverge_or_none_is_better():
    diverging = trainer({rate: [[math.nan]] for rate in (0.1, 0.01, 1.0)})
    assert tune(diverging, protocol(0.1, 0.01, 1.0, seeds=1))[0] == 0.01
    equal = trainer({rate: [[0.5]] for rate in (0.1, 0.01, 1.0)})
    assert tune(equal, protocol(0.1, 0.01, 1.0, seeds=1))[0] == 0.01


def test_one_rate_leaves_no_choice_and_nothing_is_trained():
    train = trainer({})
    assert tune(train, protocol(0.1)) == (0.1, {})
    assert train.asked == []
