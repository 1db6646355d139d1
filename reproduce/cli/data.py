"""``python -m reproduce data``: which data sets there are, and how to get them here."""

from __future__ import annotations

from typing import Annotated

import typer

from reproduce.cli.terminal import Quiet, console

app = typer.Typer()


@app.callback(invoke_without_command=True)
def data(context: typer.Context) -> None:
    """List the data sets with their size, licence and state, or fetch one."""
    if context.invoked_subcommand is None:
        from reproduce.cli.datasets import listing

        console.print(listing())


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="A data set, or 'all'.")], quiet: Quiet = False) -> None:
    """Download what is missing of a data set, check it, and prepare it once."""
    from reproduce.cli.datasets import fetch_each

    if not fetch_each(name, console, quiet):
        raise typer.Exit(2)
