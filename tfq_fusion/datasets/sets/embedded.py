"""The data sets that travel with the package: one ``.npz`` and one card each.

The file holds raw-ish values in their narrowest lossless type: ``features/<modality>`` for every modality, ``labels``,
and the row indices ``train``, ``validation`` and ``test``. Other arrays (time stamps, families) explain the split and
are not loaded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfq_fusion.datasets.arguments import integer_between
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.dataset import Dataset, Source, choose_views, view_card

if TYPE_CHECKING:
    from importlib.abc import Traversable


def load_embedded(name: str, folder: Traversable = DATA) -> Dataset:
    """Loads ``<name>.npz`` and its card from ``folder``.

    Raises:
        FileNotFoundError: If the file or its card is missing.
        ValueError: If the file is not the one that the card describes.
    """
    card = read_card(folder, name)
    contents = _read_verified(folder / f"{name}.npz", card.sha256)
    with np.load(io.BytesIO(contents), allow_pickle=False) as arrays:
        labels = arrays["labels"].astype(np.int64 if card.task == "classification" else np.float32)
        features = {
            modality.name: arrays[f"features/{modality.name}"].astype(np.float32) for modality in card.modalities
        }
        train, validation, test = (
            ({key: values[rows] for key, values in features.items()}, labels[rows])
            for rows in (arrays["train"], arrays["validation"], arrays["test"])
        )
    return Dataset(train, validation, test, card)


def open_embedded(name: str, views: Sequence[str] | None = None) -> Source:
    """An embedded data set, or some of its modalities.

    Args:
        name: The data set.
        views: Names of the modalities; None for all.

    Raises:
        FileNotFoundError: If the file or its card is missing.
        ValueError: If a view is unknown, or the file is not the one that the card describes.
    """
    return Source(view_card(read_card(DATA, name), views), lambda: choose_views(load_embedded(name), views))


def open_japanese_vowels(channels: int = 12) -> Source:
    """The data set "japanese-vowels".

    Args:
        channels: How many of the 12 coefficients, the first ones: a modality each.

    Raises:
        FileNotFoundError: If the file or its card is missing.
        ValueError: If ``channels`` is not an integer from 2 to 12, or the file is not the one that the card
            describes.
    """
    names = [modality.name for modality in read_card(DATA, "japanese-vowels").modalities]
    count = integer_between("japanese-vowels", "channels", channels, 2, len(names))
    return open_embedded("japanese-vowels", names[:count])


def _read_verified(file: Traversable, sha256: str) -> bytes:
    remedy = (
        "Reinstall tfq-fusion, or in a checkout rebuild the file with "
        f"`python scripts/build_data.py {file.name.removesuffix('.npz')}`."
    )
    try:
        contents = file.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{file} is missing: expected SHA-256 {sha256}, found no file. {remedy}") from None
    found = hashlib.sha256(contents).hexdigest()
    if found != sha256:
        raise ValueError(f"{file} is damaged: expected SHA-256 {sha256}, found {found}. {remedy}")
    return contents
