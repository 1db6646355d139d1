"""What the report shows, as its template and its script read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reproduce.claims.comparisons import read_comparisons
from reproduce.claims.metrics import METRICS
from reproduce.claims.papers import PUBLISHED, Paper, load_papers, verdicts
from reproduce.claims.rows import FUSIONS, read_tables
from reproduce.claims.tables import TABLES
from reproduce.report.html.claims import ClaimContents, claim_contents, numbers_beside
from reproduce.report.html.rows import Json
from reproduce.report.html.tables import TableContents, table_contents
from reproduce.report.style import PALETTE, STYLES


@dataclass(frozen=True)
class Contents:
    """All of it.

    Attributes:
        papers: What is published.
        claims: The verdicts.
        counts: Verdict -> how many claims.
        beside: Published numbers beside reproduced ones.
        tables: The tables that are there.
        absent: Names of those that are not.
        looks: Fusion -> colour and marker.
    """

    papers: list[Paper]
    claims: list[ClaimContents]
    counts: dict[str, int]
    beside: list[dict[str, Json]]
    tables: list[TableContents]
    absent: list[str]
    looks: Mapping[str, Json]

    def data(self) -> Json:
        """What the script reads, as JSON."""
        return {
            "tables": {
                table.name: {"csv": table.csv, "cells": table.cells, "plots": table.plots} for table in self.tables
            },
            "beside": self.beside,
            "metrics": {name: {"label": metric.label} for name, metric in METRICS.items()},
            "captions": FUSIONS,
            "looks": self.looks,
            "palette": PALETTE,
        }


def read_contents(folder: Path, published: Path = PUBLISHED) -> Contents:
    """Everything that the report of a folder shows.

    Args:
        folder: The tables, and what lies beside them; the raw runs, if they are there.
        published: The folder with one YAML file per paper.

    Raises:
        ValueError: If a file of the folder is broken, or there is no table.
        StoreError: If the raw runs cannot be read.
    """
    frames = read_tables(folder)
    if not frames:
        raise ValueError(f"There are no tables in {folder}: `make reproduce-table1` makes one, --results says where.")
    comparisons = read_comparisons(folder)
    papers = load_papers(published)
    found = verdicts(frames, papers, comparisons)
    outcomes = [one.verdict for one in found]
    return Contents(
        papers=papers,
        claims=claim_contents(found, frames, comparisons),
        counts={outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
        beside=numbers_beside(found),
        tables=[table_contents(name, frame, comparisons.get(name), folder, papers) for name, frame in frames.items()],
        absent=[name for name in TABLES if name not in frames],
        looks={
            name: {"color": look.color, "marker": look.marker, "hollow": look.hollow} for name, look in STYLES.items()
        },
    )
