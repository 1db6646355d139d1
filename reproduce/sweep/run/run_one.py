"""One run, from its specification to its result."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from reproduce.sweep.run.assemble import as_seen, assemble, checked_dataset
from reproduce.sweep.run.beliefs import belief_metrics
from reproduce.sweep.run.provenance import commit, machine, peak_memory_mb, versions
from reproduce.sweep.runs import (
    BASELINES,
    DIVERGED,
    FINISHED,
    INTRACTABLE,
    PERSISTENCE,
    TRAINING,
    RunResult,
    RunSpec,
)
from tfq_fusion.datasets import Dataset
from tfq_fusion.training import evaluate, historical_average, persistence_forecast, prepare

QUANTUM = ("qfl", "qmfnn")
"""Fusions that an engine runs."""


@dataclasses.dataclass(frozen=True)
class Computation:
    """How something is computed, so that a specification says what happens.

    Attributes:
        precision: Floating-point type of the computation; where weights are counted alone, of the weights.
        quantum_precision: The same where the fusion is one of :data:`QUANTUM`.
        engine: What runs such a fusion; None if nothing does, "chosen" for the one that was asked for.
    """

    precision: str = "float32"
    quantum_precision: str = "float32"
    engine: str | None = "chosen"

    def stated(self, fusion: str, engine: str) -> dict[str, Any]:
        """The fields "engine" and "precision" of a specification.

        Args:
            fusion: Its fusion.
            engine: What was asked for.

        Raises:
            ValueError: If that engine does not have the precision.
        """
        if fusion not in QUANTUM:
            return {"engine": None, "precision": self.precision}
        runs = engine if self.engine == "chosen" else self.engine
        if runs == "tfq" and self.quantum_precision != "float32":
            raise ValueError(
                f"TensorFlow Quantum computes in float32, and this needs {self.quantum_precision}: leave --engine out, "
                "or choose with --datasets."
            )
        return {"engine": runs, "precision": self.quantum_precision}


_DOUBLE = Computation("float64", "float64")
_COUNTED = Computation(engine=None)
COMPUTATIONS = {
    "synthetic": Computation("float64"),
    "growth": _COUNTED,
    "discrimination": _DOUBLE,
    "parameters": _COUNTED,
    "polynomial": _DOUBLE,
    "spectrum": Computation("float64", "float64", engine="compiled"),
    "feature-map-rank": Computation("float64", "float64", engine="compiled"),
    "device-circuit": Computation("float64", "float64", engine=None),
}
"""Experiments that are not computed as models are trained, which is ``Computation()``."""


def computation(experiment: str) -> Computation:
    """How the runs of an experiment are computed."""
    return COMPUTATIONS.get(experiment, Computation())


EXPERIMENTS = {
    "synthetic": "reproduce.experiments.gradients.initialisation:gradient_at_initialisation",
    "growth": "reproduce.experiments.parameters.growth:fusion_growth",
    "discrimination": "reproduce.experiments.expressivity.discrimination:discriminate",
    "parameters": "reproduce.experiments.parameters.parameter_counts:count_parameters",
    "polynomial": "reproduce.experiments.expressivity.polynomials:fit_polynomial",
    "spectrum": "reproduce.experiments.expressivity.spectrum:spectrum",
    "feature-map-rank": "reproduce.experiments.expressivity.feature_map_rank:feature_map_rank",
    "encoding": "reproduce.experiments.encoding:encoding",
    "gradient-variance": "reproduce.experiments.gradients.trainability:gradient_variance",
    "remedies": "reproduce.experiments.gradients.remedies:remedies",
    "noise": "reproduce.experiments.processors.noise:noise",
    "device-circuit": "reproduce.experiments.processors.processors:device_circuit",
    "device": "reproduce.experiments.processors.devices:device",
}
"""In place of training: what trains nothing on data, makes its data itself, or looks into a model that it trained.
Each a function from a specification to its result, as ``module:name``, because most import TensorFlow."""


def run(spec: RunSpec, backup: Path | None = None) -> RunResult:
    """Run one specification; a loss that becomes NaN or a fusion that cannot be built is a result, not an error.

    Args:
        spec: What to run.
        backup: A folder of this run alone, from which it continues if it was killed; None to do without.

    Raises:
        ValueError: If the experiment is unknown, precision or engine are not what would be computed, or the data are
            not those of the specification.
    """
    if spec.fusion not in BASELINES:
        import tfq_fusion.training.fit  # noqa: F401 (seconds of the process, not of its first run)
    _check_stated(spec)
    experiment = None if spec.experiment == TRAINING else _experiment(spec.experiment)
    start = time.perf_counter()
    result = experiment(spec) if experiment else _on_data(spec, backup)
    return dataclasses.replace(
        result,
        seconds=round(time.perf_counter() - start, 3),
        peak_memory_mb=peak_memory_mb(),
        versions=versions(),
        commit=commit(),
        machine=machine(),
    )


def _check_stated(spec: RunSpec) -> None:
    stated = computation(spec.experiment).stated(spec.fusion, spec.engine or "compiled")
    if spec.precision != stated["precision"]:
        raise ValueError(
            f"Precision {spec.precision!r} of {spec}: expected {stated['precision']}, the only one that is computed."
        )
    if spec.engine is not None and spec.engine != stated["engine"]:
        raise ValueError(f"Engine {spec.engine!r} of {spec}: expected {stated['engine']}, which is what runs it.")


def _experiment(name: str) -> Callable[[RunSpec], RunResult]:
    if name not in EXPERIMENTS:
        raise ValueError(f"Unknown experiment {name!r}: expected {TRAINING} or one of {', '.join(EXPERIMENTS)}.")
    module, _, function = EXPERIMENTS[name].partition(":")
    return cast(Callable[[RunSpec], RunResult], getattr(importlib.import_module(module), function))


def _on_data(spec: RunSpec, backup: Path | None) -> RunResult:
    dataset = checked_dataset(spec)
    return _baseline(spec, dataset) if spec.fusion in BASELINES else _train(spec, dataset, backup)


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


def _train(spec: RunSpec, dataset: Dataset, backup: Path | None) -> RunResult:
    # TensorFlow takes seconds to import: nothing above needs it.
    from tfq_fusion._keras import LEGACY, keras
    from tfq_fusion.layers import IntractableFusionError
    from tfq_fusion.training.backup import DamagedBackupError
    from tfq_fusion.training.fit import fit

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
