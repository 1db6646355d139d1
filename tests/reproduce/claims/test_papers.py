"""The published claims as data: which there are, and what an error in a file says."""

import subprocess
import sys
from pathlib import Path

import pytest

from reproduce.claims.papers import PUBLISHED, load_papers

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


def test_every_claim_is_there_once_and_in_order():
    ids = [claim.id for paper in load_papers() for claim in paper.claims]
    assert ids == [f"Q{number}" for number in range(1, 15)] + [f"F{number}" for number in range(1, 6)]


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
    ("old", "new", "line", "field"),
    [
        ("unit: accuracy", "units: accuracy", 12, "claims.0.units: Extra inputs are not permitted"),
        ("    unit: theorem\n", "", 21, "claims.1.unit: Field required"),
        ("value: 0.5", "value: '0.5'", 11, "claims.0.value: Input should be a valid number"),
        ("value: 0.5", "value: yes", 11, "claims.0.value: Input should be a valid number"),
        ("value: 0.5", "value: .nan", 11, "claims.0.value: Input should be a finite number"),
        ("confidence: C", "confidence: D", 26, "claims.1.confidence"),
        ("sources: [digest]", "sources: [digest, rumour]", 25, "claims.1.sources.1"),
        ("kind: value", "kind: guess", 15, "claims.0.check"),
        ("degree: 2", "degree: two", 19, "claims.0.check.value.series.degree"),
        ("{fusion: qfl, degree: 2}", "{fusion: qfl}", 19, "qfl needs a degree"),
        ("fusion: qfl,", "fusion: qlf,", 19, "unknown fusion 'qlf'; known are qfl, "),
        ("quantity: accuracy", "quantity: acuracy", 20, "unknown quantity 'acuracy'; known are accuracy"),
        ("table: table1", "table: table0", 17, "unknown table 'table0'; known are table1, table2"),
        ("id: A2", "id: A1", 21, "claims.1.id: 'A1' is already used in"),
        ("  - id: A2", "    unit: error\n  - id: A2", 21, "'unit' is already set on line 12"),
        ("authors: [A. Author]", "authors: [A. Author", 3, "not valid YAML"),
        ("  epochs: null", "\tepochs: null", 7, "not valid YAML"),
        (PAPER, "", 1, "the file is empty"),
        (PAPER, "- a\n- b\n", 1, "the file: Input should be a valid dictionary"),
    ],
)
def test_an_error_names_file_line_and_field(tmp_path, old, new, line, field):
    assert PAPER.count(old) == 1
    folder = _write(tmp_path, PAPER.replace(old, new))
    with pytest.raises(ValueError) as error:
        load_papers(folder)
    assert f"{folder / 'paper.yaml'}, line {line}: " in str(error.value)
    assert field in str(error.value)


def test_all_findings_are_reported_at_once(tmp_path):
    folder = _write(tmp_path, PAPER.replace("value: 0.5", "value: half").replace("confidence: C", "confidence: D"))
    with pytest.raises(ValueError, match=r"(?s)line 11: claims\.0\.value.*line 26: claims\.1\.confidence"):
        load_papers(folder)


def test_a_claim_id_is_unique_over_all_papers(tmp_path):
    _write(tmp_path, PAPER, "first.yaml")
    _write(tmp_path, PAPER, "second.yaml")
    with pytest.raises(ValueError, match=r"second\.yaml, line 9: claims\.0\.id: 'A1' .*first\.yaml, line 9"):
        load_papers(tmp_path)


def test_a_cell_of_a_paper_is_unique(tmp_path):
    cell = "  - {table: table1, dataset: toy, fusion: concat, metric: accuracy, value: 0.5}\n"
    other = cell.replace("table1", "table2")
    load_papers(_write(tmp_path, f"{PAPER}cells:\n{cell}{other}"))
    _write(tmp_path, f"{PAPER}cells:\n{cell}{other}{cell.replace('0.5', '0.6')}")
    with pytest.raises(ValueError, match=r"line 31: cells\.2: this cell is already on line 29"):
        load_papers(tmp_path)


def test_bytes_that_are_no_text_name_the_file(tmp_path):
    (tmp_path / "paper.yaml").write_bytes(b"title: \xff\x00")
    with pytest.raises(ValueError, match=r"paper\.yaml: not valid YAML"):
        load_papers(tmp_path)


def test_a_folder_without_papers_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="one YAML file per paper"):
        load_papers(tmp_path)


def test_there_is_one_file_per_paper():
    assert len(list(PUBLISHED.glob("*.yaml"))) == len(load_papers()) == 2


def test_comparing_and_rendering_need_no_tensorflow():
    code = "import sys, reproduce.report.page; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
