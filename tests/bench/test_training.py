"""The benchmark of training: everyone trains the same models, or has no time."""

import dataclasses
import json
import textwrap

import numpy as np
import pytest

from bench.training import run
from bench.training.contenders import CONTENDERS, OURS, REFERENCE, Contender
from bench.training.report import write
from bench.training.run import Cell, judge, run_workload
from bench.training.task import Task
from bench.training.workloads import QUICK, WORKLOADS

CONTENDER = """
import time
import numpy as np
LIBRARIES = ("numpy",)
def train(task, contender):
    if contender == "stuck":
        time.sleep(60)
    if contender == "broken":
        raise ValueError("no such layer\\nsecond line")
    return np.full(len(task.orders), 2.0 if contender == "wrong" else 1.0)
"""


@pytest.fixture
def contenders(monkeypatch, tmp_path):
    (tmp_path / "contender_of_the_test.py").write_text(textwrap.dedent(CONTENDER))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(run, "LIMIT", 10)
    for name in (REFERENCE, "right", "wrong", "broken", "stuck"):
        contender = Contender(name, "contender_of_the_test", "", members=2, backend="jax")
        monkeypatch.setitem(CONTENDERS, name, contender)
    quantum = Contender("q", "contender_of_the_test", "", members=2, backend="jax", of_quantum=True)
    monkeypatch.setitem(CONTENDERS, "quantum", quantum)


def control(members):
    return dataclasses.replace(QUICK["qfl-n3"].build(members), problem=None)


def test_a_task_comes_back_as_it_was_saved(tmp_path):
    for task in (QUICK["qfl-n3"].build(3), control(2)):
        folder = tmp_path / str(task.problem is None)
        folder.mkdir()
        task.save(folder)
        loaded = Task.load(folder)
        assert json.loads((folder / "task.json").read_text())["fusion"] == "qfl"
        for name in ("inputs", "labels", "validation_inputs", "validation_labels", "orders"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(task, name))
        for one, other in zip(loaded.weights, task.weights, strict=True):
            np.testing.assert_array_equal(one, other)
        assert (loaded.problem is None) == (task.problem is None)
        assert loaded.problem is None or loaded.problem.circuit == task.problem.circuit


def test_the_first_members_are_the_same_however_many_there_are():
    few, many = QUICK["qfl-n3"].build(2), QUICK["qfl-n3"].build(5)
    np.testing.assert_array_equal(many.orders[:2], few.orders)
    for one, other in zip(many.weights, few.weights, strict=True):
        np.testing.assert_array_equal(one[:2], other)


def test_each_epoch_sees_every_sample_once_in_whole_batches():
    for workload in {**WORKLOADS, **QUICK}.values():
        task = workload.build(2)
        samples = len(task.labels)
        assert samples % task.batch_size == 0
        np.testing.assert_array_equal(
            np.sort(task.orders, axis=2), np.broadcast_to(np.arange(samples), task.orders.shape)
        )
        assert (task.problem is None) == (task.fusion != "qfl")


@pytest.mark.slow
@pytest.mark.usefixtures("contenders")
def test_each_contender_is_timed_or_its_failure_is_reported():
    workload = dataclasses.replace(QUICK["qfl-n3"], build=control)
    found = run_workload("w", workload, ["right", "wrong", "broken", "stuck", "quantum"])
    _, right, wrong, broken, stuck = found  # what trains quantum fusions alone is left out
    assert (right.status, right.deviation, right.members) == ("ok", 0, 2)
    assert right.models_per_second == 2 / right.seconds
    assert (wrong.status, wrong.seconds, wrong.note) == ("disagrees", None, "off by 1.0e+00, where 1e-02 is allowed")
    assert (broken.status, broken.note) == ("failed", "second line")
    assert (stuck.status, stuck.note) == ("time-out", "not trained within 10 s")


def test_losses_are_held_against_those_of_the_members_that_both_trained():
    cell = Cell("w", OURS, "ok", members=3, seconds=1.0, losses=(1.0, 2.0, 9.0))
    assert judge(cell, (1.0, 2.01)).deviation == pytest.approx(0.01 / 2.01)
    assert judge(cell, ()).status == judge(cell, (1.0, 3.0)).status == "disagrees"


def test_the_page_counts_models_per_second_and_how_many_times_as_many_ours_are(tmp_path):
    cells = [
        Cell("qfl-n5", REFERENCE, "ok", members=4, seconds=8.0, deviation=0.0, versions={"keras": "3.8.0"}),
        Cell("qfl-n5", OURS, "ok", members=20, seconds=4.0, deviation=1e-5, versions={"keras": "3.8.0"}),
        Cell("qfl-n5", "pennylane", "time-out", "not trained within 180 s"),
    ]
    write({"qfl-n5": WORKLOADS["qfl-n5"]}, cells, tmp_path)
    page = (tmp_path / "bench-training.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    by_title = {row[0]: row[1:] for row in rows}
    assert by_title["Keras' fit on TensorFlow"][:4] == ["4", "8.0", "0.5", "10x **reached**"]
    assert by_title["fit_many"][:4] == ["20", "4.0", "5", ""]
    assert by_title["PennyLane default.qubit, vmap"][-1] == "time-out: not trained within 180 s"
    assert page.count("keras 3.8.0") == 1
    lines = (tmp_path / "bench-training.csv").read_text().splitlines()
    assert lines[0] == "workload,contender,status,note,members,seconds,deviation,models_per_second"
    assert len(lines) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_trains_the_models_of_the_reference(name):
    if not CONTENDERS[name].python.exists():
        pytest.skip("`make bench` builds the peers' environment")
    *_, cell = run_workload("qfl-n3", QUICK["qfl-n3"], [name])
    assert (cell.contender, cell.status, cell.note) == (name, "ok", "")
    assert cell.deviation < 1e-4
