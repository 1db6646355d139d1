"""Run specifications, one after the other, in this process."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import signal
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from reproduce.runs import DIVERGED, FINISHED, INTRACTABLE, PERSISTENCE, RunResult, RunSpec
from reproduce.store import Store
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.training import evaluate, persistence_forecast, prepare

if TYPE_CHECKING:
    from tfq_fusion._keras import keras


def run_all(specs: Sequence[RunSpec], store: Store, report: Callable[[RunResult], None]) -> list[RunResult]:
    """Run what the store does not hold yet, storing each result before the next run starts.

    Args:
        specs: What to run.
        store: Where results are kept.
        report: Called with each new result.

    Returns:
        One result per specification, in order.
    """
    results = []
    with _remember_interrupt() as raise_if_interrupted:
        for spec in specs:
            result = store.get(spec.id)
            if result is None:
                result = run(spec)
                store.add(result)
                report(result)
                raise_if_interrupted()
            results.append(result)
    return results


@contextlib.contextmanager
def _remember_interrupt() -> Iterator[Callable[[], None]]:
    # Python drops a KeyboardInterrupt that strikes inside a weak reference's callback, where Keras spends much time.
    interrupted = threading.Event()

    def on_interrupt(signum: int, frame: types.FrameType | None) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    def raise_if_interrupted() -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield raise_if_interrupted
    finally:
        signal.signal(signal.SIGINT, previous)


def run(spec: RunSpec) -> RunResult:
    """Run one specification; a loss that becomes NaN or a fusion that cannot be built is a result, not an error."""
    dataset = load(spec.dataset)
    start = time.perf_counter()
    result = _persistence(spec, dataset) if spec.fusion == PERSISTENCE else _train(spec, dataset)
    return dataclasses.replace(result, seconds=round(time.perf_counter() - start, 3))


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
            engine=spec.engine or "tfq",
            seed=spec.seed,
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

    # Keras keeps what it has traced; without this, memory grows from run to run.
    keras.backend.clear_session()
    gc.collect()
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
    )
