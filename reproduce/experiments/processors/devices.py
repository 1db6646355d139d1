"""Accuracy on Google's processors: their virtual machines, exact and with shots."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reproduce.experiments.inside import (
    accuracy,
    called,
    encoder_of,
    fusion_of,
    head_of,
    result,
    train_seeds,
)
from reproduce.experiments.processors.native import hardware_circuit, hardware_values
from reproduce.experiments.processors.processors import on_device
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training import prepare

NOISELESS = "noiseless"
"""A processor without noise."""


def device(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Accuracy of a model, trained without noise, on a processor's virtual machine; exact and with shots.

    The circuit is compiled for the processor once, and of every test sample the density matrix is computed with the
    noise of the median calibration. Readout errors are independent from qubit to qubit: they turn an observable into
    another one, see :func:`reproduce.experiments.processors.processors.read_out`. With N shots each expectation value e
    is the mean of N results that are 1 with probability (1 + e) / 2 and else -1, as if each string was measured on its
    own; the rotations before such a measurement have no noise here.

    Args:
        specs: What to run, seeds of one cell, with these options: "processor", also :data:`NOISELESS`; "shots",
            numbers of shots.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Returns:
        The results, with the test metrics "accuracy@exact" and for each number of shots N "accuracy@N"; and
        "contraction@exact", the least-squares factor from noiseless expectation values to those of the processor.
    """
    spec = specs[0]
    dataset = checked_dataset(spec)
    data = prepare(dataset)

    def make(seed: int) -> keras.Model:
        return assemble(dataclasses.replace(spec, seed=seed), dataset, data)[1]

    fitted, tuning = train_seeds(specs, data, make, backup)
    return [
        result(each, dataset, data, found, _metrics(found.model, data.test, each) if found.model else {}, tuning)
        for each, found in zip(specs, fitted, strict=True)
    ]


def _metrics(model: keras.Model, tested: Part, spec: RunSpec) -> dict[str, float]:
    options, (inputs, labels) = dict(spec.options), tested
    fusion = fusion_of(model)
    ideal = called(fusion, called(encoder_of(model), inputs))
    values = ideal
    if options["processor"] != NOISELESS:
        values = on_device(hardware_circuit(fusion), *hardware_values(model, inputs), options["processor"])
    rng = np.random.default_rng(spec.seed)
    seen = {"exact": values}
    for shots in options["shots"]:
        ones = rng.binomial(shots, np.clip((1 + values) / 2, 0, 1))
        seen[f"{shots}"] = 2 * ones / shots - 1
    metrics = {
        f"accuracy@{name}": accuracy(called(head_of(model), each.astype(np.float32)), labels)
        for name, each in seen.items()
    }
    metrics["contraction@exact"] = float(np.vdot(ideal, values) / np.vdot(ideal, ideal))
    return metrics
