"""From specifications to a table: what is told when all goes well, and when some of it does not."""

import contextlib
import dataclasses
import importlib.util
import io
import resource

import numpy as np
import pytest
from rich.console import Console

from reproduce.claims.comparisons import read_comparisons
from reproduce.claims.rows import read_table
from reproduce.sweep.processes import execute
from reproduce.sweep.processes.execute import ExecutionError
from reproduce.sweep.processes.worker import VersionError
from reproduce.sweep.runs import FINISHED, RunResult, block_id
from reproduce.sweep.store import FILE, Store, StoreError
from reproduce.tables import produce as module
from reproduce.tables.table import find


@pytest.fixture
def produce(tiny, tmp_path, monkeypatch):
    """Make a table of tiny runs; gives whether all finished, and what was told."""
    monkeypatch.setattr(module, "run", tiny.run)

    def produce(specs, figures=lambda frame, profile, units: {}, **options):
        console = Console(markup=False, file=io.StringIO(), width=300)
        table = dataclasses.replace(find("table1"), figures=figures)
        plan = table.plan("smoke")
        stem = tmp_path / "results" / "table"
        return module.produce(table, plan, specs, stem, "tiny", console, **options), console.file.getvalue()

    return produce


def test_a_table_lacks_what_failed_and_says_so(tiny, produce, tmp_path):
    specs = [tiny.spec("concat", seed=0), tiny.spec("concat", seed=1), tiny.spec("raise")]
    complete, told = produce(specs)
    assert not complete
    assert "Failed: 1 of 3 runs, which the table lacks" in told
    assert f"{tiny.spec('raise').id[:12]} {tiny.spec('raise')}: ValueError: this run raises" in told
    table = read_table(tmp_path / "results" / "table.csv")
    assert set(table["fusion"]) == {"concat"}
    assert set(table["seeds"]) == {2}

    complete, told = produce(specs[:2])
    assert complete
    assert "2 runs, 2 of them in" in told
    assert "Failed" not in told


def test_without_a_single_result_there_is_no_table(tiny, produce, tmp_path):
    complete, told = produce([tiny.spec("raise", seed=1)])
    assert not complete
    assert "Failed: 1 of 1 runs" in told
    assert not (tmp_path / "results" / "table.csv").exists()


def test_a_dry_run_tells_what_is_there_and_what_is_not_and_runs_nothing(tiny, produce, tmp_path):
    specs = [tiny.spec("concat", seed=seed) for seed in range(3)] + [tiny.spec("gcn")]
    complete, told = produce(specs, dry_run=True)
    assert complete
    assert not (tmp_path / "results").exists()
    assert "4 runs: 0 are there, 4 would run, which takes under 10 s with --workers 1." in told

    produce(specs[:2])
    _, told = produce(specs, dry_run=True, workers=2)
    assert [line.split()[2:5] for line in told.splitlines()[1:3]] == [["concat", "2", "1"], ["gcn", "0", "1"]]
    assert "4 runs: 2 are there, 2 would run, which takes under 10 s with --workers 2." in told
    _, told = produce(specs, dry_run=True, fresh=True)
    assert "0 are there, 4 would run" in told


def test_a_fresh_start_forgets_the_runs_and_backups_of_this_table_alone(tiny, produce, tmp_path):
    ours, theirs = tiny.spec("lmf"), tiny.spec("gcn")
    produce([ours, theirs])
    backups = [tmp_path / "results" / "checkpoints" / block_id((spec,)) for spec in (ours, theirs)]
    for backup in backups:
        backup.mkdir(parents=True)
    before = dict(kept(tmp_path))
    _, told = produce([ours], fresh=True)
    assert "1 runs, 0 of them in" in told
    after = dict(kept(tmp_path))
    assert after[theirs.id] == before[theirs.id]
    assert after[ours.id].metrics["test"]["rmse"] == before[ours.id].metrics["test"]["rmse"] + 1  # the next attempt
    assert [backup.exists() for backup in backups] == [False, True]


def test_a_table_is_written_under_the_lock_of_its_runs(tiny, produce, tmp_path):
    def figures(frame, profile, units):
        with pytest.raises(StoreError, match="is in use by process"), Store(tmp_path / "results" / FILE):
            pass
        return {}

    complete, told = produce([tiny.spec("concat", seed=5)], figures=figures)
    assert complete
    assert "Published claims: " in told


def test_a_table_with_quantum_fusions_has_their_comparisons_and_one_without_has_none_of_them_left(
    tiny, produce, tmp_path, monkeypatch
):
    def forecast(specs, *arguments, **options):
        """Errors of ten samples, one observed target each; those of QFL are the smaller ones."""
        errors = [np.random.default_rng(spec.seed).uniform(1, 2, 10) + (spec.degree is None) for spec in specs]
        return [
            RunResult(spec, FINISHED, 22, 0, 0, {"test": {"mae": 1.0}}, outcomes=np.stack([each, np.ones(10)], axis=1))
            for spec, each in zip(specs, errors, strict=True)
        ]

    monkeypatch.setattr(module, "run_all", forecast)
    monkeypatch.setattr("reproduce.claims.comparisons.TABLES", {"table": ""})
    concat = [dataclasses.replace(tiny.spec("concat"), seed=seed, degree=None) for seed in range(6)]
    qfl = [dataclasses.replace(spec, fusion="qfl", degree=2) for spec in concat]
    _, told = produce([*qfl, *concat])
    assert "table-comparisons.csv" in told
    (row,) = read_comparisons(tmp_path / "results")["table"].to_dict("records")
    assert (row["dataset"], row["fusion"], row["baseline"], row["metric"]) == (tiny.DATASET, "qfl", "concat", "mae")
    assert row["difference"] == -1
    assert row["word"] == "better"
    assert "better, -1.000 [-1.000, -1.000]" in (tmp_path / "results" / "table.md").read_text(encoding="utf-8")

    produce(concat)
    assert read_comparisons(tmp_path / "results")["table"].empty


@pytest.mark.parametrize(
    "name", ["table2.csv", "table2-comparisons.csv", "table.csv/", "table.md/", "table-comparisons.csv/", "claims.md/"]
)
def test_files_in_the_way_are_told_before_anything_runs(tiny, produce, tmp_path, name):
    spec = tiny.spec("gcn", seed=5)
    path = tmp_path / "results" / name
    path.parent.mkdir(parents=True)
    if name.endswith("/"):
        path.mkdir()
    else:
        path.write_bytes(b"")
    with pytest.raises((OSError, ValueError), match=path.name.replace(".", r"\.")):
        produce([spec])
    assert tiny.attempts(spec) == []


def test_runs_that_need_tensorflow_are_named_where_it_is_not_before_anything_runs(tiny, produce, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    spec = tiny.spec("cnn")
    with pytest.raises(ExecutionError, match=r"1 of 2 runs need TensorFlow, which is not installed, the first: .*cnn"):
        produce([tiny.spec("gcn", seed=6), spec])
    assert tiny.attempts(spec) == []


@pytest.mark.parametrize("hindrance", ["no scheduler", "other versions", "in use", "full disk"])
def test_a_fresh_start_forgets_nothing_until_new_runs_can_start(hindrance, tiny, produce, tmp_path, monkeypatch):
    spec = tiny.spec("lmf", seed=1)
    produce([spec])
    backup = tmp_path / "results" / "checkpoints" / block_id((spec,))
    backup.mkdir(parents=True)
    before = kept(tmp_path)
    with contextlib.ExitStack() as stack:
        options = {}
        if hindrance == "no scheduler":
            options["scheduler"] = "nowhere"
        elif hindrance == "other versions":
            monkeypatch.setattr(execute, "check_versions", other_versions)
        elif hindrance == "in use":
            stack.enter_context(Store(tmp_path / "results" / FILE))
        else:
            # A file that would grow beyond the limit cannot be written, as if the disk were full.
            before_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
            stack.callback(resource.setrlimit, resource.RLIMIT_FSIZE, before_limit)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before_limit[1]))
        with pytest.raises((ExecutionError, StoreError)):
            produce([spec], fresh=True, **options)
    assert kept(tmp_path) == before
    assert backup.exists()


def other_versions(found, expected):
    raise VersionError("keras is 2.0 on worker a")


def kept(folder):
    """The results in the store, by the ids of their runs."""
    return [(result.spec.id, result) for result in Store(folder / "results" / FILE).results()]
