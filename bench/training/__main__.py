"""Command line of the benchmark of training: ``python -m bench.training``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.training.contenders import CONTENDERS
from bench.training.report import write
from bench.training.run import run_workload
from bench.training.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tiny circuit, to see that everything runs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for bench-training.{csv,md}; results for the whole benchmark, else none."),
    ] = None,
) -> None:
    """Train many models in each of several ways, prove that they are the same models, and count them per second."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    workloads = QUICK if quick else WORKLOADS
    cells = []
    for name, workload in workloads.items():
        console.print(workload.title, style="bold")
        for cell in run_workload(name, workload, CONTENDERS):
            rate = cell.models_per_second
            said = f"{rate:.3g} models per second" if rate else f"{cell.status}, {cell.note}"
            console.print(f"  {CONTENDERS[cell.contender].title}: {said}")
            cells.append(cell)
    folder = results or (None if quick else Path("results"))
    if folder is not None:
        write(workloads, cells, folder)
        console.print(f"Wrote {folder / 'bench-training'}.csv and .md")
    if any(cell.status == "disagrees" for cell in cells):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
