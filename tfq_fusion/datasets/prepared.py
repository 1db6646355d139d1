"""Arrays that are prepared once from downloaded files, and memory-mapped from then on."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tfq_fusion.datasets import download
from tfq_fusion.datasets.card import Card
from tfq_fusion.datasets.dataset import Dataset


def fingerprint(name: str, version: int, hashes: Sequence[str]) -> str:
    """SHA-256 in hexadecimal of all that prepared arrays depend on.

    Args:
        name: The data set.
        version: Version of its loader, raised whenever the loader gives other arrays.
        hashes: SHA-256 of each source, in a fixed order.
    """
    return hashlib.sha256("\n".join([name, str(version), *hashes]).encode()).hexdigest()


def prepared(
    name: str, version: int, hashes: Sequence[str], build: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The arrays that ``build`` gives, built at the first call and read from ``.npy`` files at every later one.

    They lie in ``prepared`` inside :func:`tfq_fusion.datasets.download.default_folder`, since a folder that the user
    gives may be shared or read-only, and can be deleted at any time. Several processes may call this at once.

    Args:
        name: The data set.
        version: As in :func:`fingerprint`.
        hashes: As in :func:`fingerprint`.
        build: Makes the arrays; a key may have slashes, as in ``train/image``.

    Returns:
        Read-only, memory-mapped arrays by key, in alphabetical order.

    Raises:
        OSError: If the folder cannot be written.
    """
    folder = download.default_folder() / "prepared" / f"{name}-{fingerprint(name, version, hashes)[:16]}"
    if not folder.is_dir():
        _write(folder, build())
    files = sorted(folder.rglob("*.npy"))
    return {
        file.relative_to(folder).with_suffix("").as_posix(): np.load(file, mmap_mode="r", allow_pickle=False)
        for file in files
    }


def _write(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        complete = Path(temporary) / folder.name
        for key, array in arrays.items():
            file = complete / f"{key}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, array, allow_pickle=False)
        try:
            complete.rename(folder)
        except OSError:
            if not folder.is_dir():  # if it is, another process was first
                raise


def prepared_dataset(
    card: Card, version: int, hashes: Sequence[str], build: Callable[[], dict[str, np.ndarray]]
) -> Dataset:
    """A data set out of :func:`prepared` arrays named ``<part>/<modality>`` and ``<part>/labels``.

    Its card's SHA-256 is the :func:`fingerprint` of the arrays.
    """
    arrays = prepared(card.name, version, hashes, build)
    train, validation, test = (
        ({modality.name: arrays[f"{part}/{modality.name}"] for modality in card.modalities}, arrays[f"{part}/labels"])
        for part in ("train", "validation", "test")
    )
    sha256 = fingerprint(card.name, version, hashes)
    return Dataset(train, validation, test, card.model_copy(update={"sha256": sha256}))
