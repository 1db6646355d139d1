"""From specifications to a table on disk: run, fold, write, and say what moved since the committed table."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.text import Text

from reproduce.claims.comparisons import comparisons_path, read_comparisons
from reproduce.claims.rows import read_tables
from reproduce.claims.runs import runs_csv, runs_path
from reproduce.experiments.registry import backend_of, run
from reproduce.report.claims import CLAIMS
from reproduce.report.moved import committed_table, moved_cells
from reproduce.report.page import write_table
from reproduce.sweep.processes.execute import ExecutionError, run_all, stored
from reproduce.sweep.progress import last_line, preview
from reproduce.sweep.runs import FAILED, RunSpec
from reproduce.sweep.store import FILE, Store
from reproduce.tables.comparisons import compare_fusions
from reproduce.tables.runs import runs_of_cells
from reproduce.tables.table import Profile, Table


def produce(
    table: Table[Any],
    plan: Profile,
    specs: Sequence[RunSpec],
    path_stem: Path,
    profile: str,
    console: Console,
    fresh: bool = False,
    dry_run: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    verbose: bool = False,
    quiet: bool = False,
) -> bool:
    """Run what is missing, write ``path_stem`` with the suffixes .csv, .md and .png, and report.

    Where quantum fusions were trained beside others, their comparisons go with it, and always which runs its cells are
    made of.

    Raw runs are kept in ``runs.sqlite`` beside the table: an interrupted command continues from there. The table is
    written under the lock of that file, so that its files are those of one command.

    Args:
        table: The table.
        plan: How much of it is run.
        specs: The runs, of :meth:`Table.specs`.
        path_stem: Where the table goes, without suffix.
        profile: What people call the plan.
        console: Where to report; it prints text as it is, without markup.
        fresh: As in :func:`reproduce.sweep.processes.execute.run_all`.
        dry_run: Whether to tell what would run and do nothing else.
        workers: As ``fresh``.
        scheduler: Likewise.
        verbose: Likewise.
        quiet: Whether to report failed runs alone.

    Returns:
        Whether no run failed; the table is made of those that did not.

    Raises:
        KeyboardInterrupt: Passed on, with a line that says what is kept.
        ExecutionError: If the runs cannot be handed out, or some need TensorFlow, which is not installed.
        OSError: If a file of the table cannot be written; before anything is run if a folder has its name.
        ValueError: Before anything is run, if another table in the folder is broken.
        StoreError: If the raw runs are damaged, in use, or cannot be written.
    """
    raw, notes = path_stem.parent / FILE, table.notes(plan)
    told = Console(quiet=True) if quiet else console
    if dry_run:
        console.print(preview(specs, [] if fresh else stored(specs, Store(raw)), workers))
        return True
    _check_way(path_stem)
    _check_backends(specs)
    with Store(raw) as store:
        others = read_tables(path_stem.parent, but=path_stem.name)  # before anything runs: one may be broken
        comparisons = read_comparisons(path_stem.parent, but=path_stem.name)
        there = 0 if fresh else len(stored(specs, store))
        told.print(f"{len(specs)} runs, {there} of them in {raw} already.")
        try:
            results = run_all(
                specs,
                store,
                path_stem.name,
                run,
                backend_of,
                workers=workers,
                scheduler=scheduler,
                backups=raw.with_name("checkpoints"),
                fresh=fresh,
                verbose=verbose,
                console=told,
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Interrupted. {len(stored(specs, store))} of {len(specs)} runs are in {raw}; the same command"
                f"{', without --fresh,' if fresh else ''} continues from there."
            ) from None
        failed = [result for result in results if result.status == FAILED]
        frame = None
        if len(failed) < len(results):
            made = [result for result in results if result.status != FAILED]
            frame = table.fold(made)
            compared = comparisons[path_stem.name] = compare_fusions(made, table.metrics, table.settings)

            def figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> dict[str, Figure]:
                drawn = table.figures(frame, profile, units)
                return {**drawn, **table.comparison_figures(frame, compared, profile)}

            written, found = write_table(
                frame,
                path_stem,
                table.title,
                f"{profile}, {plan.extent}",
                figures,
                notes,
                table.units,
                others,
                comparisons,
                runs=runs_csv(runs_of_cells(made, table.fold)),
            )
            counts = Counter(verdict.verdict for verdict in found)
    if frame is not None:
        for note in notes:
            told.print(note)
        told.print(f"Wrote {', '.join(map(str, written))}.")
        told.print("Published claims: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) + ".")
        _report_moved(path_stem.with_suffix(".csv"), frame, told)
    if failed:
        lacking = f" {len(failed)} of {len(specs)} runs, which the table lacks."
        console.print(Text.assemble(("Failed:", "bold red"), lacking))
        for result in failed:
            console.print(f"    {result.spec.id[:12]} {result.spec}: {last_line(result.error)}")
        console.print("`python -m reproduce runs show ID` prints the whole error. The same command tries them again.")
    return not failed


def _check_backends(specs: Sequence[RunSpec]) -> None:
    needy = [spec for spec in specs if backend_of(spec) == "tensorflow"]
    if needy and importlib.util.find_spec("tensorflow") is None:
        raise ExecutionError(
            f"{len(needy)} of {len(specs)} runs need TensorFlow, which is not installed, the first: {needy[0]}. Choose "
            "others by --datasets and --fusions, or install it."
        )


def _check_way(path_stem: Path) -> None:
    """Refuse what would end the command after its runs: folders in the way."""
    beside = comparisons_path(path_stem), runs_path(path_stem), path_stem.with_name(CLAIMS)
    for path in (path_stem.with_suffix(".csv"), path_stem.with_suffix(".md"), *beside):
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder, and a file of the table goes there. Move it away.")


def _report_moved(table: Path, frame: pd.DataFrame, console: Console) -> None:
    try:
        committed = committed_table(table)
    except ValueError as error:
        console.print(f"There is nothing to compare with: {error}")
        return
    if committed is None:
        console.print(f"There is no committed {table.name} to compare with.")
        return
    moved = moved_cells(frame, committed)
    console.print(f"{len(moved)} cells moved by more than their interval since the committed {table.name}.")
    if len(moved):
        console.print(moved.to_string(index=False))
    console.print(f"To have the committed files back: git restore {table.parent}")
