"""The reference engine: TensorFlow Quantum, exact, with gradients by the adjoint method."""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf
import tensorflow_quantum

from tfq_fusion.circuits import ModelCircuit
from tfq_fusion.engines.memory import TFQ_BYTES, check_memory


def expectation(spec: ModelCircuit, data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """See :func:`tfq_fusion.engines.expectation`, which checks shapes."""
    return _compile(spec)(data, weights)


@functools.lru_cache(maxsize=64)
def _compile(spec: ModelCircuit) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    check_memory(len(spec.circuit.all_qubits()), TFQ_BYTES, "tfq")
    symbols = [symbol.name for symbol in (*spec.data_symbols, *spec.weight_symbols)]
    # The first call may come from inside a traced function, whose tensors must not outlive it.
    with tf.init_scope():
        # Left to the global policy, it would compute in a precision that its operations do not take.
        layer = tensorflow_quantum.layers.Expectation(
            differentiator=tensorflow_quantum.differentiators.Adjoint(), dtype="float32"
        )
        names = tf.constant(symbols, tf.string)
        circuit = tensorflow_quantum.convert_to_tensor([spec.circuit])
        operators = tensorflow_quantum.convert_to_tensor([list(spec.operators)])

    def run(data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(data)[0]
        shared = tf.repeat(weights[tf.newaxis], batch, axis=0)
        return layer(
            tf.repeat(circuit, batch),
            symbol_names=names,
            symbol_values=tf.concat([data, shared], axis=1),
            operators=tf.repeat(operators, batch, axis=0),
        )

    return run
