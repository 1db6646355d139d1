"""The results as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.engines import ENGINES
from bench.run import Cell

# Colours of Okabe and Ito, which stay apart for colour-blind readers; the markers say the same without colour, and a
# hollow marker is a circuit rewritten by hand.
_STYLES = {
    "compiled": ("#000000", "*", True),
    "compiled-jax": ("#000000", "x", True),
    "tfq": ("#D55E00", "s", True),
    "pennylane": ("#0072B2", "o", True),
    "pennylane-diagonal": ("#0072B2", "o", False),
    "lightning": ("#56B4E9", "^", True),
    "tensorcircuit": ("#009E73", "D", True),
    "tensorcircuit-diagonal": ("#009E73", "D", False),
}


def draw(titles: Mapping[str, str], cells: Sequence[Cell]) -> Figure:
    """Milliseconds per step, one line per workload, one marker per engine.

    Args:
        titles: The workloads, from top to bottom.
        cells: What was measured; a cell without a time leaves its marker out.
    """
    rows = {name: row for row, name in enumerate(titles)}
    figure = Figure(figsize=(9, 2.2 + 0.55 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for engine, (colour, marker, filled) in _STYLES.items():
        shown = [
            (cell.median_ms, rows[cell.workload])
            for cell in cells
            if cell.engine == engine and cell.median_ms is not None and cell.workload in rows
        ]
        if shown:
            axes.plot(
                *zip(*shown, strict=True),
                linestyle="none",
                marker=marker,
                markersize=13 if marker == "*" else 8,
                color=colour,
                markerfacecolor=colour if filled else "white",
                markeredgewidth=1.5,
                label=ENGINES[engine].title,
                zorder=4 if engine == "compiled" else 3,
            )
    axes.set_xscale("log")
    axes.set_xlabel("Milliseconds per step (logarithmic); no marker: the engine failed, see the page")
    axes.set_yticks(list(rows.values()), list(titles.values()))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", which="major", color="0.85")
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("One step: forward pass and gradients in data and weights", loc="left")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
