"""The page and the file of the benchmark of layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contest import list_versions, write_page
from bench.layers.contenders import CONTENDERS, LEFT_OUT
from bench.layers.run import TOLERANCE, Cell
from bench.layers.workloads import Workload
from bench.report import machine, number, ratio_of, table, times, verdict

AIM = 10
"""How many times as fast as anyone else."""
FIRST = 5.0
"""Seconds of a first epoch."""


def write(workloads: Mapping[str, Workload], cells: Sequence[Cell], folder: Path) -> None:
    """Write ``bench-layers.csv`` and ``bench-layers.md``, or none if one cannot be written."""
    rows = [{**dataclasses.asdict(cell), "first_s": cell.first, "later_s": cell.later} for cell in cells]
    for row in rows:
        del row["seconds"]
    write_page(folder, "bench-layers", rows, _page(workloads, cells))


def _page(workloads: Mapping[str, Workload], cells: Sequence[Cell]) -> str:
    parts = [
        "# An epoch of a hybrid model\n\n"
        "Everyone trains the same model from the same weights in the same batches: a dense layer with tanh, the "
        "circuit of a Quantum Fusion Layer with 32 observables, a dense layer with softmax; 256 samples in batches of "
        "32. The first epoch is all that a user waits for after the imports: making the layer, tracing, compiling, "
        "training. Later epochs: their median. Each contender has a process of its own. A time is shown only where "
        f"the loss of each epoch lies within {TOLERANCE:.1%} of TensorFlow Quantum's.\n\nMachine: {machine()}.",
        *(f"## {workload.title}\n\n{_table(name, cells)}" for name, workload in workloads.items()),
        "## The contenders\n\n" + "\n".join(f"- **{each.title}**: {each.how}" for each in CONTENDERS.values()),
        LEFT_OUT,
        list_versions(cells),
    ]
    return "\n\n".join(parts) + "\n"


def _table(workload: str, cells: Sequence[Cell]) -> str:
    of_workload = {cell.contender: cell for cell in cells if cell.workload == workload}
    others = [cell.later for name, cell in of_workload.items() if not CONTENDERS[name].ours and cell.later is not None]
    rows = []
    for name, cell in of_workload.items():
        first, ratio = number(cell.first, ".2f"), ratio_of(min(others, default=None), cell.later)
        ours = CONTENDERS[name].ours
        rows.append(
            {
                "Contender": CONTENDERS[name].title,
                f"First epoch, s (ours at most {FIRST:g})": f"{first} {verdict(cell.first, FIRST, 1)}"
                if ours
                else first,
                "Later epochs, s": number(cell.later, ".3g"),
                f"The best other one over it (to reach {AIM}x)": f"{times(ratio)} {verdict(ratio, AIM, -1)}"
                if ours
                else "",
                "Off by": number(cell.deviation, ".0e"),
                "Status": f"{cell.status}: {cell.note}" if cell.note else cell.status,
            }
        )
    return table(rows)
