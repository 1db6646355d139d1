"""The data sets that a table needs, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tfq_fusion.datasets import Dataset, load


def load_all(wanted: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Dataset]:
    """Data sets by name and options of their loader, in the same order.

    Raises:
        FileNotFoundError: If some are not there; the message names all of them, and the commands that get them.
        ValueError: If a name is unknown or a file is damaged.
    """
    loaded, absent = [], []
    for name, options in wanted:
        try:
            loaded.append(load(name, **options))
        except FileNotFoundError:
            absent.append(name)
    if absent:
        absent = list(dict.fromkeys(absent))
        commands = ", ".join(f"`make data DATASET={name}`" for name in absent)
        raise FileNotFoundError(f"Data sets that are not there: {', '.join(absent)}. Get them with {commands}.")
    return loaded
