"""Expectation values as a device estimates them: from a number of measurements of each Pauli string."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import keras3 as keras
from tfq_fusion.arguments import SEEDS, integer
from tfq_fusion.circuits import ModelCircuit
from tfq_fusion.circuits.model import Content

LARGEST_SHOTS = 2**24
"""Single precision counts so far."""


def check_shots(shots: Any) -> int:
    """``shots`` as a Python integer.

    Raises:
        ValueError: If it is not an integer from 1 to :data:`LARGEST_SHOTS`.
    """
    return integer("shots", shots, maximum=LARGEST_SHOTS)


def make_generator(seed: int) -> keras.random.SeedGenerator:
    """What draws shots for a layer: its stream is none that the layer's seed itself begins."""
    (stream,) = np.random.SeedSequence(seed).spawn(1)
    # On PyTorch a generator's seeds have 31 bits.
    return keras.random.SeedGenerator(int(stream.generate_state(1)[0] % 2**31))


def check_seed(seed: Any) -> Any:
    """``seed`` as a Python integer, or the generator that it is.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    return integer("seed, an integer or a keras.random.SeedGenerator,", seed, minimum=0, maximum=SEEDS - 1)


def another_seed(seed: Any) -> Any:
    """What draws apart from a checked ``seed``, and within a gradient, where no generator may go on."""
    if isinstance(seed, keras.random.SeedGenerator):
        return _Drawn(seed)
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


class _Drawn(keras.random.SeedGenerator):
    """The next seed of a generator, however often it is asked for."""

    def __init__(self, generator: keras.random.SeedGenerator) -> None:
        self._seed = generator.next()

    def next(self, ordered: bool = True) -> Any:
        del ordered
        return self._seed


def estimate(exact: Callable[[ModelCircuit], Any], spec: ModelCircuit, shots: int, seed: Any) -> Any:
    """Estimates of a circuit's operators; the gradient is that of the exact values.

    Args:
        exact: Gives the expectation values ``[batch, n_operators]`` of a circuit.
        spec: The circuit.
        shots: How many times each of the Pauli strings that its operators consist of is measured.
        seed: An integer, or a ``keras.random.SeedGenerator``.

    Returns:
        ``[batch, n_operators]``.
    """
    by_string, mix, offset = _by_string(spec.content)
    values = exact(by_string)
    dtype = keras.backend.standardize_dtype(values.dtype)
    known = keras.ops.stop_gradient(values)
    probabilities = keras.ops.where(keras.ops.isfinite(known), keras.ops.clip(0.5 + 0.5 * known, 0.0, 1.0), 0.5)
    ones = keras.random.binomial(keras.ops.shape(values), float(shots), probabilities, dtype, seed)
    # The values less themselves are zero, or NaN as they are, and have their gradient.
    found = (2.0 / shots) * ones - 1.0 + (values - known)
    # No product by Keras, which is in single precision on PyTorch.
    return found @ keras.ops.convert_to_tensor(mix, dtype) + keras.ops.convert_to_tensor(offset, dtype)


@functools.lru_cache(maxsize=64)
def _by_string(content: Content) -> tuple[ModelCircuit, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The circuit with each Pauli string as an operator of its own, and what makes its operators of them.

    Returns:
        The circuit; coefficients ``[strings, operators]``; and the constants ``[operators]``.
    """
    places: dict[Any, int] = {}
    entries: list[tuple[int, int, float]] = []
    offset = np.zeros(len(content.operators))
    for column, terms in enumerate(content.operators):
        for term in terms:
            if not term:
                offset[column] += term.coefficient.real
                continue
            place = places.setdefault(term.with_coefficient(1), len(places))
            entries.append((place, column, float(term.coefficient.real)))
    mix = np.zeros((len(places), len(offset)))
    for place, column, coefficient in entries:
        mix[place, column] += coefficient
    return ModelCircuit(content.circuit, content.data_symbols, content.weight_symbols, tuple(places)), mix, offset
