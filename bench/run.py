"""Runs cells, each in a process of its own so that memory and first calls are its own, and judges what they compute."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.engines import ENGINES, Engine
from bench.gates import gates_of, join_multiplexers
from bench.problem import Outcome, Problem
from bench.reference import reference
from bench.workloads import DEEP, SHALLOW

TOLERANCE = 1e-4
"""How far expectation values and gradients may be from the reference."""
FIRST_CALL_LIMIT = 180
"""Seconds."""

ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "tensorflow",
    "OMP_WAIT_POLICY": "passive",  # idle OpenMP threads (lightning.qubit's) would spin on the cores that work
}
# JAX keeps what took long to compile and is large, unless it is told to keep all.
_KEEP = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
# Freed memory goes back at once, so that what a step adds shows.
_RETURN_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One engine on one workload.

    Attributes:
        workload: Its name.
        engine: Its name.
        status: "ok", "disagrees", "time-out" (of the first call) or "failed".
        note: What went wrong, if anything.
        deviation: The largest difference to the reference, see :meth:`bench.problem.Outcome.deviation`.
        median_ms: Median time of a warm step. It and the following are missing unless the status is "ok".
        steps: How many steps it is the median of.
        first_call_s: Time of the first step, with everything that is traced and compiled.
        peak_mb: Peak of resident memory, over that after the imports.
        step_mb: What a warm step adds to resident memory.
        versions: Library name to version.
    """

    workload: str
    engine: str
    status: str
    note: str = ""
    deviation: float | None = None
    median_ms: float | None = None
    steps: int | None = None
    first_call_s: float | None = None
    peak_mb: float | None = None
    step_mb: float | None = None
    versions: Mapping[str, str] = dataclasses.field(default_factory=dict)


def run_workload(name: str, problem: Problem, engines: Iterable[str], seconds: float) -> Iterator[Cell]:
    """The cells of one workload, as they finish.

    Args:
        name: The workload's name.
        problem: Its problem.
        engines: Names of engines; those made for multiplexed rotations skip a workload without any.
        seconds: How long each engine's warm steps are repeated at most.
    """
    expected = reference(problem)
    gates = gates_of(problem)
    rewritten = join_multiplexers(gates) != gates
    with tempfile.TemporaryDirectory() as folder:
        problem.save(Path(folder))
        for engine in engines:
            if rewritten or not ENGINES[engine].multiplexers:
                yield _run(name, engine, Path(folder), expected, seconds)


def run_memory() -> Iterator[Cell]:
    """The compiled engine's memory at two depths; a single warm step each."""
    for name, workload in (("memory-p5", SHALLOW), ("memory-p50", DEEP)):
        problem = workload.build()
        with tempfile.TemporaryDirectory() as folder:
            problem.save(Path(folder))
            yield _run(name, "compiled", Path(folder), reference(problem), 0, _RETURN_MEMORY)


def run_second() -> Iterator[Cell]:
    """The compiled engine on JAX in a process, and again in one that finds what the first compiled."""
    problem = SHALLOW.build()
    expected = reference(problem)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        problem.save(Path(folder))
        for name in ("first-process", "second-process"):
            yield _run(name, "compiled-jax", Path(folder), expected, 0, {"JAX_COMPILATION_CACHE_DIR": cache, **_KEEP})


def matrix_product_rate() -> float:
    """See :func:`bench.roofline.matrix_product_rate`; in a process of its own."""
    command = [sys.executable, "-m", "bench.roofline"]
    done = subprocess.run(command, env=os.environ | ENVIRONMENT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _run(
    workload: str,
    engine: str,
    problem: Path,
    expected: Outcome,
    seconds: float,
    environment: Mapping[str, str] | None = None,
) -> Cell:
    result, outcome = run_engine(ENGINES[engine], engine, problem, seconds, environment)
    cell = Cell(workload, engine, **result)
    return cell if outcome is None else judge(cell, outcome, expected)


def run_engine(
    engine: Engine, name: str, problem: Path, seconds: float, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], Outcome | None]:
    """Run an engine in a process of its own.

    Args:
        engine: The engine.
        name: What its module is told beside the problem.
        problem: The folder where the problem was saved.
        seconds: How long warm steps are repeated at most.
        environment: Variables beside those that every engine gets.

    Returns:
        The status and what else a :class:`Cell` says, without its deviation; and what the first step computed, unless
        something went wrong.
    """
    with tempfile.TemporaryDirectory() as out:
        arguments = [engine.module, name, problem, out, seconds, FIRST_CALL_LIMIT]
        variables = {"KERAS_BACKEND": engine.backend, **(environment or {})}
        late = f"no first step within {FIRST_CALL_LIMIT} s"
        went_wrong = run_worker(engine.python, "bench.worker", arguments, variables, late)
        if went_wrong:
            return dict(zip(("status", "note"), went_wrong, strict=True)), None
        result = json.loads((Path(out) / "result.json").read_text(encoding="utf-8"))
        if "error" in result:
            return {"status": "failed", "note": result["error"]}, None
        with np.load(Path(out) / "outcome.npz", allow_pickle=False) as arrays:
            return {"status": "ok", **result}, Outcome(**arrays)


def run_worker(
    python: Path, module: str, arguments: Iterable[Any], environment: Mapping[str, str], late: str
) -> tuple[str, str] | None:
    """Run a module in a process of its own; gives a status and a note if it did not end well.

    Args:
        python: The interpreter.
        module: The module.
        arguments: Of its command line.
        environment: Variables beside those that every engine gets.
        late: The note if SIGALRM ended it.
    """
    done = subprocess.run(
        [str(python), "-m", module, *map(str, arguments)],
        env={**os.environ, **ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode == -signal.SIGALRM:
        return "time-out", late
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return "failed", last[0]
    return None


def judge(cell: Cell, outcome: Outcome, expected: Outcome) -> Cell:
    """The cell with its deviation; without its figures, if it does not agree with the reference."""
    try:
        deviation = outcome.deviation(expected)
    except ValueError as error:
        return Cell(cell.workload, cell.engine, "disagrees", str(error), versions=cell.versions)
    note = disagreement(deviation, TOLERANCE)
    if note:
        return Cell(cell.workload, cell.engine, "disagrees", note, deviation, versions=cell.versions)
    return dataclasses.replace(cell, deviation=deviation)


def disagreement(deviation: float, tolerance: float) -> str:
    """What is wrong with a deviation; nothing where it is allowed."""
    return "" if deviation <= tolerance else f"off by {deviation:.1e}, where {tolerance:.0e} is allowed"
