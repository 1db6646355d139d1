"""What ways to begin, and to grow, buy in accuracy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from reproduce.experiments.gradients.trainability import initial_weights
from reproduce.experiments.inside import fusion_of, result, train
from reproduce.sweep.run.assemble import checked_dataset
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras, ops
from tfq_fusion.datasets import Dataset
from tfq_fusion.training import Prepared, prepare
from tfq_fusion.training.fitted import Fitted

LAYERWISE = "layerwise"


class _Resting(keras.constraints.Constraint):
    """Puts the first angles back to what they were, after every step."""

    def __init__(self, angles: np.ndarray) -> None:
        self.angles = angles

    def __call__(self, w: Any) -> Any:
        return ops.concatenate([self.angles, w[len(self.angles) :]])

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("_Resting is never saved. Take it off the weights once they are trained.")


def remedies(spec: RunSpec) -> RunResult:
    """Train a Quantum Fusion Layer from some initial angles, or layer by layer.

    "layerwise" is after Skolik et al., arXiv 2006.14904: U(theta_0) and U(theta_1) are trained with P = 1, from uniform
    angles; then S(x) and another U is added, with zero angles, and trained while the angles before it rest, and so on;
    at last all are trained together. Encoders and head are trained all the time. The protocol's epochs are shared out
    equally among these P + 1 stages.

    Args:
        spec: With the argument "initial": "layerwise", or one of
            :data:`reproduce.experiments.gradients.trainability.INITIALISATIONS`.

    Returns:
        The result, with the test metrics of the data set.
    """
    arguments = dict(spec.arguments)
    initial = str(arguments.pop("initial"))
    plain = dataclasses.replace(spec, arguments=arguments)
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    if initial == LAYERWISE:
        fitted = _layer_by_layer(plain, dataset, data)
    else:

        def adjust(model: keras.Model) -> None:
            fusion = fusion_of(model)
            qubits = len(fusion.circuit.spec.circuit.all_qubits())
            rng = np.random.default_rng(spec.seed)
            fusion.circuit.theta.assign(initial_weights(initial, qubits, fusion.blocks, fusion.degree, rng))

        fitted = train(plain, dataset, data, adjust)
    found = result(plain, dataset, data, fitted, fitted.metrics.get("test", {}))
    return dataclasses.replace(found, spec=spec)


def _layer_by_layer(spec: RunSpec, dataset: Dataset, data: Prepared) -> Fitted:
    assert spec.degree is not None
    protocol = dataclasses.replace(spec.protocol, epochs=max(1, spec.protocol.epochs // (spec.degree + 1)))
    fitted: Fitted | None = None
    for degree, rests in [*((degree, True) for degree in range(1, spec.degree + 1)), (spec.degree, False)]:
        trained = fitted and fitted.model

        def adjust(model: keras.Model, trained: keras.Model | None = trained, rests: bool = rests) -> None:
            if trained is None:
                return
            before, theta = np.asarray(fusion_of(trained).circuit.theta), fusion_of(model).circuit.theta
            model.set_weights(
                [
                    np.pad(old, [(0, new.shape[0] - old.shape[0])]) if new is theta else old
                    for new, old in zip(model.weights, trained.get_weights(), strict=True)
                ]
            )
            if rests:
                theta.constraint = _Resting(before)

        fitted = train(dataclasses.replace(spec, degree=degree, protocol=protocol), dataset, data, adjust)
        if fitted.model is None:
            break
    assert fitted is not None
    return fitted
