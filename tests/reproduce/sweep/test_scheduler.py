"""Runs on a Dask cluster that somebody else has started."""

import importlib.metadata
import io
import os
import signal
import socket

import psutil
import pytest
from distributed import LocalCluster
from rich.console import Console

from reproduce.sweep.processes import execute
from reproduce.sweep.processes.execute import ExecutionError, run_all
from reproduce.sweep.runs import FINISHED
from reproduce.sweep.store import Store


@pytest.fixture(scope="module")
def started():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture
def cluster(tiny, started):
    def all_back():  # a worker that a test has killed is started again, at another address
        return {nanny.worker_address for nanny in started.workers.values()} == set(started.scheduler.workers)

    tiny.wait_until(all_back)
    return started


@pytest.fixture
def sweep(tiny, tmp_path):
    def sweep(specs, scheduler):
        with Store(tmp_path / "runs.sqlite") as store:
            return run_all(
                specs, store, "table1", tiny.run, scheduler=scheduler, console=Console(markup=False, file=io.StringIO())
            )

    return sweep


def test_its_workers_run_and_keep_nothing_behind(tiny, sweep, cluster):
    specs = [tiny.spec("finish", degree, seed) for degree in range(2) for seed in range(2)]
    results = sweep(specs, cluster.scheduler_address)
    assert [result.spec for result in results] == specs
    (process, worker), *_ = tiny.attempts(specs[0])
    assert psutil.Process(worker).parent() == psutil.Process()
    assert not tiny.is_alive(process)


def test_a_run_is_tried_again_on_another_worker(tiny, sweep, cluster):
    spec = tiny.spec("stumble")
    (result,) = sweep([spec], cluster.scheduler_address)
    assert result.status == FINISHED
    (_, first), (_, second) = tiny.attempts(spec)
    assert first != second


def test_a_worker_that_is_killed_takes_its_process_along_and_the_run_goes_elsewhere(tiny, sweep, cluster):
    spec = tiny.spec("linger")
    with tiny.as_soon_as(lambda: tiny.attempts(spec), lambda: os.kill(tiny.attempts(spec)[0][1], signal.SIGKILL)):
        (result,) = sweep([spec], cluster.scheduler_address)
    assert (result.status, result.metrics["test"]["rmse"]) == (FINISHED, 2)
    tiny.wait_until(lambda: not tiny.is_alive(tiny.attempts(spec)[0][0]))


def test_other_versions_on_workers_stop_everything_before_it_begins(tiny, sweep, cluster, monkeypatch):
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.0" if name == "keras" else version(name))
    with pytest.raises(ExecutionError) as caught:
        sweep([tiny.spec("raise")], cluster.scheduler_address)
    for worker in cluster.scheduler.workers:
        assert f"keras is {version('keras')} on worker {worker}, but 2.0 here" in str(caught.value)
    assert not tiny.attempts(tiny.spec("raise"))


def test_a_scheduler_that_goes_away_ends_the_command(tiny, sweep):
    spec = tiny.spec("hang")
    with (
        LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=":0") as cluster,
        tiny.as_soon_as(lambda: tiny.attempts(spec), cluster.close),
        pytest.raises(ExecutionError, match=f"The Dask scheduler at {cluster.scheduler_address} is gone"),
    ):
        sweep([spec], cluster.scheduler_address)
    tiny.wait_until(lambda: not tiny.is_alive(tiny.attempts(spec)[0][0]))


@pytest.mark.parametrize(
    "address",
    ["tcp://127.0.0.1:{port}", "nowhere", "", "ftp://127.0.0.1:{port}", "tls://127.0.0.1:{port}", "ucx://::1"],
)
def test_a_scheduler_that_does_not_answer_is_named_with_the_time_it_had(tiny, sweep, address, monkeypatch):
    monkeypatch.setattr(execute, "SCHEDULER_SECONDS", 1)
    with socket.socket() as listens:  # and never answers
        listens.bind(("127.0.0.1", 0))
        listens.listen()
        address = address.format(port=listens.getsockname()[1])
        with pytest.raises(ExecutionError, match=rf"No Dask scheduler answers at {address} within 1 s"):
            sweep([tiny.spec("finish", 9)], address)


def test_the_address_of_a_worker_is_told_from_that_of_its_scheduler(tiny, sweep, cluster):
    worker = next(iter(cluster.scheduler_info["workers"]))
    with pytest.raises(ExecutionError, match=f"no Dask scheduler but a Worker.*{cluster.scheduler_address}"):
        sweep([tiny.spec("finish", 9)], worker)


def test_a_scheduler_without_workers_is_named(tiny, sweep, monkeypatch):
    monkeypatch.setattr(execute, "SCHEDULER_SECONDS", 1)
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=":0") as cluster,
        pytest.raises(ExecutionError, match=f"The Dask scheduler at {cluster.scheduler_address} has had no workers"),
    ):
        sweep([tiny.spec("finish", 9)], cluster.scheduler_address)
