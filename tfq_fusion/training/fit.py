"""One training run of Keras' own ``fit`` on TensorFlow, from prepared data to metrics."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfq_fusion._keras import keras
from tfq_fusion._typing import FloatArray
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training.backup import Backup
from tfq_fusion.training.batches import labelled, order_of
from tfq_fusion.training.fitted import Fitted, evaluate_parts, parts_to_evaluate
from tfq_fusion.training.losses import loss_of
from tfq_fusion.training.preprocessing import Prepared
from tfq_fusion.training.protocol import Protocol

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["fit"]


def fit(
    make_model: Callable[[int], keras.Model],
    data: Prepared,
    protocol: Protocol,
    seed: int,
    learning_rate: float,
    *,
    tests: Mapping[str, Part] | None = None,
    backup: Path | None = None,
) -> Fitted:
    """Train a fresh model, and test it once with the weights of the epoch that had the lowest validation loss.

    The batches are those of :func:`tfq_fusion.training.fit_many`, which trains several models in one program.

    Args:
        make_model: Makes the model of a seed, with its initial weights.
        data: The prepared data set.
        protocol: The protocol.
        seed: Seeds the order of the samples.
        learning_rate: That of Adam.
        tests: Further parts that are tested, by name.
        backup: A folder of this run alone, from which a killed training continues, under Keras 3; None to do without.

    Raises:
        DamagedBackupError: If a backup to continue from is damaged.
    """
    model = make_model(seed)
    history, seconds = _train(model, data, protocol, learning_rate, seed, backup)
    epochs = len(history["loss"])
    if not all(map(math.isfinite, (*history["loss"], *history["val_loss"]))):
        return Fitted({}, learning_rate, epochs, True, history, None, seconds, {}, None)
    parts = parts_to_evaluate(data, tests)
    metrics, predictions = evaluate_parts(data, parts, _predict(model, data, parts, protocol))
    return Fitted(metrics, learning_rate, epochs, False, history, None, seconds, predictions, lambda: model)


def shuffled_batches(data: Prepared, protocol: Protocol, seed: int, first_epoch: int = 0) -> tf.data.Dataset:
    """The batches of the training part, epoch after epoch, each in :func:`order_of` its own."""
    import tensorflow as tf

    samples = tf.nest.map_structure(tf.constant, labelled(data, data.train))
    count = len(data.train[1])
    epochs = range(first_epoch, protocol.epochs)
    orders = np.array([order_of(seed, epoch, count) for epoch in epochs], dtype=np.int64)
    rows = tf.data.Dataset.from_tensor_slices(orders.reshape(-1, count)).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(protocol.batch_size)
    )
    # Row numbers are shuffled, not samples: cutting every modality into samples would cost more than training.
    return rows.map(lambda batch: tf.nest.map_structure(lambda array: tf.gather(array, batch), samples))


def _train(
    model: keras.Model, data: Prepared, protocol: Protocol, learning_rate: float, seed: int, folder: Path | None
) -> tuple[dict[str, list[float]], float | None]:
    """The losses of every epoch, and the median of the seconds of those that this process trained."""
    import tensorflow as tf

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
    early_stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=protocol.patience, restore_best_weights=True
    )
    timer = _EpochTimer()
    callbacks = [timer, keras.callbacks.TerminateOnNaN(), early_stopping]
    backup = None if folder is None else Backup(folder, early_stopping)
    if backup is not None:
        callbacks.append(backup)
    samples = shuffled_batches(data, protocol, seed, backup.epoch if backup else 0)
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


def _predict(
    model: keras.Model, data: Prepared, parts: Mapping[str, Part], protocol: Protocol
) -> dict[str, FloatArray]:
    import tensorflow as tf

    batches = {name: _batches(data, part, protocol) for name, part in parts.items()}
    # Keras' own `predict` traces the model anew for the last batch, which is smaller.
    inputs, _ = batches["test"].element_spec
    predict = tf.function(lambda inputs: model(inputs, training=False), input_signature=[inputs])
    return {name: np.concatenate([predict(inputs) for inputs, _ in of_part]) for name, of_part in batches.items()}


def _batches(data: Prepared, part: Part, protocol: Protocol) -> tf.data.Dataset:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(labelled(data, part)).batch(protocol.batch_size).cache()
