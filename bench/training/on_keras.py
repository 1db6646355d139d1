"""This library's layers, trained by ``fit_many`` and by a loop over Keras' own ``fit``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.training.task import Task
from tfq_fusion._keras import keras
from tfq_fusion.models import make_fusion
from tfq_fusion.training import Prepared, Protocol, fit_many

LIBRARIES = ("keras", "jax", "tensorflow")


def train(task: Task, contender: str) -> np.ndarray:
    """The mean loss of the last epoch of each member."""
    return _by_fit_many(task) if contender == "fit_many" else _one_by_one(task)


def _by_fit_many(task: Task) -> np.ndarray:
    validation = {"inputs": task.validation_inputs}, task.validation_labels
    classes = task.weights[-1].shape[1]
    train = {"inputs": task.inputs}, task.labels
    data = Prepared(train, validation, validation, "classification", classes, False, None)
    protocol = Protocol(batch_size=task.batch_size, epochs=task.epochs, patience=task.epochs)
    members = range(len(task.orders))
    fitted = fit_many(lambda member: _model(task, member), data, protocol, members, task.rate)
    return np.array([each.history["loss"][-1] for each in fitted])


def _one_by_one(task: Task) -> np.ndarray:
    return np.array([_fit(task, member) for member in range(len(task.orders))])


def _fit(task: Task, member: int) -> float:
    model = _model(task, member)
    model.compile(keras.optimizers.Adam(task.rate), "sparse_categorical_crossentropy")
    validation = {"inputs": task.validation_inputs}, task.validation_labels
    history = model.fit(
        _batches(task, member),
        epochs=task.epochs,
        steps_per_epoch=len(task.labels) // task.batch_size,
        validation_data=validation,
        verbose=0,
    )
    return float(history.history["loss"][-1])


def _batches(task: Task, member: int) -> Iterator[tuple[Any, np.ndarray]]:
    """The batches of a member, epoch after epoch."""
    for rows in task.orders[member].reshape(-1, task.batch_size):
        yield {"inputs": task.inputs[rows]}, task.labels[rows]


def _model(task: Task, member: int) -> keras.Model:
    _, modalities, features = task.inputs.shape
    *_, kernel, bias = task.weights
    inputs = keras.Input((modalities, features), name="inputs")
    widths = [features] * modalities
    fusion = make_fusion(task.fusion, widths, units=kernel.shape[1], degree=task.degree, seed=0)
    outputs = keras.layers.Dense(bias.shape[1], "softmax")(fusion(inputs))
    model = keras.Model(inputs, outputs)
    model.set_weights([array[member] for array in task.weights])
    return model
