"""TensorFlow Quantum: trajectories where there is noise, measurements where there are shots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_quantum as tfq

from bench.noise.contenders import TRAJECTORIES
from bench.noise.workloads import SHOTS
from bench.problem import Outcome, Problem

LIBRARIES = ("tensorflow", "tensorflow-quantum", "numpy")


def build_step(problem: Problem, task: str) -> Callable[[], Outcome]:
    """A function that does a workload's task once."""
    values = tfq.get_sampled_expectation_op() if task == "shots" else tfq.noise.expectation
    if task == "gradient":
        values = tfq.differentiators.ParameterShift().generate_differentiable_op(sampled_op=values)
    circuits = tf.repeat(tfq.convert_to_tensor([problem.circuit]), problem.batch)
    operators = tf.repeat(tfq.convert_to_tensor([list(problem.operators)]), problem.batch, axis=0)
    names = tf.constant([*problem.data_symbols, *problem.weight_symbols])
    repetitions = tf.fill(operators.shape, SHOTS if task == "shots" else TRAJECTORIES)
    angles = tf.concat([problem.data, tf.repeat(problem.weights[np.newaxis], problem.batch, axis=0)], axis=1)

    @tf.function
    def step(angles: tf.Tensor, upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if task != "gradient":
            return values(circuits, names, angles, operators, repetitions), tf.zeros([0, 0])
        with tf.GradientTape() as tape:
            tape.watch(angles)
            found = values(circuits, names, angles, operators, repetitions)
        return found, tape.gradient(found, angles, upstream)

    def run() -> Outcome:
        found, slopes = (tensor.numpy() for tensor in step(angles, problem.upstream))
        count = len(problem.data_symbols)
        return Outcome(found, slopes[:, :count], slopes[:, count:].sum(axis=0))

    return run
