"""Command line of the benchmark: ``python -m bench``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from bench.engines import ENGINES, PEERS_PYTHON
from bench.report import Report, cell_line, machine
from bench.run import Cell, matrix_product_rate, run_memory, run_second, run_workload
from bench.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)

SECONDS, QUICK_SECONDS = 20.0, 2.0


def _fail(message: str) -> NoReturn:
    console.print(Text.assemble(("Error:", "bold red"), f" {message}"))
    raise typer.Exit(2)


def _chosen(text: str | None, known: Mapping[str, object], what: str) -> list[str]:
    names = list(known) if text is None else [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        _fail(f"unknown {what} {unknown}; choose from {list(known)}.")
    return names


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="Two tiny circuits, to see that everything runs.")] = False,
    only: Annotated[str | None, typer.Option(help="Workloads, separated by commas; all otherwise.")] = None,
    engines: Annotated[str | None, typer.Option(help="Engines, separated by commas; all otherwise.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Folder for bench.{csv,md,png}; results for the whole benchmark, else none.")
    ] = None,
) -> None:
    """Time quantum-circuit engines on the same circuits, after proving that they agree."""
    workloads = QUICK if quick else WORKLOADS
    chosen = _chosen(only, workloads, "workloads")
    against = _chosen(engines, ENGINES, "engines")
    if any(ENGINES[engine].peer for engine in against) and not PEERS_PYTHON.exists():
        _fail(
            f"the peers' environment has no {PEERS_PYTHON}: `make bench` builds it, or choose --engines "
            f"{','.join(name for name, engine in ENGINES.items() if not engine.peer)}."
        )
    whole = not quick and only is None and engines is None
    if results is None and whole:
        results = Path("results")

    rate = matrix_product_rate()
    console.print(f"Matrix products: {rate / 1e9:.0f} GFLOP/s")
    problems = {name: workloads[name].build() for name in chosen}
    cells: list[Cell] = []
    for name, problem in problems.items():
        console.print(workloads[name].title, style="bold")
        for cell in run_workload(name, problem, against, QUICK_SECONDS if quick else SECONDS):
            console.print(f"  {cell_line(cell)}")
            cells.append(cell)
    if whole:
        console.print("Memory of the gradient", style="bold")
        for cell in run_memory():
            console.print(f"  {cell_line(cell)}")
            cells.append(cell)
        console.print("First call of a second process", style="bold")
        for cell in run_second():
            console.print(f"  {cell_line(cell)}")
            cells.append(cell)
    if results is not None:
        Report({name: workloads[name] for name in chosen}, problems, cells, rate, machine()).write(results)
        console.print(f"Wrote {results / 'bench'}.csv, .md and .png")
    if any(cell.status == "disagrees" for cell in cells):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
