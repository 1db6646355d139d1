"""Forecasts that need no model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from tfq_fusion._typing import FloatArray
from tfq_fusion.datasets import Dataset
from tfq_fusion.datasets.dataset import SLOTS_PER_DAY
from tfq_fusion.fusions import FusionEntry


def persistence_forecast(inputs: Mapping[str, FloatArray], horizon: int = 1) -> FloatArray:
    """The forecast that nothing changes: each modality's last value.

    Args:
        inputs: Modality name -> windows ``[n, steps]``, or ``[n, count, steps]`` for a stack of modalities.
        horizon: Steps to forecast.

    Returns:
        ``[n, horizon * modalities]``, step by step.
    """
    last = np.concatenate([window[..., -1].reshape(len(window), -1) for window in inputs.values()], axis=1)
    return np.tile(last, (1, horizon))


def historical_average(dataset: Dataset) -> dict[str, npt.NDArray[np.float32]]:
    """The forecast that this day is like any other: the training mean of each output at that time of day.

    A slot of the day that the training part never observed gets the output's mean over all of them.

    Args:
        dataset: A forecast whose times of day are known.

    Returns:
        Part -> ``[n, horizon * outputs]``, step by step.

    Raises:
        ValueError: If the times of day are unknown.
    """
    if dataset.time_of_day is None:
        raise ValueError(f"{dataset.card.name} does not say at which time of day its samples were taken.")
    horizon = dataset.card.horizon
    # Windows overlap, so the first step of each holds every value once.
    first = pd.DataFrame(dataset.train[1][:, : len(dataset.card.outputs)])
    means = first.groupby(dataset.time_of_day["train"]).mean().reindex(range(SLOTS_PER_DAY)).fillna(first.mean())
    table = means.to_numpy(np.float32)
    return {
        part: table[(slots[:, None] + np.arange(horizon)) % SLOTS_PER_DAY].reshape(len(slots), -1)
        for part, slots in dataset.time_of_day.items()
    }


PERSISTENCE = FusionEntry(name="persistence", caption="Persistence", kind="classical")
HISTORICAL_AVERAGE = FusionEntry(name="historical-average", caption="Historical average", kind="classical")
