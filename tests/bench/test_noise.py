"""The benchmark of noise and shots: values agree with Cirq's, or there are no times."""

import dataclasses
import math

import cirq
import numpy as np
import pytest
import sympy

from bench.noise.contenders import CONTENDERS, REFERENCE
from bench.noise.report import write
from bench.noise.run import Cell, Exact, judge, run_workload
from bench.noise.workloads import QUICK, WORKLOADS, Workload
from bench.problem import Outcome, Problem

QUBIT, FADING = cirq.LineQubit(0), 1 - 4 / 3 * 0.03
CELL = Cell("w", "jax", "ok", median_ms=1.0, steps=3, first_call_s=1.0, peak_mb=9.0)


@pytest.fixture
def problem():
    x, theta = sympy.symbols("x theta")
    circuit = cirq.Circuit(cirq.ry(x)(QUBIT), cirq.depolarize(0.03)(QUBIT), cirq.ry(theta)(QUBIT))
    data, upstream = np.array([[0.2], [0.7], [1.1]], np.float32), np.array([[1.0], [2.0], [0.0]], np.float32)
    operators = (cirq.PauliSum() + cirq.Z(QUBIT),)
    return Problem(circuit, ("x",), ("theta",), operators, data, np.array([0.4], np.float32), upstream)


@pytest.fixture
def outcome(problem):
    angles = problem.data.astype(float) + problem.weights.astype(float)
    slopes = -problem.upstream * FADING * np.sin(angles)
    return Outcome(FADING * np.cos(angles), slopes, slopes.sum(axis=0))


def test_values_and_slopes_are_those_of_the_channel(problem, outcome):
    exact = Exact.of(problem, gradient=True)
    np.testing.assert_allclose(exact.values, outcome.values[:2], atol=1e-12)
    assert exact.slope == pytest.approx(exact.direction.sum() * outcome.weight_gradient[0], abs=1e-7)
    assert Exact.of(problem, gradient=False).slope is None


@pytest.mark.parametrize("field", Outcome._fields)
@pytest.mark.parametrize("by", [1e-3, math.nan])
def test_a_wrong_value_or_gradient_takes_the_times_away(problem, outcome, field, by):
    exact = Exact.of(problem, gradient=True)
    right = judge(CELL, outcome, exact, None)
    assert right == dataclasses.replace(CELL, deviation=right.deviation)
    wrong = judge(CELL, outcome._replace(**{field: getattr(outcome, field) + by}), exact, None)
    assert (wrong.status, wrong.median_ms, wrong.peak_mb) == ("disagrees", None, None)


def test_estimates_may_be_off_by_five_standard_deviations(problem, outcome):
    exact = Exact.of(problem, gradient=False)
    deviations = np.sqrt((1 - outcome.values**2) / 60)
    near, far = (judge(CELL, outcome._replace(values=outcome.values + n * deviations), exact, 60) for n in (4.9, 5.1))
    assert (near.status, near.median_ms, near.sigmas) == ("ok", 1.0, pytest.approx(4.9))
    assert (far.status, far.median_ms) == ("disagrees", None)
    assert far.note == "off by 5.1 standard deviations, where 5 are allowed"


def test_the_page_sets_ours_beside_tensorflow_quantum_and_the_aims(tmp_path):
    workloads = {
        "fast": Workload("Fast", WORKLOADS["n5-forward"].build, "forward", over_tfq=5),
        "small": Workload("Small", WORKLOADS["n5-forward"].build, "forward", peak_mb=2000),
    }
    cells = [
        dataclasses.replace(CELL, workload="fast", engine="tensorflow", deviation=1e-6, versions={"keras": "3.12.4"}),
        dataclasses.replace(CELL, workload="fast", median_ms=0.5, deviation=1e-6, versions={"keras": "3.12.4"}),
        dataclasses.replace(CELL, workload="fast", engine=REFERENCE, median_ms=4.0, sigmas=2.34),
        dataclasses.replace(CELL, workload="small", peak_mb=2001.0, deviation=1e-6),
        Cell("small", REFERENCE, "time-out", "no first step within 180 s"),
    ]
    write(workloads, cells, tmp_path)
    page = (tmp_path / "bench-noise.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    fast, tensorflow, jax, theirs, small, peak, late = rows
    assert fast[2] == "TensorFlow Quantum over it (to reach 5x)" and small[4] == "Peak, MB (ours at most 2,000)"
    assert tensorflow[1:] == ["1.00", "4x **missed**", "1.0", "9", "1e-06", "ok"]
    assert jax[1:3] == ["0.50", "8x **reached**"]
    assert theirs[1:] == ["4.00", "1x", "1.0", "9", "2.3 sd", "ok"]
    assert peak[2:5] == ["-", "1.0", "2,001 **missed**"]
    assert late[1:] == [*["-"] * 5, "time-out: no first step within 180 s"]
    assert page.count("keras 3.12.4") == 1
    assert len((tmp_path / "bench-noise.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize(("name", "gates"), [("n5-forward", 196), ("n8-forward", 360)])
def test_a_title_says_how_many_gates_there_are(name, gates):
    operations = list(WORKLOADS[name].build().circuit.all_operations())
    channels = sum(isinstance(each.gate, cirq.DepolarizingChannel) for each in operations)
    assert f" {gates} gates" in WORKLOADS[name].title and len(operations) - channels == gates
    assert channels == sum(len(each.qubits) for each in operations) - channels


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_everyone_agrees_with_cirq(name):
    for cell in run_workload(name, QUICK[name], CONTENDERS):
        assert (cell.status, cell.note) == ("ok", "")
        assert (cell.sigmas if cell.deviation is None else cell.deviation * 1e6) < 5
