"""Which data sets there are, and the one loader of each."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable

from tfq_fusion.datasets.dataset import Dataset
from tfq_fusion.datasets.embedded import load_embedded

LOADERS: dict[str, Callable[[], Dataset]] = {
    name: functools.partial(load_embedded, name) for name in ("emoji", "japanese-vowels", "mfeat", "traffic-detectors")
}


def available() -> tuple[str, ...]:
    """The names that :func:`load` takes, sorted."""
    return tuple(sorted(LOADERS))


def load(name: str) -> Dataset:
    """Loads a data set by name.

    Raises:
        FileNotFoundError: If its file is missing.
        ValueError: If the name is unknown or the file is damaged.
    """
    if name not in LOADERS:
        near = difflib.get_close_matches(str(name), LOADERS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown data set {name!r}; the known ones are {', '.join(available())}.{hint}")
    return LOADERS[name]()
