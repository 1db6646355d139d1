"""The cache of prepared arrays."""

import hashlib
import itertools
import threading

import numpy as np
import pytest

from tfq_fusion.datasets import download
from tfq_fusion.datasets.prepared import fingerprint, prepared


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path)
    return tmp_path / "prepared"


ARRAYS = {"train/image": np.arange(6.0).reshape(2, 3), "train/labels": np.array([4, 5]), "graph": np.eye(2, dtype="f4")}


def refuse() -> dict[str, np.ndarray]:
    raise AssertionError("built a second time")


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_arrays_come_back_as_they_were_built_memory_mapped_and_read_only(attempt):
    arrays = prepared("set", 1, ["a"], lambda: ARRAYS)
    if attempt == "second":
        arrays = prepared("set", 1, ["a"], refuse)
    assert list(arrays) == ["graph", "train/image", "train/labels"]
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, ARRAYS[key], strict=True)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


def test_the_key_holds_the_name_the_version_and_every_source():
    keys = [("set", 1, ["a", "b"]), ("other", 1, ["a", "b"]), ("set", 2, ["a", "b"]), ("set", 1, ["a", "c"])]
    keys += [("set", 1, ["a"]), ("set", 1, ["b", "a"])]
    assert len({fingerprint(*key) for key in keys}) == len(keys)
    for number, key in enumerate(keys):
        prepared(*key, lambda number=number: {"number": np.array([number])})
    assert [prepared(*key, refuse)["number"][0] for key in keys] == list(range(len(keys)))


def test_the_fingerprint_stays_what_it_is_since_results_are_filed_under_it():
    assert fingerprint("set", 1, ["a", "b"]) == hashlib.sha256(b"set\n1\na\nb").hexdigest()


def test_what_cannot_be_built_or_written_leaves_nothing(folder):
    with pytest.raises(ZeroDivisionError):
        prepared("set", 1, ["a"], lambda: {"x": np.array([1 / 0])})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        prepared("set", 1, ["a"], lambda: {"fine": np.ones(3), "pickled": np.array([{}], dtype=object)})
    assert list(folder.iterdir()) == []
    assert prepared("set", 1, ["a"], lambda: ARRAYS)


def test_two_that_build_at_once_end_with_one_copy(folder):
    together, numbers = threading.Barrier(2), itertools.count()
    found = []

    def build() -> dict[str, np.ndarray]:
        together.wait(timeout=10)
        return {"number": np.array([next(numbers)])}

    threads = [
        threading.Thread(target=lambda: found.append(prepared("set", 1, ["a"], build)["number"][0])) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert len(list(folder.iterdir())) == 1
