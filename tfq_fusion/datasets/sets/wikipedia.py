"""Wikipedia articles, each an image and a text (Rasiwasia et al. 2010)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.dataset import Source
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.files import read_verified
from tfq_fusion.datasets.prepared import prepared_source
from tfq_fusion.datasets.remote import RemoteSet
from tfq_fusion.datasets.splits import hold_out

VERSION = 1
TRAIN = 2173  # rows of the official training part; the official test part follows


def open_wikipedia(remote: RemoteSet) -> Source:
    """The data set ``wikipedia``.

    Raises:
        MissingDataError: If its file is missing.
        ValueError: If its file is damaged.
    """
    (source,) = remote.files
    file = remote.require() / source.path

    def build() -> dict[str, npt.NDArray[Any]]:
        from scipy.io import loadmat

        content = loadmat(io.BytesIO(read_verified("wikipedia", file, str(source.sha256), source.limit)))
        # The file calls the first view "word" and the second "SIFT"; their widths tell that it is the reverse.
        image, text = (view.astype(np.float32) for view in content["X"][:, 0])
        labels = content["y"].ravel().astype(np.int64) - 1
        train, validation = hold_out(labels[:TRAIN], share=0.2)
        parts = {"train": train, "validation": validation, "test": np.arange(TRAIN, len(labels))}
        arrays = {"image": image, "text": text, "labels": labels}
        return {f"{part}/{key}": array[rows] for part, rows in parts.items() for key, array in arrays.items()}

    return prepared_source(read_card(DATA, "wikipedia"), VERSION, [str(source.sha256)], build)


WIKIPEDIA = RemoteSet(
    "wikipedia",
    open_wikipedia,
    files=(
        RemoteFile(
            "Wikipedia.mat",
            "6eed8527704611dff921243d86dbec5621312b8c6636086ae3677508b5d3cb03",
            (
                "https://raw.githubusercontent.com/ChuanbinZhang/Multi-view-datasets/"
                "03ead31e6538322e4e0701c3c28a01595c1a015d/Wikipedia.mat",
            ),
            limit=1_075_054,
        ),
    ),
    aliases=("wikipedia_image_text",),
)
