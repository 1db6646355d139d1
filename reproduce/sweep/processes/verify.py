"""Repeats runs and holds them against the record, to the last bit."""

from __future__ import annotations

import dataclasses

from reproduce.sweep.estimate import Estimates
from reproduce.sweep.processes.execute import Run, command
from reproduce.sweep.processes.worker import Process
from reproduce.sweep.runs import FAILED, RunResult


def repeat(recorded: RunResult, run: Run, verbose: bool = False) -> RunResult:
    """Run the specification of a result again, in a new process.

    Args:
        recorded: What came out before.
        run: Runs a specification; a function that another process can import.
        verbose: Whether what the process prints is shown.

    Raises:
        ValueError: If the run failed: there is nothing to hold another against.
        RunError: If it fails this time.
    """
    if recorded.status == FAILED:
        raise ValueError(f"Run {recorded.spec.id} ({recorded.spec}) failed, so there is nothing to compare with.")
    process = Process(command(run, verbose))
    try:
        request = {"spec": dataclasses.asdict(recorded.spec), "backup": None}
        return RunResult.from_json(process.ask(request, Estimates([recorded]).limit(recorded.spec), lambda: True))
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
    return {"status": result.status, "epochs": result.epochs, "learning rate": result.learning_rate, **scores}


def circumstances(recorded: RunResult, repeated: RunResult) -> list[str]:
    """What was not the same when the two were computed, in words: numbers need be equal only where nothing was."""
    pairs = {
        "commit": (recorded.commit, repeated.commit),
        "machine": (recorded.machine, repeated.machine),
        **{name: (version, repeated.versions.get(name)) for name, version in recorded.versions.items()},
    }
    return [f"{name} was {before}, is {after}" for name, (before, after) in pairs.items() if before != after]
