"""The claims, the rows that each rests on, and published numbers beside reproduced ones."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from reproduce.claims.cells import RowRead, Score, Series, difference_text, quantity_label
from reproduce.claims.check import Reproduced
from reproduce.claims.comparisons import KEY as COMPARISON
from reproduce.claims.metrics import METRICS
from reproduce.claims.papers import Verdict
from reproduce.claims.rows import KEY, TRAINING, Place
from reproduce.claims.runs import cell_of
from reproduce.report.html.rows import Json, cell_numbers, json_number, key_of, line_name, numbered, place_text
from reproduce.report.reading import score_text


@dataclass(frozen=True)
class Ground:
    """A row that a claim rests on."""

    href: str
    name: str
    where: str
    what: str
    figure: str
    table: str
    cell: int | None
    """The number of the cell whose runs made it; of a comparison, that of the first of the two."""


@dataclass(frozen=True)
class ClaimContents:
    """A claim with its verdict, and the rows that it rests on."""

    id: str
    verdict: Verdict
    grounds: list[Ground]


def claim_contents(
    found: Iterable[Verdict], frames: Mapping[str, pd.DataFrame], comparisons: Mapping[str, pd.DataFrame]
) -> list[ClaimContents]:
    """The claims as the report shows them.

    Args:
        found: The verdicts.
        frames: The tables by name.
        comparisons: Those beside them, by the same names.
    """
    lines = {name: {key_of(row, KEY): line for line, row in numbered(frame)} for name, frame in frames.items()}
    compared = {
        name: {key_of(row, COMPARISON): line for line, row in numbered(rows)} for name, rows in comparisons.items()
    }
    numbers = {name: cell_numbers(frame) for name, frame in frames.items()}

    def ground(one: RowRead) -> Ground:
        row, table = one.row, one.table
        if not one.quantity:
            place, label = Place(TRAINING, row["dataset"], row["options"]), METRICS[row["metric"]].label
            what = f"{label}, {Series.of(row)} minus {Series.of_baseline(row)}: {row['word']}"
            figure = f"{difference_text(row)}, p = {row['p_holm']:.2g} after Holm's correction"
            line = compared[table][key_of(row, COMPARISON)]
            cell = numbers[table].get(cell_of({**row, "experiment": TRAINING}))
            name = f"{table}-comparisons"
            return Ground(f"#{name}-{line}", line_name(name, line), place_text(place, row), what, figure, table, cell)
        what = f"{quantity_label(one.quantity)}, {Series.of(row)}"
        line, where = lines[table][key_of(row, KEY)], place_text(Place.of(row), row)
        cell = numbers[table][cell_of(row)]
        return Ground(f"#{table}-{line}", line_name(table, line), where, what, _figure(one), table, cell)

    return [ClaimContents(_slug(one.claim), one, [ground(row) for row in one.rows]) for one in found]


def numbers_beside(found: Iterable[Verdict]) -> list[dict[str, Json]]:
    """Each published number with each that was reproduced of it, as the template and the script read them."""
    return [_beside(one, number) for one in found if one.value is not None for number in one.numbers]


def _slug(text: str) -> str:
    return "claim-" + re.sub(r"[^A-Za-z0-9]+", "-", text)


def _figure(one: RowRead) -> str:
    if one.quantity not in METRICS:
        return f"{one.row[one.quantity]:,}"
    if math.isnan(one.row["mean"]):
        return score_text(dict(one.row))
    return str(Score(one.row["mean"], one.row["ci95_low"], one.row["ci95_high"]))


def _beside(verdict: Verdict, number: Reproduced) -> dict[str, Json]:
    score = number.score
    return {
        "claim": verdict.claim,
        "href": f"#{_slug(verdict.claim)}",
        "published": verdict.value,
        "said": verdict.published,
        "place": str(number.place) + ("" if number.decides else f", {number.table}"),
        "decides": number.decides,
        "told": number.told,
        "mean": score.mean,
        "low": json_number(score.low),
        "high": json_number(score.high),
    }
