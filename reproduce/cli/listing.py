"""Stored runs as people read them: a list, a file for other programs, or one run in full."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from reproduce.claims.rows import METRICS
from reproduce.sweep.runs import STATUSES, RunResult, stated, strict
from tfq_fusion.files import write_files

EXPORTS = (".csv", ".json")
"""What :func:`export` writes, by suffix."""


def frame(results: Iterable[RunResult]) -> pd.DataFrame:
    """One row per run: what defines it, what came out and what computed it, without history and traceback.

    ``protocol``, ``arguments`` and ``dataset_options`` are JSON; of the protocol what differs from its defaults. A
    metric has one column per part, such as ``test_accuracy``.

    Args:
        results: At least one.
    """
    rows = pd.DataFrame([_row(result) for result in results], dtype=object)
    # The weights of a tensor fusion of 48 modalities do not fit into 64 bits: they stay Python integers.
    runs = rows.infer_objects().assign(fusion_params=rows["fusion_params"])
    return runs.astype({"degree": "Int64", "total_params": "Int64"})


def choose(runs: pd.DataFrame, dataset: str | None, fusion: str | None, status: str | None) -> pd.DataFrame:
    """The rows of a frame of runs with the given data set, fusion and status; None stands for any.

    Raises:
        ValueError: If no run has that data set or that fusion, or there is no such status.
    """
    chosen = pd.Series(True, index=runs.index)
    for column, value, known in (
        ("dataset", dataset, runs["dataset"].unique()),
        ("fusion", fusion, runs["fusion"].unique()),
        ("status", status, STATUSES),
    ):
        if value is None:
            continue
        if value not in known:
            raise ValueError(f"No run has the {column} {value!r}: expected one of {', '.join(known)}.")
        chosen &= runs[column] == value
    return runs[chosen]


def table(runs: pd.DataFrame) -> str:
    """A frame of runs as text, with the first twelve digits of each id, and how many runs have which status."""
    score = pd.Series("", index=runs.index)
    for metric in reversed(METRICS):
        if f"test_{metric}" in runs:
            scores = runs[f"test_{metric}"]
            score = score.mask(scores.notna(), scores.map(f"{metric} {{:.4g}}".format))
    shown = runs[["id", "dataset", "fusion", "degree", "seed", "status", "epochs", "seconds"]].assign(
        id=runs["id"].str[:12],
        degree=runs["degree"].astype("string").fillna(""),
        seconds=runs["seconds"].map("{:.1f}".format),
    )
    shown.insert(6, "test score", score)
    counts = Counter(runs["status"])
    total = f"{len(runs)} runs" + "".join(f", {counts[status]} {status}" for status in STATUSES if counts[status])
    return f"{shown.to_string(index=False)}\n{total}" if len(runs) else total


def export(runs: pd.DataFrame, path: Path) -> None:
    """Write a frame of runs as CSV or, by the suffix, as a JSON list of objects; floats in full.

    Raises:
        ValueError: If the suffix is neither.
        OSError: If the file cannot be written.
    """
    if path.suffix not in EXPORTS:
        raise ValueError(f"Cannot export to {path}: expected a name that ends in {' or '.join(EXPORTS)}.")
    if path.suffix == ".csv":
        text = runs.to_csv(index=False, lineterminator="\n")
    else:
        # Not DataFrame.to_json, which rounds floats and has no integers above 64 bits.
        rows = runs.astype(object).to_dict("records")
        records = [{name: None if pd.isna(value) else strict(value) for name, value in row.items()} for row in rows]
        text = json.dumps(records, indent=1, allow_nan=False) + "\n"
    write_files({path: text.encode()})


def describe(result: RunResult) -> str:
    """One run in full: its row, versions, history and traceback."""
    row = {name: value for name, value in _row(result).items() if value is not None}
    width = max(map(len, (*row, *result.versions))) + 2
    parts = ["\n".join(f"{name:<{width}}{value}" for name, value in row.items())]
    parts.append("\n".join(f"{name:<{width}}{version}" for name, version in result.versions.items()))
    if result.history:
        history = pd.DataFrame({name: pd.Series(losses) for name, losses in result.history.items()})
        parts.append(history.rename(lambda epoch: epoch + 1).rename_axis("epoch").reset_index().to_string(index=False))
    if result.error:
        parts.append(result.error.rstrip())
    return "\n\n".join(parts)


def _row(result: RunResult) -> dict[str, Any]:
    spec = result.spec
    return {
        "id": spec.id,
        "dataset": spec.dataset,
        "dataset_sha256": spec.dataset_sha256,
        "fusion": spec.fusion,
        "degree": spec.degree,
        "seed": spec.seed,
        "engine": spec.engine,
        "arguments": json.dumps(dict(spec.arguments)),
        "dataset_options": json.dumps(dict(spec.dataset_options)),
        "precision": spec.precision,
        "protocol": json.dumps(strict(stated(spec.protocol))),
        "status": result.status,
        "modalities": result.modalities,
        "fusion_params": result.fusion_params,
        "total_params": result.total_params,
        "learning_rate": result.learning_rate,
        "epochs": result.epochs,
        "seconds": result.seconds,
        "seconds_per_epoch": result.seconds_per_epoch,
        "peak_memory_mb": result.peak_memory_mb,
        "commit": result.commit,
        "machine": result.machine,
        **{f"{part}_{metric}": score for part, scores in result.metrics.items() for metric, score in scores.items()},
    }
