"""The README quotes Table 1, and its first model ends where it says."""

import re
import time

import pytest

from reproduce.claims.rows import read_tables
from reproduce.report.readme import quoted
from tests.documents.support import ROOT, example, prose
from tfq_fusion.layers import QuantumFusionLayer


def test_the_readme_quotes_table_1_as_it_stands():
    csv = ROOT / "results" / "table1.csv"
    assert quoted(read_tables(csv.parent)["table1"], csv) == {ROOT / "README.md": (ROOT / "README.md").read_bytes()}


@pytest.mark.slow
def test_the_model_of_the_readme_ends_where_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    start = time.process_time()
    exec(compile(example("README.md", 'load("emoji")'), "README.md", "exec"), names)
    assert "trains for less than a minute" in prose("README.md") and time.process_time() - start < 60
    ends, weights = re.search(
        r"ends near a validation accuracy of ([\d.]+); the fusion has (\d+) ", prose("README.md")
    ).groups()
    # Another processor rounds otherwise: a few of the 277 samples may fall to the other side.
    assert names["model"].history.history["val_accuracy"][-1] == pytest.approx(float(ends), abs=0.02)
    (fusion,) = [layer for layer in names["model"].layers if isinstance(layer, QuantumFusionLayer)]
    assert fusion.count_params() == int(weights)
    assert (tmp_path / "fused.keras").exists()
