"""The tutorial that promises every backend keeps its word."""

import json
from pathlib import Path

import pytest

from tfq_fusion._keras import keras

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorials" / "02-your-own-circuit.ipynb"


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="building the site runs it on TensorFlow")
def test_it_runs_from_its_first_cell_to_its_last(monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    exec(compile(code, NOTEBOOK.name, "exec"), {})
    assert f"runs on {keras.backend.backend()} and" in capsys.readouterr().out
