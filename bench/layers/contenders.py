"""Whose layers are trained, and in which environment."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

TORCH_PYTHON = Path(".venv-torch/bin/python")
"""PyTorch, JAX and PennyLane, without TensorFlow."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """A layer on a backend.

    Attributes:
        title: For people.
        module: The module whose ``make_layer(problem, contender)`` makes the layer, which multiplies features by
            ``pi / 2``, and whose ``LIBRARIES`` names what it runs on.
        backend: "tensorflow" or "jax", where Keras' ``fit`` trains it; or "torch", where a loop of PyTorch does.
        how: What it is given.
        python: The interpreter of its environment.
        ours: Whether it is this library's layer and engine.
        rewritten: Whether the circuit is rewritten by hand for it, with one operation for each multiplexed rotation.
    """

    title: str
    module: str
    backend: str
    how: str
    python: Path
    ours: bool = False
    rewritten: bool = False


_OURS, _PENNYLANE = "bench.layers.with_circuit_layer", "bench.layers.with_pennylane"
REFERENCE = "tfq"
CONTENDERS = {
    REFERENCE: Contender(
        "TensorFlow Quantum",
        _OURS,
        "tensorflow",
        '`CircuitLayer(..., engine="tfq")`, which calls `tfq.layers.ControlledPQC` with the adjoint '
        "differentiator: its own layers know no Keras 3.",
        Path(sys.executable),
    ),
    "tensorflow": Contender(
        "CircuitLayer on TensorFlow", _OURS, "tensorflow", "`CircuitLayer(...)`.", Path(sys.executable), ours=True
    ),
    "jax": Contender("CircuitLayer on JAX", _OURS, "jax", "the same.", Path(sys.executable), ours=True),
    "torch": Contender("CircuitLayer on PyTorch", _OURS, "torch", "the same.", TORCH_PYTHON, ours=True),
    "keras3-layer": Contender(
        "pennylane-keras3-layer on JAX",
        _PENNYLANE,
        "jax",
        "`KerasCircuitLayer` around `default.qubit`, backpropagation; gate by gate, the batch in each gate's angle. It "
        "fails inside of TensorFlow's graphs.",
        TORCH_PYTHON,
    ),
    "keras3-layer-diagonal": Contender(
        "pennylane-keras3-layer on JAX, rewritten",
        _PENNYLANE,
        "jax",
        "the same, but each multiplexed rotation written by hand as one `DiagonalQubitUnitary` between two rotations "
        "of its target.",
        TORCH_PYTHON,
        rewritten=True,
    ),
    "torchlayer": Contender(
        "PennyLane's TorchLayer",
        _PENNYLANE,
        "torch",
        "`qml.qnn.TorchLayer` around `default.qubit`, backpropagation; gate by gate, the batch in each gate's angle.",
        TORCH_PYTHON,
    ),
    "torchlayer-diagonal": Contender(
        "PennyLane's TorchLayer, rewritten",
        _PENNYLANE,
        "torch",
        "the same, rewritten likewise.",
        TORCH_PYTHON,
        rewritten=True,
    ),
}
LEFT_OUT = (
    "qiboml 0.1.1 is left out: its `QuantumModel` computes one sample at a time, and one observable "
    "(`qiboml/models/encoding.py`, `qiboml/models/decoding.py`)."
)
