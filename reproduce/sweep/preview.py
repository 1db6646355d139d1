"""``--dry-run``: what would run, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reproduce.sweep.estimate import Estimates
from reproduce.sweep.progress import duration
from reproduce.sweep.runs import RunResult, RunSpec


def preview(specs: Sequence[RunSpec], results: Sequence[RunResult], workers: int) -> str:
    """How many runs of each fusion are stored and how many would run, with the seconds that those may take.

    Args:
        specs: The runs of a table.
        results: What is there of them.
        workers: How many run at the same time.
    """
    there = {result.spec for result in results}
    estimates = Estimates(results)
    frame = pd.DataFrame(
        {
            "data set": spec.dataset,
            "fusion": spec.fusion + ("" if spec.degree is None else f" P={spec.degree}"),
            "there": spec in there,
            "to run": spec not in there,
            "seconds": 0.0 if spec in there else estimates.seconds(spec),
        }
        for spec in specs
    )
    table = frame.groupby(["data set", "fusion"], sort=False).sum().round(0).astype(int).reset_index()
    ahead = int(frame["to run"].sum())
    seconds = max(frame["seconds"].sum() / workers, frame["seconds"].max())
    takes = f", which takes {duration(seconds)} with --workers {workers}" if ahead else ""
    return f"{table.to_string(index=False)}\n{len(specs)} runs: {len(there)} are there, {ahead} would run{takes}."
