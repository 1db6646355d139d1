"""One training run, from prepared data to the metrics of the best trial."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfq_fusion._keras import keras
from tfq_fusion.training.metrics import evaluate
from tfq_fusion.training.preprocessing import Part, Prepared
from tfq_fusion.training.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What came out of a training run.

    Attributes:
        metrics: Part ("validation", "test") -> metric -> value; empty if every trial diverged.
        learning_rate: The one that validation chose; None if every trial diverged.
        epochs: Epochs of the chosen trial.
        diverged_trials: Trials whose loss became NaN or infinite.
    """

    metrics: dict[str, dict[str, float]]
    learning_rate: float | None
    epochs: int
    diverged_trials: int


def fit(make_model: Callable[[], keras.Model], data: Prepared, protocol: Protocol, seed: int) -> Fitted:
    """Train a fresh model per learning rate, keep the one with the lowest validation loss, test that one once.

    Args:
        make_model: Makes the model with its initial weights.
        data: The prepared data set.
        protocol: The protocol.
        seed: Seeds the order of the samples.

    Returns:
        The metrics of the chosen trial.
    """
    best: tuple[float, float, keras.Model, int] | None = None
    diverged = 0
    for learning_rate in protocol.learning_rates:
        model = make_model()
        history = _train(model, data, protocol, learning_rate, seed)
        if not all(map(math.isfinite, (*history["loss"], *history["val_loss"]))):
            diverged += 1
        elif best is None or min(history["val_loss"]) < best[0]:
            best = min(history["val_loss"]), learning_rate, model, len(history["loss"])
    if best is None:
        return Fitted({}, None, 0, diverged)
    _, learning_rate, model, epochs = best
    parts = {"validation": data.validation, "test": data.test}
    metrics = {name: _evaluate(model, data, part, protocol) for name, part in parts.items()}
    return Fitted(metrics, learning_rate, epochs, diverged)


def loss_of(data: Prepared) -> keras.losses.Loss:
    """Squared error for forecasts; for classes cross-entropy, focal where the classes are imbalanced.

    Both class losses take one-hot labels.
    """
    if data.task == "forecasting":
        return keras.losses.MeanSquaredError()
    if data.imbalanced:
        return keras.losses.CategoricalFocalCrossentropy()
    return keras.losses.CategoricalCrossentropy()


def _train(
    model: keras.Model, data: Prepared, protocol: Protocol, learning_rate: float, seed: int
) -> dict[str, list[float]]:
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss_of(data), jit_compile=False)
    history = model.fit(
        _samples(data, data.train).shuffle(len(data.train[1]), seed=seed).batch(protocol.batch_size),
        validation_data=_samples(data, data.validation).batch(protocol.batch_size),
        epochs=protocol.epochs,
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=protocol.patience, restore_best_weights=True),
        ],
        verbose=0,
    )
    return history.history


def _samples(data: Prepared, part: Part) -> tf.data.Dataset:
    inputs, labels = part
    if data.task == "classification":
        labels = np.eye(data.outputs, dtype=np.float32)[labels]
    return tf.data.Dataset.from_tensor_slices((inputs, labels))


def _evaluate(model: keras.Model, data: Prepared, part: Part, protocol: Protocol) -> dict[str, float]:
    inputs, truth = part
    predicted = model.predict(inputs, batch_size=protocol.batch_size, verbose=0)
    if data.target_scaler is not None:
        truth = data.target_scaler.inverse_transform(truth)
        predicted = data.target_scaler.inverse_transform(predicted)
    return evaluate(data.task, truth, predicted)
