"""The benchmark of layers: everyone trains the same model, or has no time."""

import numpy as np
import pytest

from bench.layers.contenders import CONTENDERS, REFERENCE
from bench.layers.report import write
from bench.layers.run import Cell, judge, run_workload
from bench.layers.task import Task
from bench.layers.workloads import QUICK, WORKLOADS


def test_a_task_comes_back_as_it_was_saved(tmp_path):
    task = QUICK["qfl-n3"].build()
    task.save(tmp_path)
    loaded = Task.load(tmp_path)
    assert (loaded.rate, loaded.batch_size, loaded.epochs) == (task.rate, task.batch_size, task.epochs)
    for one, other in zip(
        [loaded.inputs, loaded.labels, *loaded.weights], [task.inputs, task.labels, *task.weights], strict=True
    ):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert loaded.problem.circuit == task.problem.circuit


def test_the_weights_are_those_of_the_model():
    for workload in {**WORKLOADS, **QUICK}.values():
        task = workload.build()
        n_data, n_weights = len(task.problem.data_symbols), len(task.problem.weight_symbols)
        n_operators, classes = len(task.problem.operators), task.labels.max() + 1
        shapes = [(task.inputs.shape[1], n_data), (n_data,), (n_weights,), (n_operators, classes), (classes,)]
        assert [array.shape for array in task.weights] == shapes
        assert len(task.labels) % task.batch_size == 0


def test_losses_of_every_epoch_are_held_against_the_reference():
    cell = Cell("w", "jax", "ok", seconds=(3.0, 1.0, 2.0, 1.5), losses=(1.0, 0.5))
    assert (cell.first, cell.later) == (3.0, 1.5)
    agreed = judge(cell, (1.0, 0.5001))
    assert (agreed.status, agreed.deviation) == ("ok", pytest.approx(0.0001 / 0.5001))
    for expected in ((), (1.1, 0.5)):
        wrong = judge(cell, expected)
        assert (wrong.status, wrong.seconds, wrong.first, wrong.later) == ("disagrees", None, None, None)


def test_the_page_holds_ours_against_the_best_of_the_others(tmp_path):
    cells = [
        Cell("qfl-n5", REFERENCE, "ok", seconds=(4.0, 2.0, 2.0), deviation=0.0, versions={"keras": "3.8.0"}),
        Cell("qfl-n5", "jax", "ok", seconds=(6.0, 0.1, 0.1), deviation=1e-5, versions={"keras": "3.8.0"}),
        Cell("qfl-n5", "torch", "ok", seconds=(3.0, 0.2, 0.2), deviation=1e-5, versions={"keras": "3.15.1"}),
        Cell("qfl-n5", "torchlayer", "ok", seconds=(2.0, 1.5, 1.5), deviation=1e-5, versions={"torch": "2.13.0"}),
        Cell("qfl-n5", "keras3-layer", "time-out", "not trained within 180 s"),
    ]
    write({"qfl-n5": WORKLOADS["qfl-n5"]}, cells, tmp_path)
    page = (tmp_path / "bench-layers.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    by_title = {row[0]: row[1:] for row in rows}
    assert by_title["CircuitLayer on JAX"][:3] == ["6.00 **missed**", "0.1", "15x **reached**"]
    assert by_title["CircuitLayer on PyTorch"][:3] == ["3.00 **reached**", "0.2", "7.5x **missed**"]
    assert by_title["PennyLane's TorchLayer"][:3] == ["2.00", "1.5", ""]
    assert by_title["pennylane-keras3-layer on JAX"][-1] == "time-out: not trained within 180 s"
    assert page.count("keras 3.8.0") == 1
    lines = (tmp_path / "bench-layers.csv").read_text().splitlines()
    assert lines[0] == "workload,contender,status,note,deviation,first_s,later_s"
    assert len(lines) == 6


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_trains_the_model_of_the_reference(name):
    if not CONTENDERS[name].python.exists():
        pytest.skip("`make bench` builds the environment of PyTorch")
    *_, cell = run_workload("qfl-n3", QUICK["qfl-n3"], [name])
    assert (cell.contender, cell.status, cell.note) == (name, "ok", "")
    assert cell.deviation < 1e-5
