"""The options of a training: fewer samples to train on, and what happens to a modality of the test part.

- ``samples``: train on so many samples only, drawn at random, of a classification the same number of each class where
  that is possible. Fewer samples are always among more of them.
- ``draw``: which of several such draws it is, 0, 1, ...
- ``missing``: the modality, by its number, that is missing in the test part: all that is known of it is its mean in the
  training part.
- ``noise``: the modality, by its number, in whose place the test part has normal noise of the same mean and deviation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfq_fusion.datasets import Card, Dataset
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training import Prepared


def trained_on(dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
    """The data set with as many samples to train on as the options say.

    Raises:
        ValueError: If it has not so many, or they are fewer than its classes.
    """
    if "samples" not in options:
        return dataset
    (inputs, labels), count = dataset.train, options["samples"]
    fewest = len(np.unique(labels)) if dataset.task == "classification" else 1
    if not fewest <= count <= len(labels):
        raise ValueError(f"samples should be from {fewest} to {len(labels)} on {dataset.card.name}, got {count}.")
    order = np.random.default_rng(options.get("draw", 0)).permutation(len(labels))
    if dataset.task == "classification":
        # The first of every class, then the second of every class, and so on.
        ranks = np.empty(len(order), int)
        for label in np.unique(labels):
            of_class = order[labels[order] == label]
            ranks[of_class] = np.arange(len(of_class))
        order = order[np.argsort(ranks[order], kind="stable")]
    rows = np.sort(order[:count])
    return dataclasses.replace(dataset, train=({name: array[rows] for name, array in inputs.items()}, labels[rows]))


def disturbed(data: Prepared, card: Card, options: Mapping[str, Any]) -> Part:
    """The prepared test part without a modality, or with noise in its place, as the options say.

    Raises:
        ValueError: If there is no such modality.
    """
    inputs, labels = data.test
    inputs = dict(inputs)
    for what in ("missing", "noise"):
        if what in options:
            name, place = _modality(card, options[what])
            array = inputs[name].copy()
            target, trained = (each if place is None else each[:, place] for each in (array, data.train[0][name]))
            # Standardised: zero is the mean, and one the deviation, but of a feature that is constant in training.
            noise = np.random.default_rng(options[what]).normal(size=target.shape) * (np.ptp(trained, axis=0) > 0)
            target[...] = noise if what == "noise" else 0
            inputs[name] = array
    return inputs, labels


def _modality(card: Card, number: int) -> tuple[str, int | None]:
    """The array of a modality, and its place there if it is one of a stack."""
    first = 0
    for modality in card.modalities:
        if number < first + modality.count:
            return modality.name, None if modality.count == 1 else number - first
        first += modality.count
    raise ValueError(f"There is no modality {number}: {card.name} has {first}, numbered from 0.")
