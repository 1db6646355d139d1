"""Command line of the benchmark of tutorials: ``python -m bench.tutorials``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.contest import hold
from bench.tutorials.contenders import CONTENDERS
from bench.tutorials.report import write
from bench.tutorials.run import run_workload
from bench.tutorials.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few qubits and epochs, to see that everything runs.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for bench-tutorials.{csv,md}; results for the whole benchmark, else none."),
    ] = None,
) -> None:
    """Train the models of TensorFlow Quantum's tutorials with its layers and with this library's, and time both."""
    hold(
        QUICK if quick else WORKLOADS,
        run_workload,
        CONTENDERS,
        lambda cell: f"{cell.whole:.1f} s",
        write,
        results or (None if quick else Path("results")),
        "bench-tutorials",
    )


if __name__ == "__main__":
    app()
