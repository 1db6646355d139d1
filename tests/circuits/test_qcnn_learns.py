"""Convolutional networks learn what their sources show that they learn: docs/qcnn.md, run as it stands there."""

import re
from typing import Any

import pytest

from tests.documents.support import ROOT, lines
from tfq_fusion._keras import LEGACY
from tfq_fusion.engines import ENGINES
from tfq_fusion.layers import PQC

PAGE = "docs/qcnn.md"
CLUSTER, DIGITS = (lines(PAGE, header) for header in ("| convolution | seed 0 |", "| encoding, convolution | seed 0 |"))


def example(name: str) -> dict[str, Any]:
    """What the page's example defines."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (code,) = re.findall(rf"<!-- {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(code, f"{PAGE}: {name}", "exec"), namespace)
    return namespace


def near(cells: list[str], samples: int) -> Any:
    """Another processor rounds otherwise: of so many samples two may fall to the other side."""
    return pytest.approx([*map(float, cells)], abs=2.1 / samples)


@pytest.mark.slow
@pytest.mark.parametrize("convolution", ["tutorial", "su4"])
def test_excitations_of_a_cluster_state_are_detected(convolution):
    accuracy, said = example("cluster")["cluster_accuracy"], CLUSTER[f"`{convolution}`"]
    assert [accuracy(seed, PQC, convolution) for seed in range(len(said))] == near(said, 48)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.skipif(not LEGACY, reason="the PQC of TensorFlow Quantum fails under Keras 3")
def test_the_layer_of_tensorflow_quantum_detects_them_alike():
    import tensorflow_quantum as tfq

    assert [example("cluster")["cluster_accuracy"](6, tfq.layers.PQC)] == near(CLUSTER["`tutorial`"][6:7], 48)


@pytest.mark.data("mnist")
@pytest.mark.slow
@pytest.mark.parametrize("convolution", ["tutorial", "su4"])
@pytest.mark.parametrize("encoding", ["angle", "dense_angle", "amplitude"])
def test_zeros_and_ones_are_told_apart_by_eight_features(encoding, convolution):
    accuracy, said = example("mnist")["mnist_accuracy"], DIGITS[f"`{encoding}`, `{convolution}`"]
    found = [accuracy(encoding, convolution=convolution, seed=seed) for seed in range(len(said))]
    assert found == near(said, 500)


@pytest.mark.data("mnist")
@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["angle", "dense_angle", "amplitude"])
def test_the_reference_tells_them_apart_alike(encoding):
    (engine,) = set(ENGINES) - {"compiled"}
    assert [example("mnist")["mnist_accuracy"](encoding, engine)] == near(DIGITS[f"`{encoding}`, `su4`"][:1], 500)
