"""Descriptors of images: a second modality that is constructed out of the first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray

Describe = Callable[[FloatArray], npt.NDArray[np.float32]]
"""Descriptors ``[n, width]`` of images ``[n, height, width, channels]``."""

CELLS = 4
"""Cells of an image, along each side."""

ORIENTATIONS = 9
LEVELS = 4


def orientation_histograms(images: FloatArray) -> npt.NDArray[np.float32]:
    """Which way the edges run in each cell of an image.

    Histograms of oriented gradients (Dalal & Triggs, CVPR 2005), without their overlapping blocks and without
    interpolation between bins: the grey level is the mean of the channels, its gradient is taken by central
    differences, and every pixel adds the size of its gradient to one of nine directions between 0 and 180 degrees in
    one of 4 x 4 cells. The vector has length one, or zero where an image is all of one grey.

    Args:
        images: ``[n, height, width, channels]``, height and width divisible by 4.

    Returns:
        float32 ``[n, 144]``: cell by cell from the top left, row by row, a direction each.
    """
    down, right = np.gradient(images.mean(axis=-1, dtype=np.float32), axis=(1, 2))
    size = np.hypot(down, right)
    bins = (np.arctan2(down, right) % np.pi / np.pi * ORIENTATIONS).astype(int) % ORIENTATIONS
    count, height, width = size.shape
    cells = (count, CELLS, height // CELLS, CELLS, width // CELLS)
    sums = [np.where(bins == chosen, size, 0).reshape(cells).sum(axis=(2, 4)) for chosen in range(ORIENTATIONS)]
    histograms = np.stack(sums, axis=-1).reshape(count, -1)
    length = np.linalg.norm(histograms, axis=1, keepdims=True)
    normalised: FloatArray = histograms / np.where(length == 0, 1, length)
    return normalised.astype(np.float32)


def colour_histograms(images: FloatArray) -> npt.NDArray[np.float32]:
    """Which colours an image has.

    Args:
        images: ``[n, height, width, 3]``, from 0 to 255.

    Returns:
        float32 ``[n, 64]``: the share of the pixels in each of 4 x 4 x 4 equal boxes of red, green and blue; blue runs
        fastest.
    """
    red, green, blue = np.moveaxis(images.astype(int) * LEVELS // 256, -1, 0)
    boxes = ((red * LEVELS + green) * LEVELS + blue).reshape(len(images), -1)
    rows = np.arange(len(images))[:, None] * LEVELS**3
    counts = np.bincount((boxes + rows).ravel(), minlength=len(images) * LEVELS**3)
    shares: FloatArray = counts.reshape(len(images), -1) / boxes.shape[1]
    return shares.astype(np.float32)
