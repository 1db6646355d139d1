"""The page and the file of the benchmark of training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contest import list_versions, write_page
from bench.report import machine, number, ratio_of, table, times, verdict
from bench.training.contenders import CONTENDERS, OURS
from bench.training.run import TOLERANCE, Cell
from bench.training.workloads import Workload

AIM = 5
"""How many times as many models as anyone else."""


def write(workloads: Mapping[str, Workload], cells: Sequence[Cell], folder: Path) -> None:
    """Write ``bench-training.csv`` and ``bench-training.md``, or none if one cannot be written."""
    rows = [{**dataclasses.asdict(cell), "models_per_second": cell.models_per_second} for cell in cells]
    write_page(folder, "bench-training", rows, _page(workloads, cells))


def _page(workloads: Mapping[str, Workload], cells: Sequence[Cell]) -> str:
    parts = [
        "# Models trained per second\n\n"
        "Everyone trains the same models from the same weights in the same batches: a fusion of 32 outputs and a "
        "softmax, 60 epochs of 8 steps of 32 samples, the loss on 64 others after each epoch. The time is all that a "
        "user waits for after the imports: building, tracing, compiling, training. Each contender has a process of its "
        f"own. A time is shown only where the losses of the last epoch lie within {TOLERANCE:.0%} of those of Keras' "
        f"fit on TensorFlow.\n\nMachine: {machine()}.",
        *(f"## {workload.title}\n\n{_table(name, cells)}" for name, workload in workloads.items()),
        "## The contenders\n\n" + "\n".join(f"- **{each.title}**: {each.how}" for each in CONTENDERS.values()),
        list_versions(cells),
    ]
    return "\n\n".join(parts) + "\n"


def _table(workload: str, cells: Sequence[Cell]) -> str:
    of_workload = {cell.contender: cell for cell in cells if cell.workload == workload}
    ours = of_workload[OURS].models_per_second if OURS in of_workload else None
    rows = []
    for name, cell in of_workload.items():
        rate = cell.models_per_second
        ratio = ratio_of(ours, rate)
        rows.append(
            {
                "Contender": CONTENDERS[name].title,
                "Models": number(cell.members or None, "d"),
                "Seconds": number(cell.seconds, ".1f"),
                "Models per second": number(rate, ".3g"),
                f"fit_many over it (to reach {AIM}x)": ""
                if name == OURS
                else f"{times(ratio)} {verdict(ratio, AIM, -1)}",
                "Off by": number(cell.deviation, ".0e"),
                "Status": f"{cell.status}: {cell.note}" if cell.note else cell.status,
            }
        )
    return table(rows)
