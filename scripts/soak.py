"""Kills a sweep of tiny runs, two seeds at a time, at random moments: nothing may be lost, repeated, changed or left.

    python scripts/soak.py --kills 200

Each kill is a signal 9 to the command itself or to one of its two processes that run. A command that was killed, or
that ended with failed runs, is started again. If a sweep ends before the last kill, another one begins.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import psutil
import typer

from reproduce.claims.rows import write_csv
from reproduce.sweep.processes.execute import run_all
from reproduce.sweep.runs import FAILED, FINISHED, RunResult, RunSpec, in_blocks
from reproduce.sweep.store import FILE, Store
from reproduce.tables import table1
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

DATASET = "traffic-detectors"
SEEDS = 2
"""Runs of a block."""
ENDING_SECONDS = 10.0
"""How long the processes of a command that was killed may outlive it."""


@dataclasses.dataclass
class Report:
    """What a soak has seen.

    Attributes:
        commands: Kills of the command.
        processes: Kills of a process that runs.
        sweeps: Sweeps that were completed.
        failures: Runs recorded as failed, and finished by a later command.
    """

    commands: int = 0
    processes: int = 0
    sweeps: int = 0
    failures: int = 0

    @property
    def kills(self) -> int:
        """All of them."""
        return self.commands + self.processes


def run(specs: Sequence[RunSpec], backup: Path | None) -> list[RunResult]:
    """Wait for ``SOAK_SECONDS`` instead of training; the scores of runs follow from their ids."""
    time.sleep(float(os.environ["SOAK_SECONDS"]))
    return [_result(spec) for spec in specs]


def _result(spec: RunSpec) -> RunResult:
    mae, rmse = np.random.default_rng(int(spec.id[:16], 16)).uniform(size=2).tolist()
    when = str(time.time_ns())  # tells this result from that of another attempt
    return RunResult(spec, FINISHED, 22, 1, metrics={"test": {"mae": mae, "rmse": rmse}}, seconds=1.0, machine=when)


def tiny_specs(runs: int) -> list[RunSpec]:
    """So many specifications, in blocks of :data:`SEEDS`."""
    sha256 = load(DATASET).card.sha256
    first = RunSpec(fusion="control", seed=0, protocol=Protocol(), dataset=DATASET, dataset_sha256=sha256)
    return [dataclasses.replace(first, degree=1 + k // SEEDS, seed=k % SEEDS) for k in range(runs)]


def sweep(folder: Path, runs: int) -> None:
    """The command that is killed: run what is missing, and once nothing is, write ``table.csv``."""
    with Store(folder / FILE) as store:
        results = run_all(tiny_specs(runs), store, "soak", run, workers=2)
    if any(result.status == FAILED for result in results):
        sys.exit(1)
    write_csv(table1.fold(results), folder / "table.csv")


def overhead(folder: Path, runs: int) -> None:
    """Print how long blocks that take no time take in one process, without what it takes to start that process."""
    seconds = []
    for blocks in (1, 1 + runs):
        with Store(folder / str(blocks) / FILE) as store:
            begin = time.monotonic()
            run_all(tiny_specs(blocks * SEEDS), store, "soak", run)
            seconds.append(time.monotonic() - begin)
    print(f"Overhead: {1000 * (seconds[1] - seconds[0]) / runs:.1f} ms per block of {SEEDS} runs in one process.")


def start(folder: Path, runs: int, seconds: float, function: str = "sweep") -> subprocess.Popen[bytes]:
    """A function of this module in a process of its own; in the processes that it starts a block takes such seconds."""
    paths = [str(Path(__file__).parent), *sys.path]
    code = f"import pathlib, soak; soak.{function}(pathlib.Path({str(folder)!r}), {runs})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "SOAK_SECONDS": str(seconds)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment)


def soak(folder: Path, kills: int, runs: int, seconds: float, seed: int) -> Report:
    """Kill, start again, and check.

    Args:
        folder: Where the sweeps go.
        kills: How many.
        runs: Runs per sweep.
        seconds: Seconds per block, and the mean from one kill to the next.
        seed: Seeds the moments and the victims.

    Raises:
        AssertionError: If a run has not finished, or a finished one is lost, changed or finished again; if a part of a
            block was stored; if a table is not that of an undisturbed sweep; or if a process has outlived its command.
    """
    assert start(folder / "undisturbed", runs, seconds=0).wait() == 0
    expected = (folder / "undisturbed" / "table.csv").read_bytes()
    random_moments = random.Random(seed)
    report = Report()
    while report.kills < kills:
        disturbed = folder / f"sweep-{report.sweeps}"
        _disturb(disturbed, kills, runs, seconds, random_moments, report)
        assert Store(disturbed / FILE).counts() == {FINISHED: runs}
        assert (disturbed / "table.csv").read_bytes() == expected
        report.sweeps += 1
    return report


def _disturb(
    folder: Path, kills: int, runs: int, seconds: float, random_moments: random.Random, report: Report
) -> None:
    status = None
    finished: dict[str, RunResult] = {}
    while status != 0:
        command = start(folder, runs, seconds)
        processes: set[psutil.Process] = set()
        while command.poll() is None:
            time.sleep(random_moments.uniform(0, 2 * seconds))
            children = psutil.Process(command.pid).children()
            processes.update(children)
            if report.kills == kills:
                continue
            victim = random_moments.randrange(3)
            # Both, whatever is drawn: a process even where commands die before they have any.
            if report.kills == kills - 1 and not report.processes:
                victim = 1
            elif report.kills == kills - 2 and not report.commands:
                victim = 0
            if victim == 0:
                command.kill()
                report.commands += 1
                break
            if victim <= len(children):  # the command may not have got that far
                with contextlib.suppress(psutil.NoSuchProcess):
                    children[victim - 1].kill()
                    report.processes += 1
        status = command.wait()
        assert status in (0, 1, -signal.SIGKILL), status
        _, left = psutil.wait_procs(processes, timeout=ENDING_SECONDS)
        assert all(process.status() == psutil.STATUS_ZOMBIE for process in left), left
        results = list(Store(folder / FILE).results())
        report.failures += sum(result.status == FAILED for result in results)
        before, finished = finished, {result.spec.id: result for result in results if result.status == FINISHED}
        assert before.items() <= finished.items(), "a result was lost, changed or made again"
        stored = in_blocks(result.spec for result in finished.values())
        assert set(stored) <= set(in_blocks(tiny_specs(runs))), "a part of a block was stored"


def main(
    kills: Annotated[int, typer.Option(min=1, help="How many kills.")] = 200,
    runs: Annotated[int, typer.Option(min=1, help="Runs per sweep.")] = 60,
    seconds: Annotated[float, typer.Option(help="Seconds per block, and the mean from one kill to the next.")] = 1.5,
    seed: Annotated[int, typer.Option(help="Seeds the moments and the victims.")] = 0,
) -> None:
    """Kill a sweep of tiny runs at random moments, and check that nothing is lost, repeated, changed or left behind."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        assert start(Path(folder) / "overhead", runs, seconds=0, function="overhead").wait() == 0
        report = soak(Path(folder), kills, runs, seconds, seed)
    print(
        f"{report.kills} kills ({report.commands} of the command, {report.processes} of processes that run) in "
        f"{time.monotonic() - begin:.0f} s, over {report.sweeps} sweeps of {runs} runs. Every run finished exactly "
        f"once, {report.failures} of them after they had been recorded as failed; all tables equal the undisturbed "
        "one; no process was left behind."
    )


if __name__ == "__main__":
    typer.run(main)
