"""What everyone trains: a dense layer with tanh, a circuit, a dense layer with softmax; from given weights.

Cirq and NumPy only, because the peers' environment holds nothing of the project.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.problem import Problem


class Epochs(NamedTuple):
    """What a training was.

    Attributes:
        ends: When each epoch ended, in seconds of ``time.perf_counter``.
        losses: The mean loss of each.
    """

    ends: list[float]
    losses: list[float]


@dataclasses.dataclass(frozen=True)
class Task:
    """One training, by Adam on the cross-entropy.

    Attributes:
        rate: Learning rate.
        batch_size: Samples per step.
        epochs: Passes over the samples, in their order.
        inputs: float32 ``[samples, features]``.
        labels: Classes, int64 ``[samples]``.
        weights: The initial weights, as Keras orders them: kernel and bias, those of the circuit, kernel and bias.
        problem: The circuit; its data are ``pi / 2`` times what the first dense layer gives.
    """

    rate: float
    batch_size: int
    epochs: int
    inputs: np.ndarray
    labels: np.ndarray
    weights: list[np.ndarray]
    problem: Problem

    def save(self, folder: Path) -> None:
        """Write all of it into an empty folder."""
        settings = {"rate": self.rate, "batch_size": self.batch_size, "epochs": self.epochs}
        (folder / "task.json").write_text(json.dumps(settings), encoding="utf-8")
        np.savez(folder / "task.npz", *self.weights, inputs=self.inputs, labels=self.labels)
        self.problem.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Task:
        """Read what :meth:`save` wrote."""
        settings = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        with np.load(folder / "task.npz", allow_pickle=False) as arrays:
            weights = [arrays[f"arr_{place}"] for place in range(5)]
            return cls(
                **settings,
                inputs=arrays["inputs"],
                labels=arrays["labels"],
                weights=weights,
                problem=Problem.load(folder),
            )
