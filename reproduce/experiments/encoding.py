"""What the scale of the angles does to what the circuit keeps of its inputs, and to accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from reproduce.experiments.inside import called, encoder_of, fusion_of, result, train_seeds
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras, ops
from tfq_fusion.training import Prepared, prepare
from tfq_fusion.training.fitted import Fitted

EDGE = 0.99
"""Features beyond this are taken for saturated."""


def _saturated(values: Any) -> Any:
    """A hyperbolic tangent so steep that most features end near -1 or 1."""
    return ops.tanh(8.0 * values)


BOUNDS = {"tanh": keras.activations.tanh, "linear": keras.activations.linear, "saturated": _saturated}
"""How encoders end: as everywhere else; without a bound, so that angles may go round; or at the edge."""


def encoding(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Train with one scale and one way for the encoders to end, and look at what the outputs keep of the inputs.

    The reconstruction error is 1 - R^2, on the test part, of the best linear map from the fusion's outputs to its
    inputs, the encoded features, as ordinary least squares finds it on the training part; all features together, each
    weighted by its variance. 0: the features can be read off the outputs; 1: no better than their mean; overfitting can
    make it larger.

    Args:
        specs: What to run, seeds of one cell, with the option "inputs", one of :data:`BOUNDS`; the argument "scale" is
            the angle of a feature of 1.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Returns:
        The results, with the test metrics of the data set and "reconstruction_error", the same before training
        ("reconstruction_error_untrained"), and "saturation", the share of test features beyond :data:`EDGE`.
    """
    spec = specs[0]
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    bound = BOUNDS[dict(spec.options)["inputs"]]

    def make(seed: int) -> keras.Model:
        _, model = assemble(dataclasses.replace(spec, seed=seed), dataset, data)
        _end(model, bound)
        return model

    fitted, tuning = train_seeds(specs, data, make, backup)

    def metrics(seed: int, fitted: Fitted) -> dict[str, float]:
        if fitted.model is None:
            return {}
        error, saturation = kept(fitted.model, data)
        return {
            **fitted.metrics["test"],
            "reconstruction_error": error,
            "reconstruction_error_untrained": kept(make(seed), data)[0],
            "saturation": saturation,
        }

    return [
        result(each, dataset, data, found, metrics(each.seed, found), tuning)
        for each, found in zip(specs, fitted, strict=True)
    ]


def _end(model: keras.Model, bound: Callable[[Any], Any]) -> None:
    for layer in model.layers:
        if getattr(layer, "activation", None) is keras.activations.tanh:
            layer.activation = bound


def kept(model: keras.Model, data: Prepared) -> tuple[float, float]:
    """Reconstruction error and saturation of a model."""
    features = [called(encoder_of(model), inputs) for inputs, _ in (data.train, data.test)]
    train_inputs, test_inputs = (array.reshape(len(array), -1) for array in features)
    train_outputs, test_outputs = (called(fusion_of(model), array) for array in features)
    found = LinearRegression().fit(train_outputs, train_inputs).predict(test_outputs)
    error = 1 - r2_score(test_inputs, found, multioutput="variance_weighted")
    return float(error), float(np.mean(np.abs(test_inputs) > EDGE))
