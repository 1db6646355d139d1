"""Parts of a training part: one to validate where the authors set aside a test part alone, and a smaller one."""

from __future__ import annotations

import numpy as np

from tfq_fusion._typing import IntegerArray


def hold_out(labels: IntegerArray, share: float, seed: int = 0) -> tuple[IntegerArray, IntegerArray]:
    """Splits the rows of a training part at random, with the same share of every class held out.

    Args:
        labels: Class of each row: ``[n]``.
        share: How much of each class to hold out, between 0 and 1.
        seed: Of the random choice.

    Returns:
        The rows to train on and the rows held out, both ascending.
    """
    from sklearn.model_selection import train_test_split  # as slow to import as everything else here together

    rows = np.arange(len(labels))
    train, validation = train_test_split(rows, test_size=share, stratify=labels, random_state=seed)
    return np.sort(train), np.sort(validation)


def draw(labels: IntegerArray, count: int, seed: int = 0) -> IntegerArray:
    """Draws rows at random, each class in its share; fewer rows are always among those that more would be.

    Args:
        labels: Class of each row: ``[n]``.
        count: How many rows.
        seed: Of the random choice.

    Returns:
        The rows, ascending.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    turns = np.empty(len(labels))
    for label in np.unique(labels):
        rows = shuffled[labels[shuffled] == label]
        turns[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.sort(np.argsort(turns, kind="stable")[:count])
