"""What the tests of checks share: rows of a table, and the verdict on a claim that is held against them."""

import pandas as pd

from reproduce.claims.comparisons import read_comparisons
from reproduce.claims.papers import PUBLISHED, load_papers, verdicts
from reproduce.claims.rows import COLUMNS, encode, read_tables, write_csv

VALUE = "kind: value, dataset: toy, series: {fusion: concat}, quantity: accuracy, tolerance: 0.005"
RATIO = "kind: ratio, dataset: toy, numerator: {fusion: concat}, denominator: {fusion: lmf}"
ORDERING = "kind: ordering, above: {fusion: concat}, below: [{fusion: lmf}, {fusion: gcn}]"


def row_of(
    dataset, fusion, mean, low=None, high=None, *, degree=None, metric="accuracy", seeds=3, params=100, modalities=3,
    experiment="training", options=None, arguments=None,
):  # fmt: skip
    return dict.fromkeys(COLUMNS) | {
        "experiment": experiment,
        "dataset": dataset,
        "options": encode(options or {}),
        "arguments": encode(arguments or {}),
        "modalities": modalities,
        "fusion": fusion,
        "degree": degree,
        "metric": metric,
        "mean": mean,
        "ci95_low": low,
        "ci95_high": high,
        "seeds": seeds,
        "fusion_params": params,
    }


def verdicts_in(results, published=PUBLISHED):
    return verdicts(read_tables(results), load_papers(published), read_comparisons(results))


def verdict_on(tmp_path, check, rows, value=None, table="table1"):
    """The verdict on one claim about a table with the given check and published value, and its reason."""
    published = tmp_path / "published"
    published.mkdir(exist_ok=True)
    (published / "paper.yaml").write_text(
        f"""\
title: A paper
authors: [A. Author]
arxiv: 0000.00000v1
date: "2025-01-01"
method: []
settings: {{}}
claims:
  - id: A1
    statement: It works.
    value: {"null" if value is None else value}
    unit: number
    sources: [abstract]
    confidence: A
    check: {{table: {table}, {check}}}
"""
    )
    if rows:
        write_csv(pd.DataFrame(rows), tmp_path / f"{table}.csv")
    (verdict,) = verdicts_in(tmp_path, published)
    return verdict.verdict, verdict.reason
