"""Run specifications and the store of their results."""

import dataclasses
import json

import pytest

from reproduce.runs import FINISHED, RunResult, RunSpec
from reproduce.store import Store, StoreError
from tfq_fusion.training import Protocol

SPEC = RunSpec("mfeat", "0" * 64, "qfl", seed=0, protocol=Protocol(), degree=2, engine="tfq")


def result(seed=0, **changes):
    spec = dataclasses.replace(SPEC, seed=seed)
    fields = {"fusion_params": 54, "total_params": 99, "metrics": {"test": {"accuracy": 0.1 + 0.2}}, **changes}
    return RunResult(spec, FINISHED, 6, **fields)


def filled(path, count=3):
    store = Store(path)
    for seed in range(count):
        store.add(result(seed))
    return path


@pytest.mark.parametrize(
    "change",
    [{"dataset": "emoji"}, {"dataset_sha256": "1" * 64}, {"fusion": "lmf"}, {"seed": 1}, {"degree": 3},
     {"engine": None}, {"protocol": Protocol(epochs=61)}],
)  # fmt: skip
def test_id_changes_with_everything_that_defines_a_run(change):
    assert dataclasses.replace(SPEC, **change).id != SPEC.id
    assert dataclasses.replace(SPEC).id == SPEC.id


def test_results_come_back_as_they_were_stored(tmp_path):
    path = filled(tmp_path / "runs" / "runs.jsonl")
    store = Store(path)
    for seed in range(3):
        assert store.get(result(seed).spec.id) == result(seed)
    assert store.get(dataclasses.replace(SPEC, seed=9).id) is None


def test_torn_last_line_is_dropped_and_the_run_starts_again(tmp_path):
    path = filled(tmp_path / "runs.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="dropped a torn last line"):
        store = Store(path)
    assert store.get(result(1).spec.id) == result(1)
    assert store.get(result(2).spec.id) is None
    store.add(result(2))
    assert Store(path).get(result(2).spec.id) == result(2)


@pytest.mark.parametrize(
    "broken", ["{}", "not json", "", '{"id": 3}', json.dumps(result(1).to_json()).replace("mfeat", "emoji")]
)
def test_broken_line_is_named(tmp_path, broken):
    path = filled(tmp_path / "runs.jsonl")
    lines = path.read_text().splitlines()
    lines[1] = broken
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(StoreError, match=r"runs.jsonl, line 2: expected one run result"):
        Store(path)
