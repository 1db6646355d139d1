"""The page and the file of the benchmark of noise and shots."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contest import list_versions, write_page
from bench.noise.contenders import CONTENDERS, LEFT_OUT, REFERENCE
from bench.noise.run import DIFFERENTIATED, JUDGED, SIGMAS, TOLERANCE, Cell
from bench.noise.workloads import RATE, Workload
from bench.report import machine, number, ratio_of, table, times, verdict


def describe(cell: Cell) -> str:
    """A cell that has figures, in a line."""
    figures = f"{cell.median_ms:,.2f} ms, first call {cell.first_call_s:.1f} s, peak {cell.peak_mb:,.0f} MB"
    return f"{figures}, off by {_off(cell)}"


def write(workloads: Mapping[str, Workload], cells: Sequence[Cell], folder: Path) -> None:
    """Write ``bench-noise.csv`` and ``bench-noise.md``, or none if one cannot be written."""
    write_page(folder, "bench-noise", [dataclasses.asdict(cell) for cell in cells], _page(workloads, cells))


def _page(workloads: Mapping[str, Workload], cells: Sequence[Cell]) -> str:
    parts = [
        "# Noise and shots\n\n"
        "Quantum Fusion Layers with 32 observables in single precision. The noisy ones are written in rotations and "
        f"CNOTs, and a depolarising channel of {RATE:g} follows each gate on each of its qubits. A time is the median "
        "of warm steps, each cell has a process of its own, the first call includes tracing and compiling, and the "
        "peak is resident memory over that after the imports.\n\n"
        f"A time is shown only where the values of the first {JUDGED} samples agree with Cirq's "
        f"`DensityMatrixSimulator` in double precision: exact ones, and the slope of their gradients in a random "
        f"direction, within {TOLERANCE:.0e}; estimates within {SIGMAS:g} standard deviations (sd) of as many "
        "measurements. TensorFlow Quantum's noisy values are estimates. Its gradients are not judged, and computed of "
        f"{DIFFERENTIATED} sample: the time is that, times the batch; the first call and the peak are not scaled.\n\n"
        f"Machine: {machine()}.",
        *(f"## {workload.title}\n\n{_table(name, workload, cells)}" for name, workload in workloads.items()),
        "## The contenders\n\n" + "\n".join(f"- **{each.title}**: {each.how}" for each in CONTENDERS.values()),
        LEFT_OUT,
        list_versions(cells),
    ]
    return "\n\n".join(parts) + "\n"


def _table(name: str, workload: Workload, cells: Sequence[Cell]) -> str:
    found = {cell.contender: cell for cell in cells if cell.workload == name}
    theirs = found[REFERENCE].median_ms if REFERENCE in found else None
    aim, most = workload.over_tfq, workload.peak_mb
    rows = []
    for contender, cell in found.items():
        ours = contender != REFERENCE
        ratio, peak = ratio_of(theirs, cell.median_ms), number(cell.peak_mb, ",.0f")
        rows.append(
            {
                "Contender": CONTENDERS[contender].title,
                "Median, ms": number(cell.median_ms, ",.2f"),
                f"TensorFlow Quantum over it{f' (to reach {aim:g}x)' if aim else ''}": f"{times(ratio)} "
                f"{verdict(ratio, aim, -1)}"
                if ours and aim
                else times(ratio),
                "First call, s": number(cell.first_call_s, ".1f"),
                f"Peak, MB{f' (ours at most {most:,.0f})' if most else ''}": f"{peak} {verdict(cell.peak_mb, most, 1)}"
                if ours and most
                else peak,
                "Off by": _off(cell),
                "Status": f"{cell.status}: {cell.note}" if cell.note else cell.status,
            }
        )
    return table(rows)


def _off(cell: Cell) -> str:
    return number(cell.deviation, ".0e") if cell.sigmas is None else f"{cell.sigmas:.1f} sd"
