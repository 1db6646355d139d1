"""Descriptors of images, pixel by pixel as their docstrings define them."""

import math

import numpy as np
import pytest

from tfq_fusion.datasets.sets.descriptors import colour_histograms, orientation_histograms


def orientations(image: np.ndarray) -> np.ndarray:
    """One image, in plain loops."""
    height, width, _ = image.shape
    grey = image.mean(axis=-1)
    histogram = np.zeros((4, 4, 9))

    def slope(line: np.ndarray, at: int) -> float:
        low, high = max(at - 1, 0), min(at + 1, len(line) - 1)
        return (line[high] - line[low]) / (high - low)

    for row in range(height):
        for column in range(width):
            down, right = slope(grey[:, column], row), slope(grey[row], column)
            degrees = math.degrees(math.atan2(down, right)) % 180
            histogram[row * 4 // height, column * 4 // width, int(degrees // 20) % 9] += math.hypot(down, right)
    return histogram.ravel() / np.linalg.norm(histogram)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_orientation_histograms_are_what_loops_over_the_pixels_give(shape):
    images = np.random.default_rng(0).uniform(0, 255, (3, *shape)).astype(np.float32)
    found = orientation_histograms(images)
    assert (found.shape, found.dtype) == ((3, 144), np.float32)
    np.testing.assert_allclose(found, [orientations(image) for image in images], atol=1e-4)


def test_an_edge_is_seen_where_it_is_and_which_way_it_runs():
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[:, :, 5:] = 255  # brighter to the right, in the third of four columns of cells
    histogram = orientation_histograms(image).reshape(4, 4, 9)
    assert np.flatnonzero(histogram.sum(axis=(0, 2))).tolist() == [2]
    assert np.flatnonzero(histogram.sum(axis=(0, 1))).tolist() == [0]
    turned = orientation_histograms(np.rot90(image, axes=(1, 2))).reshape(4, 4, 9)
    assert np.flatnonzero(turned.sum(axis=(0, 1))).tolist() == [4]  # 90 of 180 degrees


def test_an_image_of_one_grey_has_no_direction():
    np.testing.assert_array_equal(orientation_histograms(np.full((2, 28, 28, 1), 7.0)), np.zeros((2, 144)))


def test_colour_histograms_are_shares_of_the_pixels_in_boxes_of_colours():
    image = np.zeros((1, 2, 2, 3), np.float32)
    image[0, 0, 0] = (255, 0, 0)
    image[0, 0, 1] = (0, 64, 191)
    expected = np.zeros((4, 4, 4))
    expected[0, 0, 0], expected[3, 0, 0], expected[0, 1, 2] = 0.5, 0.25, 0.25
    np.testing.assert_array_equal(colour_histograms(image), expected.reshape(1, 64))


def test_thousands_of_images_are_described_as_each_alone():
    images = np.random.default_rng(0).integers(0, 256, (1003, 4, 4, 3)).astype(np.float32)
    for describe in (orientation_histograms, colour_histograms):
        np.testing.assert_allclose(describe(images)[-5:], describe(images[-5:]), atol=1e-6)
