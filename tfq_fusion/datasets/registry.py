"""Which data sets there are, and what can be done with each."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal

from tfq_fusion.datasets.card import DATA, Card
from tfq_fusion.datasets.dataset import Dataset, Source
from tfq_fusion.datasets.prepared import watched
from tfq_fusion.datasets.remote import RemoteSet
from tfq_fusion.datasets.sets import images, ludb, metr_la, ptb_xl, wikipedia
from tfq_fusion.datasets.sets.embedded import open_embedded, open_japanese_vowels

DOWNLOADS: dict[str, RemoteSet] = {
    remote.name: remote
    for remote in (
        images.CIFAR10,
        metr_la.LOS_LOOP,
        ludb.LUDB,
        metr_la.METR_LA,
        images.MNIST,
        ptb_xl.PTB_XL,
        wikipedia.WIKIPEDIA,
    )
}
EMBEDDED = tuple(
    sorted({file.name.removesuffix(".yaml") for file in DATA.iterdir() if file.name.endswith(".yaml")} - {*DOWNLOADS})
)
"""What has a card and is not downloaded."""


def available() -> tuple[str, ...]:
    """The names that :func:`load` takes, sorted; a set that is downloaded need not be there."""
    return tuple(sorted({*EMBEDDED, *DOWNLOADS}))


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
    return _source(name, options).read()


def describe(name: str, **options: Any) -> Card:
    """The card of what :func:`load` gives, with its hash and the sizes of its parts, without reading the arrays.

    An option that leaves to the data what it chooses, as ``sensors`` does, has the prepared arrays opened; so has a
    part of a data set.

    Args:
        name: The data set.
        **options: As for :func:`load`.

    Raises:
        FileNotFoundError: If a file of it is missing; see :func:`load`.
        ValueError: If the name or an option is unknown, or an option is out of range.
    """
    return _source(name, options).card


def fetch(name: str, progress: bool = False) -> Dataset:
    """Downloads what is missing or damaged of a data set, verifies and prepares it; does nothing to an embedded one.

    Args:
        name: The data set.
        progress: Whether to show on standard error how far it is.

    Raises:
        MissingDataError: If a file cannot be downloaded from any mirror.
        OSError: If the folder cannot be written.
        ValueError: If the name is unknown, or an embedded set is damaged.
    """
    with watched(progress):
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
    found = DOWNLOADS[name].folders()
    if any(map(DOWNLOADS[name].is_complete, found)):
        return "ready"
    return "partial" if found else "missing"


def _source(name: str, options: dict[str, Any]) -> Source:
    if _known(name) in DOWNLOADS:
        open_set: Callable[..., Source] = functools.partial(DOWNLOADS[name].open, DOWNLOADS[name])
    elif name == "japanese-vowels":
        open_set = open_japanese_vowels
    else:
        open_set = functools.partial(open_embedded, name)
    known = tuple(inspect.signature(open_set).parameters)
    if unknown := [option for option in options if option not in known]:
        raise ValueError(f"{name} has no option {', '.join(unknown)}; it takes {', '.join(known)}.")
    return open_set(**options)


def _known(name: str) -> str:
    if not isinstance(name, str) or name not in available():
        near = difflib.get_close_matches(str(name), available(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown data set {name!r}; the known ones are {', '.join(available())}.{hint}")
    return name
