"""What the benchmarks of layers, training and tutorials share: contenders on workloads, cell by cell, then a page."""

# No postponed annotations: the command reads those of a function inside of another.

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console

from tfq_fusion.files import write_files


def command(
    what: str,
    workloads: Mapping[str, Any],
    few: Mapping[str, Any],
    run_workload: Callable[[str, Any, Iterable[str]], Iterator[Any]],
    contenders: Mapping[str, Any],
    describe: Callable[[Any], str],
    write: Callable[[Mapping[str, Any], list[Any], Path], None],
    page: str,
) -> typer.Typer:
    """A command that runs every contender on every workload, says how each did, and writes the page.

    It ends with status 1 if a contender disagrees with the reference.

    Args:
        what: What it does, in a sentence.
        workloads: Name -> workload, with a ``title``.
        few: The same for ``--quick``.
        run_workload: The cells of a workload, as they finish.
        contenders: Name -> contender, with a ``title``.
        describe: What is said of a cell that has figures.
        write: Writes files of all cells into a folder.
        page: The name of the files.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    where = f"Folder for {page}.{{csv,md}}; results for the whole benchmark, else none."

    @app.command(help=what)
    def main(
        quick: Annotated[bool, typer.Option("--quick", help="Small ones, to see that everything runs.")] = False,
        results: Annotated[Path | None, typer.Option(help=where)] = None,
    ) -> None:
        console = Console(highlight=False, soft_wrap=True, emoji=False, markup=False)
        chosen, folder = (few, results) if quick else (workloads, results or Path("results"))
        cells = []
        for name, workload in chosen.items():
            console.print(workload.title, style="bold")
            for cell in run_workload(name, workload, contenders):
                said = describe(cell) if cell.status == "ok" else f"{cell.status}, {cell.note}"
                console.print(f"  {contenders[cell.contender].title}: {said}")
                cells.append(cell)
        if folder is not None:
            write(chosen, cells, folder)
            console.print(f"Wrote {folder / page}.csv and .md")
        if any(cell.status == "disagrees" for cell in cells):
            raise typer.Exit(1)

    return app


def write_page(folder: Path, name: str, rows: list[dict[str, Any]], page: str) -> None:
    """Write ``NAME.csv`` and ``NAME.md``, or none if one cannot be written; losses and versions are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows).drop(columns=["losses", "versions"], errors="ignore")
    csv = frame.to_csv(index=False, lineterminator="\n")
    write_files({folder / f"{name}.csv": csv.encode(), folder / f"{name}.md": page.encode()})


def list_versions(cells: Iterable[Any]) -> str:
    """The section of a page on what the contenders ran on, a line for each combination."""
    lines = [", ".join(f"{library} {version}" for library, version in cell.versions.items()) for cell in cells]
    return "## Versions\n\n" + "\n".join(f"- {line}" for line in dict.fromkeys(lines) if line)
