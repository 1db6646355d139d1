"""Command line of the benchmark of training: ``python -m bench.training``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bench.contest import hold
from bench.training.contenders import CONTENDERS
from bench.training.report import write
from bench.training.run import run_workload
from bench.training.workloads import QUICK, WORKLOADS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


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
    hold(
        QUICK if quick else WORKLOADS,
        run_workload,
        CONTENDERS,
        lambda cell: f"{cell.models_per_second:.3g} models per second",
        write,
        results or (None if quick else Path("results")),
        "bench-training",
    )


if __name__ == "__main__":
    app()
