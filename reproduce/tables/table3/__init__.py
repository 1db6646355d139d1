"""Table 3: what the Quantum Fusion Layer can and cannot do, on problems whose answer is known."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.rows import typed
from reproduce.experiments.expressivity.polynomials import exponents
from reproduce.experiments.parameters.parameter_counts import growth_exponent
from reproduce.sweep.runs import RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.table3.figures import expressivity_figures
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.fusions import fusions
from tfq_fusion.training import Protocol

TITLE = "Table 3: what the fusions can and cannot do"
POLYNOMIAL, SPECTRUM, DISCRIMINATION, PARAMETERS = "polynomial", "spectrum", "discrimination", "parameters"
EXPERIMENTS = (POLYNOMIAL, SPECTRUM, DISCRIMINATION, PARAMETERS)
FUSIONS = ("qfl", "control", "concat", "tfn", "lmf", "mfb", "gcn")
METRICS = {
    POLYNOMIAL: ("r2", "r2_bound"),
    SPECTRUM: ("largest_frequency", "total_degree"),
    DISCRIMINATION: ("error", "error_bound"),
    PARAMETERS: ("parameters",),
}

DEGREES = (1, 2, 3, 4, 5, 6)
QUERIES = (1, 2, 3, 4, 5, 6, 7, 8)
SIZES = (2, 4, 8, 16, 32, 64, 128, 256)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        starts: How many initial weights the search for the best ones has.
        targets: Degrees of the polynomials.
        modalities: Numbers of modalities of the polynomials.
        degrees: P of QFL on polynomials.
        queries: Numbers of queries.
    """

    starts: int
    targets: tuple[int, ...] = (1, 2, 3, 4, 5)
    modalities: tuple[int, ...] = (2, 3, 4)
    degrees: tuple[int, ...] = DEGREES
    queries: tuple[int, ...] = QUERIES

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"searches from {self.starts} initial weights"


PROFILES = {
    "smoke": Profile(
        datasets=EXPERIMENTS, seeds=1, starts=2, targets=(1, 2), modalities=(2,), degrees=(1, 2), queries=(1, 2, 6)
    ),
    "default": Profile(datasets=EXPERIMENTS, seeds=5, starts=8),
    "paper": Profile(datasets=EXPERIMENTS, seeds=10, starts=50),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, experiment by experiment."""
    runs = {POLYNOMIAL: _polynomials, SPECTRUM: _spectra, DISCRIMINATION: _discriminations, PARAMETERS: _counts}
    for experiment in profile.datasets:
        yield from runs[experiment](profile)


def _spec(experiment: str, fusion: str, seed: int, protocol: Protocol, **others: Any) -> RunSpec:
    return RunSpec(experiment=experiment, fusion=fusion, seed=seed, protocol=protocol, **others)


def _polynomials(profile: Profile) -> Iterator[RunSpec]:
    for form in ("product", "sum"):
        for modalities in profile.modalities:
            for target in profile.targets:
                if form == "sum" and len(exponents(target, modalities, form)) == 1:
                    continue  # it is the product
                options = {"degree": target, "modalities": modalities, "form": form, "starts": profile.starts}
                for seed in range(profile.seeds):
                    for degree in profile.degrees:
                        yield _spec(POLYNOMIAL, "qfl", seed, Protocol(), degree=degree, options=options)
                    for fusion, arguments in (
                        ("concat", {}),
                        ("tfn", {}),
                        ("lmf", {"rank": _rank(modalities, target)}),
                    ):
                        yield _spec(POLYNOMIAL, fusion, seed, Protocol(units=1), arguments=arguments, options=options)


@functools.cache
def _rank(modalities: int, degree: int) -> int:
    """The rank with which LMF and its read-out have about as many weights as QFL of this degree and its own."""
    wanted = len(qfl_circuit(modalities, 1, degree).weight_symbols) + Protocol().units + 1
    # With one output and two features per modality: 3 M + 1 weights per rank, a bias, and a read-out of two.
    return round((wanted - 3) / (3 * modalities + 1))


def _spectra(profile: Profile) -> Iterator[RunSpec]:
    for modalities in (2, 3):
        for seed in range(profile.seeds):
            for degree in profile.degrees:
                yield _spec(SPECTRUM, "qfl", seed, Protocol(), degree=degree, options={"modalities": modalities})


def _discriminations(profile: Profile) -> Iterator[RunSpec]:
    layer = {"blocks": 4, "measurement": "computational"}
    for queries in profile.queries:
        for seed in range(profile.seeds):
            options = {"starts": profile.starts}
            yield _spec(
                DISCRIMINATION,
                "qfl",
                seed,
                Protocol(units=3),
                degree=queries,
                arguments=layer,
                options=options,
            )
            for uses in ("coherent", "measured"):
                apart = {**options, "queries": queries, "uses": uses}
                yield _spec(DISCRIMINATION, "lmf", seed, Protocol(units=1), options=apart)


def _counts(profile: Profile) -> Iterator[RunSpec]:
    for modalities in SIZES:
        for fusion in FUSIONS:
            degree = 3 if fusions()[fusion].has_degree else None
            yield _spec(PARAMETERS, fusion, 0, Protocol(), degree=degree, options={"modalities": modalities})


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`, with the exponents by which parameters grow."""
    return with_growth_exponents(grid.fold(results, METRICS, _explicit, _settings))


def _explicit(result: RunResult) -> Mapping[str, float]:
    name = "error_explicit"
    return {name: scores[name]} if name in (scores := result.metrics.get("test", {})) else {}


def _settings(spec: RunSpec) -> grid.Settings:
    options = dict(spec.options)
    if spec.experiment == POLYNOMIAL:
        return {name: options[name] for name in ("degree", "form")}, {}
    if spec.experiment == DISCRIMINATION and spec.fusion == "lmf":
        return {}, {name: options[name] for name in ("uses", "queries")}
    return {}, {}


def with_growth_exponents(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a row "growth_exponent", at the most modalities, for every fusion with weights that reaches them.

    TFN has none: its parameters follow no power.
    """
    counted = frame[(frame["metric"] == "parameters") & (frame["seeds"] > 0) & (frame["fusion_params"] > 0)]
    if counted.empty:
        return frame
    rows = []
    for _, cells in counted.groupby(["fusion", "degree"], dropna=False, sort=False):
        last = cells.loc[cells["modalities"].idxmax()]
        if last["modalities"] == counted["modalities"].max() and len(cells) > 1:
            counts = dict(zip(cells["modalities"], cells["fusion_params"], strict=True))
            rows.append({**last.to_dict(), "metric": "growth_exponent", "mean": growth_exponent(counts)})
    return typed(pd.concat([frame, typed(pd.DataFrame(rows, columns=frame.columns))], ignore_index=True))


_HOW_TO_READ = """\
Every fit is in double precision, by L-BFGS from several initial weights, with no encoder and no hidden layer.

- *polynomial*: R² on held-out points of a product of d cosines of distinct modalities (with powers where d exceeds
  their number), or of the sum of its shifts; d is the degree of the setting. *R², at most* is what no weights can
  exceed: the part of the target's variance in frequencies that the fusion has. Where R² stays below it, the degree is
  not what is missing: the search, or one block per unitary, fell short. Below zero a fit is worse than the mean. QFL
  reads angles; LMF (of QFL's size at P = d), TFN and Concat read their cosines and sines.
- *spectrum*: the largest frequency in any one input of a layer with random weights, and the largest sum of frequencies
  over all inputs, its degree as a polynomial; one per turn by 2 pi. Exact, and nothing is trained.
- *discrimination*: two unknown channels, each a turn by pi/3 or none; the error in telling whether both do the same. P
  is the number of joint queries. *LMF* fuses what separate queries to each channel gave, as many in all: *coherent*,
  one after the other on a qubit that is measured at the end; *measured*, each by itself. *Error, at least* is proved
  (`docs/separation.md`). The problem is ours: the paper's "Problem 1" is not at hand.
- *parameters*: weights counted in the layers as built, for M modalities of 4 features and 32 outputs. *Growth
  exponent*: slope of log parameters over log M, from 2 to 256. TFN's follow no power. Concat has none of its own, and
  leaves 4 M inputs to the classifier."""


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=FUSIONS,
    choices=EXPERIMENTS,
    cells=cells,
    fold=fold,
    settings=_settings,
    figures=expressivity_figures,
    notes=lambda profile: [_HOW_TO_READ],
)
