"""``python -m reproduce runs``: what the raw runs are, and each of them in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reproduce.cli.terminal import ResultsDir, console

if TYPE_CHECKING:
    from reproduce.sweep.store import Store

app = typer.Typer()


@app.callback(invoke_without_command=True)
def runs(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only the runs on this data set.")] = None,
    fusion: Annotated[str | None, typer.Option(help="Only the runs of this fusion.")] = None,
    status: Annotated[str | None, typer.Option(help="Only these: finished, diverged, intractable or failed.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write them with all their columns to this .csv or .json, instead of a list.")
    ] = None,
    results: ResultsDir = Path("results"),
) -> None:
    """List, filter and export the raw runs."""
    if context.invoked_subcommand is not None:
        if results != Path("results") or any((dataset, fusion, status, export)):
            raise ValueError(f"Options come after the command: runs {context.invoked_subcommand} ID --results ...")
        return
    from reproduce.cli import listing

    chosen = listing.choose(listing.frame(_store(results)), dataset, fusion, status)
    if export is None:
        console.print(listing.table(chosen))
    else:
        listing.export(chosen, export)
        console.print(f"Wrote {len(chosen)} runs to {export}.")


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    results: ResultsDir = Path("results"),
) -> None:
    """Print one run in full, with its history."""
    from reproduce.cli import listing

    console.print(listing.describe(_store(results).find(run_id)))


def _store(results: Path) -> Store:
    from reproduce.sweep.store import Store

    store = Store(results / "runs" / "runs.jsonl")
    if not len(store):
        raise ValueError(f"There are no runs in {store.path}: a table's command makes them, --results says where.")
    return store
