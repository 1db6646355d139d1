"""The small CNN: which modalities it sees, and how large it is."""

import numpy as np
import pytest

from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import image_network

pytestmark = pytest.mark.keras


def modality(name, shape, kind="vector"):
    return Modality(name=name, shape=shape, kind=kind, description="")


FLAT = [modality("one", (8, 8, 3)), modality("other", (8, 8, 1))]
INPUTS = {"one": np.ones((2, 192), "f"), "other": np.ones((2, 64), "f")}


def test_pictures_are_stacked_as_channels():
    model = image_network(FLAT, classes=3, filters=2, units=6)
    assert model.predict(INPUTS, verbose=0).shape == (2, 3)
    convolutions = (4 * 9 * 2 + 2) + (2 * 9 * 4 + 4)
    assert model.count_params() == convolutions + (2 * 2 * 4 * 6 + 6) + (6 * 3 + 3)


@pytest.mark.parametrize("picture", ["one", "other"])
def test_every_picture_is_looked_at(picture):
    model = image_network(FLAT, classes=3)
    changed = {**INPUTS, picture: np.random.default_rng(0).normal(size=INPUTS[picture].shape).astype("f")}
    assert (model.predict(INPUTS, verbose=0) != model.predict(changed, verbose=0)).any()


def test_a_picture_that_was_not_flattened_gives_the_same():
    pictures = [modality("one", (8, 8, 3), "image"), modality("other", (8, 8, 1), "image")]
    inputs = {"one": INPUTS["one"].reshape(2, 8, 8, 3), "other": INPUTS["other"].reshape(2, 8, 8, 1)}
    flat, whole = (image_network(each, classes=3, seed=1) for each in (FLAT, pictures))
    np.testing.assert_array_equal(whole.predict(inputs, verbose=0), flat.predict(INPUTS, verbose=0))


@pytest.mark.parametrize("other", [modality("text", (5,)), modality("large", (9, 9, 1))])
def test_what_is_no_picture_of_the_same_size_is_named(other):
    with pytest.raises(
        ValueError, match=r"of one height and width, got one \[8, 8, 3\], (text \[5\]|large \[9, 9, 1\])"
    ):
        image_network([FLAT[0], other], classes=3)
