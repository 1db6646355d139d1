"""The tutorials, and the figures to reach."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Workload:
    """A training; None where nothing is asked of it.

    Attributes:
        title: For people.
        module: The one in this package whose ``train(layers, **settings)`` it is.
        settings: Its arguments.
        seconds: How long it should take with this library's layers at most.
        over_tfq: How many times faster than with TensorFlow Quantum's a later epoch should be.
    """

    title: str
    module: str
    settings: Mapping[str, int]
    seconds: float | None = None
    over_tfq: float | None = None


_QCNN = {"qubits": 8, "rounds": 20, "epochs": 25}
WORKLOADS = {
    "many-worlds": Workload("Hello, many worlds: one qubit, controlled", "many_worlds", {"epochs": 30}),
    "mnist": Workload("MNIST: 17 qubits", "mnist", {"side": 4, "images": 128, "epochs": 2}, over_tfq=4),
    "qcnn": Workload("QCNN: 8 qubits", "qcnn", _QCNN, seconds=25),
    "qcnn-hybrid": Workload("QCNN, hybrid: one filter", "qcnn", {**_QCNN, "filters": 1}),
    "qcnn-filters": Workload("QCNN, hybrid: three filters", "qcnn", {**_QCNN, "filters": 3}),
    "reinforcement": Workload(
        "Reinforcement learning: 4 qubits, 92 symbols",
        "reinforcement",
        {"depth": 5, "episodes": 30, "batch_size": 10},
        seconds=6,
    ),
}
_FEW = {"qubits": 4, "rounds": 4, "epochs": 2}
QUICK = {
    "many-worlds": Workload("Hello, many worlds", "many_worlds", {"epochs": 2}),
    "mnist": Workload("MNIST: 5 qubits", "mnist", {"side": 2, "images": 32, "epochs": 2}),
    "qcnn": Workload("QCNN: 4 qubits", "qcnn", _FEW),
    "qcnn-filters": Workload("QCNN, hybrid: two filters", "qcnn", {**_FEW, "filters": 2}),
    "reinforcement": Workload(
        "Reinforcement learning: 32 symbols", "reinforcement", {"depth": 1, "episodes": 4, "batch_size": 2}
    ),
}
"""For a look whether everything runs."""
