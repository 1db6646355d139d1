"""What cannot be done: one line that says so and exit status 2, from every command, and never a traceback."""

import contextlib
import csv
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from reproduce.__main__ import app
from reproduce.claims.rows import COLUMNS
from reproduce.claims.tables import TABLES
from reproduce.cli.terminal import console
from reproduce.sweep.store import Store
from reproduce.tables import produce as module

CALLED = (
    "reproduce.claims.papers.verdicts",
    "reproduce.sweep.store.Store.__init__",
    "reproduce.cli.datasets.listing",
)


def invoke(*arguments):
    """Exit status and everything that was printed."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
    return done.exit_code, done.output


def refused(*arguments):
    """The one line of a command that is refused."""
    code, said = invoke(*arguments)
    assert code == 2, said
    assert said.startswith("Error: "), said
    assert len(said.splitlines()) == 1, said
    return said


@pytest.fixture
def results(tmp_path):
    """A folder of results with a table of one cell, which a test may change: ``results(mean=2.0)``."""

    def write(**changes):
        cells = {"dataset": "emoji", "modalities": 3, "fusion": "concat", "metric": "accuracy", "mean": 0.5, "seeds": 2}
        cells |= {"experiment": "training", "options": "{}", "arguments": "{}"}
        with (tmp_path / "table1.csv").open("w", newline="") as file:
            lines = csv.DictWriter(file, COLUMNS, restval="")
            lines.writeheader()
            lines.writerow({**cells, "fusion_params": 0, **changes})
        return tmp_path

    return write


@pytest.mark.parametrize("option", ["--seeds", "--workers"])
@pytest.mark.parametrize("number", ["0", "-1", "1000000", f"{10**12}", f"{2**63}", 5000 * "9", "[/]"])
def test_numbers_that_no_machine_can_serve_are_refused(option, number, tmp_path):
    code, said = invoke("table1", option, number, "--dry-run", "--results", tmp_path)
    assert code == 2
    assert option in said


def test_a_name_that_is_no_text_is_printed_all_the_same(tmp_path):
    command = [sys.executable, "-m", "reproduce", "compare", "--results", os.fsencode(tmp_path) + b"/\xff\xc3\xa9"]
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (2, b"")
    assert rb"/\udcff\xe9: a table's command makes it" in done.stdout


NAMES = ["[bold]", "[/]", "a[red]b", ":warning:", "[link=http://x]"]


@pytest.mark.parametrize("name", NAMES)
def test_brackets_are_printed_as_typed(name, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(module, "run", tiny.run)
    table = ["table1", "--profile", "smoke", "--datasets", "traffic-detectors", "--fusions", "gcn"]
    code, said = invoke(*table, "--results", tmp_path / name)
    assert code == 0, said
    for file in ("runs.sqlite", "table1.csv", "table1.md", "table1.png"):
        assert str(tmp_path / name / file) in said
    assert f"git restore {tmp_path / name}" in said or "no committed" in said
    assert f"There is no folder {tmp_path / name / 'x'}:" in refused("compare", "--results", tmp_path / name / "x")
    assert f"the dataset {name!r}" in refused("runs", "--dataset", name, "--results", tmp_path / name)
    assert f"begins with {name!r}" in refused("verify", name, "--results", tmp_path / name)
    assert name in refused("data", "fetch", name)


@pytest.mark.parametrize("name", NAMES)
def test_a_data_folder_with_brackets_is_listed_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / name))
    monkeypatch.setattr(console, "width", 300)
    code, said = invoke("data")
    assert (code, str(tmp_path / name) in said) == (0, True)


@pytest.mark.parametrize("dry_run", [["--dry-run"], []])
def test_a_selection_without_runs_says_what_there_is(dry_run, tmp_path):
    selection = ["--datasets", "japanese-vowels,mfeat", "--fusions", "persistence"]
    said = refused("table1", *selection, *dry_run, "--results", tmp_path / "results")
    assert "Unknown fusion persistence of these data sets" in said
    assert "expected among qfl, control, " in said
    assert ", concat, " in said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("command", [["compare"], ["runs"], ["verify", "abc"], ["runs", "show", "abc"]])
def test_results_that_do_not_exist_are_named(command, tmp_path):
    assert "nowhere" in refused(*command, "--results", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", [["compare"], ["table1", "--profile", "smoke", "--fusions", "concat"]])
def test_a_folder_in_place_of_a_table_is_named_before_anything_runs(command, tmp_path):
    (tmp_path / "table1.csv").mkdir()
    assert str(tmp_path / "table1.csv") in refused(*command, "--results", tmp_path)
    assert not (tmp_path / "runs.sqlite").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mean", "2.0"),
        ("mean", "-0.1"),
        ("modalities", 2**63),
        ("seeds", 2**64),
        ("degree", 2**100),
        ("total_params", 10**30),
    ],
)
def test_a_cell_with_a_value_that_it_cannot_have_is_named(column, value, results):
    said = refused(
        "compare", "--results", results(**{column: value, "fusion": "qfl" if column == "degree" else "concat"})
    )
    assert "table1.csv, line 2" in said
    assert str(value) in said


def test_parameters_have_no_upper_bound(results):
    assert invoke("compare", "--results", results(fusion_params=10**30))[0] == 0


@pytest.mark.parametrize("command", [["data"], ["data", "fetch", "mnist"], ["table1", "--datasets", "mnist"]])
def test_a_data_folder_of_nobody_is_named(command, tmp_path, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", "~nouser/data")
    assert "TFQ_FUSION_DATA_DIR" in refused(*command)


@pytest.mark.parametrize("command", [["compare"], ["runs"], ["data"], ["verify", "abc"], ["table1", "--dry-run"]])
@pytest.mark.parametrize("error", [OSError("no\nroom"), ValueError("no"), OverflowError("no"), MemoryError("no")])
def test_every_command_ends_alike(command, error, tmp_path, monkeypatch):
    def fail(*arguments, **keywords):
        raise error

    for function in (
        "reproduce.claims.papers.verdicts",
        "reproduce.sweep.store.Store.__init__",
        "reproduce.cli.datasets.listing",
    ):
        monkeypatch.setattr(function, fail)
    code, said = invoke(*command, *([] if command == ["data"] else ["--results", tmp_path]))
    assert (code, said) == (2, f"Error: {error}\n")


@pytest.mark.parametrize("command", [["compare"], ["runs"], ["data"], ["verify", "abc"], ["table1", "--dry-run"]])
def test_ctrl_c_ends_every_command_alike(command, tmp_path, monkeypatch):
    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    for function in (
        "reproduce.claims.papers.verdicts",
        "reproduce.sweep.store.Store.__init__",
        "reproduce.cli.datasets.listing",
    ):
        monkeypatch.setattr(function, interrupt)
    code, said = invoke(*command, *([] if command == ["data"] else ["--results", tmp_path]))
    assert (code, said) == (130, "Interrupted.\n")


def test_ctrl_c_is_told_from_what_a_library_makes_of_it(tmp_path, monkeypatch):
    def compiled_import(*arguments):
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise ImportError("initialization failed")

    monkeypatch.setattr("reproduce.claims.papers.verdicts", compiled_import)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    try:
        assert invoke("compare", "--results", tmp_path) == (130, "Interrupted.\n")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_that_is_named_twice_is_verified_once(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(module, "run", tiny.run)
    table = ["table1", "--profile", "smoke", "--datasets", "traffic-detectors", "--fusions", "gcn", "--seeds", "1"]
    assert invoke(*table, "--results", tmp_path)[0] == 0
    (recorded,) = Store(tmp_path / "runs.sqlite").results()
    monkeypatch.setattr("reproduce.sweep.processes.verify.repeat", lambda recorded, run, backend, verbose: recorded)
    code, said = invoke("verify", recorded.spec.id, recorded.spec.id[:8], "--results", tmp_path)
    assert (code, said) == (0, f"{recorded.spec.id[:12]} {recorded.spec}: the same to the last bit\n")


WORDS = st.one_of(
    st.sampled_from([*TABLES, "compare", "runs", "show", "verify", "data", "fetch", "--dry-run", "--fresh", "--help"]),
    st.sampled_from(["--seeds", "--workers", "--datasets", "--fusions", "--profile", "--engine", "--scheduler"]),
    st.sampled_from(["--results", "--status", "--fusion", "--dataset", "--export", "-v", "--", "smoke", "paper"]),
    st.sampled_from(["qfl", "persistence", "emoji", "tcp://127.0.0.1:1", "[/]", "[bold]", "~nouser", "\0", "\ud800"]),
    st.integers().map(str),
    st.text('aB9- "\\/{[]:=,.\n\r\0\x7fé\u0663\u2028\U0001f600', max_size=20),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.lists(WORDS, max_size=8))
@example(words=["runs", "--results", "\0"])
@example(words=["table1", "--seeds", "[/]"])
@example(words=["--dry-run", "[/]"])
@example(words=["table3", "--datasets", "[/]"])
@example(words=["runs", "show", "[/]"])
def test_no_command_line_ends_in_a_traceback(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reproduce.tables.produce.run_all", lambda *arguments, **keywords: [])  # nothing is trained
    monkeypatch.setattr("reproduce.cli.datasets.fetch", lambda name, progress: (_ for _ in ()).throw(OSError(name)))
    code, _ = invoke(*words)
    assert code in (0, 1, 2)
