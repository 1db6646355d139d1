"""The reference engine: TensorFlow Quantum, exact, with gradients by the adjoint method."""

from __future__ import annotations

import functools
from collections.abc import Callable

import cirq
import tensorflow as tf
import tensorflow_quantum

from tfq_fusion.circuits import ModelCircuit, is_channel
from tfq_fusion.circuits.model import Content
from tfq_fusion.engines.memory import TFQ_BYTES, check_memory


def expectation(spec: ModelCircuit, data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """See :func:`tfq_fusion.engines.expectation`, which checks shapes."""
    return _compile(spec)(data, weights)


def _compile(spec: ModelCircuit) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    return _serialised(spec.content)


@functools.lru_cache(maxsize=64)
def _serialised(content: Content) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    spec = content.model_circuit()
    if any(is_channel(operation) and not cirq.is_measurement(operation) for operation in spec.circuit.all_operations()):
        raise ValueError("engine 'tfq' knows no exact noise, only trajectories: use engine='compiled'.")
    check_memory(len(spec.circuit.all_qubits()), TFQ_BYTES, "tfq")
    # The first call may come from inside a traced function, whose tensors must not outlive it.
    with tf.init_scope():
        circuit = tensorflow_quantum.convert_to_tensor([spec.circuit])
        operators = tensorflow_quantum.convert_to_tensor([list(spec.operators)])
        names = tf.constant([symbol.name for symbol in (*spec.data_symbols, *spec.weight_symbols)], tf.string)
        # The operation itself: TensorFlow Quantum's layers compute as Keras' global policy says when they are made.
        values = tensorflow_quantum.differentiators.Adjoint().generate_differentiable_op(
            analytic_op=tensorflow_quantum.get_expectation_op()
        )

    def run(data: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        batch = tf.shape(data)[0]
        bound = tf.concat([data, tf.repeat(weights[tf.newaxis], batch, axis=0)], axis=1)
        return values(tf.repeat(circuit, batch), names, bound, tf.repeat(operators, batch, axis=0))

    return run
