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
    table: Annotated[str | None, typer.Option(help="Only the runs that the command of this table made.")] = None,
    experiment: Annotated[str | None, typer.Option(help="Only the runs of this experiment; most are training.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only the runs on this data set.")] = None,
    fusion: Annotated[str | None, typer.Option(help="Only the runs of this fusion.")] = None,
    status: Annotated[str | None, typer.Option(help="Only these: finished, diverged, intractable or failed.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many are listed, the newest.")] = 100,
    export: Annotated[
        Path | None, typer.Option(help="Write all of them instead: a line each to .csv, in full to .json.")
    ] = None,
    results: ResultsDir = Path("results"),
) -> None:
    """List, filter and export the raw runs."""
    choices = {"table": table, "experiment": experiment, "dataset": dataset, "fusion": fusion, "status": status}
    chosen = {column: value for column, value in choices.items() if value is not None}
    if context.invoked_subcommand is not None:
        if results != Path("results") or chosen or export or last != 100:
            raise ValueError(f"Options come after the command: runs {context.invoked_subcommand} ID --results ...")
        return
    from reproduce.cli import listing

    store = _store(results)
    if export is None:
        console.print(listing.table(store, last, chosen))
    else:
        count = sum(store.counts(**chosen).values())
        listing.export(store, export, chosen)
        console.print(f"Wrote {count} runs to {export}.")


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    results: ResultsDir = Path("results"),
) -> None:
    """Print one run in full, with its history."""
    from reproduce.cli import listing

    console.print(listing.describe(_store(results).find(run_id)))


def _store(results: Path) -> Store:
    from reproduce.sweep.store import FILE, Store

    store = Store(results / FILE)
    if not any(store.rows(last=1)):
        raise ValueError(f"There are no runs in {store.path}: a table's command makes them, --results says where.")
    return store
