"""Verdicts follow from the results files and the claims as published, and from nothing else."""

import shutil

import pandas as pd
import pytest

from reproduce.claims.papers import PUBLISHED, load_papers
from reproduce.claims.rows import write_csv
from tests.reproduce.claims.support import ORDERING, RATIO, VALUE, row_of, verdict_on, verdicts_in


def test_a_check_without_rule_says_why(tmp_path):
    verdicts_by_id = {verdict.claim: verdict for verdict in verdicts_in(tmp_path)}
    assert verdicts_by_id["Q13"].verdict == "not comparable"
    assert "A property of the construction" in verdicts_by_id["Q13"].reason


def test_without_results_every_claim_has_a_verdict_and_none_is_judged(tmp_path):
    found = verdicts_in(tmp_path)
    assert [verdict.claim for verdict in found] == [claim.id for paper in load_papers() for claim in paper.claims]
    assert {verdict.verdict for verdict in found} == {"not comparable"}
    assert all(verdict.reason.endswith(".") for verdict in found)


def test_filling_in_a_file_changes_the_verdict_without_code(tmp_path):
    results, published = tmp_path / "results", tmp_path / "published"
    rows = [
        row_of("toy", "qfl", 0.9, 0.88, 0.92, degree=3, metric="roc_auc"),
        row_of("toy", "gcn", 0.8, 0.78, 0.82, metric="roc_auc"),
    ]
    write_csv(pd.DataFrame(rows), results / "table2.csv")
    shutil.copytree(PUBLISHED, published)

    def outcome(claim):
        return [verdict.verdict for verdict in verdicts_in(results, published) if verdict.claim == claim]

    assert outcome("Q4") == ["not comparable"]
    paper = published / "qfl_2510_06938.yaml"
    text = paper.read_text(encoding="utf-8")
    before, after = text.split("dataset: null", maxsplit=1)
    assert before.rpartition("- id: ")[2].startswith("Q4\n")
    paper.write_text(f"{before}dataset: toy{after}", encoding="utf-8")
    assert outcome("Q4") == ["reproduced"]

    cell = "{table: table2, dataset: ptb-xl, fusion: gcn, metric: roc_auc, value: null}"
    assert text.count(cell) == 1
    assert outcome("toy, GCN, ROC AUC") == []
    paper.write_text(text.replace(cell, cell.replace("ptb-xl", "toy").replace("null", "0.81")), encoding="utf-8")
    assert outcome("toy, GCN, ROC AUC") == ["reproduced"]
    paper.write_text(text.replace(cell, cell.replace("ptb-xl", "toy").replace("null", "0.83")), encoding="utf-8")
    assert outcome("toy, GCN, ROC AUC") == ["not reproduced"]


def test_a_claim_is_held_against_its_own_table_alone(tmp_path):
    small, large = row_of("toy", "concat", 0.9, 0.8, 1.0), row_of("toy", "concat", 0.1, 0.0, 0.2, modalities=9)
    assert verdict_on(tmp_path, VALUE, [small], 0.9, "table1")[0] == "reproduced"
    assert verdict_on(tmp_path, VALUE, [large], 0.1, "table2")[0] == "reproduced"
    # Now both are there: neither the first table nor the one with most modalities counts for the other.
    assert verdict_on(tmp_path, VALUE, [], 0.9, "table1")[0] == "reproduced"
    assert verdict_on(tmp_path, VALUE, [], 0.1, "table2")[0] == "reproduced"
    verdict, reason = verdict_on(tmp_path, VALUE, [], 0.1, "table3")
    assert verdict == "not comparable"
    assert "no results on toy; `make reproduce-table3` is to add them" in reason


def test_sizes_are_those_of_the_table(tmp_path):
    check = "kind: growth, dataset: toy, series: {fusion: qfl, degree: 3}"
    few, many = (
        [row_of("toy", "qfl", 0.9, degree=3, params=params, modalities=size) for size, params in sizes]
        for sizes in ([(2, 50), (4, 60)], [(2, 50), (64, 10**9)])
    )
    assert verdict_on(tmp_path, check, many, table="table4")[0] == "not reproduced"
    assert verdict_on(tmp_path, check, few, table="table3")[0] == "reproduced"


def test_another_table_is_information_where_the_claim_names_it(tmp_path):
    rows = [row_of("near", "concat", 0.80, 0.78, 0.82), row_of("near", "lmf", 0.50, 0.48, 0.52)]
    ordering = [*rows, row_of("near", "gcn", 0.5, 0.4, 0.6)]
    write_csv(pd.DataFrame(ordering), tmp_path / "table1.csv")
    ratio = f"{RATIO}, quantity: accuracy, nearest: [near]"
    assert "For information" not in verdict_on(tmp_path, ratio, [], 1.6, "table2")[1]
    named = verdict_on(tmp_path, f"{ratio}, elsewhere: {{table1: [near, far]}}", [], 1.6, "table2")
    assert named[0] == "not comparable"
    assert "For information: In table1, Accuracy of Concat / LMF on near: 0.8" in named[1]
    check = f"{ORDERING}, datasets: {{toy: accuracy}}, elsewhere: {{table1: {{near: accuracy}}}}"
    verdict, reason = verdict_on(tmp_path, check, [], table="table2")
    assert verdict == "not comparable"
    assert "For information: In table1, near: Accuracy of Concat 0.8 [0.78, 0.82] is better than LMF" in reason


def test_a_verdict_names_the_rows_that_its_own_check_read(tmp_path):
    rows = [row_of("toy", "concat", 0.9, 0.8, 1.0), row_of("toy", "lmf", 0.5, 0.4, 0.6)]
    verdict_on(tmp_path, VALUE, rows, 0.9)
    paper = tmp_path / "published" / "paper.yaml"
    other = paper.read_text().replace("A1", "B1").replace("concat", "lmf")
    paper.with_name("paper2.yaml").write_text(other)
    found = verdicts_in(tmp_path, paper.parent)
    assert [[read.row["fusion"] for read in verdict.rows] for verdict in found] == [["concat"], ["lmf"]]


@pytest.mark.parametrize("name", ["table1-old.csv", "table0.csv", "table.csv", "tables_of_mine.csv", "table1.csv.bak"])
def test_a_file_that_is_no_table_decides_nothing(tmp_path, name):
    write_csv(pd.DataFrame([row_of("toy", "concat", 0.1, 0.0, 0.2)]), tmp_path / name)
    assert verdict_on(tmp_path, VALUE, [row_of("toy", "concat", 0.9, 0.8, 1.0)], 0.9)[0] == "reproduced"
    (tmp_path / name).write_text("whatever")
    assert verdict_on(tmp_path, VALUE, [], 0.9)[0] == "reproduced"


def test_a_cell_that_stands_twice_in_a_table_is_an_error(tmp_path):
    path = tmp_path / "table1.csv"
    write_csv(pd.DataFrame([row_of("toy", "concat", 0.9, 0.8, 1.0)]), path)
    path.write_text(path.read_text() + path.read_text().splitlines()[1].replace("0.9", "0.95") + "\n")
    with pytest.raises(ValueError, match=r"table1\.csv, line 3: .*'toy'.* is already on line 2"):
        verdict_on(tmp_path, VALUE, [], 0.9)


def test_a_check_of_training_on_no_data_set_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a data set, or another experiment than training"):
        verdict_on(tmp_path, "kind: growth, series: {fusion: concat}", [])


@pytest.mark.parametrize("arguments", ["[8]", "'{ }'", "{when: 2020-01-01}", "{size: .nan}", "8"])
def test_arguments_that_are_no_settings_are_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match="expected a JSON object with sorted keys and no spaces"):
        verdict_on(tmp_path, VALUE.replace("concat}", f"concat, arguments: {arguments}}}"), [])
