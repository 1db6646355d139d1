"""The data sets that a table needs, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from tfq_fusion.datasets import Dataset, load


def load_all(names: Sequence[str]) -> dict[str, Dataset]:
    """Data sets by name.

    Raises:
        FileNotFoundError: If some are not there; the message names all of them, and the commands that get them.
        ValueError: If a name is unknown or a file is damaged.
    """
    loaded, absent = {}, []
    for name in names:
        try:
            loaded[name] = load(name)
        except FileNotFoundError:
            absent.append(name)
    if absent:
        commands = ", ".join(f"`make data DATASET={name}`" for name in absent)
        raise FileNotFoundError(f"Data sets that are not there: {', '.join(absent)}. Get them with {commands}.")
    return loaded
