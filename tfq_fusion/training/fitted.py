"""What comes out of a training, however it was done."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

from tfq_fusion._keras import keras
from tfq_fusion._typing import FloatArray
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training.metrics import evaluate
from tfq_fusion.training.preprocessing import Prepared


@dataclasses.dataclass(frozen=True)
class Program:
    """The program that trained several models at once: with it their numbers repeat to the last bit.

    Example:
        >>> from tfq_fusion.training import Program
        >>> Program(seeds=(0, 1, 2), memory_mb=1.5) == Program(seeds=(0, 1, 2), memory_mb=2.5)
        True

    Attributes:
        seeds: The seed of each member; those that only fill the program up come last, and once more.
        memory_mb: What it holds at most of the data, the weights and what it computes from them, in MB (10^6 bytes).
    """

    seeds: tuple[int, ...]
    memory_mb: float = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A trained model.

    Example:
        >>> from tfq_fusion.datasets import load
        >>> from tfq_fusion.models import fusion_model, make_fusion
        >>> from tfq_fusion.training import Protocol, prepare
        >>> from tfq_fusion.training.fit import fit
        >>> dataset = load("mfeat", views=["fou", "zer"])
        >>> def make_model(seed):
        ...     return fusion_model(dataset.card.modalities, make_fusion("concat", [4, 4]), 10, dataset.task, seed=seed)
        >>> fitted = fit(make_model, prepare(dataset), Protocol(epochs=2), seed=0, learning_rate=5e-3)
        >>> fitted.epochs, fitted.diverged, list(fitted.metrics["test"])
        (2, False, ['accuracy', 'roc_auc'])

    Attributes:
        metrics: Part ("validation", "test", and further ones that were tested) -> metric -> value; empty if it
            diverged.
        learning_rate: The one that it was trained with.
        epochs: Epochs that were trained.
        diverged: Whether a loss became NaN or infinite.
        history: "loss" and "val_loss" -> one value per epoch.
        program: The program that trained it beside others; None if it was trained alone.
        seconds_per_epoch: The median over the epochs that this process trained, validation included; of a program, its
            members' equal share. None if it trained none, for a backup held them all.
        predictions: Part -> what the model says of its samples, ``[n, outputs]``: probabilities, or forecasts in the
            units of the targets; empty if it diverged.
        make_model: Makes the model with the weights of its best epoch; None if it diverged.
    """

    metrics: dict[str, dict[str, float]]
    learning_rate: float
    epochs: int
    diverged: bool
    history: dict[str, list[float]]
    program: Program | None
    seconds_per_epoch: float | None = dataclasses.field(compare=False)
    predictions: dict[str, FloatArray] = dataclasses.field(compare=False)
    make_model: Callable[[], keras.Model] | None = dataclasses.field(compare=False)

    @functools.cached_property
    def model(self) -> keras.Model | None:
        """The model with the weights of its best epoch, made when it is first asked for; None if it diverged."""
        return self.make_model() if self.make_model else None


def parts_to_evaluate(data: Prepared, tests: Mapping[str, Part] | None) -> dict[str, Part]:
    """What a trained model is evaluated on, by name."""
    return {"validation": data.validation, "test": data.test, **(tests or {})}


def evaluate_parts(
    data: Prepared, parts: Mapping[str, Part], outputs: Mapping[str, FloatArray]
) -> tuple[dict[str, dict[str, float]], dict[str, FloatArray]]:
    """The metrics and the predictions of a model, each by part.

    Args:
        data: The data.
        parts: What was evaluated, by name.
        outputs: What the model gave, likewise, ``[n, outputs]``.
    """
    metrics, predictions = {}, {}
    for name, predicted in outputs.items():
        _, truth = parts[name]
        if data.target_scaler is not None:
            truth = data.target_scaler.inverse_transform(truth)
            predicted = data.target_scaler.inverse_transform(predicted)
        metrics[name] = evaluate(data.task, truth, predicted, data.horizon)
        predictions[name] = predicted
    return metrics, predictions
