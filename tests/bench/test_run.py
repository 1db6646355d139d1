"""Cells run in processes of their own, with engines written for the test."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

from bench import run
from bench.engines import ENGINES, PEERS_PYTHON, Engine
from bench.problem import Outcome, Problem
from bench.reference import reference
from bench.run import Cell, judge, run_workload
from bench.workloads import QUICK, qcnn, qfl

ENGINE = """
import time
from bench.reference import reference
LIBRARIES = ("numpy",)
def build_step(problem, engine):
    if engine == "stuck":
        time.sleep(60)
    if engine == "broken":
        raise ValueError("no such gate\\nsecond line")
    outcome = reference(problem)
    if engine == "wrong":
        outcome = outcome._replace(data_gradient=outcome.data_gradient + 2e-4)
    return lambda: outcome
"""


@pytest.fixture
def problem() -> Problem:
    return qfl(1, 2, 1, 3)


@pytest.fixture
def outcome() -> Outcome:
    return Outcome(np.zeros((4, 2)), np.zeros((4, 3)), np.zeros(5))


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "engine_of_the_test.py").write_text(textwrap.dedent(ENGINE))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(run, "FIRST_CALL_LIMIT", 10)
    for name in ("right", "wrong", "broken", "stuck"):
        monkeypatch.setitem(ENGINES, name, Engine(name, "engine_of_the_test", "", peer=False))
    monkeypatch.setitem(ENGINES, "by-hand", Engine("by hand", "engine_of_the_test", "", peer=False, multiplexers=True))


@pytest.mark.slow
@pytest.mark.usefixtures("engines")
def test_each_engine_is_timed_or_its_failure_is_reported(problem: Problem) -> None:
    right, wrong, broken, stuck = run_workload("w", problem, ["right", "wrong", "broken", "stuck"], seconds=0.1)
    assert (right.status, right.note) == ("ok", "")
    assert (
        right.deviation == 0 and right.median_ms > 0 and right.steps > 1 and right.first_call_s > right.median_ms / 1e3
    )
    assert right.versions == {"numpy": np.__version__}
    assert (wrong.status, wrong.median_ms) == ("disagrees", None)
    assert (broken.status, broken.note) == ("failed", "ValueError: no such gate")
    assert (stuck.status, stuck.note) == ("time-out", "no first step within 10 s")


@pytest.mark.usefixtures("engines")
def test_engines_for_multiplexed_rotations_skip_circuits_without_them(problem: Problem) -> None:
    assert [cell.engine for cell in run_workload("w", problem, ["by-hand"], 0)] == ["by-hand"]
    assert list(run_workload("w", qcnn(2, 2), ["by-hand"], 0)) == []


@pytest.mark.parametrize("field", Outcome._fields)
def test_a_deviation_in_any_part_takes_the_times_away(outcome: Outcome, field: str) -> None:
    cell = Cell("w", "compiled", "ok", median_ms=1.0, steps=3, first_call_s=1.0)
    # The weights' gradient counts per sample, and there are four.
    scale = 4 if field == "weight_gradient" else 1
    near, far = (outcome._replace(**{field: getattr(outcome, field) + scale * by}) for by in (0.9e-4, 1.1e-4))
    assert judge(cell, near, outcome).status == "ok" and judge(cell, near, outcome).median_ms == 1.0
    judged = judge(cell, far, outcome)
    assert judged.status == "disagrees" and judged.deviation == pytest.approx(1.1e-4)
    assert judged.median_ms is judged.steps is judged.first_call_s is None


def test_nan_is_never_agreement(outcome: Outcome) -> None:
    values = outcome.values.copy()
    values[0, 0] = np.nan
    assert (
        judge(Cell("w", "compiled", "ok", median_ms=1.0), outcome._replace(values=values), outcome).status
        == "disagrees"
    )


def test_a_wrong_shape_is_named(outcome: Outcome) -> None:
    judged = judge(Cell("w", "compiled", "ok", median_ms=1.0), outcome._replace(values=np.zeros((4, 1))), outcome)
    assert (judged.status, judged.median_ms) == ("disagrees", None)
    assert judged.note == "values should have shape [4, 2], got [4, 1]."


@pytest.mark.slow
@pytest.mark.skipif(not PEERS_PYTHON.exists(), reason="the peers' environment is absent; `make bench` builds it")
@pytest.mark.parametrize("engine", [name for name, engine in ENGINES.items() if engine.peer])
def test_the_peers_agree_with_the_reference(engine: str, problem: Problem) -> None:
    (cell,) = run_workload("w", problem, [engine], seconds=0)
    assert cell.status == "ok", cell.note
    assert cell.deviation < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["compiled", "compiled-jax", "tfq"])
def test_ours_agree_with_the_reference_from_states(engine: str) -> None:
    (cell,) = run_workload("w", qcnn(2, 3), [engine], seconds=0)
    assert cell.status == "ok", cell.note
    assert reference(qcnn(2, 3)).values.shape == (3, 1)


@pytest.mark.slow
def test_a_second_process_finds_what_the_first_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "SHALLOW", QUICK["qfl-n3"])
    first, second = run.run_second()
    assert (first.status, second.status) == ("ok", "ok")
    assert second.first_call_s < first.first_call_s
