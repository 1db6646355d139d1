"""What a model is fed with: labels as its loss takes them, the order of the samples, and batches of one size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray, IntegerArray
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training.preprocessing import Prepared


def labelled(data: Prepared, part: Part) -> Part:
    """Inputs and labels of a part, one-hot for classes."""
    inputs, labels = part
    return inputs, np.eye(data.outputs, dtype=np.float32)[labels] if data.task == "classification" else labels


def order_of(seed: int, epoch: int, samples: int) -> npt.NDArray[np.int64]:
    """The order of the training samples in an epoch, ``[samples]``: it depends on nothing but these three numbers."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(samples)


class Piece(NamedTuple):
    """Batches of one size that follow each other.

    Attributes:
        places: Where their samples stand in the order of the samples, ``[steps, size]``.
        real: Which of them count, likewise; the others fill a batch up.
    """

    places: IntegerArray
    real: npt.NDArray[np.bool_]


class Batches:
    """A part of the data in batches, of which the last may have fewer samples.

    Args:
        data: The data.
        part: One of its parts.
        size: Samples per batch.
        filled: Whether the last batch is filled up to the size of the others, by samples that do not count: their
            weight is zero, or their targets are not observed. Otherwise it has a size of its own.
    """

    def __init__(self, data: Prepared, part: Part, size: int, filled: bool) -> None:
        self.inputs, self.labels = labelled(data, part)
        self.samples = len(self.labels)
        self._masked = data.task == "forecasting"
        self._size, self._filled = size, filled

    @property
    def bytes_per_batch(self) -> int:
        """Of inputs and labels."""
        return sum(array.nbytes for array in (*self.inputs.values(), self.labels)) // self.samples * self._size

    def pieces(self, steps: int) -> Iterator[Piece]:
        """All batches in their order, as many at a time as divide their number, and no more than ``steps``."""
        for first, count, size in self._runs():
            at_once = max(divisor for divisor in range(1, min(count, max(steps, 1)) + 1) if count % divisor == 0)
            for start in range(0, count, at_once):
                places = first + size * start + np.arange(size * at_once).reshape(at_once, size)
                yield Piece(places % self.samples, places < self.samples)

    def take(self, rows: IntegerArray, real: npt.NDArray[np.bool_]) -> Part:
        """Inputs and labels of some samples.

        Args:
            rows: The samples, ``[..., size]``.
            real: Which of them count, of a shape that broadcasts to theirs.
        """
        labels = self.labels[rows]
        if self._masked and not real.all():
            labels = np.where(np.broadcast_to(real, rows.shape)[..., None], labels, np.float32(math.nan))
        return {name: array[rows] for name, array in self.inputs.items()}, labels

    def weights(self, real: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32] | None:
        """The weights ``[..., size]`` with which a mean over the batch is one over what counts; None for forecasts."""
        if self._masked:
            return None
        weights: FloatArray = real * (real.shape[-1] / real.sum(axis=-1, keepdims=True))
        return weights.astype(np.float32)

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """First sample, number and size of batches of one size."""
        full, rest = divmod(self.samples, self._size)
        if rest and self._filled:
            yield 0, full + 1, self._size
            return
        if full:
            yield 0, full, self._size
        if rest:
            yield full * self._size, 1, rest
