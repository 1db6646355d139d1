"""Arrays that are prepared once from downloaded files, and memory-mapped from then on."""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tfq_fusion.datasets import download
from tfq_fusion.datasets.card import Card
from tfq_fusion.datasets.dataset import Dataset, Source, sized
from tfq_fusion.files import sync

MANIFEST = "manifest.json"
UNFINISHED = ".part"

_Item = TypeVar("_Item")
_watched = contextvars.ContextVar("_watched", default=False)


@contextlib.contextmanager
def watched(whether: bool) -> Iterator[None]:
    """Whether the steps of preparations inside are shown on standard error."""
    before = _watched.set(whether)
    try:
        yield
    finally:
        _watched.reset(before)


def steps(what: str, items: Sequence[_Item], unit: str) -> Iterator[_Item]:
    """The items, one after the other; where somebody watches, with how many are done, how fast, and the time left.

    Args:
        what: What is done with them, such as "ptb-xl, read".
        items: What a preparation goes through.
        unit: What they are, in the plural.
    """
    if not _watched.get():
        yield from items
        return
    from tfq_fusion.datasets.bars import Bars

    with Bars(shown=True) as bars:
        bar = bars.add(what, len(items), unit)
        for item in items:
            yield item
            bars.advance(bar)


def fingerprint(name: str, version: int, hashes: Sequence[str]) -> str:
    """SHA-256 in hexadecimal of all that prepared arrays depend on.

    Args:
        name: The data set.
        version: Version of its loader, raised whenever the loader gives other arrays.
        hashes: SHA-256 of each source, in a fixed order.
    """
    return hashlib.sha256("\n".join([name, str(version), *hashes]).encode()).hexdigest()


def prepared(
    name: str, version: int, hashes: Sequence[str], build: Callable[[], dict[str, npt.NDArray[Any]]]
) -> dict[str, npt.NDArray[Any]]:
    """The arrays that ``build`` gives, built at the first call and read from ``.npy`` files at every later one.

    They lie in ``prepared`` inside :func:`tfq_fusion.datasets.download.default_folder`, since a folder that the user
    gives may be shared or read-only, and can be deleted at any time. A manifest beside them has the SHA-256 of each,
    which is compared at every call: whatever is missing or changed is built anew. Several processes may call this at
    once; one of them builds.

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
    identity = fingerprint(name, version, hashes)
    folder = download.default_folder() / "prepared" / f"{name}-{identity[:16]}"
    if not _is_intact(folder, identity):
        from filelock import FileLock

        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent.with_name("prepared.lock")):
            if not _is_intact(folder, identity):  # or another process was first
                _write(folder, identity, build())
    return {
        file.relative_to(folder).with_suffix("").as_posix(): np.load(file, mmap_mode="r", allow_pickle=False)
        for file in _arrays(folder)
    }


def _arrays(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npy"))


def _is_intact(folder: Path, identity: str) -> bool:
    try:
        return (folder / MANIFEST).read_bytes() == _manifest(folder, identity)
    except OSError:
        return False


def _manifest(folder: Path, identity: str) -> bytes:
    import pooch

    files = {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": pooch.file_hash(str(file))}
        for file in _arrays(folder)
    }
    return json.dumps({"fingerprint": identity, "files": files}, indent=1).encode()


def _write(folder: Path, identity: str, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Puts the arrays in the place of whatever is there; nobody else writes at the same time."""
    for leftover in folder.parent.glob(f"*{UNFINISHED}"):  # of a process that was killed
        shutil.rmtree(leftover)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, suffix=UNFINISHED) as temporary:
            complete = Path(temporary) / folder.name
            for key, array in arrays.items():
                file = complete / f"{key}.npy"
                file.parent.mkdir(parents=True, exist_ok=True)
                np.save(file, array, allow_pickle=False)
            (complete / MANIFEST).write_bytes(_manifest(complete, identity))
            for path in (complete, *complete.rglob("*")):
                sync(path)
            if folder.exists():
                folder.rename(Path(temporary) / "replaced")
            complete.rename(folder)
        sync(folder.parent)
    except OSError as error:
        raise OSError(f"{folder}: the prepared arrays cannot be written ({error}).") from error


def prepared_source(
    card: Card, version: int, hashes: Sequence[str], build: Callable[[], dict[str, npt.NDArray[Any]]]
) -> Source:
    """A data set out of :func:`prepared` arrays named ``<part>/<modality>`` and ``<part>/labels``.

    Its card's SHA-256 is the :func:`fingerprint` of the arrays.
    """
    card = card.model_copy(update={"sha256": fingerprint(card.name, version, hashes)})

    def read() -> Dataset:
        arrays = prepared(card.name, version, hashes, build)
        train, validation, test = (
            (
                {modality.name: arrays[f"{part}/{modality.name}"] for modality in card.modalities},
                arrays[f"{part}/labels"],
            )
            for part in ("train", "validation", "test")
        )
        return Dataset(train, validation, test, sized(card, train, validation, test))

    return Source(card, read)
