"""Training on data: the run of specifications that are no experiment."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reproduce.sweep.run.assemble import as_seen, assemble, checked_dataset
from reproduce.sweep.run.beliefs import belief_metrics
from reproduce.sweep.run.options import disturbed, trained_on
from reproduce.sweep.run.tune import tune
from reproduce.sweep.runs import (
    BASELINES,
    DIVERGED,
    FINISHED,
    INTRACTABLE,
    PERSISTENCE,
    TEST_OPTIONS,
    RunResult,
    RunSpec,
    by_training,
)
from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.datasets import Card, Dataset
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.layers import IntractableFusionError
from tfq_fusion.training import Prepared, Protocol, evaluate, historical_average, persistence_forecast, prepare
from tfq_fusion.training.backup import DamagedBackupError
from tfq_fusion.training.fitted import Fitted
from tfq_fusion.training.many import Cohort

Train = Callable[
    [Prepared, Sequence[int], Sequence[float], Mapping[str, Part], Path | None],
    list[Fitted],
]
"""Trains models on data, each with a seed and a learning rate, and tests them on further parts."""


def train(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Train models on a data set, or forecast without one.

    Where Keras runs on JAX, one program trains all seeds; elsewhere each is trained by itself.

    Args:
        specs: What to run; they differ in nothing but their seeds and options.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Raises:
        ValueError: If the data are not those of the specifications.
    """
    dataset = checked_dataset(specs[0])
    if specs[0].fusion in BASELINES:
        return [_baseline(spec, dataset) for spec in specs]
    try:
        return _networks(specs, dataset, backup)
    except DamagedBackupError as error:
        assert backup is not None
        shutil.rmtree(backup)
        raise RuntimeError(
            f"The backups of this run are removed, and it begins anew, since one is damaged. {error}"
        ) from error


def _baseline(spec: RunSpec, dataset: Dataset) -> RunResult:
    """A forecast without a model."""
    card = dataset.card
    parts = {"validation": dataset.validation, "test": dataset.test}
    if spec.fusion == PERSISTENCE:
        forecasts = {part: persistence_forecast(inputs, card.horizon) for part, (inputs, _) in parts.items()}
    else:
        forecasts = historical_average(dataset)
    metrics = {
        part: evaluate(card.task, targets, forecasts[part], card.horizon) for part, (_, targets) in parts.items()
    }
    outcomes = _forecast_outcomes(dataset.test[1], forecasts["test"])
    return RunResult(
        spec, FINISHED, card.modality_count, fusion_params=0, total_params=0, metrics=metrics, outcomes=outcomes
    )


def _networks(specs: Sequence[RunSpec], dataset: Dataset, backup: Path | None) -> list[RunResult]:
    spec, modalities = specs[0], dataset.card.modality_count
    dataset = as_seen(spec, dataset)
    whole = prepare(dataset)
    keras.backend.clear_session()
    try:
        fusion, model = assemble(spec, dataset, whole)
    except IntractableFusionError as error:
        return [RunResult(each, INTRACTABLE, modalities, fusion_params=error.parameters) for each in specs]
    counts = {
        "modalities": modalities,
        "fusion_params": fusion.count_params() if fusion else 0,
        "total_params": model.count_params(),
    }

    def make_model(seed: int) -> keras.Model:
        return assemble(dataclasses.replace(spec, seed=seed), dataset, whole)[1]

    trained = trainer(make_model, spec.protocol)
    results: dict[RunSpec, RunResult] = {}
    for number, (options, alike) in enumerate(by_training(tuple(specs)).items()):
        data = prepare(trained_on(dataset, dict(options))) if options else whole
        folder = backup and backup / str(number)
        judges = hasattr(model, "unimodal")
        found = _trained_alike(alike, dataset.card, data, trained, folder, judges, counts)
        results |= {result.spec: result for result in found}
    return [results[each] for each in specs]


def trainer(make_model: Callable[[int], keras.Model], protocol: Protocol) -> Train:
    """What trains the models of seeds: one program where Keras runs on JAX, elsewhere each by itself.

    Under legacy Keras there are no backups.

    Args:
        make_model: Makes the model of a seed.
        protocol: The protocol.
    """
    cohort = Cohort(make_model, protocol) if keras.backend.backend() == "jax" else None

    def train(
        data: Prepared, seeds: Sequence[int], rates: Sequence[float], tests: Mapping[str, Part], folder: Path | None
    ) -> list[Fitted]:
        members = list(zip(seeds, rates, strict=True))
        folder = None if LEGACY else folder
        backups = [folder and folder / f"{seed}-{rate}" for seed, rate in members]
        if not cohort:
            from tfq_fusion.training.fit import fit

            return [
                fit(make_model, data, protocol, seed, rate, tests=tests, backup=each)
                for (seed, rate), each in zip(members, backups, strict=True)
            ]
        from tfq_fusion.training.vectorized import StructureError

        try:
            return cohort.fit(data, seeds, rates, tests=tests, backup=folder)
        except StructureError:
            # It is chance how many different strings the Pauli planes of a seed are made of.
            alone = {seed: Cohort(make_model, protocol) for seed in seeds}
            return [
                alone[seed].fit(data, [seed], [rate], tests=tests, backup=each)[0]
                for (seed, rate), each in zip(members, backups, strict=True)
            ]

    return train


def train_tuned(
    train: Train,
    data: Prepared,
    protocol: Protocol,
    seeds: Sequence[int],
    tests: Mapping[str, Part] | None = None,
    folder: Path | None = None,
) -> tuple[list[Fitted], dict[float, float]]:
    """Choose the learning rate, then train with it.

    Args:
        train: Trains.
        data: What is trained on.
        protocol: Says which learning rates there are.
        seeds: Those to train.
        tests: Further parts to test.
        folder: Of their backups.

    Returns:
        A result per seed, and what :func:`~reproduce.sweep.run.tune.tune` says of the rates.
    """
    tuning = folder and folder / "tuning"
    rate, losses = tune(lambda seeds, rates: train(data, seeds, rates, {}, tuning), protocol)
    return train(data, seeds, [rate] * len(seeds), tests or {}, folder and folder / "runs"), losses


def _trained_alike(
    specs: Sequence[RunSpec],
    card: Card,
    data: Prepared,
    trained: Train,
    folder: Path | None,
    judges: bool,
    counts: Mapping[str, Any],
) -> list[RunResult]:
    """The results of runs that are trained on the same data.

    Args:
        specs: The runs.
        card: Of the data set.
        data: What they are trained on.
        trained: Trains them.
        folder: Of their backups.
        judges: Whether the models tell what single modalities say.
        counts: The fields of a result that count modalities and parameters.
    """
    start = time.perf_counter()
    tests = {_test(each): disturbed(data, card, dict(each.options)) for each in specs}
    # A seed twice among runs of one test fills a program up, as it did when it was recorded.
    seeds = [each.seed for each in specs] if len(tests) == 1 else list(dict.fromkeys(each.seed for each in specs))
    found, losses = train_tuned(trained, data, specs[0].protocol, seeds, tests, folder)
    fitted = dict(zip(seeds, found, strict=True))
    results = [
        RunResult(
            each,
            DIVERGED if fitted[each.seed].diverged else FINISHED,
            **counts,
            **_scores(each, fitted[each.seed], data, judges),
            learning_rate=fitted[each.seed].learning_rate,
            tuning=losses,
            epochs=fitted[each.seed].epochs,
            history=fitted[each.seed].history,
            seconds_per_epoch=fitted[each.seed].seconds_per_epoch,
        )
        for each in specs
    ]
    seconds = round((time.perf_counter() - start) / len(specs), 3)
    return [dataclasses.replace(result, seconds=seconds) for result in results]


def _test(spec: RunSpec) -> str:
    """What the test part of a specification is called."""
    changes = [f"{name} {value}" for name, value in dict(spec.options).items() if name in TEST_OPTIONS]
    return ", ".join(changes) or "test"


def _scores(spec: RunSpec, fitted: Fitted, data: Prepared, judges: bool) -> dict[str, Any]:
    """The fields of a result that say what a trained model predicts, and what trained it.

    Models are made of their weights again where they are asked what single modalities say, and nowhere else.
    """
    program = fitted.program.seeds if fitted.program else ()
    if fitted.diverged:
        return {"program": program}
    test = fitted.metrics[_test(spec)]
    if judges:
        assert fitted.model is not None
        test = test | belief_metrics(fitted.model, data, spec.seed)
    metrics = {"validation": fitted.metrics["validation"], "test": test}
    return {"program": program, "metrics": metrics, "outcomes": _outcomes(data, fitted.predictions[_test(spec)])}


def _outcomes(data: Prepared, predicted: np.ndarray) -> np.ndarray:
    """What is kept of the predictions, see :class:`RunResult`."""
    if data.target_scaler is None:
        return predicted.astype(np.float32)
    return _forecast_outcomes(data.target_scaler.inverse_transform(data.test[1]), predicted)


def _forecast_outcomes(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    errors = np.abs(truth - predicted)
    observed = (~np.isnan(errors)).sum(axis=1)
    return np.stack([np.nansum(errors, axis=1) / np.maximum(observed, 1), observed], axis=1).astype(np.float32)
