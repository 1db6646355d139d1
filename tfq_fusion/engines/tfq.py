"""The reference engine: TensorFlow Quantum, exact, with gradients by the adjoint method."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cirq
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
