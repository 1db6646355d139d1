"""The data sets: which there are, and how to get them here."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from reproduce.cli.terminal import report
from reproduce.sweep.errors import EXPECTED
from tfq_fusion.datasets import available, fetch, state
from tfq_fusion.datasets.card import DATA, Card, WebSource, read_card
from tfq_fusion.datasets.download import data_folder
from tfq_fusion.datasets.registry import DOWNLOADS


def listing() -> Table:
    """One row per data set: name, task, modalities, licence, size and state."""
    table = Table(Column("name", no_wrap=True), "task", "modalities", "licence", "size", "state", box=None)
    table.caption = Text(f"Downloads: {data_folder()}", style="table.caption")
    for name in available():
        card = read_card(DATA, name)
        table.add_row(name, card.task, str(card.modality_count), card.licence, _size(card), state(name))
    return table


def _size(card: Card) -> str:
    """On disk where the set is there, otherwise of the download."""
    if not isinstance(card.source, WebSource):
        return decimal(Path(str(DATA / f"{card.name}.npz")).stat().st_size)
    remote = DOWNLOADS[card.name]
    for folder in filter(remote.is_complete, remote.folders()):
        return decimal(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
    return f"{decimal(card.source.download_bytes)} to download"


def fetch_each(name: str, console: Console, quiet: bool) -> bool:
    """Fetch one data set, or all; one that fails does not keep the others from being fetched.

    Args:
        name: The data set, or "all".
        console: Where to tell what is ready.
        quiet: Whether to tell errors alone.

    Returns:
        Whether all of them are there now.
    """
    failed = False
    for each in available() if name == "all" else (name,):
        try:
            dataset = fetch(each, progress=not quiet)
        except EXPECTED as error:
            report(error)
            failed = True
        else:
            sizes = (f"{len(labels):,}" for _, labels in (dataset.train, dataset.validation, dataset.test))
            ready = f"{each}: ready, {' / '.join(sizes)} samples to train, validate and test"
            if not quiet:
                console.print(ready)
    return not failed
