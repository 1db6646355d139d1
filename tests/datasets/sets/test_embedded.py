import hashlib
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tfq_fusion.datasets.card import read_card
from tfq_fusion.datasets.registry import EMBEDDED, load
from tfq_fusion.datasets.sets.embedded import DATA, load_embedded


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of one data set that a test may damage."""
    for suffix in ("npz", "yaml"):
        shutil.copy(str(DATA / f"japanese-vowels.{suffix}"), tmp_path)
    return tmp_path


def complaint(file: Path, expected: str, found: str) -> str:
    return f"{re.escape(str(file))}.*expected SHA-256 {expected}, found {found}.*build_data.py japanese-vowels"


@pytest.mark.parametrize("name", EMBEDDED)
def test_file_is_the_one_on_the_card(name):
    contents = (DATA / f"{name}.npz").read_bytes()
    assert hashlib.sha256(contents).hexdigest() == read_card(DATA, name).sha256


def test_an_intact_copy_loads(copy):
    assert len(load_embedded("japanese-vowels", copy).test[1]) == 370


@pytest.mark.parametrize("position", [0, 250_000, -1])
def test_one_flipped_bit_is_noticed(copy, position):
    file = copy / "japanese-vowels.npz"
    contents = bytearray(file.read_bytes())
    expected = hashlib.sha256(contents).hexdigest()
    contents[position] ^= 1
    file.write_bytes(contents)
    with pytest.raises(ValueError, match=complaint(file, expected, hashlib.sha256(contents).hexdigest())):
        load_embedded("japanese-vowels", copy)


@pytest.mark.parametrize("size", [0, 1000])
def test_a_truncated_file_is_noticed(copy, size):
    file = copy / "japanese-vowels.npz"
    contents = file.read_bytes()
    file.write_bytes(contents[:size])
    found = hashlib.sha256(contents[:size]).hexdigest()
    with pytest.raises(ValueError, match=complaint(file, hashlib.sha256(contents).hexdigest(), found)):
        load_embedded("japanese-vowels", copy)


def test_a_missing_file_is_named(copy):
    file = copy / "japanese-vowels.npz"
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    file.unlink()
    with pytest.raises(FileNotFoundError, match=complaint(file, expected, "no file")):
        load_embedded("japanese-vowels", copy)


def test_pickled_objects_are_refused_even_with_the_right_hash(copy):
    buffer = io.BytesIO()
    np.savez(buffer, labels=np.array([{"an": "object"}], dtype=object))
    (copy / "japanese-vowels.npz").write_bytes(buffer.getvalue())
    card = copy / "japanese-vowels.yaml"
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    card.write_text(re.sub('sha256: ".*"', f'sha256: "{sha256}"', card.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_embedded("japanese-vowels", copy)


@pytest.mark.parametrize("channels", [3, 12])
def test_the_first_channels_of_japanese_vowels_can_be_taken(channels):
    some, everything = load("japanese-vowels", channels=channels), load("japanese-vowels")
    names = [f"coefficient_{k + 1:02}" for k in range(channels)]
    assert list(some.train[0]) == list(some.modalities) == names
    assert some.card.modality_count == channels
    for one, other in zip(
        (some.train, some.validation, some.test),
        (everything.train, everything.validation, everything.test),
        strict=True,
    ):
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_array_equal(one[0]["coefficient_02"], other[0]["coefficient_02"])


@pytest.mark.parametrize("channels", [0, 1, 13])
def test_channels_out_of_range_are_named(channels):
    with pytest.raises(ValueError, match=f"`channels` should be between 2 and 12, an integer; got {channels}"):
        load("japanese-vowels", channels=channels)
