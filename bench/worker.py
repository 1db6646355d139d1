"""One cell of the benchmark, in a process of its own.

``python -m bench.worker MODULE ENGINE PROBLEM OUT SECONDS LIMIT`` reads the folder PROBLEM and writes into the folder
OUT. The process ends by SIGALRM if the first call takes more than LIMIT seconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.problem import Outcome, Problem

MIN_STEPS, MIN_SECONDS = 30, 2.0
"""Warm steps stop after so many and so long."""


def measure(module: str, engine: str, problem: Problem, seconds: float, limit: int) -> tuple[dict[str, Any], Outcome]:
    """Runs one engine on one problem.

    Args:
        module: The module whose ``build_step(problem, engine)`` returns a function that runs one step, and whose
            ``LIBRARIES`` names what it runs on.
        engine: The engine's name.
        problem: The problem.
        seconds: How long warm steps are repeated at most; there is at least one.
        limit: Seconds for the first call.

    Returns:
        What was measured, and what the first step computed.
    """
    library = importlib.import_module(module)
    imported = _peak_mb()
    signal.alarm(limit)
    start = time.perf_counter()
    step = library.build_step(problem, engine)
    outcome = step()
    first_call = time.perf_counter() - start
    signal.alarm(0)
    times = _repeat(step, seconds)
    measured = {
        "median_ms": 1e3 * statistics.median(times),
        "steps": len(times),
        "first_call_s": first_call,
        "peak_mb": _peak_mb() - imported,
        "step_mb": _step_mb(step),
        "versions": {name: importlib.metadata.version(name) for name in library.LIBRARIES},
    }
    return measured, outcome


def _repeat(step: Callable[[], Outcome], seconds: float) -> list[float]:
    times: list[float] = []
    begin = time.perf_counter()
    spent = 0.0
    while not times or (spent < seconds and (len(times) < MIN_STEPS or spent < MIN_SECONDS)):
        start = time.perf_counter()
        step()
        end = time.perf_counter()
        times.append(end - start)
        spent = end - begin
    return times


def _peak_mb() -> float:
    """The peak of resident memory; ``ru_maxrss`` where there is no /proc, as it may start at the parent's peak."""
    kilobytes = _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20 if kilobytes is None else kilobytes / 1024


def _step_mb(step: Callable[[], Outcome]) -> float | None:
    """What one warm step adds to resident memory, or None where the system cannot tell."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # sets the peak to what is resident now
    except OSError:
        return None
    before = _status("VmHWM")
    step()
    after = _status("VmHWM")
    return None if before is None or after is None else (after - before) / 1024


def _status(name: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main(module: str, engine: str, problem: str, out: str, seconds: str, limit: str) -> None:
    """Writes ``result.json`` and, unless the engine failed, ``outcome.npz``."""
    try:
        result, outcome = measure(module, engine, Problem.load(Path(problem)), float(seconds), int(limit))
        np.savez(Path(out) / "outcome.npz", **outcome._asdict())
    except Exception as error:  # an engine that cannot run a circuit is a result
        result = {"error": ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])}
    (Path(out) / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
