"""The arguments that loaders share: numbers in a range, and names out of those that there are."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any


def integer_between(dataset: str, argument: str, value: Any, first: int, last: int) -> int:
    """``value`` as a Python integer.

    Raises:
        ValueError: If it is not an integer from ``first`` to ``last``; the message names data set and argument.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not first <= number <= last:
        raise ValueError(f"{dataset}: `{argument}` should be between {first} and {last}, an integer; got {value!r}.")
    return number


def different_names(dataset: str, argument: str, value: Any, known: Sequence[str], fewest: int = 1) -> tuple[str, ...]:
    """``value``, one name or several, as a tuple of names.

    Raises:
        ValueError: If there are fewer than ``fewest``, one is not ``known``, or one is named twice; the message names
            data set and argument.
    """
    names = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    understood = all(isinstance(name, str) and name in known for name in names)
    if not understood or len(names) < fewest or len(set(names)) < len(names):
        raise ValueError(
            f"{dataset}: `{argument}` should be {fewest} or more of {', '.join(known)}, each once; "
            f"got {', '.join(map(str, names)) or 'none'}."
        )
    return names
