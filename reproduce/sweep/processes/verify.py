"""Repeats runs and holds them against the record, to the last bit."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from reproduce.sweep.estimate import Estimates
from reproduce.sweep.processes.execute import Run, function_name
from reproduce.sweep.processes.worker import Command, Process
from reproduce.sweep.runs import FAILED, RunResult


def repeat(recorded: RunResult, run: Run, backend: str = "tensorflow", verbose: bool = False) -> RunResult:
    """Run the specification of a result again, in a new process, with those that were trained in one program with it.

    Args:
        recorded: What came out before.
        run: Runs specifications; a function that another process can import.
        backend: What Keras runs on there.
        verbose: Whether what the process prints is shown.

    Raises:
        ValueError: If the run failed: there is nothing to hold another against.
        RunError: If it fails this time.
    """
    if recorded.status == FAILED:
        raise ValueError(f"Run {recorded.spec.id} ({recorded.spec}) failed, so there is nothing to compare with.")
    seeds = recorded.program or (recorded.spec.seed,)
    block = tuple(dataclasses.replace(recorded.spec, seed=seed) for seed in seeds)
    process = Process(Command(function_name(run), backend, verbose))
    try:
        request = {"specs": [dataclasses.asdict(spec) for spec in block], "backup": None}
        records = process.ask(request, Estimates([recorded]).limit(block), lambda: True)
        return RunResult.from_json(records[seeds.index(recorded.spec.seed)])
    finally:
        process.close()


def differences(recorded: RunResult, repeated: RunResult) -> list[str]:
    """What differs between two results of one specification, in words; of the losses, the first epoch that does."""
    before, after = _values(recorded), _values(repeated)
    found = [
        f"{name} was {before.get(name)!r}, is {after.get(name)!r}"
        for name in {**before, **after}
        # Compared as text, which tells all floats apart and takes NaN for equal to itself.
        if repr(before.get(name)) != repr(after.get(name))
    ]
    for name in recorded.history:
        epochs = zip(recorded.history[name], repeated.history.get(name, []), strict=False)
        for epoch, (loss, other) in enumerate(epochs, start=1):
            if repr(loss) != repr(other):
                found.append(f"{name} of epoch {epoch} was {loss!r}, is {other!r}")
                break
    return found


def _values(result: RunResult) -> dict[str, object]:
    scores = {f"{part} {name}": score for part, scores in result.metrics.items() for name, score in scores.items()}
    tuning = {f"validation loss at {rate:g}": loss for rate, loss in result.tuning.items()}
    chosen = {"learning rate": result.learning_rate, **tuning}
    return {"status": result.status, "epochs": result.epochs, **chosen, **scores, "outcomes": _digest(result.outcomes)}


def _digest(outcomes: np.ndarray | None) -> str | None:
    return None if outcomes is None else hashlib.sha256(outcomes.tobytes()).hexdigest()


def circumstances(recorded: RunResult, repeated: RunResult) -> list[str]:
    """What was not the same when the two were computed, in words: numbers need be equal only where nothing was."""
    pairs = {
        "commit": (recorded.commit, repeated.commit),
        "machine": (recorded.machine, repeated.machine),
        **{name: (version, repeated.versions.get(name)) for name, version in recorded.versions.items()},
    }
    return [f"{name} was {before}, is {after}" for name, (before, after) in pairs.items() if before != after]
