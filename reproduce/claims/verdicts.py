"""Published against reproduced: a verdict per claim.

A verdict is computed from the results file of one table by the check that the claim declares;
:mod:`reproduce.claims.papers` states the rule of each kind. Where a number is missing on either side, the verdict is
"not comparable" and says what is missing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from reproduce.claims.cells import DivergedError, Figure, NotComparableError, Results, quantity_label
from reproduce.claims.papers import (
    PUBLISHED,
    Cell,
    Check,
    DegreeShapeCheck,
    EqualsDegreeCheck,
    FewerParametersCheck,
    GrowthCheck,
    LeastDegreeCheck,
    NoCheck,
    OpenCheck,
    OrderingCheck,
    Paper,
    RatioCheck,
    Series,
    SpreadCheck,
    StabilityCheck,
    ValueCheck,
    load_papers,
)
from reproduce.claims.rows import METRICS, base, caption, read_tables
from reproduce.claims.tables import TABLES

Outcome = Literal["reproduced", "not reproduced", "not comparable"]


@dataclass(frozen=True)
class Verdict:
    """What became of one claim.

    Attributes:
        claim: The claim's id; for a cell of a paper's own tables, where it stands.
        statement: What is claimed.
        published: The published value with its unit, as text.
        confidence: "A", "B" or "C" as in :class:`reproduce.claims.papers.Claim`; empty for a cell.
        verdict: The outcome.
        reading: How we read the claim where the sources leave that open; else None.
        reason: The figures that decided it, or what is missing.
    """

    claim: str
    statement: str
    published: str
    confidence: str
    reading: str | None
    verdict: Outcome
    reason: str


def verdicts(results_dir: Path, published: Path = PUBLISHED) -> list[Verdict]:
    """One verdict per claim, and one per cell of the papers' own tables whose value is filled in.

    Args:
        results_dir: The folder with ``table1.csv`` and so on. A claim is held against the table that its check names
            and no other; where that is not there, the claim is "not comparable".
        published: The folder with one YAML file per paper.

    Raises:
        ValueError: If a results file or a paper's file is broken; the message names file and line.
    """
    return judge(read_tables(results_dir), load_papers(published))


def judge(tables: Mapping[str, pd.DataFrame], papers: Iterable[Paper]) -> list[Verdict]:
    """As :func:`verdicts`, of tables by name and papers that are read already."""
    results = {name: Results(name, tables.get(name)) for name in TABLES}
    found: list[Verdict] = []
    for paper in papers:
        for claim in paper.claims:
            outcome, reason = _judge(claim.check, claim.value, results)
            found.append(
                Verdict(claim.id, claim.statement, claim.published, claim.confidence, claim.reading, outcome, reason)
            )
        for cell in paper.cells:
            if cell.value is not None:
                found.append(_cell_verdict(paper.arxiv, cell, cell.value, results))
    return found


def _judge(check: Check, published: float | None, tables: Mapping[str, Results]) -> tuple[Outcome, str]:
    if isinstance(check, NoCheck):
        return "not comparable", check.reason
    results = tables[check.table]
    try:
        match check:
            case OpenCheck():
                return "not comparable", _measured(check, results)
            case ValueCheck():
                holds, reason = _judge_value(check, published, results)
            case RatioCheck():
                holds, reason = _judge_ratio(check, published, results)
            case OrderingCheck():
                holds, reason = _judge_ordering(check, check.datasets, results)
            case StabilityCheck():
                holds, reason = _judge_stability(check, check.dataset, results)
            case DegreeShapeCheck():
                holds, reason = _judge_degree_shape(check, results)
            case GrowthCheck():
                holds, reason = _judge_growth(check, results)
            case EqualsDegreeCheck():
                holds, reason = _judge_equals_degree(check, results)
            case LeastDegreeCheck():
                holds, reason = _judge_least_degree(check, published, results)
            case FewerParametersCheck():
                holds, reason = _judge_fewer_parameters(check, check.datasets, published, results)
            case SpreadCheck():
                holds, reason = _judge_spread(check, check.datasets, results)
    except NotComparableError as missing:
        return "not comparable", _sentence(str(missing)) + _nearest(check, results, tables)
    return ("reproduced" if holds else "not reproduced"), _sentence(reason)


def _cell_verdict(arxiv: str, cell: Cell, published: float, tables: Mapping[str, Results]) -> Verdict:
    series = Series(fusion=cell.fusion, degree=cell.degree)
    check = ValueCheck(kind="value", table=cell.table, dataset=cell.dataset, series=series, quantity=cell.metric)
    outcome, reason = _judge(check, published, tables)
    label = METRICS[cell.metric].label
    return Verdict(
        claim=f"{cell.dataset}, {series}, {label}",
        statement=f"A cell of the tables of {arxiv}.",
        published=f"{published:g} ({label})",
        confidence="",
        reading=None,
        verdict=outcome,
        reason=reason,
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _measured(check: OpenCheck, results: Results) -> str:
    found = "; ".join(
        f"{quantity_label(cell.quantity)} of {cell.series} on {cell.dataset} "
        f"{results.figure(cell.dataset, cell.series, cell.quantity)}"
        for cell in check.shown
    )
    return f"Nothing is claimed that could be reproduced. Measured here: {found}."


def _judge_value(check: ValueCheck, published: float | None, results: Results) -> tuple[bool, str]:
    published, dataset = _stated(published, check.dataset)
    figure, reason = _value(check, dataset, results)
    holds = _covers(figure, published, check.tolerance, f"{check.series} on {dataset}")
    return holds, f"{reason}, published {published:g}"


def _value(check: ValueCheck, dataset: str, results: Results) -> tuple[Figure, str]:
    figure = results.figure(dataset, check.series, check.quantity, check.modalities)
    return figure, f"{check.series} on {dataset}: {quantity_label(check.quantity)} {figure}"


def _judge_ratio(check: RatioCheck, published: float | None, results: Results) -> tuple[bool, str]:
    published, dataset = _stated(published, check.dataset)
    ratio, reason = _ratio(check, dataset, results)
    return _covers(ratio, published, check.tolerance, f"the ratio on {dataset}"), f"{reason}, published {published:g}"


def _ratio(check: RatioCheck, dataset: str, results: Results) -> tuple[Figure, str]:
    over = results.figure(dataset, check.numerator, check.quantity, check.modalities)
    under = results.figure(dataset, check.denominator, check.quantity, check.modalities)
    if under.mean <= 0 or under.low <= 0:
        raise NotComparableError(f"a ratio to {check.denominator} on {dataset} has no bounds: {under} reaches zero")
    ratio = Figure(over.mean / under.mean, over.low / under.high, over.high / under.low)
    label = f"{quantity_label(check.quantity)} of {check.numerator} / {check.denominator}"
    return ratio, f"{label} on {dataset}: {over} / {under} = {ratio}"


def _judge_ordering(check: OrderingCheck, datasets: Mapping[str, str], results: Results) -> tuple[bool, str]:
    holds = True
    reasons = []
    for dataset, metric in datasets.items():
        above = results.figure(dataset, check.above, metric)
        above.require_interval(f"{check.above} on {dataset}")
        placed: dict[str, list[str]] = {"better than": [], "not told apart from": [], "worse than": []}
        for series in check.below:
            try:
                other = results.figure(dataset, series, metric)
            except DivergedError:
                placed["better than"].append(f"{series} (diverged)")
                continue
            other.require_interval(f"{series} on {dataset}")
            placed[_place(above, other, METRICS[metric].lower_is_better)].append(f"{series} {other}")
        holds = holds and not placed["not told apart from"] and not placed["worse than"]
        relations = "; ".join(f"{place} {', '.join(others)}" for place, others in placed.items() if others)
        reasons.append(f"{dataset}: {METRICS[metric].label} of {check.above} {above} is {relations}")
    return holds, ". ".join(reasons)


def _place(one: Figure, other: Figure, lower_is_better: bool) -> str:
    if lower_is_better:
        one, other = other, one
    if one.low > other.high:
        return "better than"
    return "worse than" if one.high < other.low else "not told apart from"


def _judge_stability(check: StabilityCheck, dataset: str, results: Results) -> tuple[bool, str]:
    label = METRICS[check.metric].label
    reasons = []
    worse = {}
    for series in (check.degrades, check.stable):
        few = results.figure(dataset, series, check.metric, check.few)
        few.require_interval(f"{series} with {check.few} modalities on {dataset}")
        try:
            many = results.figure(dataset, series, check.metric, check.many)
        except DivergedError:
            worse[series] = True
            reasons.append(f"{series} {few}, then every seed diverged")
            continue
        many.require_interval(f"{series} with {check.many} modalities on {dataset}")
        worse[series] = _place(many, few, METRICS[check.metric].lower_is_better) == "worse than"
        reasons.append(f"{series} {few}, then {many}, {'worse' if worse[series] else 'not told to be worse'}")
    return worse[check.degrades] and not worse[check.stable], (
        f"{dataset}: {label} from {check.few} to {check.many} modalities: {'; '.join(reasons)}"
    )


def _judge_degree_shape(check: DegreeShapeCheck, results: Results) -> tuple[bool, str]:
    degrees = [*check.rises, check.drops_at]
    reasons = []
    shapes = []
    for dataset, metric in check.datasets.items():
        series = [Series(fusion="qfl", degree=degree) for degree in degrees]
        means = [results.figure(dataset, one, metric).mean for one in series]
        quality = [-mean for mean in means] if METRICS[metric].lower_is_better else means
        rises = all(left < right for left, right in itertools.pairwise(quality[:-1]))
        drops = quality[-1] < quality[-2]
        shapes.append(rises and drops)
        figures = ", ".join(f"{mean:.4g}" for mean in means)
        shape = f"{'rises' if rises else 'no steady rise'}, {'then drops' if drops else 'no drop'}"
        reasons.append(f"{dataset} ({METRICS[metric].label} {figures}) {shape}")
    return all(shapes), f"at P = {', '.join(map(str, degrees))}: " + "; ".join(reasons)


def _judge_growth(check: GrowthCheck, results: Results) -> tuple[bool, str]:
    sizes = results.sizes(check.dataset)
    fewest, most = sizes[0], sizes[-1]
    if fewest == most:
        raise NotComparableError(f"growth needs results on {check.dataset} with more than {most} modalities")
    few, many = (results.figure(check.dataset, check.series, "fusion_params", size).mean for size in (fewest, most))
    return many / few <= most / fewest, (
        f"{check.series} has {few:g} fusion parameters at {fewest} modalities and {many:g} at {most}: "
        f"{many / few:.3g} times the parameters for {most / fewest:.3g} times the modalities"
    )


def _judge_equals_degree(check: EqualsDegreeCheck, results: Results) -> tuple[bool, str]:
    holds = True
    reasons = []
    for size in results.sizes(check.dataset):
        figures = [
            results.figure(check.dataset, Series(fusion="qfl", degree=degree), check.quantity, size)
            for degree in check.degrees
        ]
        holds = holds and all(
            figure.mean == figure.highest == degree for figure, degree in zip(figures, check.degrees, strict=True)
        )
        reasons.append(f"{', '.join(map(str, figures))} with {size} modalities")
    label = f"{quantity_label(check.quantity)} of QFL on {check.dataset} at P = {', '.join(map(str, check.degrees))}"
    return holds, f"{label}: {'; '.join(reasons)}"


def _judge_least_degree(check: LeastDegreeCheck, published: float | None, results: Results) -> tuple[bool, str]:
    published, dataset = _stated(published, check.dataset)
    least, alone, reason = _least_degree(check, dataset, results)
    return least == published and alone, f"{reason}, published {published:g}"


def _least_degree(check: LeastDegreeCheck, dataset: str, results: Results) -> tuple[int, bool, str]:
    """The lowest degree that scores as asked, whether no other fusion does, and the figures."""
    below = ""
    for degree in itertools.count(1):
        figure = results.figure(dataset, Series(fusion="qfl", degree=degree), check.quantity)
        if figure.highest <= check.at_most:
            break
        below = f", and {figure} at P = {degree}"
    others = {series: results.figure(dataset, series, check.quantity) for series in check.others}
    figures = "".join(f"; of {series} {other}" for series, other in others.items())
    text = f"{quantity_label(check.quantity)} of QFL on {dataset} is at most {check.at_most:g} from P = {degree} on"
    return degree, all(other.highest > check.at_most for other in others.values()), f"{text}, {figure}{below}{figures}"


def _judge_fewer_parameters(
    check: FewerParametersCheck, datasets: Iterable[str], published: float | None, results: Results
) -> tuple[bool, str]:
    times = published if check.times is None else check.times
    if times is None:
        raise NotComparableError("the value is not stated in the sources at hand")
    found = [_parameters_at_its_best(check, dataset, results) for dataset in datasets]
    for ratio, reason, reached in found:
        if not reached and ratio < times:
            raise NotComparableError(f"{reason}, which does not decide about {times:g} times; try larger ones")
    reasons = "; ".join(reason for _, reason, _ in found)
    return all(ratio >= times for ratio, _, _ in found), f"{reasons}; held against {times:g} times"


def _parameters_at_its_best(check: FewerParametersCheck, dataset: str, results: Results) -> tuple[float, str, bool]:
    """How many times the parameters others need, the same in words, and whether they reach the accuracy at all."""
    sizes = {
        fusion: cells
        for (name, modalities, fusion, _), cells in results.rows.items()
        if (name, modalities) == (dataset, check.modalities) and "parameter_ratio" in cells
    }
    own = {fusion: cells for fusion, cells in sizes.items() if base(fusion) == check.fusion}
    if not own:
        raise results.missing(f"ratios of parameters on {dataset} with {check.modalities} modalities")
    best = max(own, key=lambda fusion: own[fusion]["accuracy"]["mean"])
    accuracy, ratio = own[best]["accuracy"]["mean"], own[best]["parameter_ratio"]["mean"]
    parameters = own[best]["accuracy"]["total_params"]
    beginning = f"{dataset}: {caption(best)} has Accuracy {accuracy:.4g} with {parameters} parameters"
    if not math.isnan(ratio):
        return ratio, f"{beginning}, the leanest classical network of that accuracy {ratio:.3g} times as many", True
    largest = max(cells["accuracy"]["total_params"] for fusion, cells in sizes.items() if fusion not in own)
    ratio = largest / parameters
    return ratio, f"{beginning}, which no classical network reaches, the largest with {ratio:.3g} times as many", False


def _judge_spread(check: SpreadCheck, datasets: Mapping[str, str], results: Results) -> tuple[bool, str]:
    holds = True
    reasons = []
    for dataset, metric in datasets.items():
        label = METRICS[metric].label
        spreads = {}
        for series in (check.series, *check.among):
            results.figure(dataset, series, metric, check.modalities)
            row = results.rows[dataset, check.modalities, series.fusion, series.degree][metric]
            if math.isnan(row["std"]):
                raise NotComparableError(f"{series} on {dataset} has a single finished seed; run more seeds")
            spreads[series] = row["std"]
        own = spreads.pop(check.series)
        worst = max(spreads, key=lambda series: spreads[series])
        diverged = results.figure(dataset, check.series, "diverged", check.modalities).mean
        holds = holds and own <= spreads[worst] and diverged == 0
        reasons.append(
            f"{dataset}: standard deviation of the {label} over seeds {own:.3g} for {check.series}, "
            f"{min(spreads.values()):.3g} to {spreads[worst]:.3g} ({worst}) for the others, "
            f"{100 * diverged:.0f} % of the seeds diverged"
        )
    return holds, "; ".join(reasons)


def _nearest(check: Check, results: Results, tables: Mapping[str, Results]) -> str:
    """What the check's table says on other data sets, and other tables that it names: information, no verdict."""
    if not hasattr(check, "nearest"):
        return ""
    notes = [_note(check, dataset, results) for dataset in check.nearest]
    for table, datasets in getattr(check, "elsewhere", {}).items():
        held = check.model_copy(update={"table": table, "nearest": datasets})
        found = [note for dataset in datasets if (note := _note(held, dataset, tables[table]))]
        notes += [f"In {table}, {note}" for note in found]
    said = [note for note in notes if note]
    return " For information: " + ". ".join(said) + "." if said else ""


def _note(check: Check, dataset: str, results: Results) -> str:
    """What a table says on one of the check's nearest data sets; nothing if a number is missing."""
    try:
        match check:
            case ValueCheck():
                return _value(check, dataset, results)[1]
            case RatioCheck():
                return _ratio(check, dataset, results)[1]
            case OrderingCheck():
                return _judge_ordering(check, {dataset: check.nearest[dataset]}, results)[1]
            case StabilityCheck():
                return _judge_stability(check, dataset, results)[1]
            case LeastDegreeCheck():
                return _least_degree(check, dataset, results)[2]
            case FewerParametersCheck():
                return _parameters_at_its_best(check, dataset, results)[1]
            case SpreadCheck():
                return _judge_spread(check, {dataset: check.nearest[dataset]}, results)[1]
    except NotComparableError:
        pass
    return ""


def _stated(published: float | None, dataset: str | None) -> tuple[float, str]:
    if published is None:
        raise NotComparableError("the value is not stated in the sources at hand")
    if dataset is None:
        raise NotComparableError("the data set is not stated in the sources at hand")
    return published, dataset


def _covers(figure: Figure, published: float, tolerance: float, what: str) -> bool:
    figure.require_interval(what)
    return figure.low - tolerance <= published <= figure.high + tolerance
