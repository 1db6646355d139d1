"""The store: what is in it stays in it, and whatever is wrong with it is said."""

import contextlib
import csv
import dataclasses
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from reproduce.sweep.runs import FAILED, FINISHED, RunResult, RunSpec
from reproduce.sweep.store import COLUMNS, Store, StoreError
from tfq_fusion.training import Protocol

SPEC = RunSpec(
    fusion="qfl", seed=0, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64, degree=2, engine="tfq"
)


def result(seed=0, status=FINISHED, fusion="qfl", **changes):
    fields = {"fusion_params": 2**70, "metrics": {"test": {"accuracy": 0.1 + 0.2}}, "history": {"loss": [0.5, 0.25]}}
    return RunResult(dataclasses.replace(SPEC, seed=seed, fusion=fusion), status, 6, **{**fields, **changes})


def add(store, *results, table="table1"):
    for each in results:
        store.add([each.to_json()], table)


def filled(path, count=3):
    with Store(path) as store:
        add(store, *map(result, range(count)))
    return path


def seeds(path):
    return [each.spec.seed for each in Store(path).results()]


def test_results_come_back_as_they_were_stored(tmp_path):
    nan = result(3, FAILED, metrics={}, history={"loss": [float("nan")]}, error="Traceback:\n  ünd so weiter\n")
    with Store(filled(tmp_path / "results" / "runs.sqlite")) as store:
        add(store, nan)
    store = Store(store.path)
    assert [repr(each) for each in store.results()] == [repr(each) for each in (*map(result, range(3)), nan)]
    assert list(store.results([result(2).spec.id, "f" * 64, SPEC.id])) == [result(0), result(2)]
    assert list(store.results([])) == []
    assert list(store.records(status=FAILED)) == [nan.to_json()]


def test_a_store_without_a_file_or_with_an_empty_one_is_empty_and_reading_makes_none(tmp_path):
    path = tmp_path / "results" / "runs.sqlite"
    assert (list(Store(path).results()), Store(path).counts(), list(Store(path).rows(last=3))) == ([], {}, [])
    assert list(tmp_path.iterdir()) == []
    path.parent.mkdir()
    path.touch()  # as a kill leaves it that falls between making the file and writing it
    assert list(Store(path).results()) == []
    assert seeds(filled(path)) == [0, 1, 2]


def test_runs_are_chosen_counted_and_listed(tmp_path):
    with Store(tmp_path / "runs.sqlite") as store:
        add(store, result(0), result(1, fusion="lmf"), result(2, FAILED, fusion="lmf", metrics={}))
        add(store, result(3), table="table2")
    assert store.counts() == {FINISHED: 3, FAILED: 1}
    assert store.counts(table="table1", fusion="lmf") == {FINISHED: 1, FAILED: 1}
    assert store.counts(table="table2", fusion="lmf") == {}
    (line,) = csv.DictReader(store.rows(last=1, table="table1", status=FINISHED), COLUMNS)
    assert line["id"] == result(1, fusion="lmf").spec.id
    assert (line["table"], line["degree"], line["fusion_params"]) == ("table1", "2", str(2**70))
    assert json.loads(line["test"]) == {"accuracy": 0.1 + 0.2}
    listed = [line["seed"] for line in csv.DictReader(store.rows(last=2), COLUMNS)]
    assert listed == [line["seed"] for line in csv.DictReader(store.rows(), COLUMNS)][-2:] == ["2", "3"]
    with pytest.raises(ValueError, match=r"No run has the fusion 'sum': expected one of lmf, qfl\."):
        store.counts(fusion="sum")


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path):
    store = Store(filled(tmp_path / "runs.sqlite", count=20))
    assert store.find(SPEC.id[:12]) == store.find(SPEC.id) == result(0)
    with pytest.raises(ValueError, match=r"No run in .*runs.sqlite has an id that begins with '%'"):
        store.find("%")
    with pytest.raises(ValueError, match=r"20 runs have an id that begins with ''; give more of it") as caught:
        store.find("")
    assert f"{result(9).spec.id}  {result(9).spec}\n    and 10 more" in str(caught.value)


def test_adding_and_removing_need_the_lock(tmp_path):
    store = Store(tmp_path / "runs.sqlite")
    for change in (lambda: add(store, result()), lambda: store.remove([SPEC.id])):
        with pytest.raises(RuntimeError, match="with Store"):
            change()
    with store:
        add(store, result())
    with pytest.raises(RuntimeError, match="with Store"):
        add(store, result(1))


def test_only_a_failed_run_is_replaced(tmp_path):
    with Store(tmp_path / "runs.sqlite") as store:
        for attempt in range(2):
            add(store, result(0, FAILED, error=f"attempt {attempt}"), result(attempt + 1))
        assert [each.error for each in store.results()] == [None, "attempt 1", None]
        add(store, result(0))
        for status in (FINISHED, FAILED):
            with pytest.raises(ValueError, match=rf"holds run {SPEC.id} \(mfeat qfl P=2 seed 0\) already"):
                add(store, result(0, status))
        assert list(store.results()) == [result(1), result(2), result(0)]


def test_results_that_come_together_are_stored_together_or_not_at_all(tmp_path):
    with Store(tmp_path / "runs.sqlite") as store:
        added = store.add([each.to_json() for each in map(result, (2, 0, 1))], "table1")
        assert added == list(map(result, (2, 0, 1)))
        assert seeds(store.path) == [2, 0, 1]
        with pytest.raises(ValueError, match=rf"holds run {SPEC.id} \(mfeat qfl P=2 seed 0\) already"):
            store.add([each.to_json() for each in map(result, (3, 0, 4))], "table1")
        with pytest.raises(ValueError, match="Expecting"):
            store.add([result(3).to_json(), "{"], "table1")
    assert seeds(store.path) == [2, 0, 1]


def test_what_a_run_said_of_each_test_sample_is_kept_bit_for_bit(tmp_path):
    special = [0.0, -0.0, np.nan, np.inf, -np.inf, np.finfo("f").smallest_subnormal, 0.1, 1 / 3]
    outcomes = np.array(special, "f").reshape(4, 2)
    with Store(tmp_path / "runs.sqlite") as store:
        add(
            store, result(0, outcomes=outcomes), result(1, outcomes=outcomes[:, ::-1]), result(2, outcomes=outcomes[:0])
        )
        add(store, result(3))
    kept = [each.outcomes for each in Store(store.path).results()]
    assert [each.shape for each in kept[:3]] == [(4, 2), (4, 2), (0, 2)]
    assert [each.astype("f").tobytes() for each in kept[:3]] == [
        outcomes.tobytes(), np.ascontiguousarray(outcomes[:, ::-1]).tobytes(), b""
    ]  # fmt: skip
    assert kept[3] is None


def test_what_is_removed_may_come_again_and_the_rest_stays(tmp_path):
    path = filled(tmp_path / "runs.sqlite")
    with Store(path) as store:
        store.remove([result(0).spec.id, result(2).spec.id, "f" * 64])
        assert list(store.results()) == list(Store(path).results()) == [result(1)]
        add(store, result(2, seconds=9.0))
    assert list(Store(path).results()) == [result(1), result(2, seconds=9.0)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE records SET record = replace(record, '0.3', '0.9') WHERE number = 2", "its checksum"),
        ("UPDATE records SET record = '{' WHERE number = 2", "is damaged"),
        ("UPDATE records SET record = '[]' WHERE number = 2", "is damaged"),
        ("UPDATE runs SET id = 'abc' WHERE number = 2", "abc is damaged"),
    ],
)
def test_a_record_that_is_not_what_was_written_is_named(tmp_path, damage, message):
    path = filled(tmp_path / "runs.sqlite")
    with sqlite3.connect(path) as other:
        other.execute(damage)
    read = Store(path).results()
    assert next(read) == result(0)
    with pytest.raises(StoreError, match=f"runs.sqlite: the record of run .*{message}.* Restore it, or move it away"):
        next(read)


def test_a_damaged_file_is_named_wherever_the_damage_is(tmp_path):
    whole = filled(tmp_path / "whole.sqlite", count=40).read_bytes()
    path = tmp_path / "runs.sqlite"
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        with pytest.raises(StoreError, match=r"runs.sqlite.*(Restore it, or|M)ove it away|expected|damaged"):
            store = Store(path)
            assert len(list(store.results(each.spec.id for each in store.results()))) == store.counts()[FINISHED]
            assert len(list(store.rows())) == 40


SCHEMA_1 = result().to_json() + "\n"
SCHEMA_2 = '{"crc32":"8d4c9dc1","schema":2}\n'


@pytest.mark.parametrize("content", [SCHEMA_1, SCHEMA_2, "Dear diary,\nnothing happened.\n", "x"])
def test_another_file_in_its_place_is_named_and_left_alone(tmp_path, content):
    path = tmp_path / "runs.sqlite"
    path.write_text(content)
    with pytest.raises(
        StoreError, match=r"runs.sqlite: expected an SQLite file, got b'.*\. Restore it, or move it away"
    ):
        Store(path)
    assert path.read_text() == content


def test_another_schema_and_another_database_are_named_and_left_alone(tmp_path):
    path = filled(tmp_path / "runs.sqlite")
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 9")
    with pytest.raises(StoreError, match=r"has schema 9, and this version .* reads schema 5\. Use the version that"):
        Store(path)
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE recipes (name)")
    with pytest.raises(StoreError, match=r"other.sqlite is an SQLite file, but no store of runs"):
        Store(tmp_path / "other.sqlite")


def delete(path):
    path.unlink()


def delete_the_folder(path):
    shutil.rmtree(path.parent)


def replace(path):
    filled(path.parent / "other" / "runs.sqlite", count=1).replace(path)


@pytest.mark.parametrize("change", [delete, delete_the_folder, replace])
@pytest.mark.parametrize("then", ["add", "leave", "remove"])
def test_a_file_that_is_taken_away_is_noticed_at_once_and_nothing_is_lost(change, then, tmp_path):
    path = filled(tmp_path / "runs" / "runs.sqlite")
    message = "was deleted or replaced while this command ran"
    with pytest.raises(StoreError, match=message) as caught, Store(path) as store:
        add(store, result(3))
        change(path)
        if then == "add":
            add(store, result(4))
        elif then == "remove":
            store.remove([SPEC.id])
    kept = Path(re.search(r"are in (.*?\.sqlite)\.", str(caught.value))[1])
    assert seeds(kept) == {"add": [0, 1, 2, 3, 4], "leave": [0, 1, 2, 3], "remove": [1, 2, 3]}[then]
    assert seeds(path) == ([0] if change is replace else [])


@pytest.mark.parametrize("linked", ["folder", "file"])
def test_two_names_of_a_file_are_one_store_with_one_lock(linked, tmp_path):
    path = filled(tmp_path / "one" / "runs.sqlite", count=1)
    other = tmp_path / "two" / "runs.sqlite"
    if linked == "folder":
        other.parent.symlink_to(path.parent)
    else:
        other.parent.mkdir()
        other.symlink_to(path)
    with Store(path), pytest.raises(StoreError, match="in use"), Store(other):
        pytest.fail("entered")
    with Store(other) as store:
        add(store, result(1))
    assert seeds(path) == [0, 1]


def test_a_file_with_hard_links_is_named_and_left_alone(tmp_path):
    path = filled(tmp_path / "runs.sqlite")
    (tmp_path / "other.sqlite").hardlink_to(path)
    with pytest.raises(StoreError, match="second name"), Store(path):
        pytest.fail("entered")
    assert seeds(path) == [0, 1, 2]


ADD = """
import sys
from pathlib import Path
from reproduce.sweep.store import Store
with Store(Path(sys.argv[1])) as store:
    for record in sys.stdin:
        print(store.add([record.strip()], "table1")[0].spec.seed, flush=True)
"""


def other_process(path, *results):
    """A process that adds results, and says which it has added."""
    command = [sys.executable, "-c", ADD, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, **pipes)
    process.stdin.writelines(f"{each.to_json()}\n" for each in results)
    process.stdin.flush()
    return process


def test_a_second_process_may_read_but_not_write(tmp_path):
    path = tmp_path / "runs.sqlite"
    before = Store(path)
    other = other_process(path, result(0))
    assert other.stdout.readline() == "0\n"
    with pytest.raises(StoreError, match=rf"runs.sqlite is in use by process {other.pid} on .*\. Wait until"), before:
        pytest.fail("entered")
    reader = before.results()
    assert next(reader) == result(0)
    _, errors = other.communicate(result(1).to_json(), timeout=60)  # whom a reader does not keep from adding
    assert other.returncode == 0, errors
    assert list(reader) == []
    with before as store:
        assert list(store.results()) == [result(0), result(1)]
        add(store, result(2))
    assert seeds(path) == [0, 1, 2]


@pytest.mark.parametrize("milliseconds", [0, 5])
def test_a_kill_at_any_moment_loses_nothing_that_was_added(tmp_path, milliseconds):
    path = filled(tmp_path / "runs.sqlite", count=1)
    other = other_process(path, *map(result, range(1, 300)))
    told = [int(other.stdout.readline()) for _ in range(3)]
    threading.Timer(milliseconds / 1000, other.kill).start()
    told += map(int, other.stdout.read().split())
    other.communicate(timeout=60)
    assert seeds(path) in (list(range(told[-1] + 1)), list(range(told[-1] + 2)))  # one may not have been told yet
    with Store(path) as store:
        add(store, result(300))
    assert seeds(path)[-1] == 300


def test_the_file_alone_has_all_as_soon_as_it_is_added(tmp_path):
    with Store(tmp_path / "runs.sqlite") as store:
        for seed in range(3):
            add(store, result(seed))
            shutil.copy(store.path, tmp_path / "copy.sqlite")
            assert seeds(tmp_path / "copy.sqlite") == list(range(seed + 1))


@pytest.fixture
def limit_file_size():
    """Stands in for a full disk: a file that would grow beyond the limit cannot be written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_is_found_before_anything_is_run(there, tmp_path, limit_file_size):
    path = tmp_path / "runs.sqlite"
    if there:
        filled(path)
    limit_file_size(2000)
    with pytest.raises(StoreError, match=r"runs.sqlite: cannot be (read|written) \(.*\)\. Make room"), Store(path):
        pytest.fail("entered")
    limit_file_size(resource.RLIM_INFINITY)
    assert seeds(path) == ([0, 1, 2] if there else [])
    with Store(path) as store:
        add(store, result(3))
    assert seeds(path)[-1] == 3


def test_a_disk_that_fills_up_later_loses_nothing_that_was_added(tmp_path, limit_file_size):
    path = filled(tmp_path / "runs.sqlite")
    told = [0, 1, 2, 4]
    with Store(path) as store:
        limit_file_size(5000)
        with pytest.raises(StoreError, match=r"run .* \(mfeat qfl P=2 seed 3\) was not written \(.*Make room"):
            add(store, result(3))
        with pytest.raises(StoreError, match="no run was forgotten"):
            store.remove([SPEC.id])
        assert seeds(path) == [0, 1, 2]
        limit_file_size(resource.RLIM_INFINITY)
        add(store, result(4))
        for seed in range(5, 40):  # at some of these sizes the log has room and the file itself has not
            limit_file_size(4096 * seed)
            with contextlib.suppress(StoreError):
                add(store, result(seed))
                told.append(seed)
        limit_file_size(resource.RLIM_INFINITY)
    assert seeds(path) == told


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    for path in (Path("/proc/runs.sqlite"), tmp_path / "file" / "runs.sqlite"):
        with pytest.raises(StoreError, match=rf"{path}: cannot be written \("), Store(path):
            pytest.fail("entered")
    with pytest.raises(StoreError, match=rf"{tmp_path}: cannot be read"):
        Store(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"), Store(tmp_path / "runs.sqlite"):
        pytest.fail("entered")
