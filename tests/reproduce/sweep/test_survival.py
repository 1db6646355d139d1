"""Kills, and what is computed in spite of them: the same bits, whatever happened on the way."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import LocalCluster

from reproduce.experiments.registry import backend_of, run
from reproduce.sweep.processes import worker
from reproduce.sweep.processes.execute import run_all
from reproduce.sweep.runs import FINISHED, RunSpec, block_id
from reproduce.sweep.store import Store
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

SCRIPTS = Path(__file__).parents[3] / "scripts"


def trainings(fusion, **protocol):
    """Two seeds of a training: a block."""
    shared = {"dataset": "emoji", "dataset_sha256": load("emoji").card.sha256}
    protocol = Protocol(hidden=4, batch_size=128, **protocol)
    degree = 1 if fusion == "qfl" else None
    return tuple(RunSpec(fusion=fusion, protocol=protocol, degree=degree, seed=seed, **shared) for seed in range(2))


def finished(path):
    """What has finished, according to the store."""
    return [result.spec for result in Store(path).results() if result.status == FINISHED]


def numbers(results):
    return [
        (result.status, result.metrics, result.history, result.learning_rate, result.program, result.outcomes.tobytes())
        for result in results
    ]


@pytest.fixture(params=["jax", "tensorflow"])
def backend(request):
    """What Keras runs on, by specification: as in a command, and as it is for TensorFlow Quantum."""
    return backend_of if request.param == "jax" else lambda spec: "tensorflow"


@pytest.mark.slow
def test_kills_lose_repeat_change_and_leave_nothing(tmp_path):
    spec = importlib.util.spec_from_file_location("soak", SCRIPTS / "soak.py")
    soak = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = soak
    spec.loader.exec_module(soak)
    report = soak.soak(tmp_path, kills=5, runs=6, seconds=0.5, seed=0)
    assert (report.kills, report.sweeps > 0) == (5, True)
    assert min(report.commands, report.processes) > 0


@pytest.mark.slow
def test_the_same_bits_whatever_the_order_the_workers_and_the_history(tmp_path, monkeypatch, backend):
    first, second = (trainings(fusion, epochs=2) for fusion in ("mfb", "qfl"))
    with Store(tmp_path / "disturbed.sqlite") as store, monkeypatch.context() as patched:
        patched.setattr(worker, "MEMORY", 0)  # a new process for each
        disturbed = run_all([*second, *first], store, "table1", run, backend, workers=2)
    with Store(tmp_path / "undisturbed.sqlite") as store:
        undisturbed = run_all([*first, *second], store, "table1", run, backend)
    assert {result.status for result in undisturbed} == {FINISHED}
    assert numbers(disturbed[2:] + disturbed[:2]) == numbers(undisturbed)


@pytest.mark.slow
def test_trainings_that_are_killed_continue_from_their_backup_to_the_same_bits(tiny, tmp_path, backend):
    block = trainings("mfb", epochs=6, patience=6)
    folder = tmp_path / "backups" / block_id(block)
    pids = []

    def kill():
        process = next(
            child for child in tiny.psutil.Process().children() if "reproduce.sweep.processes.child" in child.cmdline()
        )
        pids.append(process.pid)
        process.kill()

    with Store(tmp_path / "killed.sqlite") as store, tiny.as_soon_as(lambda: list(folder.glob("**/epoch-*")), kill):
        killed = run_all(block, store, "table1", tiny.train, backend, backups=tmp_path / "backups")
    with Store(tmp_path / "whole.sqlite") as store:
        whole = run_all(block, store, "table1", run, backend)
    assert pids
    assert [result.epochs for result in killed] == [6, 6]
    assert numbers(killed) == numbers(whole)
    assert not folder.exists()


COMMAND = """
import sys, tiny_runs
from pathlib import Path
from reproduce.sweep.processes.execute import run_all
from reproduce.sweep.store import Store
specs = [tiny_runs.spec(does, 7) for does in ("finish", "hang")]
with Store(Path(sys.argv[1])) as store:
    run_all(specs, store, "table1", tiny_runs.run, scheduler=sys.argv[2] or None)
"""


@pytest.fixture(params=["here", "on a cluster"])
def scheduler(request):
    """No scheduler, or the address of one."""
    if request.param == "here":
        yield ""
        return
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


def test_no_process_outlives_a_command_that_is_killed_and_another_continues(tiny, tmp_path, scheduler):
    finish, hang = (tiny.spec(does, 7) for does in ("finish", "hang"))
    before = len(tiny.attempts(hang))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
    arguments = [sys.executable, "-c", COMMAND, str(tmp_path / "runs.sqlite"), scheduler]
    command = subprocess.Popen(arguments, env=environment)
    tiny.wait_until(lambda: len(tiny.attempts(hang)) > before and finish in finished(tmp_path / "runs.sqlite"))
    command.kill()
    command.wait()
    tiny.wait_until(lambda: not tiny.is_alive(tiny.attempts(hang)[-1][0]), seconds=10)
    assert {file.name for file in temporary.iterdir()} <= {"dask-scratch-space"}
    with Store(tmp_path / "runs.sqlite") as store:
        assert finish in finished(store.path)
        tiny_attempts = len(tiny.attempts(finish))
        run_all([finish], store, "table1", tiny.run)
        assert len(tiny.attempts(finish)) == tiny_attempts
