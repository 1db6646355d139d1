"""What the commands share: where they print, where they look, and how they end with an error."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from reproduce.sweep.errors import EXPECTED

console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
"""Prints text as it is, brackets in paths and names included; what has a style is a :class:`rich.text.Text`."""

ResultsDir = Annotated[Path, typer.Option("--results", help="Folder of the tables and the raw runs.")]

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what goes wrong.")]


class Commands(TyperGroup):
    """Commands that all end alike: an expected error is one line and exit status 2, Ctrl-C one line and 130."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        for stream in (sys.stdout, sys.stderr):  # what was typed need not be text in the terminal's encoding
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            with _interrupts():
                return super().invoke(ctx)
        except EXPECTED as error:
            report(error)
            raise typer.Exit(2) from None
        except KeyboardInterrupt as interrupt:
            console.print(str(interrupt) or "Interrupted.")
            raise typer.Exit(130) from None


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """Ctrl-C ends the block with KeyboardInterrupt, whatever a library makes of it.

    A compiled module that is just being imported makes it an ImportError.
    """
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # a shell may have it ignored
        yield
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield
    except Exception:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def report(error: BaseException) -> None:
    """Print what is wrong."""
    console.print(Text.assemble(("Error:", "bold red"), " ", str(error) or type(error).__name__))
