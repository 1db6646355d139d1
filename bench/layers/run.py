"""Trains through each layer, in a process of its own, and judges what was trained."""

from __future__ import annotations

import dataclasses
import json
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench.layers.contenders import CONTENDERS, REFERENCE
from bench.layers.workloads import Workload
from bench.run import disagreement, run_worker
from bench.training.run import deviation_of

TOLERANCE = 1e-3
"""How far the loss of an epoch may be from the reference's, relative to it."""
LIMIT = 180
"""Seconds for all epochs of a contender, compiling included."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One contender on one workload.

    Attributes:
        workload: Its name.
        contender: Its name.
        status: "ok", "disagrees", "time-out" or "failed".
        note: What went wrong, if anything.
        seconds: Of each epoch, the making of the layer and all that is traced and compiled included in the first;
            missing unless the status is "ok".
        deviation: The largest relative difference of an epoch's loss to the reference.
        losses: By epoch.
        versions: Library name to version.
    """

    workload: str
    contender: str
    status: str
    note: str = ""
    seconds: tuple[float, ...] | None = None
    deviation: float | None = None
    losses: tuple[float, ...] = ()
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def whole(self) -> float | None:
        """Seconds of all epochs."""
        return sum(self.seconds) if self.seconds else None

    @property
    def first(self) -> float | None:
        """Seconds of the first epoch."""
        return self.seconds[0] if self.seconds else None

    @property
    def later(self) -> float | None:
        """Median of the seconds of the others, if there are any."""
        return statistics.median(self.seconds[1:]) if self.seconds and len(self.seconds) > 1 else None


def run_workload(name: str, workload: Workload, contenders: Iterable[str]) -> Iterator[Cell]:
    """The cells of one workload, as they finish; the reference comes first, whoever else is asked for."""
    expected: tuple[float, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        workload.build().save(Path(folder))
        for contender in (REFERENCE, *(each for each in contenders if each != REFERENCE)):
            cell = _run(name, contender, Path(folder))
            expected = cell.losses if contender == REFERENCE else expected
            yield judge(cell, expected)


def _run(workload: str, name: str, task: Path) -> Cell:
    contender = CONTENDERS[name]
    out = task / f"{name}.json"
    late = f"not trained within {LIMIT} s"
    arguments = name, task, out, LIMIT
    went_wrong = run_worker(
        contender.python, "bench.layers.worker", arguments, {"KERAS_BACKEND": contender.backend}, late
    )
    if went_wrong:
        return Cell(workload, name, *went_wrong)
    found = json.loads(out.read_text(encoding="utf-8"))
    seconds, losses = tuple(found["seconds"]), tuple(found["losses"])
    return Cell(workload, name, "ok", "", seconds, losses=losses, versions=found["versions"])


def judge(cell: Cell, expected: tuple[float, ...]) -> Cell:
    """The cell with its deviation; without its times, if it does not agree with the reference."""
    if cell.status != "ok":
        return cell
    deviation = deviation_of(cell.losses, expected)
    note = disagreement(deviation, TOLERANCE)
    if note:
        return dataclasses.replace(cell, status="disagrees", note=note, seconds=None, deviation=deviation)
    return dataclasses.replace(cell, deviation=deviation)
