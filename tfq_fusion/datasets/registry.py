"""Which data sets there are, and what can be done with each."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tfq_fusion.datasets.card import DATA
from tfq_fusion.datasets.dataset import Dataset
from tfq_fusion.datasets.download import folders
from tfq_fusion.datasets.sets import images, ludb, metr_la, ptb_xl, wikipedia
from tfq_fusion.datasets.sets.embedded import load_embedded, load_japanese_vowels, load_views


@dataclasses.dataclass(frozen=True)
class Download:
    """A data set that is downloaded.

    Attributes:
        load: Loads it, and never downloads; its arguments are the options of :func:`load`.
        fetch: Downloads what is missing of it; takes whether to show progress.
        is_complete: Whether a folder has all its files.
        aliases: Folder names, besides its own, under which it may lie.
    """

    load: Callable[..., Dataset]
    fetch: Callable[[bool], Path]
    is_complete: Callable[[Path], bool]
    aliases: tuple[str, ...] = ()


EMBEDDED = ("emoji", "japanese-vowels", "mfeat", "traffic-detectors")
DOWNLOADS: dict[str, Download] = {
    **{
        name: Download(
            functools.partial(metr_la.load_traffic, name),
            functools.partial(metr_la.fetch_traffic, name),
            functools.partial(metr_la.traffic_is_complete, name),
            traffic.aliases,
        )
        for name, traffic in metr_la.SETS.items()
    },
    "cifar-10": Download(images.load_cifar10, images.fetch_cifar10, images.cifar10_is_complete, images.CIFAR10_ALIASES),
    "ludb": Download(ludb.load_ludb, ludb.fetch_ludb, ludb.ludb_is_complete, ludb.ALIASES),
    "mnist": Download(images.load_mnist, images.fetch_mnist, images.mnist_is_complete),
    "ptb-xl": Download(ptb_xl.load_ptb_xl, ptb_xl.fetch_ptb_xl, ptb_xl.ptb_xl_is_complete, ptb_xl.ALIASES),
    "wikipedia": Download(
        wikipedia.load_wikipedia, wikipedia.fetch_wikipedia, wikipedia.wikipedia_is_complete, wikipedia.ALIASES
    ),
}
LOADERS: dict[str, Callable[..., Dataset]] = {
    **{name: functools.partial(load_embedded, name, DATA) for name in EMBEDDED},
    "japanese-vowels": load_japanese_vowels,
    **{name: functools.partial(load_views, name) for name in ("emoji", "mfeat")},
    **{name: download.load for name, download in DOWNLOADS.items()},
}


def available() -> tuple[str, ...]:
    """The names that :func:`load` takes, sorted; a set that is downloaded need not be there."""
    return tuple(sorted(LOADERS))


def load(name: str, **options: Any) -> Dataset:
    """Loads a data set by name; never downloads.

    Args:
        name: The data set.
        **options: What of it to load, where there is a choice, such as ``leads`` of an ECG, ``sensors`` of a road
            network or ``views`` of an image; its loader documents them.

    Raises:
        FileNotFoundError: If its file is missing; a :class:`MissingDataError`, which says how to get it, where it has
            to be downloaded.
        ValueError: If the name or an option is unknown, an option is out of range, or a file is damaged.
    """
    loader = LOADERS[_known(name)]
    known = tuple(inspect.signature(loader).parameters)
    if unknown := [option for option in options if option not in known]:
        raise ValueError(f"{name} has no option {', '.join(unknown)}; it takes {', '.join(known) or 'none'}.")
    return loader(**options)


def fetch(name: str, progress: bool = False) -> Dataset:
    """Downloads what is missing or damaged of a data set, verifies and prepares it; does nothing to an embedded one.

    Args:
        name: The data set.
        progress: Whether to show progress on standard error.

    Raises:
        MissingDataError: If a file cannot be downloaded from any mirror.
        OSError: If the folder cannot be written.
        ValueError: If the name is unknown, or an embedded set is damaged.
    """
    if state(name) in ("embedded", "ready"):
        try:
            return load(name)
        except ValueError:
            if name in EMBEDDED:
                raise
    DOWNLOADS[name].fetch(progress)
    return load(name)


def state(name: str) -> Literal["embedded", "ready", "partial", "missing"]:
    """Whether a data set is there; the content of its files is not checked.

    A set is partial when some files are missing, or when only a part of it is there that can be loaded.

    Raises:
        ValueError: If the name is unknown.
    """
    if _known(name) in EMBEDDED:
        return "embedded"
    found = folders(name, DOWNLOADS[name].aliases)
    if any(map(DOWNLOADS[name].is_complete, found)):
        return "ready"
    return "partial" if found else "missing"


def _known(name: str) -> str:
    if not isinstance(name, str) or name not in LOADERS:
        near = difflib.get_close_matches(str(name), LOADERS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown data set {name!r}; the known ones are {', '.join(available())}.{hint}")
    return name
