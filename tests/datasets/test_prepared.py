"""The cache of prepared arrays."""

import hashlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tfq_fusion.datasets import DamagedDataError, download
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


def test_two_that_ask_at_once_build_once(folder):
    together, found, builds = threading.Barrier(2), [], []

    def build() -> dict[str, np.ndarray]:
        builds.append(1)
        return ARRAYS

    def ask() -> None:
        together.wait(timeout=10)
        found.append(prepared("set", 1, ["a"], build)["graph"])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(builds) == 1
    assert len(list(folder.iterdir())) == 1


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "changed": flip,
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "missing": Path.unlink,
    "no file": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_whatever_is_damaged_is_built_anew(folder, damage: Callable[[Path], object]):
    prepared("set", 1, ["a"], lambda: ARRAYS)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) >= len(ARRAYS)
    for file in files:
        damage(file)
        for build in (lambda: ARRAYS, refuse):
            arrays = prepared("set", 1, ["a"], build)
            assert list(arrays) == sorted(ARRAYS)
            for key, array in arrays.items():
                np.testing.assert_array_equal(array, ARRAYS[key], strict=True)
    assert len(list(folder.iterdir())) == 1


def test_an_array_that_nobody_prepared_is_not_taken_for_one(folder):
    prepared("set", 1, ["a"], lambda: ARRAYS)
    (folder_of_set,) = folder.iterdir()
    np.save(folder_of_set / "foreign.npy", np.ones(3))
    assert list(prepared("set", 1, ["a"], lambda: ARRAYS)) == sorted(ARRAYS)


def test_the_arrays_of_another_version_are_no_match_under_this_one_s_name(folder):
    prepared("set", 1, ["a"], lambda: {"number": np.array([1])})
    (first,) = folder.iterdir()
    prepared("set", 2, ["a"], lambda: {"number": np.array([2])})
    (second,) = set(folder.iterdir()) - {first}
    for file in second.iterdir():
        file.replace(first / file.name)
    assert prepared("set", 1, ["a"], lambda: {"number": np.array([1])})["number"][0] == 1


def test_arrays_in_use_stay_as_they_are_while_damaged_files_are_replaced(folder):
    before = prepared("set", 1, ["a"], lambda: ARRAYS)
    next(folder.rglob("labels.npy")).unlink()
    prepared("set", 1, ["a"], lambda: {key: array + 1 for key, array in ARRAYS.items()})
    for key, array in before.items():
        np.testing.assert_array_equal(array, ARRAYS[key])


def test_what_a_killed_preparation_leaves_is_removed_by_the_next(folder):
    program = (
        "import os, pathlib, sys\n"
        "import numpy as np\n"
        "from tfq_fusion.datasets import download\n"
        "from tfq_fusion.datasets.prepared import prepared\n"
        "class Killed:\n"
        "    def __array__(self, *_, **__):\n"
        "        os._exit(9)\n"
        "download.default_folder = lambda: pathlib.Path(sys.argv[1])\n"
        "prepared('other', 1, ['b'], lambda: {'whole': np.ones(3), 'half': Killed()})\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder.parent)]).returncode == 9
    assert len(list(folder.iterdir())) == 1
    prepared("set", 1, ["a"], lambda: ARRAYS)
    assert [each.name.partition("-")[0] for each in folder.iterdir()] == ["set"]


def test_arrays_are_on_disk_before_they_have_their_name(folder, monkeypatch):
    synced, sync = [], os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    prepared("set", 1, ["a"], lambda: ARRAYS)
    (complete,) = folder.iterdir()
    before = synced[: synced.index(folder)]  # the folder holds the new name
    assert not any(path.is_relative_to(complete) for path in before)
    for file in complete.rglob("*"):
        assert any(path.parts[-1:] == file.parts[-1:] for path in before)


def test_a_damaged_file_is_named_across_processes():
    error = DamagedDataError("set", Path("file"), "this", "that")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert "file is damaged: expected this, found that. Fetch it anew with `make data DATASET=set`." in str(error)


def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.write_text("a file where the folder should be")
    with pytest.raises(OSError, match=str(folder)):
        prepared("set", 1, ["a"], lambda: ARRAYS)
