"""The experiments, an entry each, and how any specification is run."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reproduce.sweep.run.provenance import commit, machine, peak_memory_mb, versions
from reproduce.sweep.runs import TOGETHER, TRAINING, RunResult, RunSpec
from tfq_fusion.fusions import fusions


@dataclasses.dataclass(frozen=True)
class Computation:
    """How something is computed, so that a specification says what happens.

    Attributes:
        precision: Floating-point type of the computation; where weights are counted alone, of the weights.
        quantum_precision: The same where the fusion is a quantum one.
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
        if fusions()[fusion].kind != "quantum":
            return {"engine": None, "precision": self.precision}
        runs = engine if self.engine == "chosen" else self.engine
        if runs == "tfq" and self.quantum_precision != "float32":
            raise ValueError(
                f"TensorFlow Quantum computes in float32, and this needs {self.quantum_precision}: leave --engine out, "
                "or choose with --datasets."
            )
        return {"engine": runs, "precision": self.quantum_precision}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What is done with a specification.

    Attributes:
        function: From a specification to its result; of :data:`reproduce.sweep.runs.TOGETHER`, from specifications and
            the folder of their backups to their results. As ``module:name``, because most import TensorFlow.
        computation: How it is computed.
        backend: What Keras runs on, but for TensorFlow Quantum, which needs TensorFlow.
    """

    function: str
    computation: Computation = Computation()
    backend: str = "tensorflow"


_DOUBLE = Computation("float64", "float64")
_COMPILED = Computation("float64", "float64", engine="compiled")
_COUNTED = Computation(engine=None)

EXPERIMENTS = {
    TRAINING: Experiment("reproduce.sweep.run.train:train", backend="jax"),
    "synthetic": Experiment(
        "reproduce.experiments.gradients.initialisation:gradient_at_initialisation", Computation("float64")
    ),
    "growth": Experiment("reproduce.experiments.parameters.growth:fusion_growth", _COUNTED),
    "parameters": Experiment("reproduce.experiments.parameters.parameter_counts:count_parameters", _COUNTED),
    "polynomial": Experiment("reproduce.experiments.expressivity.polynomials:fit_polynomial", _DOUBLE, backend="jax"),
    "spectrum": Experiment("reproduce.experiments.expressivity.spectrum:spectrum", _COMPILED),
    "discrimination": Experiment("reproduce.experiments.expressivity.discrimination:discriminate", _DOUBLE),
    "feature-map-rank": Experiment("reproduce.experiments.expressivity.feature_map_rank:feature_map_rank", _COMPILED),
    "encoding": Experiment("reproduce.experiments.encoding:encoding", backend="jax"),
    "gradient-variance": Experiment("reproduce.experiments.gradients.trainability:gradient_variance"),
    "remedies": Experiment("reproduce.experiments.gradients.remedies:remedies"),
    "noise": Experiment("reproduce.experiments.processors.noise:noise", Computation(engine="compiled"), backend="jax"),
    "device": Experiment("reproduce.experiments.processors.devices:device", backend="jax"),
    "device-circuit": Experiment(
        "reproduce.experiments.processors.processors:device_circuit", Computation("float64", "float64", engine=None)
    ),
}
"""What can be done with a specification: a model is trained on a data set; the others train nothing on data, make their
data themselves, or look into a model that they trained."""


def backend_of(spec: RunSpec) -> str:
    """What Keras runs on for a specification: "jax" or "tensorflow"."""
    # On a processor XLA takes many times as long for the gradients of a CNN.
    needs_tensorflow = spec.engine == "tfq" or spec.fusion == "cnn"
    return "tensorflow" if needs_tensorflow else EXPERIMENTS[spec.experiment].backend


def run(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Run specifications; a loss that becomes NaN or a fusion that cannot be built is a result, not an error.

    Args:
        specs: What to run: trainings that differ in nothing but their seeds, or whatever, one after the other.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Returns:
        Their results, in order.

    Raises:
        ValueError: If the experiment or the fusion is unknown, precision or engine are not what would be computed, or
            the data are not those of the specification.
    """
    kind = specs[0].experiment
    if kind not in EXPERIMENTS:
        raise ValueError(f"Unknown experiment {kind!r}: expected one of {', '.join(EXPERIMENTS)}.")
    experiment = EXPERIMENTS[kind]
    for spec in specs:
        _check_stated(spec, experiment.computation)
    importlib.import_module("tfq_fusion._keras")  # before TensorFlow, which then starts quietly
    module, _, name = experiment.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    start = time.perf_counter()
    results: list[RunResult] = function(specs, backup) if kind in TOGETHER else [function(spec) for spec in specs]
    seconds = round((time.perf_counter() - start) / len(specs), 3)
    circumstances: dict[str, Any] = {
        "peak_memory_mb": peak_memory_mb(),
        "versions": versions(),
        "commit": commit(),
        "machine": machine(),
    }
    # Trainings on other data are told apart where they are trained.
    return [dataclasses.replace(result, seconds=result.seconds or seconds, **circumstances) for result in results]


def _check_stated(spec: RunSpec, computation: Computation) -> None:
    stated = computation.stated(spec.fusion, spec.engine or "compiled")
    if spec.precision != stated["precision"]:
        raise ValueError(
            f"Precision {spec.precision!r} of {spec}: expected {stated['precision']}, the only one that is computed."
        )
    if spec.engine is not None and spec.engine != stated["engine"]:
        raise ValueError(f"Engine {spec.engine!r} of {spec}: expected {stated['engine']}, which is what runs it.")
