"""Runs as people read them."""

import csv
import dataclasses
import errno
import json
import math
import os
import re

import numpy as np
import pytest

from reproduce.cli import listing
from reproduce.sweep.runs import DIVERGED, FAILED, FINISHED, INTRACTABLE, RunResult, RunSpec
from reproduce.sweep.store import COLUMNS, Store
from tfq_fusion.training import Protocol

ACCURACY = 0.1 + 0.2


def run(dataset, fusion, status, degree=None, metrics=None, protocol=Protocol(), **fields):  # noqa: B008
    chosen = {name: fields.pop(name) for name in ("arguments", "experiment", "options") if name in fields}
    spec = RunSpec(
        fusion=fusion, seed=7, protocol=protocol, dataset=dataset, dataset_sha256="0" * 64, degree=degree, **chosen
    )
    return RunResult(spec, status, 6, metrics=metrics or {}, **fields)


RUNS = [
    run("mfeat", "qfl", FINISHED, 2, {"validation": {"accuracy": 0.5}, "test": {"accuracy": ACCURACY, "roc_auc": 0.75}},
        fusion_params=54, epochs=60, seconds=1.25, history={"loss": [2.0, 1.5], "val_loss": [2.5, 1.75]},
        versions={"tensorflow-quantum": "0.7.6"}, commit="c0ffee"),
    run("traffic-detectors", "lmf", FINISHED, metrics={"test": {"mae": 12345.678, "rmse": 5.5}}, epochs=3,
        arguments={"rank": 2}, protocol=Protocol(epochs=3)),
    run("mfeat", "tfn", INTRACTABLE, fusion_params=2**80),
    run("mfeat", "mfb", DIVERGED, history={"loss": [1.0, float("nan")], "val_loss": [float("inf"), float("nan")]}),
    run("mfeat", "gcn", FAILED, error="Traceback (most recent call last):\n  ...\nMemoryError: [bold]no room[/]\n",
        experiment="noise", options={"rates": [0.1]}),
]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "results" / "runs.sqlite") as store:
        for result in RUNS:
            store.add([result.to_json()], "table1")
    return store


def test_table_has_a_line_per_run_and_the_counts(store):
    lines = [" ".join(line.split()) for line in listing.table(store, 100, {}).splitlines()]
    ids = [result.spec.id[:12] for result in RUNS]
    assert lines == [
        "id table experiment dataset fusion degree seed status test score epochs seconds",
        f"{ids[0]} table1 training mfeat qfl 2 7 finished accuracy 0.3 60 1.2",
        f"{ids[1]} table1 training traffic-detectors lmf 7 finished mae 1.235e+04 3 0.0",
        f"{ids[2]} table1 training mfeat tfn 7 intractable 0 0.0",
        f"{ids[3]} table1 training mfeat mfb 7 diverged 0 0.0",
        f"{ids[4]} table1 noise mfeat gcn 7 failed 0 0.0",
        "5 runs, 2 finished, 1 diverged, 1 intractable, 1 failed",
    ]


@pytest.mark.parametrize(
    ("last", "chosen", "fusions", "total"),
    [
        (2, {}, ["mfb", "gcn"], "5 runs, .*; the newest 2 are listed, more with --last"),
        (9, {"dataset": "mfeat", "status": "finished"}, ["qfl"], "1 runs, 1 finished"),
        (9, {"experiment": "noise"}, ["gcn"], "1 runs, 1 failed"),
        (9, {"fusion": "lmf", "status": "failed"}, [], "0 runs"),
    ],
)
def test_table_shows_the_newest_of_those_chosen(store, last, chosen, fusions, total):
    *lines, counts = listing.table(store, last, chosen).splitlines()
    assert [line.split()[4] for line in lines[1:]] == fusions
    assert re.fullmatch(total, counts)


def test_exports_hold_every_digit(store, tmp_path):
    listing.export(store, tmp_path / "runs.csv", {})
    listing.export(store, tmp_path / "runs.json", {})
    with (tmp_path / "runs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 1 + len(RUNS)
    assert [row["id"] for row in rows] == [result.spec.id for result in RUNS]
    assert json.loads(rows[0]["test"]) == {"accuracy": ACCURACY, "roc_auc": 0.75}
    assert [row["fusion_params"] for row in rows] == ["54", "", str(2**80), "", ""]
    assert (json.loads(rows[1]["arguments"]), json.loads(rows[1]["protocol"])) == ({"rank": 2}, {"epochs": 3})
    assert (rows[4]["experiment"], json.loads(rows[4]["options"])) == ("noise", {"rates": [0.1]})
    records = json.loads((tmp_path / "runs.json").read_text(), parse_constant=pytest.fail)
    assert [json.dumps(record, separators=(",", ":")) for record in records] == [each.to_json() for each in RUNS]


@pytest.mark.parametrize("name", ["runs.csv", "runs.json"])
def test_an_export_of_nothing_is_an_empty_list(store, tmp_path, name):
    listing.export(store, tmp_path / name, {"fusion": "lmf", "status": "failed"})
    text = (tmp_path / name).read_text()
    assert text == ",".join(COLUMNS) + "\n" if name == "runs.csv" else json.loads(text) == []


@pytest.mark.parametrize("name", ["runs.csv", "runs.json"])
def test_an_export_that_cannot_be_written_leaves_the_old_one(store, tmp_path, name, monkeypatch):
    path = tmp_path / "exports" / name
    path.parent.mkdir()
    listing.export(store, path, {"fusion": "lmf"})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"{name}: cannot be written \(No space left on device\)"):
        listing.export(store, path, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_describe_tells_everything_of_one_run():
    finished, failed = listing.describe(RUNS[0]), listing.describe(RUNS[4])
    for name, value in {
        "id": RUNS[0].spec.id,
        "test_accuracy": ACCURACY,
        "tensorflow-quantum": "0.7.6",
        "commit": "c0ffee",
    }.items():
        assert [name, str(value)] in [line.split() for line in finished.splitlines()]
    assert [line.split() for line in finished.splitlines()[-3:]] == [
        ["epoch", "loss", "val_loss"],
        ["1", "2.0", "2.5"],
        ["2", "1.5", "1.75"],
    ]
    assert failed.endswith("MemoryError: [bold]no room[/]")
    assert "engine" not in failed


def test_describe_tells_how_a_run_was_tuned_and_with_whom_it_was_trained_and_no_outcomes():
    alone = listing.describe(RUNS[0])
    assert not {"tuning", "program", "outcomes"} & {line.split()[0] for line in alone.splitlines() if line}
    chosen = {"learning_rate": 0.01, "tuning": {0.01: 0.5, 0.1: math.inf}, "program": (0, 7)}
    tuned = listing.describe(dataclasses.replace(RUNS[0], outcomes=np.full((500, 2), 0.5, "f"), **chosen))
    lines = [line.split(maxsplit=1) for line in tuned.splitlines()]
    for line in (["tuning", "{0.01: 0.5, 0.1: inf}"], ["program", "(0, 7)"]):
        assert line in lines
    assert len(lines) == len(alone.splitlines()) + 3
