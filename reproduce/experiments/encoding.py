"""What the scale of the angles does to what the circuit keeps of its inputs, and to accuracy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from reproduce.experiments.inside import called, encoder_of, fusion_of, result, train
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras, ops
from tfq_fusion.training import Prepared, prepare

EDGE = 0.99
"""Features beyond this are taken for saturated."""


def _saturated(values: Any) -> Any:
    """A hyperbolic tangent so steep that most features end near -1 or 1."""
    return ops.tanh(8.0 * values)


BOUNDS = {"tanh": keras.activations.tanh, "linear": keras.activations.linear, "saturated": _saturated}
"""How encoders end: as everywhere else; without a bound, so that angles may go round; or at the edge."""


def encoding(spec: RunSpec) -> RunResult:
    """Train with one scale and one way for the encoders to end, and look at what the outputs keep of the inputs.

    The reconstruction error is 1 - R^2, on the test part, of the best linear map from the fusion's outputs to its
    inputs, the encoded features, as ordinary least squares finds it on the training part; all features together, each
    weighted by its variance. 0: the features can be read off the outputs; 1: no better than their mean; overfitting can
    make it larger.

    Args:
        spec: With the option "inputs", one of :data:`BOUNDS`; the argument "scale" is the angle of a feature of 1.

    Returns:
        The result, with the test metrics of the data set and "reconstruction_error", the same before training
        ("reconstruction_error_untrained"), and "saturation", the share of test features beyond :data:`EDGE`.
    """
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    adjust = functools.partial(_end, bound=BOUNDS[dict(spec.options)["inputs"]])
    fitted = train(spec, dataset, data, adjust)
    if fitted.model is None:
        return result(spec, dataset, data, fitted, {})
    _, untrained = assemble(spec, dataset, data)
    adjust(untrained)
    error, saturation = kept(fitted.model, data)
    metrics = {
        **fitted.metrics["test"],
        "reconstruction_error": error,
        "reconstruction_error_untrained": kept(untrained, data)[0],
        "saturation": saturation,
    }
    return result(spec, dataset, data, fitted, metrics)


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
