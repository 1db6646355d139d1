"""TensorFlow Quantum and the compiled engine, inside ``tf.function`` as in a training step."""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf
import tensorflow_quantum as tfq

from bench.ours import model_circuit
from bench.problem import Outcome, Problem
from tfq_fusion.circuits import ModelCircuit
from tfq_fusion.engines import expectation

LIBRARIES = ("tensorflow", "tensorflow-quantum", "keras", "numpy")

Forward = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def build_step(problem: Problem, engine: str) -> Callable[[], Outcome]:
    """A function that runs one step with the engine "compiled" or "tfq"."""
    spec = model_circuit(problem)
    inputs = [tf.constant(array) for array in (problem.data, problem.weights, problem.upstream)]
    states = None if problem.states is None else tf.constant(problem.states)

    if engine == "tfq" and states is not None:
        forward: Forward = _from_circuits(spec, problem)
    else:
        forward = functools.partial(_forward, spec, engine, states)

    @tf.function
    def step(data: tf.Tensor, weights: tf.Tensor, upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            tape.watch((data, weights))
            values = forward(data, weights)
        zero = tf.UnconnectedGradients.ZERO
        return values, *tape.gradient(values, (data, weights), upstream, unconnected_gradients=zero)

    return lambda: Outcome(*(tensor.numpy() for tensor in step(*inputs)))


def _forward(
    spec: ModelCircuit, engine: str, states: tf.Tensor | None, data: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    return expectation(spec, data, weights, engine=engine, states=states)


def _from_circuits(spec: ModelCircuit, problem: Problem) -> Forward:
    layer = tfq.layers.ControlledPQC(spec.circuit, list(spec.operators), differentiator=tfq.differentiators.Adjoint())
    circuits = tfq.convert_to_tensor(list(problem.preparations))
    return lambda data, weights: layer([circuits, tf.repeat(weights[tf.newaxis], problem.batch, axis=0)])
