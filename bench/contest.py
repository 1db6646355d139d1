"""What the benchmarks of layers, training and tutorials share: contenders on workloads, cell by cell, then a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich.console import Console

from tfq_fusion.files import write_files


def hold(
    workloads: Mapping[str, Any],
    run_workload: Callable[[str, Any, Iterable[str]], Iterator[Any]],
    contenders: Mapping[str, Any],
    describe: Callable[[Any], str],
    write: Callable[[Mapping[str, Any], list[Any], Path], None],
    folder: Path | None,
    page: str,
) -> None:
    """Run every contender on every workload, say how each did, and write the page.

    Args:
        workloads: Name -> workload, with a ``title``.
        run_workload: The cells of a workload, as they finish.
        contenders: Name -> contender, with a ``title``.
        describe: What is said of a cell that has figures.
        write: Writes files of all cells into a folder.
        folder: The folder; None to write nothing.
        page: The name of the files.

    Raises:
        typer.Exit: If a contender disagrees with the reference.
    """
    console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
    cells = []
    for name, workload in workloads.items():
        console.print(workload.title, style="bold")
        for cell in run_workload(name, workload, contenders):
            said = describe(cell) if cell.status == "ok" else f"{cell.status}, {cell.note}"
            console.print(f"  {contenders[cell.contender].title}: {said}")
            cells.append(cell)
    if folder is not None:
        write(workloads, cells, folder)
        console.print(f"Wrote {folder / page}.csv and .md")
    if any(cell.status == "disagrees" for cell in cells):
        raise typer.Exit(1)


def write_page(folder: Path, name: str, rows: list[dict[str, Any]], page: str) -> None:
    """Write ``NAME.csv`` and ``NAME.md``, or none if one cannot be written; losses and versions are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows).drop(columns=["losses", "versions"])
    csv = frame.to_csv(index=False, lineterminator="\n")
    write_files({folder / f"{name}.csv": csv.encode(), folder / f"{name}.md": page.encode()})


def list_versions(cells: Iterable[Any]) -> str:
    """The section of a page on what the contenders ran on, a line for each combination."""
    lines = [", ".join(f"{library} {version}" for library, version in cell.versions.items()) for cell in cells]
    return "## Versions\n\n" + "\n".join(f"- {line}" for line in dict.fromkeys(lines) if line)
