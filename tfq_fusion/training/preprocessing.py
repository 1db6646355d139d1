"""From a data set to what a model is fed: vectors, standardised by the training part alone."""

from __future__ import annotations

import dataclasses

import numpy as np
from sklearn.preprocessing import StandardScaler

from tfq_fusion.datasets import Dataset

Part = tuple[dict[str, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Standardised parts of a data set.

    Attributes:
        train: Modality name -> ``[n, width]`` float32, and labels: class indices, or standardised targets.
        validation: Likewise.
        test: Likewise.
        task: "classification" or "forecasting".
        outputs: Classes, or values to forecast.
        imbalanced: Whether the largest class has over twice the training samples of the smallest.
        target_scaler: What standardised the targets of a forecast; None for classes.
    """

    train: Part
    validation: Part
    test: Part
    task: str
    outputs: int
    imbalanced: bool
    target_scaler: StandardScaler | None

    @property
    def widths(self) -> dict[str, int]:
        """Modality name -> width of its vectors."""
        return {name: array.shape[1] for name, array in self.train[0].items()}


def prepare(dataset: Dataset) -> Prepared:
    """Flatten each modality to vectors and standardise it by the mean and deviation of the training part.

    Raises:
        ValueError: If a modality or the labels hold NaN or infinite values, or parts differ in their samples.
    """
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for part, (inputs, labels) in parts.items():
        for name, array in (*inputs.items(), ("labels", labels)):
            if len(array) != len(labels):
                raise ValueError(f"{part}: {name} has {len(array)} samples, but there are {len(labels)} labels.")
            if not np.isfinite(array).all():
                raise ValueError(f"{part}: {name} holds NaN or infinite values. Impute or drop those samples first.")

    scalers = {name: StandardScaler().fit(_vectors(array)) for name, array in dataset.train[0].items()}
    target_scaler = StandardScaler().fit(dataset.train[1]) if dataset.task == "forecasting" else None

    def standardise(part: Part) -> Part:
        inputs, labels = part
        vectors = {name: scalers[name].transform(_vectors(array)).astype(np.float32) for name, array in inputs.items()}
        if target_scaler is not None:
            labels = target_scaler.transform(labels).astype(np.float32)
        return vectors, labels

    labels = dataset.train[1]
    counts = np.bincount(labels) if target_scaler is None else np.ones(1)
    return Prepared(
        train=standardise(dataset.train),
        validation=standardise(dataset.validation),
        test=standardise(dataset.test),
        task=dataset.task,
        outputs=len(counts) if target_scaler is None else labels.shape[1],
        imbalanced=bool(counts.max() > 2 * counts.min()),
        target_scaler=target_scaler,
    )


def _vectors(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)
