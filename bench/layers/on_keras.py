"""A model of Keras, trained by its own ``fit``."""

from __future__ import annotations

import time
from typing import Any

from bench.layers.task import Epochs, Task
from tfq_fusion._keras import keras


def train(task: Task, layer: keras.layers.Layer) -> Epochs:
    """Train the model around a layer; Keras compiles it as it does by default."""
    classes = task.weights[-1].shape[0]
    model = keras.Sequential(
        [
            keras.Input(task.inputs.shape[1:]),
            keras.layers.Dense(len(task.problem.data_symbols), "tanh"),
            layer,
            keras.layers.Dense(classes, "softmax"),
        ]
    )
    model.set_weights(task.weights)
    model.compile(keras.optimizers.Adam(task.rate), "sparse_categorical_crossentropy")
    return fit(model, task.inputs, task.labels, batch_size=task.batch_size, epochs=task.epochs)


def fit(model: keras.Model, inputs: Any, labels: Any, **settings: Any) -> Epochs:
    """Train a compiled model, of either Keras, on the samples in their order.

    Args:
        model: The model.
        inputs: What it takes.
        labels: What its loss takes.
        **settings: Arguments of ``fit``.
    """
    ends: list[float] = []
    timer = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    history = model.fit(inputs, labels, shuffle=False, callbacks=[timer], verbose=0, **settings)
    return Epochs(ends, history.history["loss"])
