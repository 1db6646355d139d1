"""What the commands share: where they print, where they look, and how they end with an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True, emoji=False)

ResultsDir = Annotated[Path, typer.Option("--results", help="Folder of the tables and the raw runs.")]


def fail(error: Exception) -> NoReturn:
    """Print an error and end the command with exit code 2."""
    console.print("[bold red]Error:[/]", end=" ")
    console.print(str(error), markup=False)
    raise typer.Exit(2)
