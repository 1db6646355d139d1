"""Runs as people read them."""

import errno
import json
import os

import pandas as pd
import pytest

from reproduce.cli import listing
from reproduce.sweep.runs import DIVERGED, FAILED, FINISHED, INTRACTABLE, RunResult, RunSpec
from tfq_fusion.training import Protocol

ACCURACY = 0.1 + 0.2


def run(dataset, fusion, status, degree=None, metrics=None, protocol=Protocol(), **fields):  # noqa: B008
    spec = RunSpec(
        dataset, "0" * 64, fusion, seed=7, protocol=protocol, degree=degree, arguments=fields.pop("arguments", {})
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
    run("mfeat", "gcn", FAILED, error="Traceback (most recent call last):\n  ...\nMemoryError: [bold]no room[/]\n"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["runs.csv", "runs.json"])
def test_an_export_that_cannot_be_written_leaves_the_old_one(tmp_path, name, monkeypatch):
    path = tmp_path / name
    listing.export(listing.frame(RUNS[:1]), path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"{name}: cannot be written \(No space left on device\)"):
        listing.export(listing.frame(RUNS), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_frame_has_what_defines_a_run_and_what_came_out():
    frame = listing.frame(RUNS)
    assert list(frame["id"]) == [result.spec.id for result in RUNS]
    assert list(frame["degree"].fillna(0)) == [2, 0, 0, 0, 0]
    assert list(frame["fusion_params"]) == [54, None, 2**80, None, None]
    assert list(frame["protocol"]) == ["{}", '{"epochs": 3}', "{}", "{}", "{}"]
    assert list(frame["arguments"]) == ["{}", '{"rank": 2}', "{}", "{}", "{}"]
    assert frame.loc[0, "test_accuracy"] == ACCURACY
    assert frame.loc[0, "validation_accuracy"] == 0.5
    assert frame["test_mae"].notna().tolist() == [False, True, False, False, False]


def test_table_has_a_line_per_run_and_the_counts():
    lines = listing.table(listing.frame(RUNS)).splitlines()
    assert lines[0].split() == [
        "id",
        "dataset",
        "fusion",
        "degree",
        "seed",
        "status",
        "test",
        "score",
        "epochs",
        "seconds",
    ]
    assert lines[1].split() == [
        RUNS[0].spec.id[:12],
        "mfeat",
        "qfl",
        "2",
        "7",
        "finished",
        "accuracy",
        "0.3",
        "60",
        "1.2",
    ]
    assert lines[2].split()[1:-2] == ["traffic-detectors", "lmf", "7", "finished", "mae", "1.235e+04"]
    assert lines[4].split()[1:] == ["mfeat", "mfb", "7", "diverged", "0", "0.0"]
    assert lines[6] == "5 runs, 2 finished, 1 diverged, 1 intractable, 1 failed"


@pytest.mark.parametrize(
    ("wanted", "fusions"),
    [
        ({}, ["qfl", "lmf", "tfn", "mfb", "gcn"]),
        ({"dataset": "mfeat"}, ["qfl", "tfn", "mfb", "gcn"]),
        ({"dataset": "mfeat", "status": "finished"}, ["qfl"]),
        ({"fusion": "lmf", "status": "failed"}, []),
    ],
)
def test_choose_keeps_what_fits_everything_wanted(wanted, fusions):
    chosen = listing.choose(listing.frame(RUNS), **{"dataset": None, "fusion": None, "status": None, **wanted})
    assert list(chosen["fusion"]) == fusions
    assert listing.table(chosen).splitlines()[-1].startswith(f"{len(fusions)} runs")


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        ({"dataset": "mnist"}, "mfeat, traffic-detectors"),
        ({"fusion": "sum"}, "qfl, lmf, tfn, mfb, gcn"),
        ({"status": "done"}, "finished, diverged, intractable, failed"),
    ],
)
def test_choose_lists_what_there_is_for_a_name_that_is_not(wanted, known):
    with pytest.raises(ValueError, match=f"expected one of {known}"):
        listing.choose(listing.frame(RUNS), **{"dataset": None, "fusion": None, "status": None, **wanted})


def test_exports_hold_every_digit(tmp_path):
    frame = listing.frame(RUNS)
    for path in (tmp_path / "runs.csv", tmp_path / "runs.json"):
        listing.export(frame, path)
    table = pd.read_csv(tmp_path / "runs.csv", float_precision="round_trip", dtype={"fusion_params": "string"})
    assert list(table.columns) == list(frame.columns)
    assert table["test_accuracy"][0] == ACCURACY
    assert list(table["fusion_params"].fillna("")) == ["54", "", str(2**80), "", ""]
    records = json.loads((tmp_path / "runs.json").read_text(), parse_constant=pytest.fail)
    assert [record["fusion_params"] for record in records] == [54, None, 2**80, None, None]
    assert (records[0]["test_accuracy"], records[0]["degree"], records[1]["degree"]) == (ACCURACY, 2, None)
    with pytest.raises(ValueError, match=r"runs.xlsx: expected a name that ends in .csv or .json"):
        listing.export(frame, tmp_path / "runs.xlsx")


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
        ["1", "2.0", "2.50"],
        ["2", "1.5", "1.75"],
    ]
    assert failed.endswith("MemoryError: [bold]no room[/]")
    assert "engine" not in failed
