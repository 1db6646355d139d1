"""What an addition costs: a fusion its file, a data set its card and its arrays, a table its module, a claim its entry.

Nothing else has to know. What is added is what CONTRIBUTING.md says, taken from that page.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from pandas import read_csv

import reproduce
import tfq_fusion
from tfq_fusion.datasets.card import DATA

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(heading):
    """The block of code under a heading of the page on contributing."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    return found


PROGRAM = """
import sys

from tfq_fusion.datasets import available, describe, load, state
from tfq_fusion.fusions import fusions, make_fusion

assert fusions()["toy"].caption == "Toy"
assert "toy" in available() and state("toy") == "embedded"
card = describe("toy")
assert not {"keras", "tf_keras", "tensorflow", "jax", "cirq"} & set(sys.modules), "to know what there is takes seconds"

from tfq_fusion.layers import ToyFusion
from tfq_fusion.models import fusion_model
from tfq_fusion.training import prepare

data = prepare(load("toy"))
fusion = make_fusion("toy", [4, 4], units=8, seed=1)
assert isinstance(fusion, ToyFusion)
model = fusion_model(card.modalities, fusion, len(card.classes), card.task, seed=1)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*data.train, epochs=20, verbose=0)
_, accuracy = model.evaluate(*data.test, verbose=0)
print(sys.modules["tfq_fusion"].__file__)
print(accuracy)
"""


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the packages with the data that travel with them."""
    ignored = shutil.ignore_patterns("__pycache__")
    package = tmp_path / "tfq_fusion"
    for module in (tfq_fusion, reproduce):
        shutil.copytree(Path(module.__file__).parent, tmp_path / module.__name__, ignore=ignored)
    shutil.copytree(str(DATA), package / "data", ignore=shutil.ignore_patterns("__pycache__", "downloads"))
    return tmp_path


@pytest.mark.slow
def test_a_fusion_a_data_set_a_table_and_a_claim_cost_their_own_files(tree):
    (tree / "tfq_fusion" / "layers" / "fusion" / "toy.py").write_text(block("A fusion"))
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    arrays = {
        f"features/{name}": (2 * labels - 1)[:, None] + 0.3 * rng.normal(size=(120, width))
        for name, width in (("one", 3), ("other", 2))
    }
    rows = {"train": np.arange(80), "validation": np.arange(80, 100), "test": np.arange(100, 120)}
    file = tree / "tfq_fusion" / "data" / "toy.npz"
    np.savez(file, labels=labels, **arrays, **rows)
    card = {**yaml.safe_load(block("A data set")), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    file.with_suffix(".yaml").write_text(yaml.safe_dump(card))

    (tree / "reproduce" / "tables" / "toy.py").write_text(block("A table"))
    published = tree / "reproduce" / "claims" / "published"
    (paper, *_) = sorted(published.glob("*.yaml"))
    claims = yaml.safe_load(paper.read_text(encoding="utf-8"))
    claims["claims"].append(yaml.safe_load(block("A claim")))
    paper.write_text(yaml.safe_dump(claims), encoding="utf-8")

    where, accuracy = run(tree, "-c", PROGRAM)[-2:]
    assert Path(where).is_relative_to(tree)
    assert float(accuracy) > 0.9

    told = run(tree, "-m", "reproduce", "toy", "--profile", "smoke", "--results", tree / "results")
    assert f"Wrote {tree / 'results' / 'toy.csv'}" in "\n".join(told)
    rows = read_csv(tree / "results" / "toy.csv").query("metric == 'accuracy'")
    assert list(rows["fusion"]) == ["toy", "concat"]
    assert set(rows["seeds"]) == {2}
    assert "| Toy " in (tree / "results" / "toy.md").read_text()
    assert (tree / "results" / "toy.png").exists()
    told = run(tree, "-m", "reproduce", "compare", "--results", tree / "results")
    assert "T1 reproduced: Toy tells signs apart." in told


def run(tree, *arguments):
    """The lines that Python prints, with the packages of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
