"""What every loader returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.datasets.arguments import different_names
from tfq_fusion.datasets.card import Card

Part = tuple[dict[str, npt.NDArray[np.float32]], npt.NDArray[Any]]


SLOTS_PER_DAY = 288
"""Five-minute slots."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set with its fixed split.

    A part is a pair ``(modalities, labels)``. The modalities are float32 arrays ``[samples, ...]`` by name, in the
    card's order, unscaled: standardise them on the training part. Many equal modalities can be one array
    ``[samples, count, ...]``; the card says so. The labels of a classification are int64 class indices ``[samples]``,
    those of a multi-label task float32 zeros and ones ``[samples, classes]``, those of a forecast float32 targets
    ``[samples, horizon * outputs]`` with NaN for what was not observed. A downloaded set's arrays may be memory-mapped
    and read-only.

    Example:
        >>> from tfq_fusion.datasets import load
        >>> dataset = load("japanese-vowels")
        >>> inputs, labels = dataset.train
        >>> dataset.task, len(dataset.modalities), inputs["coefficient_01"].shape, labels.shape
        ('classification', 12, (216, 16), (216,))

    Attributes:
        train: For fitting.
        validation: For early stopping and every choice.
        test: For the final figure, once.
        card: Where the data come from and what is in them.
        adjacency: Weights of the sensor graph where there is one, float32 ``[modalities, modalities]``: symmetric,
            non-negative, zero on the diagonal.
        time_of_day: Part -> int64 ``[samples]``, the five-minute slot of the day (0 to 287) of the first step that is
            forecast; None where it is unknown.
    """

    train: Part
    validation: Part
    test: Part
    card: Card
    adjacency: npt.NDArray[np.float32] | None = None
    time_of_day: dict[str, npt.NDArray[np.int64]] | None = None

    @property
    def task(self) -> str:
        """``"classification"``, ``"multilabel"`` or ``"forecasting"``."""
        return self.card.task

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in order; a stack of them has one name."""
        return tuple(modality.name for modality in self.card.modalities)


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set that is known and not read yet: what loaders give.

    Attributes:
        card: Its card, with its hash and the sizes of its parts.
        read: Reads its arrays, and holds them against the hash.
    """

    card: Card
    read: Callable[[], Dataset]


def sized(card: Card, train: Part, validation: Part, test: Part) -> Card:
    """The card, with the sizes of these parts."""
    sizes = {"train": len(train[1]), "validation": len(validation[1]), "test": len(test[1])}
    return card.model_copy(update={"split": card.split.model_copy(update=sizes)})


def choose_views(dataset: Dataset, views: Sequence[str] | None) -> Dataset:
    """The data set with some of its modalities alone; arguments and errors are those of :func:`view_card`."""
    card = view_card(dataset.card, views)

    def chosen(part: Part) -> Part:
        inputs, labels = part
        return {modality.name: inputs[modality.name] for modality in card.modalities}, labels

    return dataclasses.replace(
        dataset,
        train=chosen(dataset.train),
        validation=chosen(dataset.validation),
        test=chosen(dataset.test),
        card=card,
    )


def view_card(card: Card, views: Sequence[str] | None) -> Card:
    """The card with some of its modalities alone.

    Args:
        card: Of any set whose modalities have an array each.
        views: Their names, in the order that is wanted; None for all, in the card's.

    Raises:
        ValueError: If there is none, one is unknown, or one is named twice.
    """
    if views is None:
        return card
    by_name = {modality.name: modality for modality in card.modalities}
    views = different_names(card.name, "views", views, tuple(by_name))
    return card.model_copy(update={"modalities": tuple(by_name[view] for view in views)})
