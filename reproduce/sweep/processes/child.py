"""The process that runs specifications: one request per line comes in, one answer per line goes out, both JSON.

Runs get a process of their own since TensorFlow 2.18 never frees the graphs of a trained Keras model, since a run can
take its process down with it, and since only a process can be stopped at any moment.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import queue
import shutil
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

from reproduce.sweep.runs import RunSpec

IDLE_SECONDS = 60.0
"""A process without a request for so long ends: whoever started it may be done, or gone from a cluster that stays."""


def main(function: str, temporary: str | None = None) -> None:
    """Answer requests until none comes for :data:`IDLE_SECONDS`, or whoever sends them is gone.

    A request holds ``specs``, of runs that are done together, and ``backup``, the folder of their backups or None. An
    answer holds ``results``, each as :meth:`RunResult.to_json` gives it, or ``error``, a traceback.

    Args:
        function: What runs specifications, as ``module:name``.
        temporary: A folder of this process alone for what libraries write aside, removed in the end: TensorFlow keeps
            files there until Python exits, and this process is ended otherwise. None for the usual one.
    """
    if temporary is not None:
        os.environ["TMPDIR"] = temporary
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # and it is not lost with the process
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, temporary), daemon=True).start()
    module, _, name = function.partition(":")
    run = getattr(importlib.import_module(module), name)
    while True:
        try:
            request = json.loads(requests.get(timeout=IDLE_SECONDS))
        except queue.Empty:
            _end(temporary)
        backup = request["backup"]
        try:
            answer: dict[str, object]
            results = run([*map(RunSpec.from_json, request["specs"])], None if backup is None else Path(backup))
            answer = {"results": [result.to_json() for result in results]}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
        if not gc.get_freeze_count():
            # What the first run imported stays: collecting garbage between runs need not look at it every time.
            gc.collect()
            gc.freeze()


def _listen(requests: queue.SimpleQueue[str], temporary: str | None) -> None:
    for line in sys.stdin:
        requests.put(line)
    _end(temporary)  # nobody waits for the run that may be under way


def _end(temporary: str | None) -> NoReturn:
    if temporary is not None:
        shutil.rmtree(temporary, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
