"""From specifications to a table: what is told when all goes well, and when some of it does not."""

import functools
import io

import pytest
from rich.console import Console

from reproduce import produce as module
from reproduce.execute import run_all
from reproduce.results import read_table
from reproduce.tables import table1


@pytest.fixture
def produce(tiny, tmp_path, monkeypatch):
    """Make a table of tiny runs; gives whether all finished, and what was told."""
    monkeypatch.setattr(module, "run_all", functools.partial(run_all, run=tiny.run))

    def produce(specs, **options):
        console = Console(markup=False, file=io.StringIO(), width=300)
        table = {"path_stem": tmp_path / "results" / "table", "title": "A table", "profile": "tiny"}
        options = {"units": {}, "chance": {}, "notes": [], "figures": None, "fresh": False, **options}
        return module.produce(specs, table1.fold, **table, **options, console=console), console.file.getvalue()

    return produce


def test_a_table_lacks_what_failed_and_says_so(tiny, produce, tmp_path):
    specs = [tiny.spec("concat", 0), tiny.spec("concat", 1), tiny.spec("raise")]
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
    complete, told = produce([tiny.spec("raise", 1)])
    assert not complete
    assert "Failed: 1 of 1 runs" in told
    assert not (tmp_path / "results" / "table.csv").exists()


def test_a_dry_run_tells_what_is_there_and_what_is_not_and_runs_nothing(tiny, produce, tmp_path):
    specs = [tiny.spec("concat", seed) for seed in range(3)] + [tiny.spec("gcn")]
    complete, told = produce(specs, dry_run=True)
    assert complete
    assert not (tmp_path / "results").exists()
    assert "4 runs: 0 are there, 4 would run, which takes about" in told

    produce(specs[:2])
    _, told = produce(specs, dry_run=True, workers=2)
    assert [line.split()[1:4] for line in told.splitlines()[1:3]] == [["concat", "2", "1"], ["gcn", "0", "1"]]
    assert "4 runs: 2 are there, 2 would run, which takes under 10 s with --workers 2." in told
    _, told = produce(specs, dry_run=True, fresh=True)
    assert "0 are there, 4 would run" in told


def test_a_fresh_start_forgets_runs_and_checkpoints(tiny, produce, tmp_path):
    produce([tiny.spec("lmf")])
    checkpoint = tmp_path / "results" / "runs" / "checkpoints" / "of-a-run"
    checkpoint.mkdir(parents=True)
    _, told = produce([tiny.spec("lmf")], fresh=True)
    assert "1 runs, 0 of them in" in told
    assert not checkpoint.exists()
