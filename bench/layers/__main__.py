"""Command line of the benchmark of layers: ``python -m bench.layers``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.layers.contenders import CONTENDERS
from bench.layers.report import write
from bench.layers.run import run_workload
from bench.layers.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tiny circuit, to see that everything runs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for bench-layers.{csv,md}; results for the whole benchmark, else none."),
    ] = None,
) -> None:
    """Train one hybrid model through each library's layer, prove that it is the same, and time its epochs."""
    workloads = QUICK if quick else WORKLOADS
    cells = []
    for name, workload in workloads.items():
        console.print(workload.title, style="bold")
        for cell in run_workload(name, workload, CONTENDERS):
            said = f"{cell.first:.1f} s, then {cell.later:.3g} s" if cell.first else f"{cell.status}, {cell.note}"
            console.print(f"  {CONTENDERS[cell.contender].title}: {said}")
            cells.append(cell)
    folder = results or (None if quick else Path("results"))
    if folder is not None:
        write(workloads, cells, folder)
        console.print(f"Wrote {folder / 'bench-layers'}.csv and .md")
    if any(cell.status == "disagrees" for cell in cells):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
