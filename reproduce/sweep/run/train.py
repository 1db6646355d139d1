"""Training on data: the run of specifications that are no experiment."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reproduce.sweep.run.assemble import as_seen, assemble, checked_dataset
from reproduce.sweep.run.beliefs import belief_metrics
from reproduce.sweep.run.tune import tune
from reproduce.sweep.runs import BASELINES, DIVERGED, FINISHED, INTRACTABLE, PERSISTENCE, RunResult, RunSpec
from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.datasets import Dataset
from tfq_fusion.layers import IntractableFusionError
from tfq_fusion.training import Prepared, evaluate, fit_many, historical_average, persistence_forecast, prepare
from tfq_fusion.training.backup import DamagedBackupError
from tfq_fusion.training.fitted import Fitted


def train(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Train models on a data set, or forecast without one.

    Where Keras runs on JAX, one program trains all seeds; elsewhere each is trained by itself.

    Args:
        specs: What to run; they differ in nothing but their seeds.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Raises:
        ValueError: If the data are not those of the specifications.
    """
    dataset = checked_dataset(specs[0])
    if specs[0].fusion in BASELINES:
        return [_baseline(spec, dataset) for spec in specs]
    try:
        return _networks(specs, dataset, None if LEGACY else backup)
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
    data = prepare(dataset)
    keras.backend.clear_session()
    try:
        fusion, model = assemble(spec, dataset, data)
    except IntractableFusionError as error:
        return [RunResult(each, INTRACTABLE, modalities, fusion_params=error.parameters) for each in specs]
    counts = {"fusion_params": fusion.count_params() if fusion else 0, "total_params": model.count_params()}

    def make_model(seed: int) -> keras.Model:
        return assemble(dataclasses.replace(spec, seed=seed), dataset, data)[1]

    def trained(seeds: Sequence[int], rates: Sequence[float], part: str) -> list[Fitted]:
        folder = backup and backup / part
        if keras.backend.backend() == "jax":
            return fit_many(make_model, data, spec.protocol, seeds, rates, backup=folder)
        from tfq_fusion.training.fit import fit

        return [
            fit(make_model, data, spec.protocol, seed, rate, folder and folder / f"{seed}-{rate}")
            for seed, rate in zip(seeds, rates, strict=True)
        ]

    rate, tuning = tune(lambda seeds, rates: trained(seeds, rates, "tuning"), spec.protocol)
    fitted = trained([each.seed for each in specs], [rate] * len(specs), "runs")
    return [
        RunResult(
            each,
            DIVERGED if one.diverged else FINISHED,
            modalities,
            **counts,
            metrics=_metrics(each, one, data),
            learning_rate=rate,
            tuning=tuning,
            epochs=one.epochs,
            history=one.history,
            seconds_per_epoch=one.seconds_per_epoch,
            program=one.program.seeds if one.program else (),
            outcomes=_outcomes(data, one.predictions["test"]) if one.predictions else None,
        )
        for each, one in zip(specs, fitted, strict=True)
    ]


def _metrics(spec: RunSpec, fitted: Fitted, data: Prepared) -> dict[str, dict[str, float]]:
    if fitted.model is None or not hasattr(fitted.model, "unimodal"):
        return fitted.metrics
    return {**fitted.metrics, "test": fitted.metrics["test"] | belief_metrics(fitted.model, data, spec.seed)}


def _outcomes(data: Prepared, predicted: np.ndarray) -> np.ndarray:
    """What is kept of the predictions, see :class:`RunResult`."""
    if data.target_scaler is None:
        return predicted.astype(np.float32)
    return _forecast_outcomes(data.target_scaler.inverse_transform(data.test[1]), predicted)


def _forecast_outcomes(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    errors = np.abs(truth - predicted)
    observed = (~np.isnan(errors)).sum(axis=1)
    return np.stack([np.nansum(errors, axis=1) / np.maximum(observed, 1), observed], axis=1).astype(np.float32)
