"""Some of a data set's modalities, by name."""

import numpy as np
import pytest

from tfq_fusion.datasets import load
from tfq_fusion.datasets.card import DATA, read_card

PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("views", [("twitter", "google"), ["name"]])
def test_views_are_taken_in_the_order_in_which_they_are_named(views):
    whole, chosen = load("emoji"), load("emoji", views=views)
    assert chosen.modalities == tuple(views)
    assert chosen.card.modality_count == len(views)
    assert chosen.card.sha256 == whole.card.sha256
    for part in PARTS:
        inputs, labels = getattr(chosen, part)
        assert list(inputs) == list(views)
        np.testing.assert_array_equal(labels, getattr(whole, part)[1])
        for view in views:
            np.testing.assert_array_equal(inputs[view], getattr(whole, part)[0][view])


def test_all_views_are_loaded_where_none_is_named():
    assert (
        load("mfeat").modalities == load("mfeat", views=None).modalities == ("fou", "fac", "kar", "pix", "zer", "mor")
    )


@pytest.mark.parametrize(
    ("views", "got"),
    [
        (("fou", "far"), "fou, far"),
        (("fou", "fou"), "fou, fou"),
        ((), "none"),
        ("fo", "fo"),
        (3, "3"),
        ([["fou"]], r"\['fou'\]"),
    ],
)
def test_views_that_cannot_be_chosen_are_named_beside_the_known(views, got):
    with pytest.raises(
        ValueError, match=f"mfeat: `views` should be 1 or more of fou, fac, .*mor, each once; got {got}."
    ):
        load("mfeat", views=views)


@pytest.mark.parametrize(
    ("name", "word"),
    [("emoji", "natural"), ("mfeat", "natural"), ("mnist", "constructed"), ("cifar-10", "constructed")],
)
def test_the_card_says_whether_its_modalities_are_natural_or_constructed(name, word):
    assert f"modalities are {word}" in " ".join(read_card(DATA, name).notes)
