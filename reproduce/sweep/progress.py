"""What is seen of runs: before they run what is ahead, and then how far they are.

While they run there is a line for each that does and one for all, or plain lines where nobody watches.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, TaskID

from reproduce.sweep.estimate import Estimates
from reproduce.sweep.runs import Block, RunResult, RunSpec, block_id, block_name, in_blocks
from tfq_fusion.progress import Told, live_lines


def preview(specs: Sequence[RunSpec], results: Sequence[RunResult], workers: int) -> str:
    """How many runs of each fusion are stored and how many would run, with the seconds that those may take.

    Args:
        specs: The runs of a table.
        results: What is there of them.
        workers: How many run at the same time.
    """
    there = {result.spec for result in results}
    estimates = Estimates(results)
    blocks = in_blocks(spec for spec in specs if spec not in there)
    seconds = {block: estimates.seconds(block) for block in blocks}
    shares = {spec: seconds[block] / len(block) for block in blocks for spec in block}
    frame = pd.DataFrame(
        {
            "experiment": spec.experiment,
            "data set": spec.dataset or "",
            "fusion": spec.fusion + ("" if spec.degree is None else f" P={spec.degree}"),
            "there": spec in there,
            "to run": spec not in there,
            "seconds": shares.get(spec, 0.0),
        }
        for spec in specs
    )
    table = frame.groupby(["experiment", "data set", "fusion"], sort=False).sum().round(0).astype(int).reset_index()
    busy = max(sum(seconds.values()) / workers, max(seconds.values(), default=0.0))
    takes = f", which takes {duration(busy)} with --workers {workers}" if blocks else ""
    return f"{table.to_string(index=False)}\n{len(specs)} runs: {len(there)} are there, {len(shares)} would run{takes}."


class SweepProgress:
    """Tells on a console how far the runs are; to be used in a ``with`` statement.

    On a terminal lines are redrawn in place; otherwise each finished run gives one line.

    Args:
        console: Where to tell; it prints text as it is, without markup.
        blocks: All runs ahead, in blocks.
        estimates: How long they will take; whoever calls :meth:`finished` lets it learn.
    """

    def __init__(self, console: Console, blocks: Sequence[Block], estimates: Estimates) -> None:
        self._console = console
        self._estimates = estimates
        self._ahead = {block_id(block): block for block in blocks}
        self._expected: dict[str, float] = {}
        self._expect()
        self._block_of = {spec.id: block for block, runs in self._ahead.items() for spec in runs}
        self._left = set(self._block_of)
        self._total = len(self._left)
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}
        self._lines: dict[str, TaskID] = {}
        self._workers: dict[str, int] = {}
        state = Told(lambda task: task.fields["state"]())
        self._live = live_lines(console, BarColumn(bar_width=20), state, refresh_per_second=2)
        self._all = self._live.add_task("all runs", total=max(self._total, 1), state=self._overall)

    def __enter__(self) -> SweepProgress:
        self._begun = time.monotonic()
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def started(self, block: str, worker: str) -> None:
        """A worker has begun a block, by its id."""
        runs = self._ahead.get(block)
        if runs is None:  # the news of its end came first
            return
        self._drop(block)
        self._started[block] = time.monotonic()
        number = self._workers.setdefault(worker, len(self._workers) + 1)
        self._lines[block] = self._live.add_task(
            f"worker {number}: {block_name(runs)}", total=None, state=lambda: self._running(block, runs)
        )

    def retried(self, block: Block, error: str, attempt: int, attempts: int) -> None:
        """An attempt at a block gave no result; another follows."""
        self._drop(block_id(block))
        self._console.print(f"{block_name(block)}: attempt {attempt} of {attempts} failed: {last_line(error)}")

    def finished(self, results: Sequence[RunResult]) -> None:
        """The runs of a block have ended, well or not."""
        block = self._block_of[results[0].spec.id]
        before = self._total - len(self._left)
        self._left -= {result.spec.id for result in results}
        del self._ahead[block]
        self._drop(block)
        self._expect()
        self._live.update(self._all, completed=before + len(results))
        if self._console.is_terminal:
            return
        left = duration(self.seconds_left())
        for done, result in enumerate(results, start=before + 1):
            scores = ", ".join(f"{name} {score:.3f}" for name, score in result.metrics.get("test", {}).items())
            self._console.print(
                f"[{done}/{self._total}] {result.spec}: {scores or result.status}, {result.seconds:.1f} s; {left} left",
            )

    def _expect(self) -> None:
        # Once for each block that ends: to estimate those of a large table takes longer than to train a small model.
        self._expected = {block: self._estimates.seconds(runs) for block, runs in self._ahead.items()}

    def seconds_left(self) -> float:
        """Estimated seconds until all runs have ended, on as many workers as have begun one."""
        now = time.monotonic()
        left = [max(0.0, seconds - (now - self._started.get(block, now))) for block, seconds in self._expected.items()]
        return max(sum(left) / max(1, len(self._workers)), max(left, default=0.0))

    def _drop(self, block: str) -> None:
        self._started.pop(block, None)
        if block in self._lines:
            self._live.remove_task(self._lines.pop(block))

    def _overall(self) -> str:
        done = self._total - len(self._left)
        minutes = (time.monotonic() - self._begun) / 60
        rate = f"{done / minutes:,.{0 if done > 10 * minutes else 1}f} a minute, " if done and minutes else ""
        return f"{done} of {self._total}, {rate}{duration(self.seconds_left())} left"

    def _running(self, block: str, runs: Block) -> str:
        started = self._started.get(block)
        elapsed = 0.0 if started is None else time.monotonic() - started
        return f"{elapsed:.0f} s of {duration(max(elapsed, self._estimates.seconds(runs)))}"


def last_line(error: str | None) -> str:
    """The line of a traceback that says what went wrong."""
    return ((error or "").strip().splitlines() or ["no reason given"])[-1]


def duration(seconds: float) -> str:
    """Seconds in words, to one or two figures: "about 40 s", "about 12 min", "about 3 h 20 min"."""
    if seconds < 10:
        return "under 10 s"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(10 * round(minutes / 10), 60)
    return f"about {hours} h {minutes} min" if hours < 24 else f"about {round(hours / 24, 1):g} days"
