"""What the commands share: where they print, where they look, and how they end with an error."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from reproduce.errors import EXPECTED

console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
"""Prints text as it is, brackets in paths and names included; what has a style is a :class:`rich.text.Text`."""

ResultsDir = Annotated[Path, typer.Option("--results", help="Folder of the tables and the raw runs.")]


class Commands(TyperGroup):
    """Commands that all end alike: an expected error is one line and exit status 2, Ctrl-C one line and 130."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        for stream in (sys.stdout, sys.stderr):  # what was typed need not be text in the terminal's encoding
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            report(error)
            raise typer.Exit(2) from None
        except KeyboardInterrupt as interrupt:
            console.print(str(interrupt) or "Interrupted.")
            raise typer.Exit(130) from None


def report(error: BaseException) -> None:
    """Print what is wrong."""
    console.print(Text.assemble(("Error:", "bold red"), " ", str(error) or type(error).__name__))
