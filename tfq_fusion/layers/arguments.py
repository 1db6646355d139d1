"""The arguments that fusion layers share: sizes, and one seed for all weights of a layer."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np


def integer(name: str, value: Any, minimum: int = 1) -> int:
    """``value`` as a Python integer.

    Raises:
        ValueError: If it is not an integer of at least ``minimum``; the message says which argument ``name`` is.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise ValueError(f"{name} should be an integer of at least {minimum}, got {value!r}.")
    return number


def optional_seed(value: Any) -> int | None:
    """A seed for the weights: None, which leaves them to Keras' global generator, or a non-negative integer.

    Raises:
        ValueError: If it is anything else.
    """
    return None if value is None else integer("seed", value, minimum=0)


def weight_seeds(seed: int | None, count: int) -> list[int | None]:
    """One initialiser seed per weight, all different and all fixed by ``seed``; Nones if that is None."""
    if seed is None:
        return [None] * count
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(count)]
