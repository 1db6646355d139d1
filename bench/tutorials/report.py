"""The page and the file of the benchmark of tutorials."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contest import list_versions, write_page
from bench.layers.run import TOLERANCE, Cell
from bench.report import machine, number, ratio_of, table, times, verdict
from bench.tutorials.contenders import CONTENDERS, OURS, REFERENCE
from bench.tutorials.workloads import Workload


def write(workloads: Mapping[str, Workload], cells: Sequence[Cell], folder: Path) -> None:
    """Write ``bench-tutorials.csv`` and ``bench-tutorials.md``, or none if one cannot be written."""
    rows = [
        {**dataclasses.asdict(cell), "whole_s": cell.whole, "first_s": cell.first, "later_s": cell.later}
        for cell in cells
    ]
    for row in rows:
        del row["seconds"]
    write_page(folder, "bench-tutorials", rows, _page(workloads, cells))


def _page(workloads: Mapping[str, Workload], cells: Sequence[Cell]) -> str:
    found = {(cell.workload, cell.contender): cell for cell in cells}
    pairs = [(workload, found[name, REFERENCE], found[name, OURS]) for name, workload in workloads.items()]
    parts = [
        "# TensorFlow Quantum's tutorials, with one import changed\n\n"
        "The models of [its tutorials](https://www.tensorflow.org/quantum/tutorials), written anew and trained twice: "
        "with its layers `PQC` and `ControlledPQC`, and with this library's; from the same weights, on the same "
        "samples in the same order, under legacy Keras. Each training has a process of its own. A time is shown only "
        f"where the loss of each epoch lies within {TOLERANCE:.1%} of TensorFlow Quantum's; in reinforcement learning, "
        "where one action changes all that follow, the loss of the first update and the norms of its gradients.\n\n"
        f"Machine: {machine()}.",
        "## Whole trainings\n\nAll that a user waits for after the imports: making circuits and layers, tracing, "
        f"compiling, training.\n\n{table([_whole(*pair) for pair in pairs])}",
        "## Epochs\n\nThe first includes all that comes before it; of the later ones the median.\n\n"
        + table([_epochs(*pair) for pair in pairs if "epochs" in pair[0].settings]),
        "## The layers\n\n" + "\n".join(f"- **{each.title}**: {each.how}" for each in CONTENDERS.values()),
        list_versions(cells),
    ]
    return "\n\n".join(parts) + "\n"


def _whole(workload: Workload, theirs: Cell, ours: Cell) -> dict[str, str]:
    seconds, aim = number(ours.whole, ".1f"), workload.seconds
    wrong = [f"{CONTENDERS[cell.contender].title} {cell.status}, {cell.note}" for cell in (theirs, ours) if cell.note]
    return {
        "Tutorial": workload.title,
        "TensorFlow Quantum, s": number(theirs.whole, ".1f"),
        "tfq-fusion, s (at most)": f"{seconds} ({aim:g}) {verdict(ours.whole, aim, 1)}" if aim else seconds,
        "The first over the second": times(ratio_of(theirs.whole, ours.whole)),
        "Off by": number(ours.deviation, ".0e"),
        "Status": "; ".join(wrong) or "ok",
    }


def _epochs(workload: Workload, theirs: Cell, ours: Cell) -> dict[str, str]:
    ratio, aim = ratio_of(theirs.later, ours.later), workload.over_tfq
    return {
        "Tutorial": workload.title,
        "First, TensorFlow Quantum, s": number(theirs.first, ".1f"),
        "First, tfq-fusion, s": number(ours.first, ".1f"),
        "Later, TensorFlow Quantum, s": number(theirs.later, ".3g"),
        "Later, tfq-fusion, s": number(ours.later, ".3g"),
        "Later: the first over the second (to reach)": f"{times(ratio)} ({aim:g}x) {verdict(ratio, aim, -1)}"
        if aim
        else times(ratio),
    }
