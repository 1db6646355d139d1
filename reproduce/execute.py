"""Run specifications, one after the other, in this process."""

from __future__ import annotations

import dataclasses
import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reproduce.provenance import commit, machine, peak_memory_mb, versions
from reproduce.runs import DIVERGED, FINISHED, INTRACTABLE, PERSISTENCE, RunResult, RunSpec
from reproduce.store import Store
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.training import evaluate, persistence_forecast, prepare

if TYPE_CHECKING:
    from tfq_fusion._keras import keras


TRIALS_PER_PROCESS = 15
"""TensorFlow 2.18 never frees all of a trained Keras model, up to 40 MB each: fresh processes keep memory bounded."""


def run_all(specs: Sequence[RunSpec], store: Store, report: Callable[[RunResult], None]) -> list[RunResult]:
    """Run what the store does not hold yet, storing each result before the next one is awaited.

    Args:
        specs: What to run.
        store: Where results are kept.
        report: Called with each new result.

    Returns:
        One result per specification, in order.
    """
    missing = [spec for spec in specs if store.get(spec.id) is None]
    trials = max((len(spec.protocol.learning_rates) for spec in missing), default=1)
    runs = max(1, TRIALS_PER_PROCESS // trials)
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, initializer=_start_process, maxtasksperchild=runs) as pool:
        for result in pool.imap(run, missing):
            store.add(result)
            report(result)
    return [store[spec.id] for spec in specs]


def _start_process() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The garbage collection between runs would spend a fifth of a short run on the objects of imported libraries.
    import tfq_fusion.training.fit  # noqa: F401

    gc.freeze()


def run(spec: RunSpec) -> RunResult:
    """Run one specification; a loss that becomes NaN or a fusion that cannot be built is a result, not an error."""
    if spec.precision != "float32":
        raise ValueError(f"Precision {spec.precision!r} of {spec}: expected float32, the only one that is computed.")
    dataset = load(spec.dataset)
    start = time.perf_counter()
    result = _persistence(spec, dataset) if spec.fusion == PERSISTENCE else _train(spec, dataset)
    return dataclasses.replace(
        result,
        seconds=round(time.perf_counter() - start, 3),
        peak_memory_mb=peak_memory_mb(),
        versions=versions(),
        commit=commit(),
        machine=machine(),
    )


def _persistence(spec: RunSpec, dataset: Dataset) -> RunResult:
    metrics = {
        part: evaluate(dataset.task, targets, persistence_forecast(inputs))
        for part, (inputs, targets) in (("validation", dataset.validation), ("test", dataset.test))
    }
    return RunResult(spec, FINISHED, len(dataset.train[0]), fusion_params=0, total_params=0, metrics=metrics)


def _train(spec: RunSpec, dataset: Dataset) -> RunResult:
    # TensorFlow takes seconds to import: nothing above needs it.
    from tfq_fusion._keras import keras
    from tfq_fusion.layers import IntractableFusionError
    from tfq_fusion.models import fusion_model, make_fusion
    from tfq_fusion.training.fit import fit

    data = prepare(dataset)
    protocol = spec.protocol

    def make() -> tuple[keras.layers.Layer, keras.Model]:
        fusion = make_fusion(
            spec.fusion,
            widths=[protocol.features] * len(data.widths),
            units=protocol.units,
            degree=spec.degree or 1,
            engine=spec.engine or "compiled",
            seed=spec.seed,
            **dict(spec.arguments),
        )
        model = fusion_model(
            data.widths,
            fusion,
            data.outputs,
            data.task,
            features=protocol.features,
            hidden=protocol.hidden,
            head=protocol.head,
            seed=spec.seed,
        )
        return fusion, model

    keras.backend.clear_session()
    try:
        fusion, model = make()
    except IntractableFusionError as error:
        return RunResult(spec, INTRACTABLE, len(data.widths), fusion_params=error.parameters)
    fitted = fit(lambda: make()[1], data, protocol, spec.seed)
    return RunResult(
        spec,
        FINISHED if fitted.metrics else DIVERGED,
        len(data.widths),
        fusion_params=fusion.count_params(),
        total_params=model.count_params(),
        metrics=fitted.metrics,
        learning_rate=fitted.learning_rate,
        epochs=fitted.epochs,
        history=fitted.history,
    )
