"""The circuits with noise or shots, and the figures to reach."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import cirq

from bench.problem import Problem
from bench.workloads import qfl
from tfq_fusion.circuits import with_noise

RATE, SHOTS = 0.01, 1000
"""Of the depolarising channel on each qubit of each gate; and of each Pauli string."""


@dataclasses.dataclass(frozen=True)
class Workload:
    """Values of a circuit, with or without their gradients; None where nothing is asked of them.

    Attributes:
        title: For people.
        build: Makes the problem.
        task: "forward"; "gradient", which is values and both gradients; or "shots", which is estimates from them.
        over_tfq: How many times faster than TensorFlow Quantum.
        peak_mb: The highest peak of memory.
    """

    title: str
    build: Callable[[], Problem]
    task: str
    over_tfq: float | None = None
    peak_mb: float | None = None


def noisy(modalities: int, features: int, degree: int, batch: int) -> Problem:
    """The Quantum Fusion Layer in gates that hardware has, with noise."""
    problem = qfl(modalities, features, degree, batch, hardware=True)
    return dataclasses.replace(problem, circuit=with_noise(problem.circuit, cirq.depolarize(RATE)))


_N5, _N8 = functools.partial(noisy, 3, 4, 3, 32), functools.partial(noisy, 22, 4, 1, 32)
_NOISY = "Noisy QFL n=5 P=3 B=32, 196 gates", "Noisy QFL n=8 P=1 B=32, 360 gates"
WORKLOADS = {
    "n5-forward": Workload(f"{_NOISY[0]}: values", _N5, "forward", over_tfq=5),
    "n5-gradient": Workload(f"{_NOISY[0]}: values and gradients", _N5, "gradient", over_tfq=200),
    "n8-forward": Workload(f"{_NOISY[1]}: values", _N8, "forward", peak_mb=2000),
    "n8-gradient": Workload(f"{_NOISY[1]}: values and gradients", _N8, "gradient", peak_mb=2000),
    "n5-shots": Workload("QFL n=5 P=3 B=32: 1,000 shots", lambda: qfl(3, 4, 3, 32), "shots"),
}
_FEW = functools.partial(noisy, 1, 3, 1, 4)
QUICK = {
    "n3-forward": Workload("Noisy QFL n=3 P=1 B=4: values", _FEW, "forward"),
    "n3-gradient": Workload("Noisy QFL n=3 P=1 B=4: values and gradients", _FEW, "gradient"),
    "n3-shots": Workload("QFL n=3 P=1 B=4: 1,000 shots", lambda: qfl(1, 3, 1, 4), "shots"),
}
"""For a look whether everything runs."""
