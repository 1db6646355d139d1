"""The report as a file: what it shows is what the results say, and nothing in it leads elsewhere."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from reproduce.__main__ import app
from reproduce.claims.papers import PUBLISHED
from reproduce.claims.rows import read_tables
from reproduce.report.html.contents import read_contents
from reproduce.report.html.write import REPORT, render
from reproduce.report.reading import score_text
from reproduce.sweep.store import FILE, Store

RESULTS = Path(__file__).parents[3] / "results"


class Page(HTMLParser):
    """The elements with an id, with their attributes and text, and where the page points to."""

    def __init__(self, text):
        super().__init__()
        self.named, self.targets, self.tags = {}, [], []
        self._open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.targets += [attributes[name] for name in ("href", "src") if name in attributes]
        element = {"tag": tag, "text": "", **attributes}
        if "id" in attributes:
            assert attributes["id"] not in self.named
            self.named[attributes["id"]] = element
        if tag not in ("meta", "link", "img"):
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, text):
        for element in self._open:
            element["text"] += text


@pytest.fixture(scope="module")
def page(report):
    return Page(report.read_text(encoding="utf-8"))


def test_every_row_of_every_table_is_a_cell_with_its_number(page):
    for name, frame in read_tables(RESULTS).items():
        for line, row in enumerate(frame.to_dict("records"), start=2):
            cell = page.named[f"{name}-{line}"]
            assert cell["text"] == score_text(row)
            assert pd.isna(row["mean"]) or float(cell["data-sort"]) == row["mean"]


def test_every_comparison_is_a_cell_with_its_difference(page):
    for path in RESULTS.glob("*-comparisons.csv"):
        for line, row in enumerate(pd.read_csv(path).to_dict("records"), start=2):
            assert float(page.named[f"{path.stem}-{line}"]["data-sort"]) == row["difference"]


def test_every_claim_rests_on_rows_that_are_there_or_says_why_not(contents, page):
    for claim in contents.claims:
        shown = page.named[claim.id]["text"]
        assert claim.verdict.verdict in shown
        assert claim.verdict.reason.replace("`", "") in shown
        assert all(ground.href[1:] in page.named for ground in claim.grounds)
        assert claim.grounds or "No row of a table decides this claim." in shown
        if claim.verdict.verdict != "not comparable":
            assert claim.grounds


def test_the_verdicts_are_those_of_the_committed_page(contents):
    committed = (RESULTS / "claims.md").read_text(encoding="utf-8")
    for claim in contents.claims:
        assert f"- **{claim.verdict.claim}**, {claim.verdict.verdict}: {claim.verdict.reason}" in committed


def test_a_claim_names_the_interval_that_decided_it(contents):
    by_id = {claim.verdict.claim: claim for claim in contents.claims}
    table = read_tables(RESULTS)["table5"]
    row = table[(table["dataset"] == "mfeat") & table["arguments"].str.contains("pauli_plane")].iloc[0]
    figures = [ground.figure for ground in by_id["Q12"].grounds]
    assert f"{row['mean']:.4g} [{row['ci95_low']:.4g}, {row['ci95_high']:.4g}]" in figures


def test_published_numbers_stand_beside_reproduced_ones(contents):
    beside = {(one["claim"], one["place"]): one for one in contents.beside}
    auc = beside["Q1", "ludb, table2"]
    assert auc["published"] == 0.887
    assert not auc["decides"]
    table = read_tables(RESULTS)["table2"].query("dataset == 'ludb' and metric == 'roc_auc' and fusion == 'qfl'")
    assert auc["mean"] in set(table["mean"])
    assert beside["F2", "mnist"]["decides"]


def test_the_file_needs_no_other(page):
    assert all(target.startswith(("#", "data:")) for target in page.targets)
    assert {target[1:] for target in page.targets if target.startswith("#")} <= set(page.named)


def test_what_files_say_cannot_become_markup(tmp_path):
    bad = "</script><script>alert(1)</script>"
    published = tmp_path / "published"
    shutil.copytree(PUBLISHED, published)
    paper = published / "qfl_2510_06938.yaml"
    said = paper.read_text(encoding="utf-8").replace("    statement: ", f'    statement: "{bad}" #', 1)
    paper.write_text(said, encoding="utf-8")
    results = tmp_path / "results"
    results.mkdir()
    shutil.copy(RESULTS / "table1.csv", results)
    (results / "table1.md").write_text(f"# Title\n\nProfile: {bad}\n\n![a](b.png)\n", encoding="utf-8")
    contents = read_contents(results, published)
    assert bad in [claim.verdict.statement for claim in contents.claims]
    text = render(contents, bad)
    assert bad not in text
    assert Page(text).tags.count("script") == 3


def test_a_cell_has_its_seeds_losses_and_circumstances(folder_with_runs):
    text = (folder_with_runs / REPORT).read_text(encoding="utf-8")
    data = json.loads(Page(text).named["data"]["text"])
    quantum, concat = data["tables"]["table1"]["cells"]
    assert quantum["runs"]["points"]["accuracy"] == [0.9, 0.92, 0.94]
    assert quantum["scores"]["accuracy"]["mean"] == pytest.approx(0.92)
    assert concat["runs"]["points"] == {
        "accuracy": [0.95, 0.97, None],
        "roc_auc": [0.9095, 0.9097, None],
        "diverged": [0, 0, 1],
    }
    assert quantum["runs"]["circumstances"] == [
        {"commit": "c0ffee", "machine": "A processor, 2 cores", "versions": {"python": "3.11.9"}}
    ]
    first = quantum["runs"]["runs"][0]
    assert first["id"] == next(Store(folder_with_runs / FILE).results()).spec.id[:12]
    assert (first["seed"], first["epochs"], first["seconds"], first["status"]) == (0, 40, 1.5, "finished")
    assert (first["epoch"][0], first["epoch"][-1]) == (1, 40)
    assert (first["losses"]["loss"][0], first["losses"]["val_loss"][-1]) == (1, 0.0275)
    assert "Values per seed are from table1-runs.csv, losses from runs.sqlite." in text


def test_without_the_raw_runs_a_cell_has_mean_losses(folder_with_runs, tmp_path):
    for name in ("table1.csv", "table1-runs.csv"):
        shutil.copy(folder_with_runs / name, tmp_path)
    text = render(read_contents(tmp_path), "results")
    quantum, _ = json.loads(Page(text).named["data"]["text"])["tables"]["table1"]["cells"]
    assert (quantum["runs"]["epoch"][-1], quantum["runs"]["losses"]["val_loss"][-1]) == (40, 0.0275)
    assert "Values per seed and mean losses are from table1-runs.csv." in text


def test_a_folder_without_runs_says_what_makes_them(contents):
    for table in contents.tables:
        if not (RESULTS / f"{table.name}-runs.csv").exists():
            assert f"`make reproduce-{table.name}`" in table.runs


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"There are no tables in .*: `make reproduce-table1` makes one"):
        read_contents(tmp_path)


def test_the_command_writes_the_file_and_says_where(folder_with_runs):
    done = CliRunner().invoke(app, ["report", "--results", str(folder_with_runs)])
    assert done.exit_code == 0
    assert done.output == f"Wrote {folder_with_runs / REPORT}: open it in a browser.\n"


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path):
    done = CliRunner().invoke(app, ["report", "--results", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert f"There is no folder {tmp_path / 'none'}" in done.output
