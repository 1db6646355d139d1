"""One cell of the benchmark of tutorials, in a process of its own.

``python -m bench.tutorials.worker MODULE LAYERS SETTINGS OUT LIMIT`` trains with a library's layers and writes the file
OUT; SETTINGS are in JSON. The process ends by SIGALRM if the training takes more than LIMIT seconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import signal
import sys
import time
from pathlib import Path

LIBRARIES = ("tensorflow-quantum", "tensorflow", "tf-keras", "cirq-core")


def main(module: str, layers: str, settings: str, out: str, limit: str) -> None:
    """Train, and write how long each epoch took."""
    import tf_keras as keras

    tutorial, library = importlib.import_module(f"bench.tutorials.{module}"), importlib.import_module(layers)
    arguments = json.loads(settings)
    keras.utils.set_random_seed(0)
    signal.alarm(int(limit))
    begin = time.perf_counter()
    ends, losses = tutorial.train(library, **arguments)
    signal.alarm(0)
    seconds = [end - start for start, end in zip([begin, *ends], ends, strict=False)]
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    Path(out).write_text(json.dumps({"seconds": seconds, "losses": losses, "versions": versions}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
