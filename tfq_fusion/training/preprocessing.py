"""From a data set to what a model is fed: standardised by the training part alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from tfq_fusion.datasets import Dataset
from tfq_fusion.datasets.card import Modality
from tfq_fusion.datasets.dataset import Part


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Standardised parts of a data set: arrays of their own, of which the data set knows nothing.

    Example:
        >>> from tfq_fusion.datasets import load
        >>> from tfq_fusion.training import prepare
        >>> data = prepare(load("emoji"))
        >>> data.task, data.outputs, data.imbalanced
        ('classification', 9, True)
        >>> data.widths
        {'google': 192, 'twitter': 192, 'name': 64}

    Attributes:
        train: Modality name -> float32 ``[n, width]`` for a vector, ``[n, ...]`` as in the data set for every other
            kind; and labels: class indices, zeros and ones for each class, or standardised targets.
        validation: Likewise.
        test: Likewise.
        task: "classification", "multilabel" or "forecasting".
        outputs: Classes, or values to forecast: all outputs at all steps.
        imbalanced: Whether the largest class has over twice the training samples of the smallest. Of a
            classification; any other task is not.
        target_scaler: What standardised the targets of a forecast; None for classes.
        horizon: Steps of a forecast.
        adjacency: The data set's sensor graph.
    """

    train: Part
    validation: Part
    test: Part
    task: str
    outputs: int
    imbalanced: bool
    target_scaler: StandardScaler | None
    horizon: int = 1
    adjacency: npt.NDArray[np.float32] | None = None

    @property
    def widths(self) -> dict[str, int]:
        """Modality name -> width of its vectors."""
        return {name: array.shape[1] for name, array in self.train[0].items()}


def prepare(dataset: Dataset) -> Prepared:
    """Standardise each modality by the mean and deviation of the training part.

    A vector is standardised feature by feature. Waveforms, windows and images have one mean and one deviation per
    modality: their positions are alike, and the differences between them are what a convolution looks at.

    Raises:
        ValueError: If a modality or the labels hold infinite values or NaN, but for a forecast's targets that were not
            observed; or if the modalities of a part differ in their number of samples.
    """
    forecasting = dataset.task == "forecasting"
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    for part, (inputs, labels) in parts.items():
        for name, array in inputs.items():
            if len(array) != len(labels):
                raise ValueError(f"{part}: {name} has {len(array)} samples, but there are {len(labels)} labels.")
            if not np.isfinite(array).all():
                raise ValueError(f"{part}: {name} holds NaN or infinite values. Impute or drop those samples first.")
        if np.isinf(labels).any() or (np.isnan(labels).any() and not forecasting):
            raise ValueError(f"{part}: labels holds NaN or infinite values. Impute or drop those samples first.")

    inputs, labels = dataset.train
    scalers = {modality.name: _scaler(inputs[modality.name], modality) for modality in dataset.card.modalities}
    target_scaler = StandardScaler().fit(labels) if forecasting else None

    def standardise(part: Part) -> Part:
        inputs, labels = part
        scaled = {name: scalers[name](array) for name, array in inputs.items()}
        if target_scaler is None:
            return scaled, np.array(labels)
        return scaled, target_scaler.transform(labels).astype(np.float32, copy=False)

    counts = np.bincount(labels) if dataset.task == "classification" else None
    return Prepared(
        train=standardise(dataset.train),
        validation=standardise(dataset.validation),
        test=standardise(dataset.test),
        task=dataset.task,
        outputs=labels.shape[1] if counts is None else len(counts),
        imbalanced=counts is not None and bool(counts.max() > 2 * counts.min()),
        target_scaler=target_scaler,
        horizon=dataset.card.horizon,
        adjacency=None if dataset.adjacency is None else np.array(dataset.adjacency),
    )


def _scaler(
    train: npt.NDArray[np.float32], modality: Modality
) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """What standardises a modality, or each of a stack, by its training values."""
    if modality.kind == "vector":
        scaler = StandardScaler().fit(_vectors(train))
        return lambda array: scaler.transform(_vectors(array)).astype(np.float32, copy=False)
    alike = (0, *range(1 if modality.count == 1 else 2, train.ndim))
    mean = train.mean(axis=alike, keepdims=True, dtype=np.float64).astype(np.float32)
    deviation = train.std(axis=alike, keepdims=True, dtype=np.float64).astype(np.float32)
    deviation[deviation == 0] = 1
    return lambda array: ((array - mean) / deviation).astype(np.float32, copy=False)


def _vectors(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return array.reshape(len(array), -1)
