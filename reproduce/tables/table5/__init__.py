"""Table 5: the parts of the Quantum Fusion Layer one by one, its gradients, and what noise and devices cost it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.rows import typed
from reproduce.sweep.runs import RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.table5 import fits
from reproduce.tables.table5.ablations import NAMES, PROFILES, cells
from reproduce.tables.table5.figures import ablation_figures

TITLE = "Table 5: ablations, gradients, noise and devices"
FUSIONS = ("qfl", "lmf", "gcn")
METRICS = {
    "classification": ("accuracy", "roc_auc"),
    "feature-map-rank": ("rank_outputs", "rank_states"),
    "encoding": ("accuracy", "reconstruction_error", "reconstruction_error_untrained", "saturation"),
    "gradient-variance": ("gradient_variance_log2",),
    "remedies": ("accuracy", "roc_auc"),
    "noise": ("accuracy",),
    "device-circuit": ("two_qubit_gates", "depth"),
    "device": ("accuracy", "contraction"),
}


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`, with fitted decays of gradients, and the noise at which QFL is level."""
    split = [each for result in results for each in _by_setting(result)]
    frame = grid.fold(split, METRICS, settings=_settings)
    frame = frame[frame["mean"].notna() | (frame["metric"] != "contraction")]  # which counted shots do not have
    rows = [*fits.decays(results), *fits.break_evens(results)]
    return typed(pd.concat([frame, typed(pd.DataFrame(rows))], ignore_index=True) if rows else frame)


def _by_setting(result: RunResult) -> Iterator[RunResult]:
    """A result for each setting of a run that reports "metric@setting"; any other run as it is."""
    if result.spec.experiment not in ("noise", "device") or not result.metrics:
        yield result
        return
    settings: dict[str, dict[str, float]] = {}
    for name, value in result.metrics["test"].items():
        metric, _, setting = name.partition("@")
        settings.setdefault(setting, {})[metric] = value
    options = dict(result.spec.options)
    for setting, metrics in settings.items():
        spec = dataclasses.replace(result.spec, options={**options, "setting": setting})
        yield dataclasses.replace(result, spec=spec, metrics={"test": metrics})


def _settings(spec: RunSpec) -> grid.Settings:
    options, arguments = dict(spec.options), dict(spec.arguments)
    shown: dict[str, Any] = {}
    setting: Any = options.get("setting")  # none where no run has a score
    match spec.experiment:
        case "feature-map-rank":
            shown = {"outputs": spec.protocol.units}
        case "encoding":
            shown = {"inputs": options["inputs"]}
        case "gradient-variance" | "device-circuit":
            shown = {"features": spec.protocol.features}
            shown |= {name: options[name] for name in ("processor", "gates") if name in options}
        case "noise":
            shown = {"channel": options["channel"], "rate": None if setting is None else float(setting)}
            if spec.degree is not None:
                arguments["trained"] = options["trained"]
        case "device":
            shown = {
                "processor": options["processor"],
                "shots": setting if setting in (None, "exact") else int(setting),
            }
    return shown, arguments


_HOW_TO_READ = """\
A change of QFL stands in brackets behind its name; without brackets everything is as in Table 1.
Models are trained on *japanese-vowels* where nothing else is said.

- *measurement*: as many outputs as there are single-qubit Pauli operators, three per qubit (21 on japanese-vowels, 18
  on mfeat). So many distinct random strings of weight 1 (*locality = 1*) are all of them.
- *feature-map-rank*: four qubits (2 modalities of 3 features), random weights, 600 random inputs. *Rank of outputs*:
  dimensions that the outputs span as the inputs vary; *rank of states*: those that all expectation values span, at most
  255. A measurement is complete for the feature map where the two are equal, informationally complete at 255.
- *encoding*: the scale is the angle of a feature of 1. *inputs*: how the encoders end: *tanh*, in [-1, 1]; *linear*,
  unbounded; *saturated*, tanh(8 x). *Reconstruction error*: 1 - R² of the best linear map from QFL's outputs to its
  inputs, on the test part, after training and before. *Saturated*: the share of features beyond ±0.99.
- *gradient-variance*: variance over random initial weights of the derivative of a Pauli string's expectation value,
  mean over the weights, as a binary logarithm. *Decay per qubit*, *per P*: slope of that, in bits; *exponent in M*:
  slope against log2 M. Slopes are fitted per seed, and stand at the largest size. *initial*: *uniform* in ±pi, *small*
  in ±0.1 pi, *identity*: all unitaries but the first are the identity (Grant et al., arXiv 1903.05076).
- *remedies*: accuracy from these beginnings, with two blocks per unitary; *layerwise*: one unitary after the other,
  then all (Skolik et al., arXiv 2006.14904), within the same number of epochs.
- *noise*: 6 channels of 2 features, 5 qubits, 16 outputs; every fusion at its own learning rate, on the whole test
  part. The channel acts after every gate (rotations, CNOT, CZ) on each qubit of it, exactly, on density matrices.
  *trained = noisy*: its last epochs with noise of that rate, where *noiseless* has as many without; *noisy head*: only
  the two layers behind the circuit are trained in these. *Break-even*: log10 of the rate at which QFL, trained in
  this way, falls to the accuracy of LMF, or GCN, with the same seed, between tested rates; over seeds where it does.
- *device-circuit*: two-qubit gates and depth (moments) of a circuit with random angles in native gates, without and
  with routing on the processor's grid. *device*: 3 channels of 2 features, 4 qubits, P = 1, square-root iSWAPs, the
  noise of the processor's median calibration of 2021 as cirq-google describes it. *shots = exact*: as if there
  were infinitely many. *Contraction*: factor from noiseless to noisy expectation values, by least squares."""


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=FUSIONS,
    choices=NAMES,
    cells=cells,
    fold=fold,
    settings=_settings,
    figures=ablation_figures,
    notes=lambda profile: [_HOW_TO_READ],
)
