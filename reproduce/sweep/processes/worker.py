"""What happens on a Dask worker: each run goes to a process that outlives it, unless the run goes wrong."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import connection
from typing import Any, NamedTuple

import psutil
from distributed import Status, get_worker

from reproduce.sweep.errors import LaboratoryError
from reproduce.sweep.processes.child import IDLE_SECONDS
from reproduce.sweep.run.provenance import versions
from tfq_fusion._quiet import LEVEL

STARTED = "tfq-fusion-run-started"
"""Topic of the events that tell which worker has begun which block of runs."""

MEMORY = 2e9
"""Bytes that a process may hold when its run has ended; one that holds more is replaced."""

THREADS = "1"
"""Threads per run. The models are too small for a second thread to help, and sums depend on how they are shared out."""

_ENDING = (Status.closing, Status.closed, Status.failed)
_POLL_SECONDS = 0.1


class RunError(LaboratoryError):
    """A run gave no result; the message is the traceback, or says how its process ended."""


class VersionError(LaboratoryError):
    """A worker has other versions of the packages than the client."""


class Command(NamedTuple):
    """What a process is started for.

    Attributes:
        function: What runs specifications, as ``module:name``.
        backend: What Keras runs on there.
        verbose: Whether what it and its libraries print is shown.
    """

    function: str
    backend: str
    verbose: bool


class Process:
    """A process of :mod:`reproduce.sweep.processes.child`, seen from outside.

    Attributes:
        command: What it was started for.
        idle_since: When it answered last, by the monotonic clock.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self.idle_since = time.monotonic()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed with the process)
        self._temporary = tempfile.mkdtemp(prefix="tfq-fusion-")
        settings = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), THREADS)
        settings |= {"KERAS_BACKEND": command.backend, "NPROC": THREADS}  # XLA takes it for the cores it has
        settings[LEVEL] = "0" if command.verbose else "3"
        if command.backend != "tensorflow":
            settings["TF_USE_LEGACY_KERAS"] = "0"  # legacy Keras has no other backend
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reproduce.sweep.processes.child", command.function, self._temporary],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if command.verbose else self._log,
            # It imports what this process would.
            env={**os.environ, **settings, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is for the client, which decides what it means
        )

    def ask(self, request: dict[str, Any], limit: float, is_wanted: Callable[[], bool]) -> list[str]:
        """The results of runs that are done together, as :meth:`RunResult.to_json` gives them.

        Args:
            request: As :func:`reproduce.sweep.processes.child.main` takes it.
            limit: Seconds after which it counts as hanging.
            is_wanted: Tells whether anybody still waits for the results.

        Raises:
            RunError: If there are none; the process is then of no further use.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        answers = self._process.stdout.fileno()
        with contextlib.suppress(BrokenPipeError):  # it has ended: reading tells how
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        deadline = time.monotonic() + limit
        pieces = [b""]
        while not pieces[-1].endswith(b"\n"):
            if connection.wait([answers], _POLL_SECONDS):
                piece = os.read(answers, 2**16)
                if not piece:
                    raise RunError(self._end())
                pieces.append(piece)
            elif time.monotonic() > deadline:
                raise RunError(f"No result within {limit:.0f} s.")
            elif not is_wanted():
                raise RunError("Nobody waits for this run any more.")
        answer = json.loads(b"".join(pieces))
        if "error" in answer:
            raise RunError(answer["error"])
        results: list[str] = answer["results"]
        return results

    def is_bloated(self) -> bool:
        """Whether it holds more than :data:`MEMORY`."""
        try:
            return psutil.Process(self._process.pid).memory_info().rss > MEMORY
        except psutil.NoSuchProcess:  # killed since it answered: whoever asks it next will notice
            return False

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._log.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _end(self) -> str:
        """Its last words, and how it ended."""
        status = self._process.wait()
        if status == -signal.SIGKILL:
            how = "The process was killed by signal 9 (SIGKILL), as the system does when memory runs out."
        elif status < 0:
            how = f"The process was killed by signal {-status} ({signal.Signals(-status).name})."
        else:
            how = f"The process ended with status {status}."
        self._log.seek(0)
        said = self._log.read().decode(errors="replace")[-2000:].strip()
        return f"{said}\n\n{how}".lstrip()


_idle: list[Process] = []
_idle_lock = threading.Lock()


def perform(
    command: Command, request: dict[str, Any], block: str, limit: float, expected: dict[str, str]
) -> dict[str, Any]:
    """Run specifications together in a process of this worker: the task that the client submits.

    Args:
        command: What to run it with.
        request: As :func:`reproduce.sweep.processes.child.main` takes it.
        block: Id of the block that they are.
        limit: Seconds after which it counts as hanging.
        expected: The client's versions.

    Returns:
        ``worker``, the address, and either ``results``, as the process gave them, or ``error``.

    Raises:
        VersionError: If this worker has other versions.
    """
    worker = get_worker()
    key = worker.get_current_task()
    check_versions({worker.address: versions()}, expected)
    worker.log_event(STARTED, {"block": block, "worker": worker.address})

    def is_wanted() -> bool:
        # A task whose client cancelled it, or is gone, is executing no longer; a worker without a scheduler closes.
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing" and worker.status not in _ENDING

    process = _take_idle(command) or Process(command)
    try:
        results = process.ask(request, limit, is_wanted)
    except RunError as error:
        process.close()
        return {"worker": worker.address, "error": str(error)}
    if process.is_bloated():
        process.close()
    else:
        process.idle_since = time.monotonic()
        with _idle_lock:
            _idle.append(process)
    return {"worker": worker.address, "results": results}


def _take_idle(command: Command) -> Process | None:
    with _idle_lock:
        for process in reversed(_idle):
            # One that has been idle for long may end while it is asked.
            if process.command == command and time.monotonic() - process.idle_since < IDLE_SECONDS / 2:
                _idle.remove(process)
                return process
    return None


def close_idle() -> None:
    """End the processes of this worker that run nothing."""
    with _idle_lock:
        while _idle:
            _idle.pop().close()


def check_versions(found: Mapping[str, dict[str, str] | Exception], expected: dict[str, str]) -> None:
    """Hold the versions of workers, by address, against the client's.

    Raises:
        VersionError: If one differs, or if a worker could not tell; the message names all.
    """
    differing = []
    for worker, theirs in found.items():
        if isinstance(theirs, Exception):
            differing.append(f"worker {worker} cannot import tfq-fusion ({theirs})")
            continue
        differing += [
            f"{package} is {theirs.get(package)} on worker {worker}, but {version} here"
            for package, version in expected.items()
            if theirs.get(package) != version
        ]
    if differing:
        raise VersionError(f"{'; '.join(differing)}. Install the same versions on both: constraints.txt lists them.")
