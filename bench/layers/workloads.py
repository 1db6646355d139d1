"""The models that are trained."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from bench.layers.task import Task
from bench.workloads import qfl

FEATURES, CLASSES, SAMPLES, BATCH = 16, 4, 256, 32


@dataclasses.dataclass(frozen=True)
class Workload:
    """A training.

    Attributes:
        title: For people.
        build: Makes the task.
    """

    title: str
    build: Callable[[], Task]


def task(modalities: int, features: int, degree: int, samples: int = SAMPLES, epochs: int = 5) -> Task:
    """Classes that depend on products of features, around the Quantum Fusion Layer with 32 observables."""
    rng = np.random.default_rng(0)
    problem = qfl(modalities, features, degree, batch=0)
    inputs = rng.uniform(-1, 1, (samples, FEATURES))
    n_data, n_operators = len(problem.data_symbols), len(problem.operators)
    weights = [
        rng.normal(0, FEATURES**-0.5, (FEATURES, n_data)),
        np.zeros(n_data),
        rng.uniform(-math.pi, math.pi, len(problem.weight_symbols)),
        rng.normal(0, n_operators**-0.5, (n_operators, CLASSES)),
        np.zeros(CLASSES),
    ]
    return Task(
        rate=1e-2,
        batch_size=BATCH,
        epochs=epochs,
        inputs=inputs.astype(np.float32),
        labels=((inputs[:, :2] * inputs[:, 2:4]) > 0) @ np.array([1, 2]),
        weights=[array.astype(np.float32) for array in weights],
        problem=problem,
    )


WORKLOADS = {
    "qfl-n5": Workload("QFL n=5 P=3", lambda: task(3, 4, 3)),
    "qfl-n7": Workload("QFL n=7 P=3", lambda: task(12, 4, 3)),
    "qfl-n8": Workload("QFL n=8 P=3", lambda: task(12, 8, 3)),
}
QUICK = {"qfl-n3": Workload("QFL n=3 P=1", lambda: task(2, 2, 1, samples=64, epochs=2))}
"""For a look whether everything runs."""
