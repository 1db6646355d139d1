"""The command line, as a user runs it."""

import dataclasses
import functools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import tfq_fusion
from reproduce.__main__ import app
from reproduce.sweep.processes import execute
from reproduce.sweep.runs import FINISHED
from reproduce.sweep.store import FILE, Store

TABLE1 = [sys.executable, "-m", "reproduce", "table1", "--profile", "smoke", "--datasets", "japanese-vowels"]


def run(*arguments, **keywords):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **keywords)


def invoke(*arguments):
    """Exit status and what was printed, without a process of its own."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.slow
def test_table1_trains_writes_three_files_and_does_not_repeat_itself(tmp_path, monkeypatch):
    command = [*TABLE1, "--fusions", "concat,tfn", "--results", str(tmp_path)]
    first = run(*command)
    assert (first.returncode, first.stderr) == (0, "")  # nothing of what TensorFlow says
    table = pd.read_csv(tmp_path / "table1.csv")
    assert set(table["fusion"]) == {"concat", "tfn"}
    assert "intractable" in (tmp_path / "table1.md").read_text()
    assert (tmp_path / "table1.png").stat().st_size > 10_000
    assert "4 runs, 0 of them in" in first.stdout

    second = run(*command)
    assert "4 runs, 4 of them in" in second.stdout
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "table1.csv"), table)

    fresh = run(*command, "--fresh")
    assert "4 runs, 0 of them in" in fresh.stdout
    scores = ["dataset", "fusion", "degree", "metric", "mean", "fusion_params"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "table1.csv")[scores], table[scores])

    trained, _ = (result for result in Store(tmp_path / FILE).results() if result.status == FINISHED)
    verified = run(sys.executable, "-m", "reproduce", "verify", trained.spec.id[:9], "--results", str(tmp_path))
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout == f"{trained.spec.id[:12]} {trained.spec}: the same to the last bit\n"
    wrong = dataclasses.replace(trained, metrics={"test": {"accuracy": 2.0}})
    with Store(tmp_path / "wrong" / FILE) as store:
        store.add([wrong.to_json()], "table1")
    monkeypatch.setattr("reproduce.sweep.processes.verify.repeat", lambda recorded, run, backend, verbose: trained)
    code, said = invoke("verify", trained.spec.id, "--results", tmp_path / "wrong")
    assert code == 1, said
    assert f"test accuracy was 2.0, is {trained.metrics['test']['accuracy']}" in said


@pytest.mark.slow
def test_table2_runs_on_a_fresh_clone_and_says_what_is_missing(tmp_path):
    command = [sys.executable, "-m", "reproduce", "table2", "--fusions", "lmf", "--results", str(tmp_path)]
    environment = {**os.environ, "TFQ_FUSION_DATA_DIR": str(tmp_path / "nothing")}
    smoke = run(*command, "--profile", "smoke", env=environment)
    assert smoke.returncode == 0, smoke.stderr
    assert "18 runs, 0 of them in" in smoke.stdout
    table = pd.read_csv(tmp_path / "table2.csv", dtype={"fusion_params": object})
    assert set(table.loc[table["dataset"] == "japanese-vowels", "modalities"]) == {3, 6, 12}
    assert "stands in for the papers' data" in (tmp_path / "table2.md").read_text()
    for block in ("japanese-vowels", "synthetic"):
        assert (tmp_path / f"table2-{block}.png").stat().st_size > 10_000

    absent = run(*command, "--datasets", "ludb", env=environment)
    assert absent.returncode == 2
    assert "make data DATASET=ludb" in absent.stdout


@pytest.mark.slow
def test_table4_runs_on_a_fresh_clone(tmp_path):
    command = [sys.executable, "-m", "reproduce", "table4", "--results", str(tmp_path)]
    environment = {**os.environ, "TFQ_FUSION_DATA_DIR": str(tmp_path / "nothing")}
    smoke = run(*command, "--profile", "smoke", "--fusions", "tfn", env=environment)
    assert smoke.returncode == 0, smoke.stderr
    assert "9 runs, 0 of them in" in smoke.stdout
    table = pd.read_csv(tmp_path / "table4.csv")
    assert set(table["arguments"]) == {'{"hidden":2}', '{"hidden":8}', "{}"}
    for figure in ("accuracy", "growth"):
        assert (tmp_path / f"table4-{figure}.png").stat().st_size > 10_000


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_the_next_run_continues(tmp_path):
    command = [*TABLE1, "--fusions", "concat,gcn,lmf", "--results", str(tmp_path)]
    raw = tmp_path / FILE
    # A shell that runs the tests in the background has its children ignore the signal; a terminal has not.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heed)
    deadline = time.monotonic() + 300
    while not any(Store(raw).rows()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "the same command continues from there" in output
    kept = len(list(Store(raw).rows()))
    assert kept in (2, 4)  # both seeds of a fusion, or none

    continued = run(*command)
    assert continued.returncode == 0, continued.stderr
    assert f"6 runs, {kept} of them in" in continued.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fusions", "sum"], "Unknown fusion sum: expected among qfl"),
        (["--datasets", "imagenet"], "Unknown data set or experiment imagenet: expected among cifar-10, emoji"),
        (["--profile", "quick"], "expected among smoke, default, paper"),
        (["--workers", "2", "--scheduler", "tcp://host:8786"], "Give --workers or --scheduler"),
        (["--fusions", "tfn", "--scheduler", "host"], "No Dask scheduler answers at host within 1 s"),
    ],
)
def test_unknown_names_are_one_clear_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "SCHEDULER_SECONDS", 1)
    code, said = invoke(*TABLE1[3:], *arguments, "--results", tmp_path)
    assert code == 2
    assert message in said


def test_a_data_set_that_is_not_there_is_named_with_the_command_that_gets_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    code, said = invoke(*TABLE1[3:-1], "wikipedia", "--results", tmp_path)
    assert code == 2
    assert "make data DATASET=wikipedia" in said


def test_a_dry_run_leaves_nothing_behind(tmp_path):
    code, said = invoke(*TABLE1[3:], "--fusions", "concat,qfl", "--dry-run", "--results", tmp_path / "results")
    assert code == 0, said
    assert "10 runs: 0 are there, 10 would run, which takes" in said
    assert not (tmp_path / "results").exists()


def test_verify_needs_a_run_that_is_there(tmp_path):
    code, said = invoke("verify", "abc", "--results", tmp_path)
    assert code == 2
    assert "has an id that begins with 'abc'" in said


def test_broken_results_are_named(tmp_path):
    raw = tmp_path / FILE
    raw.write_text("{}\n")
    code, said = invoke(*TABLE1[3:], "--results", tmp_path)
    assert code == 2
    assert f"Error: {raw}: expected an SQLite file" in said.replace("\n", "")


def test_compare_gives_every_claim_a_verdict_without_any_results(tmp_path):
    found = run(sys.executable, "-m", "reproduce", "compare", "--results", str(tmp_path))
    assert found.returncode == 0, found.stderr
    verdicts = [line for line in found.stdout.splitlines() if re.match(r"[QF]\d+ not comparable: ", line)]
    assert f"\n{len(verdicts)} not comparable\n" in found.stdout
    assert f"Wrote {tmp_path / 'claims.md'}." in found.stdout
    assert (tmp_path / "claims.md").read_text().count("**not comparable**") == len(verdicts)


def test_help_needs_no_tensorflow_and_no_second():
    code = "import sys; import reproduce.__main__; sys.exit('tensorflow' in sys.modules)"
    start = time.perf_counter()
    assert run(sys.executable, "-c", code, env={**os.environ, "PYTHONPATH": str(Path.cwd())}).returncode == 0
    assert time.perf_counter() - start < 2


@pytest.mark.slow
def test_commands_say_what_tensorflow_says_if_they_are_verbose_and_nothing_if_they_are_quiet(tmp_path):
    command = [sys.executable, "-m", "reproduce", "table4", "--profile", "smoke", "--datasets", "growth"]
    silent = run(*command, "--fusions", "lmf", "--results", str(tmp_path / "silent"))
    assert (silent.returncode, silent.stderr) == (0, "")
    verbose = run(*command, "--fusions", "lmf", "--verbose", "--results", str(tmp_path / "verbose"))
    assert "absl::InitializeLog()" in verbose.stderr
    quiet = run(*command, "--fusions", "lmf", "--quiet", "--results", str(tmp_path / "quiet"))
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert (tmp_path / "quiet" / "table4.csv").exists()


def test_the_version_is_that_of_the_package():
    assert invoke("--version") == (0, f"tfq-fusion {tfq_fusion.__version__}\n")
