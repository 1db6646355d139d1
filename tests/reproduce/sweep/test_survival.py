"""Kills, and what is computed in spite of them: the same bits, whatever happened on the way."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import LocalCluster

from reproduce.experiments.registry import run
from reproduce.sweep.processes import worker
from reproduce.sweep.processes.execute import run_all
from reproduce.sweep.runs import FINISHED, RunSpec
from reproduce.sweep.store import Store
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol

SCRIPTS = Path(__file__).parents[3] / "scripts"


def trainings(fusions, **protocol):
    shared = {"dataset": "emoji", "dataset_sha256": load("emoji").card.sha256, "seed": 0}
    protocol = Protocol(hidden=4, batch_size=128, **protocol)
    return [
        RunSpec(fusion=fusion, protocol=protocol, degree=1 if fusion == "qfl" else None, **shared) for fusion in fusions
    ]


def finished(path):
    """What has finished, according to the store."""
    return [result.spec for result in Store(path).results() if result.status == FINISHED]


def numbers(results):
    return [(result.status, result.metrics, result.history, result.learning_rate) for result in results]


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
def test_the_same_bits_whatever_the_order_the_workers_the_history_and_the_kills(tmp_path, monkeypatch):
    specs = trainings(["mfb", "qfl"], epochs=2)
    with Store(tmp_path / "disturbed.sqlite") as store, monkeypatch.context() as patched:
        patched.setattr(worker, "MEMORY", 0)  # a new process for each
        disturbed = run_all(specs[::-1], store, "table1", run, workers=2)[::-1]
    with Store(tmp_path / "undisturbed.sqlite") as store:
        undisturbed = run_all(specs, store, "table1", run)
    assert {result.status for result in undisturbed} == {FINISHED}
    assert numbers(disturbed) == numbers(undisturbed)


@pytest.mark.slow
def test_a_training_that_is_killed_continues_from_its_backup_to_the_same_bits(tiny, tmp_path):
    (spec,) = trainings(["mfb"], epochs=6, patience=6)
    folder = tmp_path / "backups" / spec.id
    pids = []

    def kill():
        process = next(
            child for child in tiny.psutil.Process().children() if "reproduce.sweep.processes.child" in child.cmdline()
        )
        pids.append(process.pid)
        process.kill()

    with Store(tmp_path / "killed.sqlite") as store, tiny.as_soon_as(lambda: list(folder.glob("*/epoch-*")), kill):
        killed = run_all([spec], store, "table1", tiny.train, backups=tmp_path / "backups")
    with Store(tmp_path / "whole.sqlite") as store:
        whole = run_all([spec], store, "table1", run)
    assert pids
    assert killed[0].epochs == 6
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
