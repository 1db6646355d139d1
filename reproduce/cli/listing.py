"""Stored runs as people read them: a list, a file for other programs, or one run in full."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reproduce.sweep.runs import STATUSES, RunResult, stated, strict
from reproduce.sweep.store import COLUMNS, Store
from tfq_fusion.files import write_files

EXPORTS = (".csv", ".json")
"""What :func:`export` writes, by suffix."""


def table(store: Store, last: int, chosen: Mapping[str, str]) -> str:
    """The newest runs as text, with the first twelve digits of each id, and how many runs have which status.

    Args:
        store: Where they are.
        last: How many are listed at most.
        chosen: As for :meth:`Store.counts`.

    Raises:
        ValueError: If no run has such a value.
    """
    counts = store.counts(**chosen)
    runs = csv.DictReader(store.rows(last, **dict(chosen)), COLUMNS)
    shown = (
        "id",
        "table",
        "experiment",
        "dataset",
        "fusion",
        "degree",
        "seed",
        "status",
        "test score",
        "epochs",
        "seconds",
    )
    listed = [[{**run, **_shown(run)}[column] for column in shown] for run in runs]
    total = sum(counts.values())
    text = f"{total:,} runs" + "".join(f", {counts[status]:,} {status}" for status in STATUSES if status in counts)
    if total > len(listed):
        text += f"; the newest {len(listed)} are listed, more with --last"
    return "\n".join([*(_aligned([shown, *listed]) if listed else ()), text])


def _shown(run: Mapping[str, str]) -> dict[str, str]:
    score = "".join(
        f"{name} {float(value):.4g}" for name, value in itertools.islice(json.loads(run["test"]).items(), 1)
    )
    return {"id": run["id"][:12], "test score": score, "seconds": f"{float(run['seconds']):.1f}"}


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def export(store: Store, path: Path, chosen: Mapping[str, str]) -> None:
    """Write runs as CSV, a line each, or, by the suffix, as a JSON list of all that is known of them.

    Args:
        store: Where they are.
        path: The file.
        chosen: As for :meth:`Store.counts`.

    Raises:
        ValueError: If the suffix is neither.
        OSError: If the file cannot be written.
    """
    if path.suffix not in EXPORTS:
        raise ValueError(f"Cannot export to {path}: expected a name that ends in {' or '.join(EXPORTS)}.")
    if path.suffix == ".csv":
        lines: Iterator[str] = itertools.chain([",".join(COLUMNS) + "\n"], store.rows(None, **chosen))
    else:
        separators = itertools.chain(["\n"], itertools.repeat(",\n"))
        objects = (piece for record in store.records(**chosen) for piece in (next(separators), record))
        lines = itertools.chain(["["], objects, ["\n]\n"])
    write_files({path: map(str.encode, lines)})


def describe(result: RunResult) -> str:
    """One run in full: what defines it, what came out, versions, history and traceback."""
    spec = result.spec
    values = {
        "id": spec.id,
        **vars(spec),
        **{name: json.dumps(dict(getattr(spec, name))) for name in ("dataset_options", "options", "arguments")},
        "protocol": json.dumps(strict(stated(spec.protocol))),
        **vars(result),
        **{f"{part}_{name}": score for part, scores in result.metrics.items() for name, score in scores.items()},
        **result.versions,
    }
    # Nobody reads an outcome per test sample; an export as JSON has them.
    apart = ("spec", "metrics", "versions", "history", "error", "outcomes")
    named = {name: value for name, value in values.items() if name not in apart}
    facts = [[name, str(value)] for name, value in named.items() if value not in (None, (), {})]
    parts = [_aligned(facts)]
    if result.history:
        epochs = itertools.zip_longest(*result.history.values(), fillvalue="")
        parts.append(
            _aligned([["epoch", *result.history], *([str(n), *map(str, row)] for n, row in enumerate(epochs, 1))])
        )
    if result.error:
        parts.append([result.error.rstrip()])
    return "\n\n".join(map("\n".join, parts))
