"""Many specifications, on Dask: handed out, collected, tried again, and written down by this process alone."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from distributed import Client, Future, LocalCluster, Security, as_completed, rpc
from rich.console import Console

from reproduce.sweep.errors import LaboratoryError
from reproduce.sweep.estimate import Estimates, share_out
from reproduce.sweep.processes.worker import STARTED, Command, VersionError, check_versions, close_idle, perform
from reproduce.sweep.progress import SweepProgress
from reproduce.sweep.run.provenance import versions
from reproduce.sweep.runs import FAILED, Block, RunResult, RunSpec, block_id, in_blocks
from reproduce.sweep.store import Store

ATTEMPTS = 3
"""Times that a run is tried, each in a new process and on another worker if there is one."""

SCHEDULER_SECONDS = 10
"""How long a scheduler may take to answer."""

_LOCAL_PORT = "127.0.0.1:0"  # Dask insists on HTTP servers: let no other machine see them

Run = Callable[[Sequence[RunSpec], Path | None], list[RunResult]]
"""Runs specifications that are done together, with the folder of their backups."""


class ExecutionError(LaboratoryError):
    """The runs cannot be handed out: no scheduler answers, or a worker differs from this process."""


def stored(specs: Sequence[RunSpec], store: Store) -> list[RunResult]:
    """The results that the store has of these runs; a failure is none, so that the run is tried again."""
    return [result for result in store.results(spec.id for spec in specs) if result.status != FAILED]


def function_name(run: Run) -> str:
    """How a process is told to run specifications with a function of some module."""
    return f"{run.__module__}:{run.__qualname__}"


def run_all(
    specs: Sequence[RunSpec],
    store: Store,
    table: str,
    run: Run,
    backend_of: Callable[[RunSpec], str] = lambda spec: "tensorflow",
    workers: int = 1,
    scheduler: str | None = None,
    backups: Path | None = None,
    fresh: bool = False,
    verbose: bool = False,
    console: Console | None = None,
) -> list[RunResult]:
    """Run what the store lacks, the longest first, storing results as they come.

    Seeds of a training are one block, which is run as a whole: if it raises, is killed or hangs, it is tried up to
    :data:`ATTEMPTS` times, and then its runs are stored as failed; the others go on.

    Args:
        specs: What to run.
        store: Where results are kept, open for adding.
        table: The table that they are made for.
        run: Runs specifications that are done together; a function that the workers can import.
        backend_of: Tells what Keras runs on for a specification.
        workers: Processes on this machine that run at the same time, if there are so many runs.
        scheduler: Address of a Dask scheduler whose workers run instead.
        backups: Folder for backups of long blocks, one folder each, removed when its runs are stored; None for none.
        fresh: Whether to run them all; earlier results and backups of these runs are forgotten once new ones can start.
        verbose: Whether what the processes and Dask print is shown.
        console: Where to tell how far the runs are, without markup; None for nowhere.

    Returns:
        One result per specification, in order.

    Raises:
        ExecutionError: If no scheduler answers, if it has no workers or goes away, or a worker has other versions of
            the packages.
    """
    results = {} if fresh else {result.spec.id: result for result in stored(specs, store)}
    ahead = in_blocks(spec for spec in specs if spec.id not in results)
    if ahead:
        estimates = Estimates(results.values())
        progress = SweepProgress(console or Console(quiet=True), ahead, estimates)
        with _connected(min(workers, len(ahead)), scheduler, verbose) as client, progress:

            def command(spec: RunSpec) -> Command:
                return Command(function_name(run), backend_of(spec), verbose)

            sweep = _Sweep(client, scheduler, command, backups, estimates, progress)
            sweep.check_versions()
            if fresh:
                store.remove(spec.id for spec in specs)
                if backups is not None:
                    for block in ahead:
                        shutil.rmtree(backups / block_id(block), ignore_errors=True)
            with contextlib.closing(sweep.results(ahead)) as new:
                for block, records in new:
                    added = store.add(records, table)
                    estimates.learn(added)
                    results |= {result.spec.id: result for result in added}
                    progress.finished(added)
                    if backups is not None:
                        shutil.rmtree(backups / block_id(block), ignore_errors=True)
    return [results[spec.id] for spec in specs]


@contextlib.contextmanager
def _connected(workers: int, scheduler: str | None, verbose: bool) -> Iterator[Client]:
    if not verbose:
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            # The workers are threads: they only wait for the processes that run.
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=False,
                memory_limit=0,
                dashboard_address=_LOCAL_PORT,
                worker_dashboard_address=_LOCAL_PORT,
            )
            stack.enter_context(cluster)
            yield stack.enter_context(Client(cluster))
            return
        try:
            identity = asyncio.run(asyncio.wait_for(_identity(scheduler), SCHEDULER_SECONDS))
            if "workers" in identity:
                client = stack.enter_context(Client(scheduler, timeout=SCHEDULER_SECONDS))
        except Exception as error:  # each kind of address has errors of its own
            raise ExecutionError(
                f"No Dask scheduler answers at {scheduler} within {SCHEDULER_SECONDS} s ({str(error) or 'silence'}). "
                "Expected the address of one that runs and that this machine can reach, as tcp://host:port."
            ) from error
        if "workers" not in identity:
            raise ExecutionError(
                f"What answers at {scheduler} is no Dask scheduler but a {identity['type']}. Expected the scheduler's "
                f"address{', ' + identity['scheduler'] if 'scheduler' in identity else ''}."
            )
        try:
            client.wait_for_workers(1, timeout=SCHEDULER_SECONDS)
        except asyncio.TimeoutError:
            raise ExecutionError(
                f"The Dask scheduler at {scheduler} has had no workers for {SCHEDULER_SECONDS} s. Start some: "
                f"dask worker {scheduler}"
            ) from None
        yield client


async def _identity(address: str) -> dict[str, Any]:
    """What listens there says that it is; Dask's client waits for ever for what is no scheduler."""
    security = Security().get_connection_args("client")
    async with rpc(address, timeout=SCHEDULER_SECONDS, connection_args=security) as server:
        return await server.identity()


@dataclasses.dataclass(frozen=True)
class _Sweep:
    client: Client
    scheduler: str | None
    command: Callable[[RunSpec], Command]
    backups: Path | None
    estimates: Estimates
    progress: SweepProgress

    def check_versions(self) -> None:
        """Raises ExecutionError if a worker has other versions of the packages."""
        try:
            check_versions(self.client.run(versions, on_error="return"), versions())
        except VersionError as error:
            raise ExecutionError(str(error)) from error

    def results(self, blocks: Sequence[Block]) -> Generator[tuple[Block, list[str]], None, None]:
        """The blocks as they end, with their results as :meth:`RunResult.to_json` gives them."""
        self.client.subscribe_topic(STARTED, lambda event: self.progress.started(**event[1]))
        longest_first = sorted(blocks, key=self.estimates.seconds, reverse=True)
        homes = share_out(longest_first, self.client.nthreads(), self.estimates)
        futures = {self._submit(block, [homes[block]] if homes else []): (block, 1) for block in longest_first}
        completed = as_completed(futures)
        try:
            for future in completed:
                block, attempt = futures.pop(future)
                answer = self._answer(future)
                if "results" in answer:
                    yield block, answer["results"]
                elif attempt == ATTEMPTS:
                    failures = (RunResult(spec, FAILED, modalities=0, error=answer["error"]) for spec in block)
                    yield block, [failure.to_json() for failure in failures]
                else:
                    self.progress.retried(block, answer["error"], attempt, ATTEMPTS)
                    others = [worker for worker in self.client.nthreads() if worker != answer["worker"]]
                    again = self._submit(block, others)
                    futures[again] = block, attempt + 1
                    completed.add(again)
        finally:
            if self.client.status == "running":
                self.client.cancel(list(futures))
                self.client.run(close_idle)

    def _submit(self, block: Block, preferred: list[str]) -> Future:
        backup = None if self.backups is None else str(self.backups.resolve() / block_id(block))
        return self.client.submit(
            perform,
            self.command(block[0]),
            {"specs": [dataclasses.asdict(spec) for spec in block], "backup": backup},
            block_id(block),
            self.estimates.limit(block),
            versions(),
            pure=False,
            priority=self.estimates.seconds(block),
            workers=preferred or None,
            allow_other_workers=bool(preferred),
        )

    def _answer(self, future: Future) -> dict[str, Any]:
        if future.status == "finished":
            return future.result()
        if future.status != "error":
            raise ExecutionError(
                f"The Dask scheduler at {self.scheduler} is gone. What it finished is kept; with another one the same "
                "command, without --fresh, continues from there."
            )
        error = future.exception()
        if isinstance(error, VersionError):
            raise ExecutionError(str(error))
        return {"worker": None, "error": f"{type(error).__name__}: {error}"}
