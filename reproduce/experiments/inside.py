"""What experiments that look into a trained model share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reproduce.sweep.run.assemble import assemble
from reproduce.sweep.run.train import train_tuned, trainer
from reproduce.sweep.runs import DIVERGED, FINISHED, RunResult, RunSpec
from tfq_fusion._keras import keras
from tfq_fusion.datasets import Dataset
from tfq_fusion.training import Prepared
from tfq_fusion.training.fit import fit
from tfq_fusion.training.fitted import Fitted


def train(
    spec: RunSpec, dataset: Dataset, data: Prepared, adjust: Callable[[keras.Model], None] = lambda model: None
) -> Fitted:
    """Train the model of a specification by its protocol, with the first of its learning rates.

    Args:
        spec: The specification.
        dataset: Its data set.
        data: The same, prepared.
        adjust: What is done to a new model before it is trained.
    """

    def make(seed: int) -> keras.Model:
        _, model = assemble(spec, dataset, data)
        adjust(model)
        return model

    keras.backend.clear_session()
    return fit(make, data, spec.protocol, spec.seed, spec.protocol.learning_rates[0])


def train_seeds(
    specs: Sequence[RunSpec], data: Prepared, make_model: Callable[[int], keras.Model], backup: Path | None
) -> tuple[list[Fitted], dict[float, float]]:
    """Train a model per specification, in one program where Keras runs on JAX, at the learning rate that suits them.

    Args:
        specs: What to run; they differ in nothing but their seeds.
        data: What is trained on.
        make_model: Makes the model of a seed.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Returns:
        A result per specification, and learning rate -> loss of tuning, as of a :class:`RunResult`.
    """
    keras.backend.clear_session()
    protocol = specs[0].protocol
    seeds = [spec.seed for spec in specs]
    return train_tuned(trainer(make_model, protocol), data, protocol, seeds, folder=backup)


def fusion_of(model: keras.Model) -> keras.layers.Layer:
    """The one layer of a model that fuses: the third from the end, before the two of the head."""
    return model.layers[-3]


def encoder_of(model: keras.Model) -> keras.Model:
    """From the inputs to the encoded features, ``[batch, modalities, features]``."""
    return keras.Model(model.input, fusion_of(model).input)


def head_of(model: keras.Model) -> keras.Model:
    """From what the fusion gives to what the model predicts."""
    return keras.Model(fusion_of(model).output, model.output)


def called(model: keras.Model, inputs: Any) -> np.ndarray:
    """What a model gives for all samples at once."""
    return np.asarray(model(inputs, training=False))


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """The share of samples whose most likely class, of ``[n, classes]``, is the true one."""
    return float(np.mean(predicted.argmax(axis=1) == labels))


def result(
    spec: RunSpec,
    dataset: Dataset,
    data: Prepared,
    fitted: Fitted,
    metrics: dict[str, float],
    tuning: Mapping[float, float] | None = None,
) -> RunResult:
    """The result of an experiment on a trained model; without metrics if its loss became NaN."""
    model = fitted.model or assemble(spec, dataset, data)[1]
    return RunResult(
        spec,
        FINISHED if fitted.model else DIVERGED,
        dataset.card.modality_count,
        fusion_params=fusion_of(model).count_params(),
        total_params=model.count_params(),
        metrics={"test": metrics} if fitted.model else {},
        learning_rate=fitted.learning_rate,
        tuning=dict(tuning or {}),
        program=fitted.program.seeds if fitted.program else (),
        epochs=fitted.epochs,
        history=fitted.history,
    )
