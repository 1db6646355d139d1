"""Validation parts for data sets whose authors set aside a test part alone."""

from __future__ import annotations

import numpy as np


def hold_out(labels: np.ndarray, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
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
