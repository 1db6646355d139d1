"""What is promised of the splits: of the embedded sets looked up in the files themselves."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.datasets import load
from tfq_fusion.datasets.registry import EMBEDDED
from tfq_fusion.datasets.sets.embedded import DATA
from tfq_fusion.datasets.splits import draw, hold_out

PARTS = ("train", "validation", "test")
PAIRS = tuple(itertools.combinations(PARTS, 2))


def arrays(name: str) -> dict[str, np.ndarray]:
    with np.load(str(DATA / f"{name}.npz"), allow_pickle=False) as file:
        return dict(file)


def rows(*modalities: np.ndarray) -> set[bytes]:
    """Each sample's modalities together, as something that can be looked up."""
    return {b"".join(values.tobytes() for values in sample) for sample in zip(*modalities, strict=True)}


@settings(deadline=None)  # the first example imports scikit-learn
@given(st.integers(2, 5), st.integers(5, 20), st.integers(1, 4), st.integers(0, 9))
def test_a_held_out_part_has_the_same_share_of_every_class(classes, size, held_out, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(classes), 5 * size))
    train, validation = hold_out(labels, held_out / 5, seed)
    assert np.bincount(labels[validation]).tolist() == [held_out * size] * classes
    assert sorted([*train, *validation]) == list(range(len(labels)))
    assert train.tolist() == sorted(train)
    assert validation.tolist() == sorted(validation)


def test_the_rows_held_out_are_always_the_same():
    # If scikit-learn comes to draw others, the loaders' versions must be raised: results know their data by them.
    assert hold_out(np.arange(30) % 3, 0.2)[1].tolist() == [0, 13, 15, 22, 23, 29]


@given(st.lists(st.integers(10, 30), min_size=2, max_size=4), st.integers(0, 9))
def test_rows_drawn_have_every_class_in_its_share_and_fewer_are_among_more(sizes, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    few, more = draw(labels, len(labels) // 5, seed), draw(labels, len(labels) // 2, seed)
    assert set(few) < set(more)
    assert len(set(more)) == len(labels) // 2
    np.testing.assert_allclose(np.bincount(labels[more]), np.array(sizes) / 2, atol=1)


def test_the_rows_drawn_are_always_the_same():
    assert draw(np.arange(30) % 3, 6).tolist() == [2, 4, 6, 10, 11, 21]


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_row_is_in_two_parts(name):
    file = arrays(name)
    used = np.concatenate([file[part] for part in PARTS])
    assert len(used) == len(np.unique(used))
    if name != "traffic-detectors":  # there, 16 windows span a boundary and are in no part
        assert len(used) == len(file["labels"])


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_sample_of_one_part_is_repeated_in_another(name):
    dataset = load(name)
    samples = {part: rows(*getattr(dataset, part)[0].values()) for part in PARTS}
    for one, other in PAIRS:
        assert samples[one].isdisjoint(samples[other])


def test_japanese_vowels_keeps_the_official_test_part():
    # The counts of UCI's size_ae.train and size_ae.test, speakers 1 to 9.
    dataset = load("japanese-vowels")
    assert np.bincount(dataset.test[1]).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert np.bincount(dataset.train[1]).tolist() == [24] * 9
    assert np.bincount(dataset.validation[1]).tolist() == [6] * 9


def test_japanese_vowels_has_the_official_files_one_after_the_other():
    file = arrays("japanese-vowels")
    # First frame of coefficient 1 in the first line of the official training and test files.
    np.testing.assert_array_equal(file["features/coefficient_01"][[0, 270], 0], np.float32([1.860936, 1.635533]))
    assert file["test"].tolist() == list(range(270, 640))


def test_mfeat_is_few_shot_and_balanced():
    dataset = load("mfeat")
    counts = [np.bincount(getattr(dataset, part)[1]).tolist() for part in PARTS]
    assert counts == [[20] * 10, [20] * 10, [160] * 10]


def test_mfeat_repeats_six_samples_all_within_the_test_part():
    dataset = load("mfeat")
    distinct = {part: len(rows(*getattr(dataset, part)[0].values())) for part in PARTS}
    assert distinct == {"train": 200, "validation": 200, "test": 1600 - 6}


def test_mfeat_has_109_nines_that_are_sixes_upside_down():
    file = arrays("mfeat")
    pix, mor, zer = (file[f"features/{view}"].astype(float) for view in ("pix", "mor", "zer"))
    six, nine = (np.flatnonzero(file["labels"] == digit) for digit in (6, 9))
    distance = np.abs(pix[six][:, None] - pix[nine][None, :, ::-1]).mean(axis=2).min(axis=0)
    assert np.sum(distance < 0.2) == 109
    assert not np.any((distance >= 0.2) & (distance < 0.4))  # a gap: this is no matter of the threshold
    assert len(rows(mor[six]) & rows(mor[nine])) == 106
    assert len(rows(zer[six]) & rows(zer[nine])) == 27


def test_emoji_parts_have_the_categories_of_the_whole():
    file = arrays("emoji")
    whole = np.bincount(file["labels"]) / len(file["labels"])
    assert (np.bincount(file["labels"]).max(), np.bincount(file["labels"]).min()) == (386, 85)
    for part in PARTS:
        shares = np.bincount(file["labels"][file[part]]) / len(file[part])
        np.testing.assert_allclose(shares, whole, atol=0.02)


def test_emoji_variants_stay_in_one_part():
    file = arrays("emoji")
    families = {part: set(file["family"][file[part]]) for part in PARTS}
    assert max(np.bincount(file["family"])) > 5  # there are families at all
    for one, other in PAIRS:
        assert families[one].isdisjoint(families[other])


@pytest.mark.parametrize("rendering", ["google", "twitter"])
def test_emoji_with_the_same_picture_stay_in_one_part(rendering):
    dataset = load("emoji")
    pictures = {part: rows(getattr(dataset, part)[0][rendering]) for part in PARTS}
    assert len(pictures["train"]) < len(dataset.train[1])  # some pictures do repeat
    for one, other in PAIRS:
        assert pictures[one].isdisjoint(pictures[other])
