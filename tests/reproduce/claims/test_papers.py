"""The published claims as data: which there are, and what an error in a file says."""

import subprocess
import sys
from pathlib import Path

import pytest

from reproduce.claims.check import Comparison
from reproduce.claims.papers import load_papers, verdicts

PAPER = """\
title: A paper
authors: [A. Author]
arxiv: 0000.00000v1
date: "2025-01-01"
method: [one step]
settings:
  epochs: null
claims:
  - id: A1
    statement: A number is reached.
    value: 0.5
    unit: accuracy
    sources: [abstract]
    confidence: A
    check:
      kind: value
      table: table1
      dataset: toy
      series: {fusion: qfl, degree: 2}
      quantity: accuracy
  - id: A2
    statement: Something holds.
    value: null
    unit: theorem
    sources: [digest]
    confidence: C
    check: {kind: none, reason: A theorem.}
"""


def _write(folder: Path, text: str, name: str = "paper.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_no_number_is_published_but_these():
    values = {claim.id: claim.value for paper in load_papers() for claim in paper.claims if claim.value is not None}
    assert values == {"Q1": 0.887, "Q2": 0.05, "Q3": 1.76, "Q4": 1.12, "Q7": 207, "Q11": 6, "F2": 50}
    assert all(cell.value is None for paper in load_papers() for cell in paper.cells)
    assert all(value is None for paper in load_papers() for value in paper.settings.values())


def test_our_readings_are_marked():
    claims = {claim.id: claim for paper in load_papers() for claim in paper.claims}
    assert "0.504" in claims["Q3"].reading
    assert claims["Q3"].sources == ("poster",)
    assert "not at hand" in claims["Q11"].reading
    assert claims["Q1"].reading is None


def test_a_claim_is_printed_with_its_unit():
    claims = {claim.id: claim.published for paper in load_papers() for claim in paper.claims}
    assert claims["Q1"] == "0.887 (ROC AUC)"
    assert claims["Q9"] == "theorem (no number)"


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("unit: accuracy", "units: accuracy", "claims.0.units", "Extra inputs are not permitted"),
        ("    unit: theorem\n", "", "claims.1.unit", "Field required"),
        ("value: 0.5", "value: '0.5'", "claims.0.value", "Input should be a valid number"),
        ("value: 0.5", "value: yes", "claims.0.value", "Input should be a valid number"),
        ("value: 0.5", "value: .nan", "claims.0.value", "Input should be a finite number"),
        ("confidence: C", "confidence: D", "claims.1.confidence", "'A', 'B' or 'C'"),
        ("sources: [digest]", "sources: [digest, rumour]", "claims.1.sources.1", "'abstract', 'poster'"),
        ("kind: value", "kind: guess", "claims.0.check", "expected a kind among none, open, value"),
        ("kind: value", "kind: [value]", "claims.0.check", "expected a kind among none, open, value"),
        ("check: {kind: none, reason: A theorem.}", "check: none", "claims.1.check", "expected a kind among none"),
        ("table: table1", "tables: [table1]", "claims.0.check.table", "Field required"),
        ("degree: 2", "degree: two", "claims.0.check.series.degree", "Input should be a valid integer"),
        ("{fusion: qfl, degree: 2}", "{fusion: qfl}", "claims.0.check.series", "qfl needs a degree"),
        ("fusion: qfl,", "fusion: qlf,", "claims.0.check.series.fusion", "unknown fusion 'qlf'; known are qfl, "),
        ("quantity: accuracy", "quantity: acuracy", "claims.0.check.quantity", "unknown quantity 'acuracy'; known ar"),
        ("table: table1", "table: table0", "claims.0.check.table", "unknown table 'table0'; known are table1, tabl"),
        ("id: A2", "id: A1", "", "the claim 'A1' stands twice"),
        ("  - id: A2", "    unit: error\n  - id: A2", "", "'unit' stands twice"),
        ("authors: [A. Author]", "authors: [A. Author", "", "line 3"),
        ("  epochs: null", "\tepochs: null", "", "line 7"),
        (PAPER, "", "", "Input should be a valid dictionary"),
        (PAPER, "- a\n- b\n", "", "Input should be a valid dictionary"),
        (PAPER, "? [a, b]\n: c\n", "", "unhashable key"),
        (PAPER, "!!python/object/apply:os.getcwd []", "", "could not determine a constructor"),
    ],
)
def test_an_error_names_file_and_field(tmp_path, old, new, field, message):
    assert PAPER.count(old) == 1
    folder = _write(tmp_path, PAPER.replace(old, new))
    with pytest.raises(ValueError) as error:
        load_papers(folder)
    assert str(error.value).startswith(f"{folder / 'paper.yaml'}: ")
    assert not field or field in str(error.value).splitlines()
    assert message in str(error.value)


def test_all_findings_are_reported_at_once(tmp_path):
    folder = _write(tmp_path, PAPER.replace("value: 0.5", "value: half").replace("confidence: C", "confidence: D"))
    with pytest.raises(ValueError, match=r"(?s)claims\.0\.value\n.*claims\.1\.confidence\n"):
        load_papers(folder)


def test_a_claim_id_is_unique_over_all_papers(tmp_path):
    _write(tmp_path, PAPER, "first.yaml")
    _write(tmp_path, PAPER, "second.yaml")
    with pytest.raises(ValueError, match=r"second\.yaml: the claim 'A1' stands in .*first\.yaml already"):
        load_papers(tmp_path)


def test_a_cell_of_a_paper_is_unique(tmp_path):
    cell = "  - {table: table1, dataset: toy, fusion: concat, metric: accuracy, value: 0.5}\n"
    other = cell.replace("table1", "table2")
    load_papers(_write(tmp_path, f"{PAPER}cells:\n{cell}{other}"))
    _write(tmp_path, f"{PAPER}cells:\n{cell}{other}{cell.replace('0.5', '0.6')}")
    with pytest.raises(ValueError, match=r"the cell table1, toy, Concat, accuracy stands twice"):
        load_papers(tmp_path)


def test_a_new_kind_of_check_is_one_class(tmp_path):
    class SizeCheck(Comparison):
        """As many rows as are published."""

        kind = "rows"

        def holds(self, published, results):
            return len(results.rows) == published, f"there are {len(results.rows)} rows"

        def on(self, dataset, metric, results):
            raise NotImplementedError

    text = PAPER.replace("kind: none, reason: A theorem.", "kind: rows, table: table1").replace("null", "0")
    (paper,) = load_papers(_write(tmp_path, text))
    found = verdicts({}, [paper], {})[-1]
    assert (found.verdict, found.reason) == ("reproduced", "There are 0 rows.")


def test_bytes_that_are_no_text_name_the_file(tmp_path):
    (tmp_path / "paper.yaml").write_bytes(b"title: \xff\x00")
    with pytest.raises(ValueError, match=r"paper\.yaml: "):
        load_papers(tmp_path)


def test_a_folder_without_papers_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="one YAML file per paper"):
        load_papers(tmp_path)


def test_comparing_and_rendering_need_no_tensorflow():
    code = "import sys, reproduce.report.page; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
