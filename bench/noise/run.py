"""Runs each contender on circuits with noise or shots, in a process of its own, and judges what it computes."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cirq
import numpy as np

import bench.run
from bench.noise.contenders import CONTENDERS, REFERENCE, TRAJECTORIES
from bench.noise.workloads import SHOTS, Workload
from bench.problem import Outcome, Problem

TOLERANCE, SIGMAS = 1e-5, 5.0
"""How far may be what is exact; and estimates, in standard deviations."""
JUDGED = 2
"""How many of the first samples are held against Cirq, which takes seconds for each."""
DIFFERENTIATED = 1
"""Of how many samples TensorFlow Quantum computes gradients."""
SECONDS = 10.0
"""How long warm steps are repeated at most."""


@dataclasses.dataclass(frozen=True)
class Cell(bench.run.Cell):
    """One contender on one workload.

    Attributes:
        sigmas: The largest difference of estimates to exact values, in standard deviations.
    """

    sigmas: float | None = None

    @property
    def contender(self) -> str:
        """Its name."""
        return self.engine


@dataclasses.dataclass(frozen=True)
class Exact:
    """What Cirq's density matrices say of the first samples of a problem.

    Attributes:
        values: ``[samples, n_operators]``.
        direction: Of data and weights, ``[n_data + n_weights]``, the same for all samples.
        slope: The derivative of ``sum(upstream * values)`` along it, by central differences; None if nobody needs it.
    """

    values: np.ndarray
    direction: np.ndarray
    slope: float | None

    @classmethod
    def of(cls, problem: Problem, gradient: bool) -> Exact:
        """Simulate the first samples, three times each for the slope."""
        data, upstream = problem.data[:JUDGED].astype(float), problem.upstream[:JUDGED]
        angles = np.hstack([data, np.tile(problem.weights, (len(data), 1))])
        direction = np.random.default_rng(0).normal(size=angles.shape[1])
        direction, step = direction / np.linalg.norm(direction), 1e-4
        slope = None
        if gradient:
            after, before = (_simulate(problem, angles + each * direction) for each in (step, -step))
            slope = float((upstream * (after - before)).sum() / (2 * step))
        return cls(_simulate(problem, angles), direction, slope)


def run_workload(name: str, workload: Workload, contenders: Iterable[str]) -> Iterator[Cell]:
    """The cells of one workload, as they finish."""
    problem = workload.build()
    # Only the judged samples have a gradient, which takes as long as that of all.
    judged = np.arange(problem.batch)[:, np.newaxis] < JUDGED
    problem = dataclasses.replace(problem, upstream=np.where(judged, problem.upstream, np.float32(0)))
    exact = Exact.of(problem, workload.task == "gradient")
    for contender in contenders:
        given, repetitions = problem, SHOTS if workload.task == "shots" else None
        if contender == REFERENCE and workload.task != "shots":
            repetitions = TRAJECTORIES
            if workload.task == "gradient":
                given = dataclasses.replace(
                    problem, data=problem.data[:DIFFERENTIATED], upstream=problem.upstream[:DIFFERENTIATED]
                )
        with tempfile.TemporaryDirectory() as folder:
            given.save(Path(folder))
            result, outcome = bench.run.run_engine(CONTENDERS[contender], workload.task, Path(folder), SECONDS)
        cell = Cell(name, contender, **result)
        if cell.median_ms is not None:
            cell = dataclasses.replace(cell, median_ms=cell.median_ms * problem.batch / given.batch)
        yield cell if outcome is None else judge(cell, outcome, exact, repetitions)


def judge(cell: Cell, outcome: Outcome, exact: Exact, repetitions: int | None) -> Cell:
    """The cell with its deviation; without its figures, if that is too large.

    Args:
        cell: The cell.
        outcome: What was computed.
        exact: What is exact.
        repetitions: How many measurements or trajectories a value is the mean of; None for exact ones.
    """
    found = outcome.values[:JUDGED]
    errors = np.abs(found - exact.values[: len(found)])
    if repetitions is not None:
        # A trajectory's value lies between -1 and 1 as a measurement's does, whose variance is the largest.
        sigmas = float((errors / np.sqrt((1 - exact.values[: len(found)] ** 2) / repetitions)).max())
        if not sigmas <= SIGMAS:
            note = f"off by {sigmas:.1f} standard deviations, where {SIGMAS:g} are allowed"
            return Cell(cell.workload, cell.engine, "disagrees", note, versions=cell.versions, sigmas=sigmas)
        return dataclasses.replace(cell, sigmas=sigmas)
    deviation = float(errors.max())
    if exact.slope is not None:
        data = outcome.data_gradient.sum(axis=0)
        slope = np.concatenate([data, outcome.weight_gradient]) @ exact.direction
        deviation = float(np.maximum(deviation, abs(slope - exact.slope)))
    note = bench.run.disagreement(deviation, TOLERANCE)
    if note:
        return Cell(cell.workload, cell.engine, "disagrees", note, deviation, versions=cell.versions)
    return dataclasses.replace(cell, deviation=deviation)


def _simulate(problem: Problem, angles: np.ndarray) -> np.ndarray:
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)
    register = cirq.LineQubit.range(problem.qubits)
    names = (*problem.data_symbols, *problem.weight_symbols)
    matrices = [operator.matrix(register) for operator in problem.operators]
    values = np.empty((len(angles), len(matrices)))
    for row, sample in enumerate(angles.tolist()):
        resolver = cirq.ParamResolver(dict(zip(names, sample, strict=True)))
        found = simulator.simulate(problem.circuit, resolver, qubit_order=register).final_density_matrix
        values[row] = [np.vdot(matrix, found).real for matrix in matrices]
    return values
