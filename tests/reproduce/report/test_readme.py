"""A README beside the results quotes a table, and the command that makes the table keeps it right."""

from pathlib import Path

import pytest

from reproduce.claims.rows import read_tables
from reproduce.report.readme import quoted, score_table

RESULTS = Path(__file__).resolve().parents[3] / "results"


@pytest.fixture(scope="module")
def table():
    return read_tables(RESULTS)["table1"]


def test_a_line_per_fusion_and_a_column_per_data_set(table):
    header, _, *lines = score_table(table).splitlines()
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines}
    assert [cell.split(",")[0].strip() for cell in header.split("|")[2:-2]] == list(dict.fromkeys(table["dataset"]))
    assert len(cells) == len(table[["fusion", "degree"]].drop_duplicates())
    concat = table[(table["fusion"] == "concat") & (table["metric"] == "accuracy")].set_index("dataset").loc["mfeat"]
    half = (concat["ci95_high"] - concat["ci95_low"]) / 2
    assert f"{concat['mean']:.3f} ± {half:.3f}" in cells["Concat"]
    assert cells["Concat"][-1] == "0"
    assert "intractable" in cells["TFN"]
    assert cells["Persistence"][:3] == ["-", "-", "-"]


def test_the_table_stands_between_its_comments_and_nothing_else_changes(table, tmp_path):
    csv = tmp_path / "results" / "table1.csv"
    readme = tmp_path / "README.md"
    begin, end = "<!-- results/table1.csv -->", "<!-- end of results/table1.csv -->"
    readme.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    assert quoted(table, csv) == {readme: f"before\n{begin}\n{score_table(table)}\n{end}\nafter\n".encode()}
    assert quoted(table, tmp_path / "trial" / "table1.csv") == {}, "a trial's table is not the one that is quoted"


@pytest.mark.parametrize("text", [None, "", "<!-- results/table1.csv -->\nno end"])
def test_a_readme_that_quotes_nothing_is_left_alone(text, table, tmp_path):
    if text is not None:
        (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert quoted(table, tmp_path / "results" / "table1.csv") == {}


def test_a_fusion_that_was_never_built_has_no_parameters_to_show(table):
    unbuilt = table[(table["fusion"] == "tfn") & (table["seeds"] == 0)]
    last = score_table(unbuilt[unbuilt["dataset"] == "japanese-vowels"]).splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[1:-1]] == ["TFN", "intractable", "-"]
