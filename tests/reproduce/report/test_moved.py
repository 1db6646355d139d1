"""Moved cells follow from the committed intervals."""

import numpy as np
import pandas as pd
import pytest

from reproduce.claims.rows import COLUMNS, read_table, write_csv
from reproduce.report.moved import moved_cells


def _row(dataset, fusion, mean, low=None, high=None, degree=None, seeds=3):
    named = {"dataset": dataset, "fusion": fusion, "mean": mean, "ci95_low": low, "ci95_high": high, "degree": degree}
    fixed = {"metric": "accuracy", "modalities": 3, "fusion_params": 100, "seeds": seeds}
    training = {"experiment": "training", "options": "{}", "arguments": "{}"}
    return dict.fromkeys(COLUMNS) | training | named | fixed


def _tables(tmp_path, committed, new):
    for name, row in (("committed", committed), ("new", new)):
        write_csv(pd.DataFrame([row, _row("toy", "gcn", 0.5, 0.4, 0.6)]), tmp_path / f"{name}.csv")
    return read_table(tmp_path / "new.csv"), read_table(tmp_path / "committed.csv")


@pytest.mark.parametrize(
    ("committed", "new_mean", "moved"),
    [
        ((0.9, 0.88, 0.92), 0.92, False),
        ((0.9, 0.88, 0.92), 0.93, True),
        ((0.9, 0.88, 0.92), 0.87, True),
        ((0.9, 0.88, 0.92), None, True),  # every seed diverged this time
        ((0.9, None, None), 0.1, False),  # one seed: no interval to leave
        ((None, None, None), 0.9, False),
    ],
)
def test_a_cell_has_moved_if_it_left_its_committed_interval(tmp_path, committed, new_mean, moved):
    new, old = _tables(
        tmp_path, _row("toy", "qfl", *committed, degree=2), _row("toy", "qfl", new_mean, degree=2, seeds=1)
    )
    found = moved_cells(new, old)
    assert len(found) == moved
    if moved:
        row = found.iloc[0]
        assert (row["fusion"], row["degree"], row["committed"], row["ci95_high"]) == ("qfl", 2, 0.9, 0.92)
        assert row["new"] == new_mean or (new_mean is None and np.isnan(row["new"]))


def test_cells_without_a_degree_are_matched_and_cells_of_one_table_alone_are_left_out(tmp_path):
    new, old = _tables(tmp_path, _row("toy", "lmf", 0.9, 0.88, 0.92), _row("toy", "mfb", 0.1, 0.0, 0.2))
    assert moved_cells(new, old).empty
    new.loc[new["fusion"] == "gcn", "mean"] = 0.7
    assert moved_cells(new, old)["fusion"].tolist() == ["gcn"]


def test_the_rounding_of_the_file_moves_nothing(tmp_path):
    _, old = _tables(tmp_path, _row("toy", "lmf", 2 / 3, 2 / 3, 2 / 3), _row("toy", "mfb", 0.1, 0.0, 0.2))
    new = pd.DataFrame([_row("toy", "lmf", 2 / 3, 2 / 3, 2 / 3)])
    assert moved_cells(new.astype(old.dtypes), old).empty
