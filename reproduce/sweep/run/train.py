"""Training on data: the run of a specification that is no experiment."""

from __future__ import annotations

import shutil
from pathlib import Path

from reproduce.sweep.run.assemble import as_seen, assemble, checked_dataset
from reproduce.sweep.run.beliefs import belief_metrics
from reproduce.sweep.runs import BASELINES, DIVERGED, FINISHED, INTRACTABLE, PERSISTENCE, RunResult, RunSpec
from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.datasets import Dataset
from tfq_fusion.layers import IntractableFusionError
from tfq_fusion.training import evaluate, historical_average, persistence_forecast, prepare
from tfq_fusion.training.backup import DamagedBackupError
from tfq_fusion.training.fit import fit


def train(spec: RunSpec, backup: Path | None = None) -> RunResult:
    """Train the model of a specification on its data set, or forecast without one.

    Args:
        spec: What to run.
        backup: A folder of this run alone, from which it continues if it was killed; None to do without.

    Raises:
        ValueError: If the data are not those of the specification.
    """
    dataset = checked_dataset(spec)
    return _baseline(spec, dataset) if spec.fusion in BASELINES else _network(spec, dataset, backup)


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
    return RunResult(spec, FINISHED, card.modality_count, fusion_params=0, total_params=0, metrics=metrics)


def _network(spec: RunSpec, dataset: Dataset, backup: Path | None) -> RunResult:
    modalities = dataset.card.modality_count
    dataset = as_seen(spec, dataset)
    data = prepare(dataset)
    keras.backend.clear_session()
    try:
        fusion, model = assemble(spec, dataset, data)
    except IntractableFusionError as error:
        return RunResult(spec, INTRACTABLE, modalities, fusion_params=error.parameters)
    if LEGACY:
        backup = None
    try:
        fitted = fit(lambda: assemble(spec, dataset, data)[1], data, spec.protocol, spec.seed, backup)
    except DamagedBackupError as error:
        assert backup is not None
        shutil.rmtree(backup)
        raise RuntimeError(
            f"The backups of this run are removed, and it begins anew, since one is damaged. {error}"
        ) from error
    if fitted.model is not None and hasattr(fitted.model, "unimodal"):
        fitted.metrics["test"] |= belief_metrics(fitted.model, data, spec.seed)
    return RunResult(
        spec,
        FINISHED if fitted.metrics else DIVERGED,
        modalities,
        fusion_params=fusion.count_params() if fusion else 0,
        total_params=model.count_params(),
        metrics=fitted.metrics,
        learning_rate=fitted.learning_rate,
        epochs=fitted.epochs,
        history=fitted.history,
        seconds_per_epoch=fitted.seconds_per_epoch,
    )
