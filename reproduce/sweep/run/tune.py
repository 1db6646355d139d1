"""Which learning rate a model is trained with: the one that seeds which are never reported do best with."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

from tfq_fusion.training.fitted import Fitted
from tfq_fusion.training.protocol import Protocol

FIRST_SEED = 1_000_000
"""The seeds of tuning follow from here; those of the reported runs never come so far."""

Train = Callable[[Sequence[int], Sequence[float]], list[Fitted]]
"""Trains a model per seed and learning rate."""


def tune(train: Train, protocol: Protocol) -> tuple[float, dict[float, float]]:
    """Choose among the learning rates of a protocol by validation loss.

    Args:
        train: Trains models.
        protocol: The protocol.

    Returns:
        The learning rate with the lowest mean, over the tuning seeds, of the lowest validation loss; and that mean for
        every rate, infinite where a seed diverged. A protocol with one rate leaves no choice: nothing is trained, and
        no means are given. If every rate has a seed that diverged it is the lowest one.
    """
    rates = protocol.learning_rates
    if len(rates) == 1:
        return rates[0], {}
    seeds = range(FIRST_SEED, FIRST_SEED + protocol.tuning_seeds)
    members = list(itertools.product(rates, seeds))
    fitted = train([seed for _, seed in members], [rate for rate, _ in members])
    losses: dict[float, list[float]] = {rate: [] for rate in rates}
    for (rate, _), each in zip(members, fitted, strict=True):
        losses[rate].append(math.inf if each.diverged else min(each.history["val_loss"]))
    means = {rate: statistics.fmean(of_rate) for rate, of_rate in losses.items()}
    return min(sorted(means), key=means.__getitem__), means
