"""What every loader returns."""

from __future__ import annotations

import dataclasses

import numpy as np

from tfq_fusion.datasets.card import Card

Part = tuple[dict[str, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """A data set with its fixed split.

    A part is a pair ``(modalities, labels)``. The modalities are float32 arrays ``[samples, ...]`` by name, in the
    card's order, unscaled: standardise them on the training part. The labels of a classification are int64 class
    indices ``[samples]``, those of a forecast float32 targets ``[samples, outputs]``. A downloaded set's arrays are
    memory-mapped and read-only.

    Attributes:
        train: For fitting.
        validation: For early stopping and every choice.
        test: For the final figure, once.
        card: Where the data come from and what is in them.
    """

    train: Part
    validation: Part
    test: Part
    card: Card

    @property
    def task(self) -> str:
        """``"classification"`` or ``"forecasting"``."""
        return self.card.task

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in order."""
        return tuple(modality.name for modality in self.card.modalities)
