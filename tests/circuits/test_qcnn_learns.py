"""Convolutional networks learn what their sources show that they learn: docs/qcnn.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

import pytest

from tfq_fusion.engines import ENGINES
from tfq_fusion.layers import PQC

PAGE = Path(__file__).parents[2] / "docs" / "qcnn.md"


def example(name: str) -> dict[str, Any]:
    """What the page's example defines."""
    (code,) = re.findall(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(code, f"{PAGE.name}: {name}", "exec"), namespace)
    return namespace


@pytest.mark.slow
def test_excitations_of_a_cluster_state_are_detected():
    # What the page says of TensorFlow Quantum's own PQC, which fails under Keras 3, was the same, seed for seed.
    assert example("cluster")["cluster_accuracy"](seed=6, layer=PQC) > 0.9


@pytest.mark.data("mnist")
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("encoding", ["angle", "dense_angle", "amplitude"])
def test_zeros_and_ones_are_told_apart_by_eight_features(encoding, engine):
    assert example("mnist")["mnist_accuracy"](encoding, engine) > 0.95
