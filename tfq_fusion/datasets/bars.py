"""What is seen while data sets are fetched and prepared: bars on a terminal, elsewhere a line for every tenth."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Task, TaskID, TimeRemainingColumn

from tfq_fusion.progress import Told, live_lines


class Bars:
    """Bars on standard error, to be used in a ``with`` statement, by as many threads as there are.

    Args:
        shown: Whether anything is shown.
    """

    def __init__(self, shown: bool) -> None:
        self._console = Console(stderr=True, quiet=not shown, highlight=False, soft_wrap=True, emoji=False)
        self._live = live_lines(self._console, BarColumn(), Told(amount), Told(_rate), TimeRemainingColumn())
        self._lock = threading.Lock()

    def __enter__(self) -> Bars:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def add(self, what: str, total: int, unit: str, done: int = 0, visible: bool = True) -> TaskID:
        """A bar of its own for something that is counted in this unit."""
        return self._live.add_task(what, total=total, completed=done, unit=unit, visible=visible)

    def advance(self, bar: TaskID) -> None:
        """One more is done; without a terminal every tenth of all is a line."""
        with self._lock:
            self._live.advance(bar)
            (task,) = (task for task in self._live.tasks if task.id == bar)
            done, total = int(task.completed), int(task.total or 1)
            if not self._console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                self._console.print(f"{task.description}: {amount(task)}", markup=False)

    def set(self, bar: TaskID, done: int) -> None:
        """So many are done."""
        self._live.update(bar, completed=done)

    def remove(self, bar: TaskID) -> None:
        """Nothing more is to be seen of this."""
        self._live.remove_task(bar)


def amount(task: Task) -> str:
    """How many are done, of how many."""
    if task.fields["unit"] == "bytes":
        return f"{decimal(int(task.completed))} of {decimal(int(task.total or 0))}"
    return f"{task.completed:,.0f} of {task.total:,.0f} {task.fields['unit']}"


def _rate(task: Task) -> str:
    if not task.speed:
        return ""
    return f"{decimal(int(task.speed))}/s" if task.fields["unit"] == "bytes" else f"{task.speed:,.0f}/s"
