"""Command line of the benchmark of layers: ``python -m bench.layers``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.contest import hold
from bench.layers.contenders import CONTENDERS
from bench.layers.report import write
from bench.layers.run import run_workload
from bench.layers.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tiny circuit, to see that everything runs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for bench-layers.{csv,md}; results for the whole benchmark, else none."),
    ] = None,
) -> None:
    """Train one hybrid model through each library's layer, prove that it is the same, and time its epochs."""
    hold(
        QUICK if quick else WORKLOADS,
        run_workload,
        CONTENDERS,
        lambda cell: f"{cell.first:.1f} s, then {cell.later:.3g} s",
        write,
        results or (None if quick else Path("results")),
        "bench-layers",
    )


if __name__ == "__main__":
    app()
