"""Command line of the laboratory: ``python -m reproduce`` or ``tfq-fusion``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reproduce.claims.tables import TABLES
from reproduce.cli.data import app as data
from reproduce.cli.runs import app as runs
from reproduce.cli.terminal import Commands, Quiet, ResultsDir, console
from tfq_fusion import __version__

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        console.print(f"tfq-fusion {__version__}")
        raise typer.Exit


@app.callback()
def laboratory(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Reproduce tables of quantum fusion papers, beside what was published."""


app.add_typer(data, name="data")
app.add_typer(runs, name="runs")


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show what TensorFlow and Dask say as they run.")]


MOST_SEEDS = 1000
"""Seeds per cell: beyond some dozens an interval no longer tells more."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""How many cores this process may use."""

MOST_WORKERS = 4 * CORES
"""Processes at the same time; the runs are bound by the processor, and each holds a gigabyte or two."""


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(","))


def _add_table(name: str, summary: str) -> None:
    @app.command(name, help=f"{summary} Train what the table is made of, write it, hold it against what is published.")
    def make(
        profile: Annotated[str, typer.Option(help="smoke, default or paper.")] = "default",
        seeds: Annotated[
            int | None,
            typer.Option(min=1, max=MOST_SEEDS, help="Seeds per cell; the profile says how many otherwise."),
        ] = None,
        engine: Annotated[str, typer.Option(help="What runs the quantum circuits: compiled or tfq.")] = "compiled",
        datasets: Annotated[
            str | None, typer.Option(help="Data sets, separated by commas; the profile says which otherwise.")
        ] = None,
        fusions: Annotated[
            str | None, typer.Option(help="Fusions, separated by commas; all of them otherwise.")
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                min=1, max=MOST_WORKERS, help="How many processes train at the same time; one per core otherwise."
            ),
        ] = None,
        scheduler: Annotated[
            str | None, typer.Option(help="A Dask scheduler whose workers run instead: tcp://host:port.")
        ] = None,
        fresh: Annotated[
            bool, typer.Option("--fresh", help="Train everything again; earlier runs of this table are forgotten.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Tell what would run and what is there, and do nothing.")
        ] = False,
        verbose: Verbose = False,
        quiet: Quiet = False,
        results: ResultsDir = Path("results"),
    ) -> None:
        from reproduce.tables.produce import produce
        from reproduce.tables.table import find

        if scheduler is not None and workers is not None:
            raise ValueError("Give --workers or --scheduler: the workers of a scheduler are started beside it.")
        table = find(name)
        plan = table.plan(profile, seeds, _names(datasets))
        complete = produce(
            table,
            plan,
            table.specs(plan, _names(fusions), engine),
            results / name,
            profile,
            console,
            fresh=fresh,
            dry_run=dry_run,
            workers=workers or CORES,
            scheduler=scheduler,
            verbose=verbose,
            quiet=quiet,
        )
        if not complete:
            raise typer.Exit(1)


for _name, _summary in TABLES.items():
    _add_table(_name, _summary)


@app.command()
def verify(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of runs, or their beginnings.")],
    verbose: Verbose = False,
    results: ResultsDir = Path("results"),
) -> None:
    """Repeat runs in new processes; they have to give the same numbers, to the last bit."""
    from reproduce.experiments.registry import backend_of, run
    from reproduce.sweep.processes.verify import circumstances, differences, repeat
    from reproduce.sweep.store import FILE, Store

    differing = 0
    store = Store(results / FILE)
    chosen = {recorded.spec.id: recorded for recorded in map(store.find, ids)}
    for recorded in chosen.values():
        repeated = repeat(recorded, run, backend_of(recorded.spec), verbose)
        found = differences(recorded, repeated)
        differing += bool(found)
        verdict = "differs" if found else "the same to the last bit"
        console.print(f"{recorded.spec.id[:12]} {recorded.spec}: {verdict}")
        for line in found and [*found, *circumstances(recorded, repeated)]:
            console.print(f"    {line}")
    if differing:
        raise typer.Exit(1)


@app.command()
def compare(results: ResultsDir = Path("results")) -> None:
    """Print one verdict per published claim, computed from the tables, and write them to claims.md."""
    from reproduce.claims.comparisons import read_comparisons
    from reproduce.claims.papers import load_papers, verdicts
    from reproduce.claims.rows import read_tables
    from reproduce.report.claims import CLAIMS, claims_page
    from tfq_fusion.files import write_files

    if not results.is_dir():
        raise ValueError(f"There is no folder {results}: a table's command makes it, --results says where.")
    papers = load_papers()
    found = verdicts(read_tables(results), papers, read_comparisons(results))
    for verdict in found:
        console.print(Text.assemble((verdict.claim, "bold"), f" {verdict.verdict}: {verdict.statement}"))
        console.print(f"    published: {verdict.published}. {verdict.reason}")
    counts = {outcome: sum(v.verdict == outcome for v in found) for outcome in dict.fromkeys(v.verdict for v in found)}
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    write_files({results / CLAIMS: claims_page(found, papers).encode()})
    console.print(f"Wrote {results / CLAIMS}.")


@app.command()
def report(results: ResultsDir = Path("results")) -> None:
    """Write report.html: tables, figures, claims and the runs behind them in one file that any browser opens."""
    from reproduce.report.html.write import write_report

    if not results.is_dir():
        raise ValueError(f"There is no folder {results}: a table's command makes it, --results says where.")
    console.print(f"Wrote {write_report(results)}: open it in a browser.")


if __name__ == "__main__":
    app()
