"""Examples of the documents run, and print what the documents say."""

import os
import re
import subprocess
import sys

import pytest

from reproduce.experiments.registry import backend_of
from reproduce.tables.table import find
from tests.documents.support import ROOT, example, holds, lines, prose


def test_the_circuit_of_the_documents_has_the_size_that_it_prints(capsys):
    exec(compile(example("docs/layers.md", "qfl_circuit"), "layers.md", "exec"), {})
    printed = capsys.readouterr().out
    for comment in ("3 qubits, 18 weights", "(5, 32)"):
        assert f"# {comment}" in example("docs/layers.md", "qfl_circuit")
        assert comment in printed


def test_the_comparisons_of_the_documents_end_as_they_print(capsys):
    code = example("docs/statistics.md", "compare")
    exec(compile(code, "statistics.md", "exec"), {})
    assert [f"# {line}" for line in capsys.readouterr().out.splitlines()] == re.findall("^#.*", code, re.MULTILINE)


@pytest.mark.slow
def test_many_seeds_train_as_the_documents_show(tmp_path):
    script = [sys.executable, "-c", example("docs/layers.md", "fit_many")]
    ran = subprocess.run(
        script, env={**os.environ, "KERAS_BACKEND": "jax"}, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    lines = [list(map(float, line.split())) for line in ran.stdout.splitlines()]
    assert [rate for rate, *_ in lines] == [1e-3] * 3 + [1e-2] * 3
    assert len({tuple(line) for line in lines}) == 6
    assert (tmp_path / "fused.keras").exists()


@pytest.mark.parametrize("name", ["table1", "table6"])
def test_what_the_documents_say_needs_no_tensorflow_needs_none(name):
    table = find(name)
    assert "Tables 1 and 6 are computed on JAX alone" in prose("docs/backends.md")
    assert {backend_of(spec) for spec in table.specs(table.plan("default", datasets=["emoji"]))} == {"jax"}


def test_the_page_of_backends_names_the_pytorch_that_is_tested():
    wanted = (ROOT / "tests" / "backends" / "requirements-torch.txt").read_text(encoding="utf-8")
    (torch,) = re.findall(r"^torch==(\d+\.\d+)", wanted, re.MULTILINE)
    (keras,) = re.findall(r"^keras>=([\d.]+)", wanted, re.MULTILINE)
    assert re.search(rf"with PyTorch {torch}, JAX [\d.]+ and Keras {keras} or newer", prose("docs/backends.md"))


@holds("docs/qcnn.md")
def test_the_page_of_convolutional_networks_counts_what_its_tables_show():
    def scores(header):
        return [[float(cell) for cell in cells] for cells in lines("docs/qcnn.md", header).values()]

    digits = [score for cells in scores("| encoding, convolution | seed 0 |") for score in cells]
    tutorial, _ = scores("| convolution | seed 0 |")
    yield f"{sum(score > 0.95 for score in digits)} of {len(digits)} exceed 0.95."
    yield f"exceeds 0.9 from {sum(score > 0.9 for score in tutorial)} of {len(tutorial)} starts."
