"""One training run, from prepared data to the metrics of the best trial."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfq_fusion._keras import keras
from tfq_fusion.training.backup import Backup
from tfq_fusion.training.losses import MaskedMeanSquaredError
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
        history: "loss" and "val_loss" -> one value per epoch of the chosen trial, or of the last if every one diverged.
        seconds_per_epoch: The median over the epochs of that trial that this process trained, validation included; None
            if it trained none, for a backup held them all.
        model: The model of the chosen trial with the weights of its best epoch; None if every trial diverged.
    """

    metrics: dict[str, dict[str, float]]
    learning_rate: float | None
    epochs: int
    diverged_trials: int
    history: dict[str, list[float]]
    seconds_per_epoch: float | None = dataclasses.field(compare=False)
    model: keras.Model | None = dataclasses.field(compare=False)


def fit(
    make_model: Callable[[], keras.Model], data: Prepared, protocol: Protocol, seed: int, backup: Path | None = None
) -> Fitted:
    """Train a fresh model per learning rate, keep the one with the lowest validation loss, test that one once.

    Args:
        make_model: Makes the model with its initial weights.
        data: The prepared data set.
        protocol: The protocol.
        seed: Seeds the order of the samples.
        backup: A folder of this run alone, from which a killed training continues, under Keras 3; None to do without.

    Returns:
        The chosen trial and its metrics.

    Raises:
        DamagedBackupError: If a backup to continue from is damaged.
    """
    best: tuple[float, float, keras.Model, dict[str, list[float]], float | None] | None = None
    diverged = 0
    history: dict[str, list[float]] = {}
    seconds: float | None = None
    for trial, learning_rate in enumerate(protocol.learning_rates):
        model = make_model()
        history, seconds = _train(model, data, protocol, learning_rate, seed, backup and backup / f"trial-{trial}")
        if not all(map(math.isfinite, (*history["loss"], *history["val_loss"]))):
            diverged += 1
        elif best is None or min(history["val_loss"]) < best[0]:
            best = min(history["val_loss"]), learning_rate, model, history, seconds
    if best is None:
        return Fitted({}, None, 0, diverged, history, seconds, None)
    _, learning_rate, model, history, seconds = best
    metrics = _evaluate(model, data, protocol)
    return Fitted(metrics, learning_rate, len(history["loss"]), diverged, history, seconds, model)


def loss_of(data: Prepared) -> keras.losses.Loss:
    """Squared error for forecasts; for classes cross-entropy, focal where the classes are imbalanced.

    All class losses take one column of labels per class.
    """
    if data.task == "forecasting":
        return MaskedMeanSquaredError()
    if data.task == "multilabel":
        return keras.losses.BinaryCrossentropy()
    if data.imbalanced:
        return keras.losses.CategoricalFocalCrossentropy()
    return keras.losses.CategoricalCrossentropy()


def shuffled_batches(data: Prepared, protocol: Protocol, seed: int) -> tf.data.Dataset:
    """The training part again and again without end, in another order in each epoch."""
    samples = tf.nest.map_structure(tf.constant, _samples(data, data.train))
    rows = tf.data.Dataset.range(len(data.train[1])).shuffle(len(data.train[1]), seed=seed).batch(protocol.batch_size)
    # Row numbers are shuffled, not samples: cutting every modality into samples would cost more than training.
    return rows.map(lambda batch: tf.nest.map_structure(lambda array: tf.gather(array, batch), samples)).repeat()


def _train(
    model: keras.Model, data: Prepared, protocol: Protocol, learning_rate: float, seed: int, folder: Path | None
) -> tuple[dict[str, list[float]], float | None]:
    """The losses of every epoch, and the median of the seconds of those that this process trained."""
    steps = math.ceil(len(data.train[1]) / protocol.batch_size)
    optimizer = keras.optimizers.Adam(learning_rate)
    # One call runs an epoch: calls from Python would take longer than most batches. A loss that becomes NaN stops the
    # training when its epoch ends; the mean that Keras looks at stays NaN until then.
    model.compile(optimizer=optimizer, loss=loss_of(data), jit_compile=False, steps_per_execution=steps)
    # Variables that appear while TensorFlow traces a step would have it traced again.
    optimizer.build(model.trainable_variables)
    # There is nothing to tune in these pipelines, and the threads that try can keep the end of training waiting.
    options = tf.data.Options()
    options.autotune.enabled = False
    samples = shuffled_batches(data, protocol, seed)
    early_stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=protocol.patience, restore_best_weights=True
    )
    timer = _EpochTimer()
    callbacks = [timer, keras.callbacks.TerminateOnNaN(), early_stopping]
    backup = None if folder is None else Backup(folder, early_stopping)
    if backup is not None:
        callbacks.append(backup)
        samples = samples.skip(backup.epoch * steps)
    history = model.fit(
        samples.with_options(options),
        steps_per_epoch=steps,
        validation_data=_batches(data, data.validation, protocol).with_options(options),
        epochs=protocol.epochs,
        callbacks=callbacks,
        verbose=0,
    )
    losses = history.history if backup is None else backup.history
    return losses, statistics.median(timer.seconds) if timer.seconds else None


class _EpochTimer(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.begin = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.seconds.append(time.perf_counter() - self.begin)


def _evaluate(model: keras.Model, data: Prepared, protocol: Protocol) -> dict[str, dict[str, float]]:
    parts = {"validation": data.validation, "test": data.test}
    batches = {name: _batches(data, part, protocol) for name, part in parts.items()}
    # Keras' own `predict` traces the model anew for the last batch, which is smaller.
    inputs, _ = batches["test"].element_spec
    predict = tf.function(lambda inputs: model(inputs, training=False), input_signature=[inputs])
    metrics = {}
    for name, (_, truth) in parts.items():
        predicted = np.concatenate([predict(inputs) for inputs, _ in batches[name]])
        if data.target_scaler is not None:
            truth = data.target_scaler.inverse_transform(truth)
            predicted = data.target_scaler.inverse_transform(predicted)
        metrics[name] = evaluate(data.task, truth, predicted, data.horizon)
    return metrics


def _batches(data: Prepared, part: Part, protocol: Protocol) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(_samples(data, part)).batch(protocol.batch_size).cache()


def _samples(data: Prepared, part: Part) -> Part:
    """Inputs and labels, one-hot for classes."""
    inputs, labels = part
    return inputs, np.eye(data.outputs, dtype=np.float32)[labels] if data.task == "classification" else labels
