"""Command line of the laboratory: ``python -m reproduce`` or ``tfq-fusion``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reproduce.commands_data import app as data
from reproduce.commands_runs import app as runs
from reproduce.terminal import ResultsDir, console, fail

app = typer.Typer(
    help="Reproduce tables of quantum fusion papers, beside what was published.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data, name="data")
app.add_typer(runs, name="runs")


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(name.strip() for name in text.split(","))


@app.command()
def table1(
    profile: Annotated[str, typer.Option(help="smoke, default or paper.")] = "default",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Seeds per cell; the profile says how many otherwise.")
    ] = None,
    engine: Annotated[str, typer.Option(help="What runs the quantum circuits: compiled or tfq.")] = "compiled",
    datasets: Annotated[
        str | None, typer.Option(help="Data sets, separated by commas; the profile says which otherwise.")
    ] = None,
    fusions: Annotated[str | None, typer.Option(help="Fusions, separated by commas; all of them otherwise.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget earlier runs and train everything again.")] = False,
    results: ResultsDir = Path("results"),
) -> None:
    """Train what Table 1 is made of, write it, and hold it against what is published."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up chatter
    from reproduce.produce import produce
    from reproduce.store import StoreError
    from reproduce.tables import table1 as table
    from tfq_fusion.datasets import MissingDataError

    try:
        plan = table.plan(profile, seeds, _names(datasets))
        produce(
            specs=table.specs(plan, _names(fusions), engine),
            fold=table.fold,
            path_stem=results / "table1",
            title=table.TITLE,
            profile=f"{profile}, at most {plan.protocol.epochs} epochs",
            units=table.UNITS,
            chance=table.constant_guess(plan.datasets),
            fresh=fresh,
            console=console,
        )
    except (MissingDataError, ValueError, StoreError) as error:
        fail(error)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def compare(results: ResultsDir = Path("results")) -> None:
    """Print one verdict per published claim, computed from the tables."""
    from reproduce.compare import verdicts

    try:
        found = verdicts(results)
    except ValueError as error:
        fail(error)
    for verdict in found:
        console.print(f"[bold]{verdict.claim}[/] {verdict.verdict}: {verdict.statement}")
        console.print(f"    published: {verdict.published}. {verdict.reason}", markup=False)
    counts = {outcome: sum(v.verdict == outcome for v in found) for outcome in dict.fromkeys(v.verdict for v in found)}
    console.print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))


if __name__ == "__main__":
    app()
