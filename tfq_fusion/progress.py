"""Lines on a terminal that tell how far something is."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.text import Text


def live_lines(console: Console, *columns: ProgressColumn, refresh_per_second: float = 10) -> Progress:
    """Lines that are redrawn in place, one for each task, and leave nothing.

    Args:
        console: Where they are; nothing is drawn where it is quiet or no terminal.
        *columns: What stands behind a task's description.
        refresh_per_second: How often they are redrawn.
    """
    return Progress(
        TextColumn("{task.description}", markup=False),
        *columns,
        console=console,
        transient=True,
        refresh_per_second=refresh_per_second,
        disable=console.quiet or not console.is_terminal,
    )


class Told(ProgressColumn):
    """A column of text without markup.

    Args:
        text: Tells it of a task at the moment it is drawn.
    """

    def __init__(self, text: Callable[[Task], str]) -> None:
        super().__init__()
        self._text = text

    def render(self, task: Task) -> Text:
        """As Rich calls it."""
        return Text(self._text(task))
