"""``python -m reproduce runs``."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from reproduce.__main__ import app
from reproduce.sweep.runs import FAILED, FINISHED, RunResult, RunSpec
from reproduce.sweep.store import Store
from tfq_fusion.training import Protocol

PATH = "runs.sqlite"


def spec(fusion, seed=0):
    return RunSpec(fusion=fusion, seed=seed, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64)


@pytest.fixture
def results(tmp_path):
    with Store(tmp_path / PATH) as store:
        finished = RunResult(spec("lmf"), FINISHED, 6, metrics={"test": {"accuracy": 0.75}}, history={"loss": [0.5]})
        failed = RunResult(spec("gcn"), FAILED, 6, error="Traceback:\n  [bold]killed[/] :warning:\n")
        store.add([finished.to_json()], "table1")
        store.add([failed.to_json()], "table2")
    return tmp_path


def runs(*arguments):
    done = CliRunner().invoke(app, ["runs", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def test_runs_lists_filters_and_exports(results):
    code, listed = runs("--results", results)
    assert code == 0
    assert listed.splitlines()[-1] == "2 runs, 1 finished, 1 failed"
    code, listed = runs(
        "--results", results, "--status", "failed", "--dataset", "mfeat", "--fusion", "gcn", "--table", "table2"
    )
    assert listed.splitlines()[-1] == "1 runs, 1 failed"
    code, said = runs("--results", results, "--fusion", "lmf", "--export", results / "out.csv")
    assert (code, said) == (0, f"Wrote 1 runs to {results / 'out.csv'}.\n")
    assert list(pd.read_csv(results / "out.csv")["id"]) == [spec("lmf").id]


def test_runs_of_an_experiment_may_have_no_data_set(results):
    growth = RunSpec(fusion="lmf", seed=0, protocol=Protocol(), experiment="growth", options={"modalities": 2})
    with Store(results / PATH) as store:
        store.add([RunResult(growth, FINISHED, 2).to_json()], "table4")
    code, listed = runs("--results", results, "--experiment", "growth")
    assert (code, listed.splitlines()[-1]) == (0, "1 runs, 1 finished")
    code, said = runs("--results", results, "--dataset", "emoji")
    assert (code, said) == (2, "Error: No run has the dataset 'emoji': expected one of mfeat.\n")


def test_runs_show_prints_one_as_it_is(results):
    code, shown = runs("show", spec("gcn").id[:12], "--results", results)
    assert code == 0
    assert shown.endswith("Traceback:\n  [bold]killed[/] :warning:\n")
    code, shown = runs("show", spec("lmf").id, "--results", results)
    assert shown.splitlines()[-1].split() == ["1", "0.5"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--status", "done"],
            "No run has the status 'done': expected one of failed, finished.",
        ),
        (["--export", "runs.xlsx"], "Cannot export to runs.xlsx: expected a name that ends in .csv or .json."),
        (["--export", "no/such/folder/runs.csv"], "no/such/folder"),
        (["show", "xyz"], "has an id that begins with 'xyz'"),
        (
            ["show", ""],
            f"2 runs have an id that begins with ''; give more of it:\n    {spec('lmf').id}  mfeat lmf seed 0",
        ),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(results, arguments, message):
    code, said = runs(*arguments, "--results", results)
    assert code == 2
    assert said.startswith("Error: ")
    assert message in said


def test_options_before_show_are_refused_not_forgotten(results):
    code, said = runs("--results", results, "show", "xyz")
    assert (code, said) == (2, "Error: Options come after the command: runs show ID --results ...\n")


def test_a_folder_without_runs_and_a_damaged_store_are_named(results, tmp_path):
    code, said = runs("--results", tmp_path / "empty")
    assert code == 2
    assert said.startswith(f"Error: There are no runs in {tmp_path / 'empty' / PATH}: a table's command makes them")
    assert not (tmp_path / "empty").exists()
    path = results / PATH
    path.write_bytes(path.read_bytes().replace(b"0.75", b"0.99"))
    code, said = runs("show", spec("lmf").id, "--results", results)
    assert code == 2
    assert f"{path}: the record of run {spec('lmf').id} is damaged" in said


def test_runs_works_while_another_process_trains_and_without_tensorflow(results):
    code = """
import sys
from reproduce.__main__ import app
app(standalone_mode=False)
sys.exit(any(name in sys.modules for name in ("tensorflow", "pandas", "scipy")))
"""
    with Store(results / PATH):
        done = subprocess.run(
            [sys.executable, "-c", code, "runs", "--results", str(results), "--export", str(results / "out.json")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [record["status"] for record in json.loads((results / "out.json").read_text())] == ["finished", "failed"]
