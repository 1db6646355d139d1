"""The trainings that are measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from bench.problem import Problem
from bench.training.task import Task

UNITS, CLASSES = 32, 4
SAMPLES, VALIDATION = 256, 64


@dataclasses.dataclass(frozen=True)
class Workload:
    """A training.

    Attributes:
        title: For people.
        build: Makes the task of so many members.
    """

    title: str
    build: Callable[[int], Task]


def task(fusion: str, modalities: int, features: int, degree: int, members: int, epochs: int = 60) -> Task:
    """Classes that depend on products of features of different modalities."""
    # These load TensorFlow, which the list of workloads does without.
    from tfq_fusion.layers import QuantumFusionLayer
    from tfq_fusion.models import make_fusion
    from tfq_fusion.training.batches import order_of

    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (SAMPLES + VALIDATION, modalities, features)).astype(np.float32)
    labels = (inputs[:, :2, :2].prod(axis=1) > 0) @ [1, 2]
    # All members measure the same observables: a peer has one circuit for all of them.
    layer = make_fusion(fusion, [features] * modalities, units=UNITS, degree=degree, seed=0)
    layer.build((None, modalities, features))
    problem = None
    if isinstance(layer, QuantumFusionLayer):
        spec = layer.circuit.spec
        problem = Problem(
            circuit=spec.circuit,
            data_symbols=tuple(symbol.name for symbol in spec.data_symbols),
            weight_symbols=tuple(symbol.name for symbol in spec.weight_symbols),
            operators=spec.operators,
            data=np.zeros((0, len(spec.data_symbols)), np.float32),
            weights=np.zeros(len(spec.weight_symbols), np.float32),
            upstream=np.zeros((0, len(spec.operators)), np.float32),
        )
    shapes = [tuple(variable.shape) for variable in layer.trainable_variables]
    # Each by a generator of its own: the first members are the same, however many there are.
    drawn = []
    for generator in map(np.random.default_rng, np.random.SeedSequence(1).spawn(members)):
        fused = [generator.uniform(-math.pi, math.pi, shape) for shape in shapes]
        drawn.append((*fused, generator.normal(0, UNITS**-0.5, (UNITS, CLASSES)), np.zeros(CLASSES)))
    return Task(
        fusion=fusion,
        degree=degree,
        rate=1e-2,
        batch_size=32,
        inputs=inputs[:SAMPLES],
        labels=labels[:SAMPLES],
        validation_inputs=inputs[SAMPLES:],
        validation_labels=labels[SAMPLES:],
        orders=np.array([[order_of(seed, epoch, SAMPLES) for epoch in range(epochs)] for seed in range(members)]),
        weights=tuple(np.stack(arrays).astype(np.float32) for arrays in zip(*drawn, strict=True)),
        problem=problem,
    )


WORKLOADS = {
    "qfl-n5": Workload("QFL n=5 P=3", lambda members: task("qfl", 3, 4, 3, members)),
    "qfl-n7": Workload("QFL n=7 P=3", lambda members: task("qfl", 12, 4, 3, members)),
    "control": Workload("Control of QFL n=7 P=3", lambda members: task("control", 12, 4, 3, members)),
}
QUICK = {"qfl-n3": Workload("QFL n=3 P=1", lambda members: task("qfl", 2, 2, 1, members, epochs=2))}
"""For a look whether everything runs."""
