"""Convolutional networks learn what their sources show that they learn: docs/qcnn.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from tfq_fusion.engines import ENGINES
from tfq_fusion.layers import PQC

PAGE = Path(__file__).parents[2] / "docs" / "qcnn.md"


def cell(header: str, line: int, column: int) -> float:
    """A figure of a table of the page."""
    table = PAGE.read_text(encoding="utf-8").split(header)[1].splitlines()[2:]
    return float(table[line].strip("|").split("|")[column])


def example(name: str) -> dict[str, Any]:
    """What the page's example defines."""
    (code,) = re.findall(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(code, f"{PAGE.name}: {name}", "exec"), namespace)
    return namespace


@pytest.mark.slow
def test_excitations_of_a_cluster_state_are_detected():
    # What the page says of TensorFlow Quantum's own PQC, which fails under Keras 3, was the same, seed for seed.
    said = cell("| layer, convolution |", line=1, column=7)
    # Another processor rounds otherwise: one of the 48 circuits may fall to the other side.
    assert example("cluster")["cluster_accuracy"](seed=6, layer=PQC) == pytest.approx(said, abs=0.03)


@pytest.mark.data("mnist")
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("encoding", ["angle", "dense_angle", "amplitude"])
def test_zeros_and_ones_are_told_apart_by_eight_features(encoding, engine):
    said = cell("| encoding | convolution |", 2 * list(example("mnist")["QUBITS"]).index(encoding), column=2)
    assert example("mnist")["mnist_accuracy"](encoding, engine) == pytest.approx(said, abs=0.01)


def test_the_page_counts_what_its_tables_show():
    text = PAGE.read_text(encoding="utf-8")
    digits = [
        float(score) for score in re.findall(r"\d\.\d{3}", text.split("| encoding | convolution |")[1].split("\n\n")[0])
    ]
    assert f"{sum(score > 0.95 for score in digits)} of {len(digits)} exceed 0.95" in text
    theirs, ours, _ = text.split("| layer, convolution |")[1].splitlines()[2:5]
    assert theirs.partition("`tutorial`")[2] == ours.partition("`tutorial`")[2]
    states = [float(score) for score in re.findall(r"\d\.\d{3}", theirs)]
    assert (sum(score > 0.9 for score in states), len(states)) == (5, 10)
    assert "The tutorial's network exceeds 0.9 from five of the ten starts." in " ".join(text.split())
