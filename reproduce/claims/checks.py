"""The kinds of checks: each is a class that states its rule and judges by it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from reproduce.claims.cells import (
    Beside,
    Degree,
    DivergedError,
    FusionName,
    MetricName,
    NotComparableError,
    Number,
    Quantity,
    Results,
    Score,
    Series,
    Size,
    Table,
    Tolerance,
    Word,
    quantity_label,
)
from reproduce.claims.check import Comparison, DatasetCheck, Metrics, NumberCheck
from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import Place


class ValueCheck(DatasetCheck):
    """The published value lies in the 95 % interval of the reproduced one, give or take ``tolerance``.

    ``modalities`` says with how many of them, here and below; None for the most that the table has on the data set.
    """

    kind = "value"
    series: Series
    quantity: Quantity
    tolerance: Tolerance = 0.0
    modalities: Size | None = None

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        published, place = self._stated(published, self.dataset)
        score, reason = self.on(place, "", results)
        holds = score.covers(published, self.tolerance, f"{self.series} on {place}")
        return holds, f"{reason}, published {published:g}"

    def on(self, place: Place, metric: str, results: Results) -> tuple[Score, str]:
        """The reproduced value."""
        score = results.score(place, self.series, self.quantity, self.modalities)
        return score, f"{self.series} on {place}: {quantity_label(self.quantity)} {score}"


class RatioCheck(DatasetCheck):
    """The published value lies in the interval of ``numerator / denominator``, give or take ``tolerance``.

    The interval of the ratio is the widest that the two 95 % intervals allow. Counts have no spread: for them only the
    tolerance counts.
    """

    kind = "ratio"
    numerator: Series
    denominator: Series
    quantity: Quantity
    tolerance: Tolerance = 0.0
    modalities: Size | None = None

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        published, place = self._stated(published, self.dataset)
        ratio, reason = self.on(place, "", results)
        return ratio.covers(published, self.tolerance, f"the ratio on {place}"), f"{reason}, published {published:g}"

    def on(self, place: Place, metric: str, results: Results) -> tuple[Score, str]:
        """The reproduced ratio."""
        over = results.score(place, self.numerator, self.quantity, self.modalities)
        under = results.score(place, self.denominator, self.quantity, self.modalities)
        if under.mean <= 0 or under.low <= 0:
            raise NotComparableError(f"a ratio to {self.denominator} on {place} has no bounds: {under} reaches zero")
        ratio = Score(over.mean / under.mean, over.low / under.high, over.high / under.low)
        label = f"{quantity_label(self.quantity)} of {self.numerator} / {self.denominator}"
        return ratio, f"{label} on {place}: {over} / {under} = {ratio}"


_RELATIONS = {
    "better": "better than",
    "equivalent": "equivalent to",
    "undecided": "not told apart from",
    "worse": "worse than",
}


def _all_of(decisions: Iterable[bool | None]) -> bool | None:
    """False if any is False, else None if any is undecided."""
    found = set(decisions)
    return False if False in found else None if None in found else True


def _wins(words: Iterable[Word]) -> bool | None:
    """Whether "better" is every word; None if only "undecided" stands against it."""
    return _all_of({"better": True, "undecided": None}.get(word, False) for word in words)


class OrderingCheck(Comparison):
    """``above`` beats every one of ``below`` on every data set.

    One series beats another if the comparison beside the table says "better", or if every seed of the other diverged;
    "worse" and "equivalent" decide against the claim. Where the table has no comparison of the two, their 95 %
    intervals say "better" or "worse" if they do not touch, and the reason says that it was they. What is left is
    undecided.
    """

    kind = "ordering"
    above: Series
    below: tuple[Series, ...]
    datasets: Metrics
    nearest: Metrics = Field(default_factory=dict)
    elsewhere: Mapping[Table, Metrics] = Field(default_factory=dict)

    def holds(self, published: float | None, results: Results) -> tuple[bool | None, str]:
        """See the class."""
        found = [self.on(self.at(dataset), metric, results) for dataset, metric in self.datasets.items()]
        return _all_of(best for best, _ in found), ". ".join(reason for _, reason in found)

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool | None, str]:
        """Whether it beats all of the others."""
        above = results.score(place, self.above, metric)
        found = [results.beside(place, self.above, series, metric) for series in self.below]
        relations = "; ".join(
            f"{relation} {', '.join(beside.other for beside in found if beside.word == word)}"
            for word, relation in _RELATIONS.items()
            if any(beside.word == word for beside in found)
        )
        told = f"{place}: {METRICS[metric].label} of {self.above} {above} is {relations}{_by_intervals(found)}"
        return _wins(beside.word for beside in found), told


def _by_intervals(found: Sequence[Beside]) -> str:
    """What to say where not every word is that of a comparison."""
    if all(beside.compared for beside in found):
        return ""
    return (
        " (by intervals where no difference is given)"
        if any(beside.compared for beside in found)
        else " (by intervals)"
    )


class StabilityCheck(Comparison):
    """From ``few`` to ``many`` modalities ``degrades`` gets worse, and ``stable`` does not; with many it is better.

    A series gets worse if its 95 % interval with many lies wholly on the worse side of that with few, or if with many
    every seed diverged. "Better" is as in :class:`OrderingCheck`: that ``stable`` is not seen to get worse may be for
    lack of seeds alone. Intervals of ``degrades`` that touch leave the claim undecided.
    """

    kind = "stability"
    dataset: str
    metric: MetricName
    few: Size
    many: Size
    stable: Series
    degrades: Series

    def holds(self, published: float | None, results: Results) -> tuple[bool | None, str]:
        """See the class."""
        return self.on(self.at(self.dataset), "", results)

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool | None, str]:
        """Whether one degrades and the other does not."""
        degrades, of_degrades = self._change(self.degrades, place, results)
        stable, of_stable = self._change(self.stable, place, results)
        label = METRICS[self.metric].label
        told = (
            f"{place}: {label} from {self.few} to {self.many} modalities: {self.degrades} {of_degrades}; "
            f"{self.stable} {of_stable}"
        )
        if stable == "worse":
            return False, told
        beside = results.beside(place, self.stable, self.degrades, self.metric, self.many)
        told += f"; with {self.many} it is {_RELATIONS[beside.word]} {beside.other}{_by_intervals([beside])}"
        return _all_of([{"worse": True, "undecided": None}.get(degrades, False), _wins([beside.word])]), told

    def _change(self, series: Series, place: Place, results: Results) -> tuple[Word, str]:
        few = results.score(place, series, self.metric, self.few)
        few.require_interval(f"{series} with {self.few} modalities on {place}")
        try:
            many = results.score(place, series, self.metric, self.many)
        except DivergedError:
            return "worse", f"{few}, then every seed diverged"
        many.require_interval(f"{series} with {self.many} modalities on {place}")
        change = many.word(few, self.metric)
        return change, f"{few}, then {many}, {'not told apart' if change == 'undecided' else change}"


class DegreeShapeCheck(Comparison):
    """On every data set the mean gets better from each degree of ``rises`` to the next, and worse at ``drops_at``.

    The means alone are compared: with few seeds the intervals of neighbouring degrees overlap.
    """

    kind = "degree_shape"
    rises: Annotated[tuple[Degree, ...], Field(min_length=2)]
    drops_at: Degree
    datasets: Metrics
    nearest: Metrics = Field(default_factory=dict)

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        found = [self.on(self.at(dataset), metric, results) for dataset, metric in self.datasets.items()]
        degrees = ", ".join(map(str, (*self.rises, self.drops_at)))
        return all(shape for shape, _ in found), f"at P = {degrees}: {'; '.join(reason for _, reason in found)}"

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool, str]:
        """Whether quality has that shape."""
        means = [results.score(place, _qfl(degree), metric).mean for degree in (*self.rises, self.drops_at)]
        quality = [-mean for mean in means] if METRICS[metric].lower_is_better else means
        rises = all(left < right for left, right in itertools.pairwise(quality[:-1]))
        drops = quality[-1] < quality[-2]
        figures = ", ".join(f"{mean:.4g}" for mean in means)
        shape = f"{'rises' if rises else 'no steady rise'}, {'then drops' if drops else 'no drop'}"
        return rises and drops, f"{place} ({METRICS[metric].label} {figures}) {shape}"


class GrowthCheck(Comparison):
    """Fusion parameters grow by no larger a factor than the modalities, between the fewest and the most of these."""

    kind = "growth"
    dataset: str = ""
    series: Series

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        return self.on(self.at(self.dataset), "", results)

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool, str]:
        """Whether they grow at most linearly."""
        sizes = results.sizes(place)
        fewest, most = sizes[0], sizes[-1]
        if fewest == most:
            raise NotComparableError(f"growth needs results on {place} with more than {most} modalities")
        few, many = (results.score(place, self.series, "fusion_params", size).mean for size in (fewest, most))
        return many / few <= most / fewest, (
            f"{self.series} has {few:g} fusion parameters at {fewest} modalities and {many:g} at {most}: "
            f"{many / few:.3g} times the parameters for {most / fewest:.3g} times the modalities"
        )


class EqualsDegreeCheck(Comparison):
    """With every number of modalities and at every one of ``degrees``, a figure of QFL is the degree itself."""

    kind = "equals_degree"
    dataset: str = ""
    quantity: MetricName
    degrees: tuple[Degree, ...]

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        return self.on(self.at(self.dataset), "", results)

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool, str]:
        """Whether all of them are equal."""
        equal: list[bool] = []
        reasons = []
        for size in results.sizes(place):
            scores = [results.score(place, _qfl(degree), self.quantity, size) for degree in self.degrees]
            equal += [score.mean == score.highest == p for score, p in zip(scores, self.degrees, strict=True)]
            reasons.append(f"{', '.join(map(str, scores))} with {size} modalities")
        label = f"{quantity_label(self.quantity)} of QFL on {place} at P = {', '.join(map(str, self.degrees))}"
        return all(equal), f"{label}: {'; '.join(reasons)}"


class LeastDegreeCheck(DatasetCheck):
    """The lowest degree at which QFL scores ``at_most`` is the published value, and none of ``others`` scores that.

    A score counts as at most so much if its 95 % interval lies wholly there.
    """

    kind = "least_degree"
    quantity: MetricName
    at_most: Number
    others: tuple[Series, ...]

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        published, place = self._stated(published, self.dataset)
        (least, alone), reason = self.on(place, "", results)
        return least == published and alone, f"{reason}, published {published:g}"

    def on(self, place: Place, metric: str, results: Results) -> tuple[tuple[int, bool], str]:
        """The lowest degree that scores as asked, and whether no other fusion does."""
        below = ""
        for degree in itertools.count(1):
            score = results.score(place, _qfl(degree), self.quantity)
            if score.highest <= self.at_most:
                break
            below = f", and {score} at P = {degree}"
        others = {series: results.score(place, series, self.quantity) for series in self.others}
        told = "".join(f"; of {series} {other}" for series, other in others.items())
        text = f"{quantity_label(self.quantity)} of QFL on {place} is at most {self.at_most:g} from P = {degree} on"
        alone = all(other.highest > self.at_most for other in others.values())
        return (degree, alone), f"{text}, {score}{below}{told}"

    def number(self, found: tuple[int, bool]) -> Score:
        """The degree."""
        return Score(found[0], found[0], found[0])


class FewerParametersCheck(NumberCheck):
    """At its own best accuracy a network has at most one ``times``-th of the parameters that any other one needs.

    Of the sizes of ``fusion`` the one with the best mean accuracy counts, and of the others' parameters what
    :mod:`reproduce.tables.table4.equal_accuracy` reads off their curves. If no other network reaches that accuracy, the
    largest has to have ``times`` as many parameters. ``times`` is the published value where it is None.
    """

    kind = "fewer_parameters"
    fusion: FusionName
    datasets: tuple[str, ...]
    modalities: Size
    times: Number | None = None

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        times, _ = self._stated(published if self.times is None else self.times, "")
        found = [self.on(self.at(dataset), "", results) for dataset in self.datasets]
        for (ratio, reached), reason in found:
            if not reached and ratio < times:
                raise NotComparableError(f"{reason}, which does not decide about {times:g} times; try larger ones")
        reasons = "; ".join(reason for _, reason in found)
        return all(ratio >= times for (ratio, _), _ in found), f"{reasons}; held against {times:g} times"

    def on(self, place: Place, metric: str, results: Results) -> tuple[tuple[float, bool], str]:
        """How many times the parameters others need, and whether they reach the accuracy at all."""
        sizes = {
            series: rows
            for (there, modalities, series), rows in results.rows.items()
            if (there, modalities) == (place, self.modalities) and "parameter_ratio" in rows
        }
        own = {series: rows for series, rows in sizes.items() if series.fusion == self.fusion}
        if not own:
            raise results.missing(f"ratios of parameters on {place} with {self.modalities} modalities")
        best = max(own, key=lambda series: own[series]["accuracy"]["mean"])
        scored = results.row(place, best, "accuracy", self.modalities)
        ratio = results.row(place, best, "parameter_ratio", self.modalities)["mean"]
        accuracy, parameters = scored["mean"], scored["total_params"]
        told = f"{place}: {best} has Accuracy {accuracy:.4g} with {parameters} parameters"
        if not math.isnan(ratio):
            return (ratio, True), f"{told}, the leanest classical network of that accuracy {ratio:.3g} times as many"
        ratio = max(rows["accuracy"]["total_params"] for series, rows in sizes.items() if series not in own)
        ratio /= parameters
        return (ratio, False), f"{told}, which no classical network reaches, the largest with {ratio:.3g} times as many"

    @property
    def stated_datasets(self) -> tuple[str, ...]:
        """All of them."""
        return self.datasets

    def number(self, found: tuple[float, bool]) -> Score:
        """How many times the parameters; no more than that is known where none reaches the accuracy."""
        return Score(found[0], found[0], found[0])


class SpreadCheck(Comparison):
    """On every data set the scores of ``series`` deviate over seeds no more than those of the worst of ``among``.

    The sample standard deviations are compared; a seed of ``series`` that diverged decides against it.
    """

    kind = "spread"
    series: Series
    among: tuple[Series, ...]
    datasets: Metrics
    modalities: Size
    nearest: Metrics = Field(default_factory=dict)
    elsewhere: Mapping[Table, Metrics] = Field(default_factory=dict)

    def holds(self, published: float | None, results: Results) -> tuple[bool, str]:
        """See the class."""
        found = [self.on(self.at(dataset), metric, results) for dataset, metric in self.datasets.items()]
        return all(narrow for narrow, _ in found), "; ".join(reason for _, reason in found)

    def on(self, place: Place, metric: str, results: Results) -> tuple[bool, str]:
        """Whether the scores deviate no more, and none diverged."""
        spreads = {}
        for series in (self.series, *self.among):
            results.score(place, series, metric, self.modalities)  # which says why there is none
            spreads[series] = results.row(place, series, metric, self.modalities)["std"]
            if math.isnan(spreads[series]):
                raise NotComparableError(f"{series} on {place} has a single finished seed; run more seeds")
        own = spreads.pop(self.series)
        worst = max(spreads, key=lambda series: spreads[series])
        diverged = results.score(place, self.series, "diverged", self.modalities).mean
        return own <= spreads[worst] and diverged == 0, (
            f"{place}: standard deviation of the {METRICS[metric].label} over seeds {own:.3g} for {self.series}, "
            f"{min(spreads.values()):.3g} to {spreads[worst]:.3g} ({worst}) for the others, "
            f"{100 * diverged:.0f} % of the seeds diverged"
        )


def _qfl(degree: int) -> Series:
    return Series(fusion="qfl", degree=degree)
