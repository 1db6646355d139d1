"""Runs that need no TensorFlow, well-behaved and not, and what it takes to interfere with them.

The processes that run import them from here.
"""

import contextlib
import dataclasses
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import psutil

from reproduce.experiments import registry
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

DATASET = "traffic-detectors"


def spec(does, degree=None, seed=0):
    """The specification of a run that does what this says; those of other degrees are other blocks."""
    sha256 = load(DATASET).card.sha256
    return RunSpec(fusion=does, seed=seed, degree=degree, protocol=Protocol(), dataset=DATASET, dataset_sha256=sha256)


def run(specs, backup):
    """Do what the fusions say.

    A result tells who it came with, as members of a program do: its MAE is the sum of 1 / (1 + seed) over all of them.
    It tells the attempt as its RMSE; as its machine the process, its parent, and what the environment says of threads,
    of Keras' backend and of legacy Keras.
    """
    seeds = tuple(spec.seed for spec in specs)
    return [run_one(spec, seeds) for spec in specs]


def run_one(spec, seeds):
    attempts = Path(os.environ["TINY_RUNS"]) / spec.id
    attempts.mkdir(exist_ok=True)
    attempt = 1 + len(list(attempts.iterdir()))
    (attempts / str(attempt)).write_text(f"{os.getpid()} {os.getppid()}")
    print("a word on standard output")
    match spec.fusion:
        case "litter":
            tempfile.mkstemp()
        case "raise":
            raise ValueError("this run raises")
        case "falter" if spec.seed == 2:
            raise ValueError("this seed raises")
        case "die":
            tempfile.mkstemp()
            os.kill(os.getpid(), signal.SIGKILL)
        case "stumble" if attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case "abort":
            os.write(2, b"corrupted\n")
            os.abort()
        case "hang" | "linger" if spec.fusion == "hang" or attempt == 1:
            tempfile.mkstemp()
            time.sleep(60)
        case "meet":  # degrees 0 and 1 wait for each other to begin, and so do 2 and 3
            wait_until((attempts.parent / dataclasses.replace(spec, degree=spec.degree ^ 1).id).exists)
    settings = [os.environ.get(name) for name in ("TF_NUM_INTRAOP_THREADS", "KERAS_BACKEND", "TF_USE_LEGACY_KERAS")]
    return RunResult(
        spec,
        FINISHED,
        modalities=2,
        fusion_params=0,
        metrics={"test": {"mae": sum(1 / (1 + seed) for seed in seeds), "rmse": attempt}},
        seconds=0.1,
        program=seeds,
        machine=" ".join(map(str, (os.getpid(), os.getppid(), *settings))),
    )


def train(specs, backup):
    """Train as any command does, with a backup after every epoch."""
    from tfq_fusion.training import backup as backups

    backups.SECONDS = 0.0
    return registry.run(specs, backup)


def attempts(spec):
    """(process, parent) of each attempt at a run so far."""
    files = sorted((Path(os.environ["TINY_RUNS"]) / spec.id).glob("*"))
    return [tuple(map(int, text.split())) for text in (file.read_text() for file in files) if text]


def is_alive(pid):
    """Whether a process runs; one that has ended may still have its entry."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition, seconds=60):
    """Wait for what another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def as_soon_as(condition, action):
    """Do something from another thread while the block runs."""
    thread = threading.Thread(target=lambda: (wait_until(condition), action()))
    thread.start()
    yield
    thread.join()
