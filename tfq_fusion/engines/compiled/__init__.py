"""The compiled engine: TensorFlow Quantum's numbers from a program of few large array operations.

A circuit is lowered once (:mod:`.lowering`), its structure is compiled once (:mod:`.run`), and its numbers are
arguments of the compiled functions. It runs on TensorFlow and on JAX, which also serves PyTorch, on CPU and on GPU.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tfq_fusion._keras import keras3 as keras
from tfq_fusion._keras import ops
from tfq_fusion.circuits import ModelCircuit
from tfq_fusion.circuits.model import Content
from tfq_fusion.engines.arrays import (
    SIZES,
    WIDE_SIZES,
    check_backend,
    constant,
    differentiable,
    handed_over,
    jit,
    known,
    pad_batch,
    padded_size,
    read,
    require_equal_batches,
)
from tfq_fusion.engines.compiled import run
from tfq_fusion.engines.compiled.gates import LoweringError
from tfq_fusion.engines.compiled.lowering import lower
from tfq_fusion.engines.compiled.program import Layout, Structure, WideStructure, unpack
from tfq_fusion.engines.memory import STATES, check_memory

__all__ = ["LoweringError", "expectation", "require_room"]


def expectation(spec: ModelCircuit, data: Any, weights: Any, states: Any = None) -> Any:
    """See :func:`tfq_fusion.engines.expectation`, which checks shapes; computes in the precision of ``weights``."""
    dtype = keras.backend.standardize_dtype(weights.dtype)
    program = _lowered(spec.content, dtype)
    if data.shape[0] is not None:
        program.require_room(data.shape[0])
    forward, backward = program.functions(same_start=states is None)
    numbers = program.numbers
    if states is not None:
        require_equal_batches(data, states)
    batch = ops.shape(data)[0]
    start = () if states is None else (handed_over(pad_batch(states, program.sizes)),)

    @differentiable
    def values(data: Any, weights: Any) -> tuple[Any, Callable[..., Any]]:
        data, weights = known(data), known(weights)
        found, *kept = forward(numbers, data, weights, *start)

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
            (upstream,) = arguments if upstream is None else (upstream,)
            gradients: tuple[Any, Any] = backward(numbers, data, weights, *kept, known(upstream))
            return gradients

        return found, gradient

    return values(pad_batch(read(data), program.sizes), read(weights))[:batch]


def require_room(spec: ModelCircuit, batch: int) -> None:
    """Raise a MemoryError unless a batch fits in single precision; :func:`expectation` asks if it knows the batch."""
    _lowered(spec.content, "float32").require_room(batch)


@dataclasses.dataclass(frozen=True, eq=False)
class _Lowered:
    """A lowered circuit in one precision, and what is asked once about it: each question costs part of a small run."""

    structure: Structure | WideStructure
    layout: Layout
    numbers: tuple[Any, Any]
    dtype: str
    _roomy: set[int] = dataclasses.field(default_factory=set)
    _functions: dict[bool, tuple[Callable[..., Any], Callable[..., Any]]] = dataclasses.field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, ...]:
        """What batches are padded to."""
        return WIDE_SIZES if isinstance(self.structure, WideStructure) else SIZES

    def require_room(self, batch: int) -> None:
        """Raise a MemoryError unless the states of a batch fit, asked once for each size."""
        size = padded_size(batch, self.sizes)
        if size not in self._roomy:
            states, per_amplitude = STATES, 2 * np.dtype(self.dtype).itemsize * size
            qubits = self.structure.qubits
            if isinstance(self.structure, Structure) and self.structure.mixed:
                states += self.structure.kept
                qubits //= 2
                per_amplitude *= 2**qubits
                per_amplitude //= 2 if self.structure.real else 1
            check_memory(qubits, states * per_amplitude, "compiled", batch)
            self._roomy.add(size)

    def functions(self, same_start: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """The compiled functions, which circuits of one structure share."""
        if same_start not in self._functions:
            self._functions[same_start] = _compiled(self.structure, self.layout, self.dtype, same_start)
        return self._functions[same_start]


@functools.lru_cache(maxsize=64)
def _lowered(content: Content, dtype: str) -> _Lowered:
    check_backend()
    program = lower(content.model_circuit())
    layout, floats, integers = program.packed()
    numbers = constant(floats.astype(dtype)), constant(integers.astype(np.int32))
    return _Lowered(program.structure, layout, numbers, dtype)


@functools.lru_cache(maxsize=256)
def _compiled(
    structure: Structure | WideStructure, layout: Layout, dtype: str, same_start: bool
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(numbers: Any, data: Any, weights: Any, states: Any = None) -> tuple[Any, ...]:
        return run.forward(structure, unpack(layout, *numbers), data, weights, states)

    def backward(
        numbers: Any, data: Any, weights: Any, states: Any, trigonometry: Any, poison: Any, upstream: Any
    ) -> tuple[Any, Any]:
        constants = unpack(layout, *numbers)
        return run.backward(structure, constants, data, weights, states, trigonometry, poison, upstream, same_start)

    sizes = {floats: sum(math.prod(shape) for _, each, shape in layout if each == floats) for floats in (True, False)}
    shapes = {name: shape for name, _, shape in layout}
    arguments: list[Any] = [
        (keras.KerasTensor((sizes[True],), dtype), keras.KerasTensor((sizes[False],), "int32")),
        keras.KerasTensor((None, shapes["exponent data"][1]), dtype),
        keras.KerasTensor((shapes["exponent weights"][1],), dtype),
    ]
    if not same_start:
        amplitudes = 2 ** (structure.qubits // (2 if structure.mixed else 1))
        arguments.append(
            keras.KerasTensor((None, amplitudes), {"float32": "complex64", "float64": "complex128"}[dtype])
        )
    return jit(forward, backward, arguments)
