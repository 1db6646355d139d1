"""Many runs: in which order, how many at once, and what becomes of those that go wrong."""

import dataclasses
import io
import tempfile

import pytest
from rich.console import Console

from reproduce.sweep.estimate import Estimates
from reproduce.sweep.processes import execute, worker
from reproduce.sweep.processes.execute import run_all, stored
from reproduce.sweep.runs import FAILED, FINISHED, RunResult
from reproduce.sweep.store import Store


@pytest.fixture
def sweep(tiny, tmp_path):
    """Run specifications as a command does; what it tells ends up in ``sweep.told``."""

    def sweep(specs, terminal=False, **arguments):
        sweep.told = io.StringIO()
        console = Console(markup=False, file=sweep.told, force_terminal=terminal, width=200)
        with Store(tmp_path / "runs.sqlite") as store:
            return run_all(specs, store, "table1", tiny.run, console=console, **arguments)

    return sweep


def process(result):
    return result.machine.split()[0]


def test_results_are_stored_and_come_in_the_order_of_the_specifications(tiny, sweep, tmp_path):
    specs = [tiny.spec("finish", degree, seed) for seed in (1, 0) for degree in (3, 1, 2)]
    results = sweep(specs)
    assert [result.spec for result in results] == specs
    store = Store(tmp_path / "runs.sqlite")
    assert {result.spec: result for result in stored(specs, store)} == dict(zip(specs, results, strict=True))
    assert store.counts(table="table1") == {FINISHED: 6}


def test_seeds_of_a_training_reach_a_process_together(tiny, sweep, monkeypatch):
    monkeypatch.setattr(worker, "MEMORY", 0)  # a new process for each block
    specs = [tiny.spec("finish", degree, seed) for degree in (4, 5) for seed in (2, 0, 1)]
    results = sweep(specs, workers=2)
    assert {result.program for result in results} == {(2, 0, 1)}
    assert {result.metrics["test"]["mae"] for result in results} == {1 / 3 + 1 + 1 / 2}
    assert len({process(result) for result in results[:3]}) == 1
    assert len({process(result) for result in results}) == 2


def test_only_what_runs_on_tensorflow_may_run_on_legacy_keras(tiny, sweep, monkeypatch):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    specs = [tiny.spec("finish", degree) for degree in (11, 12)]
    results = sweep(specs, backend_of=lambda spec: "jax" if spec.degree == 11 else "tensorflow")
    assert [result.machine.split()[3:] for result in results] == [["jax", "0"], ["tensorflow", "1"]]


def test_results_of_a_block_are_stored_together(tiny, tmp_path, monkeypatch):
    added = []

    def add(self, records, table):
        added.append([RunResult.from_json(record).spec.seed for record in records])
        return original(self, records, table)

    original = Store.add
    monkeypatch.setattr(Store, "add", add)
    with Store(tmp_path / "runs.sqlite") as store:
        run_all([tiny.spec("finish", 6, seed) for seed in range(3)], store, "table1", tiny.run)
    assert added == [[0, 1, 2]]


def test_runs_of_an_experiment_come_one_by_one(tiny, sweep):
    specs = [dataclasses.replace(tiny.spec("finish", seed=seed), experiment="remedies") for seed in range(2)]
    assert [result.program for result in sweep(specs)] == [(0,), (1,)]


def test_what_is_stored_is_not_run_again(tiny, sweep):
    first = sweep([tiny.spec("finish", 0)])
    both = sweep([tiny.spec("finish", 0), tiny.spec("finish", 1)])
    assert both[0] == first[0]
    assert process(both[1]) != process(both[0])


def test_seeds_that_are_added_later_are_a_block_of_their_own(tiny, sweep):
    sweep([tiny.spec("finish", 7, seed) for seed in range(2)])
    results = sweep([tiny.spec("finish", 7, seed) for seed in range(4)])
    assert [result.program for result in results] == [(0, 1), (0, 1), (2, 3), (2, 3)]


def test_blocks_share_a_process_until_it_holds_too_much_memory(tiny, sweep, monkeypatch):
    assert len({process(result) for result in sweep([tiny.spec("finish", degree) for degree in range(3)])}) == 1
    monkeypatch.setattr(worker, "MEMORY", 0)
    assert len({process(result) for result in sweep([tiny.spec("finish", degree) for degree in range(3, 5)])}) == 2


def test_a_process_has_the_backend_of_its_runs(tiny, sweep):
    specs = [tiny.spec("finish", degree, seed) for degree in (8, 9) for seed in range(2)]
    results = sweep(specs, backend_of=lambda spec: "jax" if spec.degree == 8 else "tensorflow")
    assert [result.machine.split()[3] for result in results] == ["jax", "jax", "tensorflow", "tensorflow"]


def test_a_run_has_one_thread_however_many_workers_there_are(tiny, sweep):
    for workers in (1, 2):
        (result,) = sweep([tiny.spec("finish", workers)], workers=workers)
        assert result.machine.split()[2] == "1"


def test_workers_run_at_the_same_time(tiny, sweep):
    results = sweep([tiny.spec("meet", degree) for degree in (0, 1)], workers=2)
    assert [result.status for result in results] == [FINISHED, FINISHED]


def test_a_terminal_shows_which_runs_are_under_way(tiny, sweep):
    specs = [tiny.spec("meet", degree) for degree in (2, 3)]
    sweep(specs, terminal=True, workers=2)
    for spec in specs:
        assert str(spec) in sweep.told.getvalue()


def test_the_longest_runs_come_first(tiny, sweep):
    sweep([tiny.spec("persistence"), tiny.spec("finish"), tiny.spec("qfl")])
    assert [line.split()[2] for line in sweep.told.getvalue().splitlines()] == ["qfl", "finish", "persistence"]


def test_a_run_that_goes_wrong_is_recorded_in_the_end_and_the_others_go_on(tiny, sweep, monkeypatch):
    monkeypatch.setattr(execute, "ATTEMPTS", 2)
    monkeypatch.setattr(Estimates, "limit", lambda _, block: 2.0 if block[0].fusion == "hang" else 600.0)
    *failed, finished = sweep([tiny.spec(does) for does in ("raise", "die", "abort", "hang", "finish")], workers=2)
    assert finished.status == FINISHED
    assert {result.status for result in failed} == {FAILED}
    raised, died, aborted, hung = (result.error for result in failed)
    assert raised.startswith("Traceback")
    assert raised.endswith("ValueError: this run raises\n")
    assert "killed by signal 9" in died
    assert aborted.endswith("corrupted\n\nThe process was killed by signal 6 (SIGABRT).")
    assert hung == "No result within 2 s."
    told = sweep.told.getvalue()
    assert f"{tiny.DATASET} hang seed 0: attempt 1 of 2 failed: No result within 2 s." in told
    assert "a word on standard output" not in told


def test_a_run_is_tried_three_times(tiny, sweep):
    spec = tiny.spec("die", 3)
    assert sweep([spec])[0].status == FAILED
    assert len({process for process, _ in tiny.attempts(spec)}) == 3


def test_a_block_fails_as_a_whole_and_is_tried_again_as_a_whole(tiny, sweep, tmp_path):
    specs = [tiny.spec("falter", seed=seed) for seed in range(3)]
    failed = sweep([*specs, tiny.spec("finish", 10)])[:3]
    assert [(result.spec, result.status) for result in failed] == [(spec, FAILED) for spec in specs]
    assert all(result.error.endswith("ValueError: this seed raises\n") for result in failed)
    assert Store(tmp_path / "runs.sqlite").counts() == {FAILED: 3, FINISHED: 1}
    assert [len(tiny.attempts(spec)) for spec in specs] == [3, 3, 3]
    told = sweep.told.getvalue()
    assert f"{tiny.DATASET} falter, 3 seeds: attempt 2 of 3 failed: ValueError: this seed raises" in told
    # Without the one that raises, the others are another block, and finish.
    assert [result.status for result in sweep(specs[:2])] == [FINISHED, FINISHED]
    assert Store(tmp_path / "runs.sqlite").counts() == {FAILED: 1, FINISHED: 3}


def test_a_run_that_goes_wrong_once_finishes_at_the_second_attempt(tiny, sweep):
    (result,) = sweep([tiny.spec("stumble")])
    assert (result.status, result.metrics["test"]["rmse"]) == (FINISHED, 2)


def test_the_next_command_tries_a_failed_run_again(tiny, sweep, monkeypatch):
    monkeypatch.setattr(execute, "ATTEMPTS", 1)
    assert sweep([tiny.spec("stumble", 1)])[0].status == FAILED
    assert sweep([tiny.spec("stumble", 1)])[0].status == FINISHED


def test_what_runs_leave_in_the_temporary_folder_goes_with_their_processes(tiny, sweep, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(execute, "ATTEMPTS", 1)
    sweep([tiny.spec("litter"), tiny.spec("die", 4)])
    assert {file.name for file in (tmp_path / "temporary").iterdir()} <= {"dask-scratch-space"}
