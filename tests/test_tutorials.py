"""The tutorials as they are committed: plain, without outputs, and readable for those who see no pictures.

Building the site runs them.
"""

import ast
import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "tutorials"
NOTEBOOKS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.ipynb"))}

every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


def cells(name, kind):
    return [cell for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == kind]


def text(cell):
    return "".join(cell["source"])


def test_there_are_tutorials():
    assert NOTEBOOKS


@every_notebook
def test_outputs_are_left_to_whoever_runs_it(name):
    assert [(cell["outputs"], cell["execution_count"]) for cell in cells(name, "code")] == [
        ([], None) for _ in cells(name, "code")
    ]


@every_notebook
def test_every_cell_has_an_id_of_its_own(name):
    notebook = NOTEBOOKS[name]
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]{1,64}", each) for each in ids)


@every_notebook
def test_code_is_python_without_magic(name):
    for cell in cells(name, "code"):
        ast.parse(text(cell))


@every_notebook
@pytest.mark.parametrize("installed", [True, False])
def test_the_first_code_cell_installs_the_package_where_it_is_missing(monkeypatch, name, installed):
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command[1:]))
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: object() if installed else None)
    exec(text(cells(name, "code")[0]), {})
    (address,) = re.findall("git clone (<.*>|[^ ]*)", (ROOT / "README.md").read_text(encoding="utf-8"))
    install = ["-m", "pip", "install", "--quiet", f"git+{address}"]
    assert commands == ([] if installed else [install])


@every_notebook
def test_every_picture_is_described(name):
    drawing = [cell for cell in cells(name, "code") if re.search(r"plt\.subplots|_figure\(", text(cell))]
    assert drawing
    assert all(cell["metadata"]["mystnb"]["image"]["alt"] for cell in drawing)


@every_notebook
def test_prose_leaves_figures_to_the_cells(name):
    """What a cell prints changes with versions and machines, and the sentence beside it does not."""
    for cell in cells(name, "markdown"):
        prose = re.sub(r"`[^`]*`|\]\([^)]*\)|arXiv \d{4}\.\d{5}", "", text(cell))
        assert not re.findall(r"\d[.,]\d|\de-?\d", prose)


@every_notebook
def test_links_lead_somewhere(name):
    prose = "\n".join(map(text, cells(name, "markdown")))
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", prose)
    assert not [target for target in targets if not FOLDER.joinpath(target).exists()]
