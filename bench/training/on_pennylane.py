"""PennyLane on default.qubit with JAX: one compiled program for all members, as a person would write it by hand."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench.on_pennylane import LIBRARIES as LIBRARIES
from bench.on_pennylane import circuit_node
from bench.training.task import Task

Weights = tuple[Any, Any, Any]
"""Of the circuit, and kernel and bias of the dense layer."""


def train(task: Task, contender: str) -> np.ndarray:
    """The mean loss of the last epoch of each member."""
    assert task.problem is not None
    node = circuit_node(task.problem, rewritten=contender == "pennylane-diagonal")
    circuit = jax.vmap(lambda data, theta: node(data, theta, None), in_axes=(0, None))

    def loss(weights: Weights, inputs: Any, labels: Any) -> Any:
        theta, kernel, bias = weights
        angles = math.pi / 2 * inputs.reshape(len(inputs), -1)
        logits = circuit(angles, theta) @ kernel + bias
        return -jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels].mean()

    inputs, labels = jnp.asarray(task.inputs), jnp.asarray(task.labels)

    def step(state: Any, rows: Any) -> Any:
        weights, first, second, count = state
        value, gradients = jax.value_and_grad(loss)(weights, inputs[rows], labels[rows])
        count = count + 1
        rate = task.rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
        return (weights, first, second, count), value

    def epoch(state: Any, order: Any) -> Any:
        state, losses = jax.lax.scan(step, state, order.reshape(-1, task.batch_size))
        return state, (losses.mean(), loss(state[0], task.validation_inputs, task.validation_labels))

    @jax.jit
    @jax.vmap
    def training(weights: Weights, orders: Any) -> Any:
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return jax.lax.scan(epoch, (weights, zeros, zeros, 0.0), orders)[1]

    losses, _ = training(task.weights, task.orders)
    return np.asarray(losses)[:, -1]
