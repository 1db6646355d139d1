"""One cell of the benchmark of layers, in a process of its own.

``python -m bench.layers.worker CONTENDER TASK OUT LIMIT`` reads the folder TASK and writes the file OUT. The process
ends by SIGALRM if the training takes more than LIMIT seconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import signal
import sys
import time
from pathlib import Path

from bench.layers.contenders import CONTENDERS
from bench.layers.task import Task


def main(name: str, folder: str, out: str, limit: str) -> None:
    """Make the layer, train the model around it, and write how long each epoch took."""
    contender = CONTENDERS[name]
    library = importlib.import_module(contender.module)
    trainer = importlib.import_module(f"bench.layers.{'on_torch' if contender.backend == 'torch' else 'on_keras'}")
    task = Task.load(Path(folder))
    signal.alarm(int(limit))
    begin = time.perf_counter()
    ends, losses = trainer.train(task, library.make_layer(task.problem, name))
    signal.alarm(0)
    seconds = [end - start for start, end in zip([begin, *ends], ends, strict=False)]
    versions = {name: importlib.metadata.version(name) for name in library.LIBRARIES}
    found = {"seconds": seconds, "losses": losses, "versions": versions}
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
