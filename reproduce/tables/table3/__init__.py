"""Table 3: what the Quantum Fusion Layer can and cannot do, on problems whose answer is known."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.claims.rows import typed
from reproduce.experiments.expressivity.targets import FORMS, target_terms
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
        starts: How many initial weights the search for the best ones has; of QFL on polynomials see ``qfl_starts``.
        qfl_starts: How many initial weights QFL has on polynomials, where few lead far.
        searches: The most seeds that polynomials have, each a search from all its initial weights.
        targets: Degrees of the polynomials.
        modalities: Numbers of modalities of the polynomials.
        degrees: P of QFL; on polynomials, with one block per unitary, up to one encoding more than they need.
        blocks: Numbers of blocks per unitary beyond one, of QFL with as many encodings as the polynomial's degree.
        queries: Numbers of queries.
    """

    starts: int
    qfl_starts: int
    searches: int
    targets: tuple[int, ...] = (1, 2, 3, 4, 5)
    modalities: tuple[int, ...] = (2, 3, 4)
    degrees: tuple[int, ...] = DEGREES
    blocks: tuple[int, ...] = (2, 4)
    queries: tuple[int, ...] = QUERIES

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"searches from {self.starts} initial weights, {self.qfl_starts} of QFL on polynomials"


PROFILES = {
    "smoke": Profile(
        datasets=EXPERIMENTS,
        seeds=1,
        starts=2,
        qfl_starts=16,
        searches=1,
        targets=(1, 2),
        modalities=(2,),
        degrees=(1, 2),
        blocks=(2,),
        queries=(1, 2, 6),
    ),
    "default": Profile(datasets=EXPERIMENTS, seeds=5, starts=8, qfl_starts=256, searches=1),
    "paper": Profile(datasets=EXPERIMENTS, seeds=10, starts=50, qfl_starts=1024, searches=5),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, experiment by experiment."""
    runs = {POLYNOMIAL: _polynomials, SPECTRUM: _spectra, DISCRIMINATION: _discriminations, PARAMETERS: _counts}
    for experiment in profile.datasets:
        yield from runs[experiment](profile)


def _spec(experiment: str, fusion: str, seed: int, protocol: Protocol, **others: Any) -> RunSpec:
    return RunSpec(experiment=experiment, fusion=fusion, seed=seed, protocol=protocol, **others)


def _polynomials(profile: Profile) -> Iterator[RunSpec]:
    for form, modalities, target in itertools.product(FORMS, profile.modalities, profile.targets):
        if (form == "sum" and len(target_terms(target, modalities, form)) == 1) or (
            form == "difference" and target > 1
        ):
            continue  # such a sum is the product, and one difference tells what exchanging modalities does
        setting = {"degree": target, "modalities": modalities, "form": form}
        circuits: list[tuple[int, dict[str, int]]] = [
            (degree, {}) for degree in profile.degrees if degree <= target + 1
        ]
        circuits += [(target, {"blocks": blocks}) for blocks in profile.blocks]
        others: list[tuple[str, int, dict[str, int]]] = [
            ("concat", 1, {}),
            ("tfn", 1, {}),
            ("lmf", 1, {"rank": _rank(modalities, target)}),
        ]
        others += [("gcn", 4, {})] if target == 1 else []
        for seed in range(min(profile.seeds, profile.searches)):
            for degree, arguments in circuits:
                options = {**setting, "starts": profile.qfl_starts}
                yield _spec(POLYNOMIAL, "qfl", seed, Protocol(), degree=degree, arguments=arguments, options=options)
            for fusion, units, arguments in others:
                options = {**setting, "starts": profile.starts}
                yield _spec(POLYNOMIAL, fusion, seed, Protocol(units=units), arguments=arguments, options=options)


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
        blocks = {name: value for name, value in dict(spec.arguments).items() if name == "blocks"}
        return {name: options[name] for name in ("degree", "form")}, blocks
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
Every fit is in double precision, from several initial weights, with no encoder and no hidden layer.

- *polynomial*: R² on held-out points of a product of d cosines of distinct modalities (with powers where d exceeds
  their number), of the sum of its shifts, or of the difference of two of them; d is the degree of the setting. *R², at
  most* is what no weights can exceed: the part of the target's variance in frequencies that the fusion has; for GCN,
  the part that stays if modalities are exchanged. QFL reads angles and has 1, 2 or 4 blocks per unitary; the others
  read their cosines and sines, LMF in QFL's size at P = d. Where R² stays below, `docs/expressivity.md` says why.
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
