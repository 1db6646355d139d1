"""The cells of a table that moved since another one, such as the committed one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd

from reproduce.claims.rows import KEY, from_csv


def moved_cells(new: pd.DataFrame, committed: pd.DataFrame) -> pd.DataFrame:
    """The cells of both tables whose new mean lies outside the committed 95 % interval.

    A cell that was committed without an interval (one seed, diverged, intractable) cannot be judged and never counts
    as moved; one that had an interval and has no mean now, because every seed diverged, does. Differences below the six
    digits that a results file keeps are none.

    Args:
        new: A results table, as :func:`reproduce.claims.rows.read_table` returns it.
        committed: Another.

    Returns:
        One row per moved cell: the key columns, then ``committed``, ``ci95_low``, ``ci95_high`` and ``new``.
    """
    both = committed.merge(new[[*KEY, "mean"]].rename(columns={"mean": "new"}), on=KEY)
    both = both.rename(columns={"mean": "committed"})
    both = both[both["ci95_low"].notna()]
    rounding = 1e-5 * both["committed"].abs()
    stayed = both["new"].between(both["ci95_low"] - rounding, both["ci95_high"] + rounding)
    return both.loc[~stayed, [*KEY, "committed", "ci95_low", "ci95_high", "new"]].reset_index(drop=True)


def committed_table(table: Path) -> pd.DataFrame | None:
    """A table as last committed; None outside a git checkout, or before its first commit.

    Args:
        table: Its file.

    Raises:
        ValueError: If that is no table of this version.
    """
    command = ["git", "-C", str(table.parent), "show", f"HEAD:./{table.name}"]
    try:
        shown = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if shown.returncode != 0:
        return None
    return from_csv(shown.stdout.decode(errors="replace"), f"the committed {table.name}")
