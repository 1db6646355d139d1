"""Checks of arguments where a user wrote them: each error names the argument, what it should be, and what came.

No TensorFlow, so that what needs none can check its arguments too.
"""

from __future__ import annotations

import math
import numbers
import operator
import random
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

SEEDS = 2**32
"""Keras' generators take seeds below this number."""

LARGEST = 2**31 - 1
"""Sizes and counts end here: TensorFlow Quantum's are of 32 bits, and no memory holds larger ones."""

T = TypeVar("T")


def integer(name: str, value: Any, minimum: int = 1, maximum: float = LARGEST) -> int:
    """``value`` as a Python integer.

    Raises:
        ValueError: If it is not an integer from ``minimum`` to ``maximum``; the message says which argument ``name``
            is.
    """
    try:
        found = operator.index(value)
    except TypeError:
        found = None
    if found is None or isinstance(value, bool) or found < minimum:
        raise ValueError(f"{name} should be an integer of at least {minimum}, got {value!r}.")
    if found > maximum:
        raise ValueError(f"{name} should be an integer of at most {maximum}, got {value!r}.")
    return found


def number(name: str, value: Any, minimum: float = -math.inf, below: float = math.inf) -> float:
    """``value`` as a Python float.

    Raises:
        ValueError: If it is not a finite number of at least ``minimum`` and below ``below``.
    """
    try:
        found = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        found = math.inf
    if not (math.isfinite(found) and minimum <= found < below):
        least = "a finite number" if minimum == -math.inf else f"at least {minimum:g} and finite"
        expected = least if below == math.inf else f"at least {minimum:g} and below {below:g}"
        raise ValueError(f"{name} should be {expected}, got {value!r}.")
    return found


def flag(name: str, value: Any) -> bool:
    """``value`` as a Python boolean.

    Raises:
        ValueError: If it is neither True nor False.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} should be True or False, got {value!r}.")
    return bool(value)


def one_of(name: str, value: T, known: Collection[Any]) -> T:
    """``value`` itself.

    Raises:
        ValueError: If it is none of ``known``; the message lists them.
    """
    # Arrays compare element by element, and lists cannot be looked up by a hash.
    if not any(isinstance(value, type(each)) and value == each for each in known):
        raise ValueError(f"{name} should be one of {list(known)}, got {value!r}.")
    return value


def floating_point(name: str, dtype: str) -> str:
    """``dtype`` itself, the name of a type.

    Raises:
        ValueError: If numbers of this type have no fractions, or an imaginary part.
    """
    if "float" not in dtype:
        raise ValueError(f"{name} should be a floating-point type such as 'float32', got {dtype!r}.")
    return dtype


def require_entries(kind: str, config: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise a ValueError that names the first entry which the configuration of a ``kind`` of layer lacks."""
    for name in names:
        if name not in config:
            raise ValueError(f"Expected the entry {name!r} in the configuration of a {kind}.")


def seed_or_draw(value: Any) -> int:
    """A seed as it was given, or a drawn one in place of None.

    Keras draws its own seeds from Python's generator too: ``keras.utils.set_random_seed`` makes both repeatable. Who
    keeps what this returns, in place of None, can be saved and cloned.

    Raises:
        ValueError: If it is neither None nor an integer of at least 0 and below :data:`SEEDS`.
    """
    if value is None:
        return random.randrange(SEEDS)
    seed = integer("seed", value, minimum=0, maximum=math.inf)
    if seed >= SEEDS:
        raise ValueError(f"seed should be below {SEEDS}, got {value!r}.")
    return seed


def weight_seeds(seed: int, count: int) -> list[int]:
    """One initialiser seed per weight, all different and all fixed by ``seed``."""
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(count)]
