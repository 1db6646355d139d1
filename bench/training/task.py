"""What every contender trains: a fusion and a softmax on given data, from given weights, in given batches.

Cirq and NumPy only, because the peers' environment holds nothing of the project.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from bench.problem import Problem

ARRAYS = ("inputs", "labels", "validation_inputs", "validation_labels", "orders")


@dataclasses.dataclass(frozen=True)
class Task:
    """Models of one structure; a model is a fusion, then a dense layer with a softmax and cross-entropy.

    Attributes:
        fusion: Its name.
        degree: Its P.
        rate: Learning rate of Adam.
        batch_size: Samples per step; it divides the number of samples.
        inputs: float32 ``[samples, modalities, features]``, in [-1, 1].
        labels: Classes, ``[samples]``.
        validation_inputs: Likewise, for the loss after each epoch.
        validation_labels: Likewise.
        orders: The order of the samples, ``[members, epochs, samples]``.
        weights: The initial weights of the models, as Keras orders them: each ``[members, ...]``.
        problem: The circuit of a quantum fusion, whose data are ``pi / 2`` times the inputs; None of others.
    """

    fusion: str
    degree: int
    rate: float
    batch_size: int
    inputs: np.ndarray
    labels: np.ndarray
    validation_inputs: np.ndarray
    validation_labels: np.ndarray
    orders: np.ndarray
    weights: tuple[np.ndarray, ...]
    problem: Problem | None = None

    @property
    def epochs(self) -> int:
        """Epochs of a training."""
        return self.orders.shape[1]

    def save(self, folder: Path) -> None:
        """Write all of it into an empty folder."""
        settings = {"fusion": self.fusion, "degree": self.degree, "rate": self.rate, "batch_size": self.batch_size}
        (folder / "task.json").write_text(json.dumps(settings), encoding="utf-8")
        arrays = {name: getattr(self, name) for name in ARRAYS}
        weights = {f"weights-{place}": array for place, array in enumerate(self.weights)}
        np.savez(folder / "task.npz", **arrays, **weights)
        if self.problem is not None:
            (folder / "problem").mkdir()
            self.problem.save(folder / "problem")

    @classmethod
    def load(cls, folder: Path) -> Task:
        """Read what :meth:`save` wrote."""
        settings = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        problem = Problem.load(folder / "problem") if (folder / "problem").is_dir() else None
        with np.load(folder / "task.npz", allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ARRAYS}
            weights = tuple(arrays[f"weights-{place}"] for place in range(len(arrays.files) - len(ARRAYS)))
        return cls(**settings, **found, weights=weights, problem=problem)
