"""Trains each tutorial with each library's layers, in a process of its own, and judges what was trained."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.layers.run import Cell, judge
from bench.run import run_worker
from bench.tutorials.contenders import CONTENDERS, REFERENCE
from bench.tutorials.workloads import Workload

LIMIT = 900
"""Seconds of a training, compiling included."""


def run_workload(name: str, workload: Workload, contenders: Iterable[str]) -> Iterator[Cell]:
    """The cells of one tutorial, as they finish; the reference comes first, whoever else is asked for."""
    expected: tuple[float, ...] = ()
    for contender in (REFERENCE, *(each for each in contenders if each != REFERENCE)):
        cell = _run(name, workload, contender)
        expected = cell.losses if contender == REFERENCE else expected
        yield judge(cell, expected)


def _run(name: str, workload: Workload, contender: str) -> Cell:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        arguments = workload.module, CONTENDERS[contender].layers, json.dumps(workload.settings), out, LIMIT
        # TensorFlow Quantum's layers know no Keras 3.
        environment, late = {"TF_USE_LEGACY_KERAS": "1"}, f"not trained within {LIMIT} s"
        went_wrong = run_worker(Path(sys.executable), "bench.tutorials.worker", arguments, environment, late)
        if went_wrong:
            return Cell(name, contender, *went_wrong)
        found = json.loads(out.read_text(encoding="utf-8"))
    seconds, losses = tuple(found["seconds"]), tuple(found["losses"])
    return Cell(name, contender, "ok", "", seconds, losses=losses, versions=found["versions"])
