"""The file of comparisons: what is written is read again, and what is broken is named."""

import pandas as pd
import pytest

from reproduce.claims.comparisons import (
    COLUMNS,
    NO_COMPARISONS,
    comparisons_csv,
    comparisons_path,
    parse_comparisons,
    read_comparisons,
)

ROW = {
    "dataset": "toy",
    "options": "{}",
    "modalities": 3,
    "fusion": "qfl",
    "degree": 2,
    "arguments": "{}",
    "baseline": "lmf",
    "baseline_degree": None,
    "baseline_arguments": "{}",
    "metric": "accuracy",
    "seeds": 20,
    "baseline_mean": 0.8,
    "difference": 0.05,
    "ci95_low": 0.03,
    "ci95_high": 0.07,
    "ci90_low": 0.04,
    "ci90_high": 0.06,
    "p": 2e-6,
    "p_holm": 4e-4,
    "share_of_seeds": None,
    "word": "better",
}
FRAME = pd.DataFrame([ROW, ROW | {"baseline": "control", "baseline_degree": 2, "share_of_seeds": 0.25}])


def test_what_is_written_is_read_again():
    text = comparisons_csv(FRAME)
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert "toy,{},3,qfl,2,{},lmf,,{},accuracy,20,0.8,0.05,0.03,0.07,0.04,0.06,2e-06,0.0004,,better" in text
    found = parse_comparisons(text, "it")
    assert found["baseline_degree"].tolist() == [pd.NA, 2]
    assert comparisons_csv(found) == text
    assert parse_comparisons(comparisons_csv(NO_COMPARISONS), "it").empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word": "superior"}, r"it, line 3: column word, .*'better', 'worse'.* got 'superior'\. Repair the line, or"),
        ({"baseline": "sum"}, "it, line 3: column baseline, .*unknown fusion 'sum'"),
        ({"metric": "beauty"}, "column metric, .*unknown metric 'beauty'"),
        ({"p": 1.5}, "column p, .*less than or equal to 1, got '1.5'"),
        ({"difference": float("inf")}, "column difference, .*finite"),
        ({"seeds": 1}, "column seeds, .*greater than or equal to 2"),
        ({}, r"it, line 3: \('toy', '\{\}', 3, 'qfl', 2, '\{\}', 'lmf', .* is already on line 2"),
    ],
)
def test_what_is_broken_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        parse_comparisons(comparisons_csv(pd.DataFrame([ROW, ROW | change])), "it")


@pytest.mark.parametrize("cut", ["toy,", "word"])
def test_cells_and_columns_that_are_missing_are_named(cut):
    with pytest.raises(ValueError, match=r"it, line (1: expected the columns|2: expected 21 cells, got 20)"):
        parse_comparisons(comparisons_csv(FRAME).replace(cut, "", 1), "it")


def test_comparisons_lie_beside_their_table_and_no_other_file_is_read(tmp_path):
    assert comparisons_path(tmp_path / "table1.csv") == comparisons_path(tmp_path / "table1")
    for name in ("table1", "table2", "table9"):
        comparisons_path(tmp_path / name).write_text(comparisons_csv(FRAME))
    assert set(read_comparisons(tmp_path)) == {"table1", "table2"}
    assert set(read_comparisons(tmp_path, but="table2")) == {"table1"}
