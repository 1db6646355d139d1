"""The reference engine: TensorFlow Quantum, exact, with gradients by the adjoint method."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cirq
import tensorflow as tf
import tensorflow_quantum

from tfq_fusion.circuits import ModelCircuit


def expectation(spec: ModelCircuit, data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """See :func:`tfq_fusion.engines.expectation`."""
    data = _as_floats(data, "data", (None, len(spec.data_symbols)))
    weights = _as_floats(weights, "weights", (len(spec.weight_symbols),))
    return _compile(spec)(data, weights)


def _as_floats(values: tf.Tensor, name: str, expected: tuple[int | None, ...]) -> tf.Tensor:
    tensor = tf.cast(tf.convert_to_tensor(values), tf.float32)
    if not tensor.shape.is_compatible_with(expected):
        raise ValueError(
            f"{name} should have shape {list(expected)}, one column per symbol of the circuit, "
            f"got {tensor.shape.as_list()}."
        )
    # Values exist in eager execution only; inside a function a check would slow down every training step.
    if tf.executing_eagerly() and not bool(tf.reduce_all(tf.math.is_finite(tensor))):
        raise ValueError(f"{name} should be finite, got NaN or infinite values. Impute or drop those samples first.")
    return tensor


@functools.lru_cache(maxsize=64)
def _compile(spec: ModelCircuit) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    # The first call may come from inside a traced function, whose tensors must not outlive it.
    with tf.init_scope():
        layer = tensorflow_quantum.layers.ControlledPQC(
            spec.circuit, list(spec.operators), differentiator=tensorflow_quantum.differentiators.Adjoint()
        )
        no_circuit = tensorflow_quantum.convert_to_tensor([cirq.Circuit()])
    # ControlledPQC sorts symbols by name and leaves out those that no gate uses.
    columns = {symbol: column for column, symbol in enumerate((*spec.data_symbols, *spec.weight_symbols))}
    order = [columns[symbol] for symbol in layer.symbols]

    def run(data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(data)[0]
        shared = tf.repeat(weights[tf.newaxis], batch, axis=0)
        controls = tf.gather(tf.concat([data, shared], axis=1), order, axis=1)
        return layer([tf.repeat(no_circuit, batch), controls])

    return run
