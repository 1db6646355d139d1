"""One cell of the benchmark of training, in a process of its own.

``python -m bench.training.worker MODULE CONTENDER TASK OUT LIMIT`` reads the folder TASK and writes the file OUT. The
process ends by SIGALRM if the training takes more than LIMIT seconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import signal
import sys
import time
from pathlib import Path

from bench.training.task import Task


def main(module: str, contender: str, task: str, out: str, limit: str) -> None:
    """Train, and write what came out."""
    library = importlib.import_module(module)
    loaded = Task.load(Path(task))
    signal.alarm(int(limit))
    begin = time.perf_counter()
    losses = library.train(loaded, contender)
    seconds = time.perf_counter() - begin
    signal.alarm(0)
    versions = {name: importlib.metadata.version(name) for name in library.LIBRARIES}
    found = {"seconds": seconds, "losses": losses.tolist(), "versions": versions}
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
