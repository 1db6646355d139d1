"""Runs contenders, each in a process of its own, and judges what they trained."""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.run import disagreement, run_worker
from bench.training.contenders import CONTENDERS, REFERENCE
from bench.training.workloads import Workload

TOLERANCE = 1e-2
"""How far the loss of the last epoch may be from that of Keras' fit on TensorFlow, relative to it."""
LIMIT = 180
"""Seconds for all models of a contender, compiling included."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One contender on one workload.

    Attributes:
        workload: Its name.
        contender: Its name.
        status: "ok", "disagrees", "time-out" or "failed".
        note: What went wrong, if anything.
        members: How many models were trained.
        seconds: How long that took, everything that is built, traced and compiled included; missing unless the status
            is "ok".
        deviation: The largest relative difference of a loss of the last epoch to the reference.
        losses: Of the last epoch, by member.
        versions: Library name to version.
    """

    workload: str
    contender: str
    status: str
    note: str = ""
    members: int = 0
    seconds: float | None = None
    deviation: float | None = None
    losses: tuple[float, ...] = ()
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def models_per_second(self) -> float | None:
        """How many models were trained in a second."""
        return None if self.seconds is None else self.members / self.seconds


def run_workload(name: str, workload: Workload, contenders: Iterable[str]) -> Iterator[Cell]:
    """The cells of one workload, as they finish; the reference comes first, whoever else is asked for."""
    expected: tuple[float, ...] = ()
    for contender in (REFERENCE, *(each for each in contenders if each != REFERENCE)):
        task = workload.build(CONTENDERS[contender].members)
        if task.problem is None and CONTENDERS[contender].of_quantum:
            continue
        with tempfile.TemporaryDirectory() as folder:
            task.save(Path(folder))
            cell = _run(name, contender, Path(folder))
        expected = cell.losses if contender == REFERENCE else expected
        yield judge(cell, expected)


def _run(workload: str, name: str, task: Path) -> Cell:
    contender = CONTENDERS[name]
    out = task / "out.json"
    arguments = contender.module, name, task, out, LIMIT
    environment = {"KERAS_BACKEND": contender.backend or "jax"}
    late = f"not trained within {LIMIT} s"
    went_wrong = run_worker(contender.python, "bench.training.worker", arguments, environment, late)
    if went_wrong:
        return Cell(workload, name, *went_wrong)
    found = json.loads(out.read_text(encoding="utf-8"))
    losses = tuple(found["losses"])
    return Cell(workload, name, "ok", "", len(losses), found["seconds"], losses=losses, versions=found["versions"])


def judge(cell: Cell, expected: tuple[float, ...]) -> Cell:
    """The cell with its deviation; without its time, if it does not agree with the reference."""
    if cell.status != "ok":
        return cell
    deviation = deviation_of(cell.losses, expected)
    note = disagreement(deviation, TOLERANCE)
    if note:
        return dataclasses.replace(cell, status="disagrees", note=note, seconds=None, deviation=deviation)
    return dataclasses.replace(cell, deviation=deviation)


def deviation_of(losses: Sequence[float], expected: Sequence[float]) -> float:
    """The largest relative difference of losses to those expected, where both are; NaN where none are."""
    common = min(len(losses), len(expected))
    return float(np.abs(np.array(losses[:common]) / np.array(expected[:common]) - 1).max()) if common else math.nan
