"""Who trains, and in which environment."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from bench.engines import PEERS_PYTHON


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to train many models.

    Attributes:
        title: For people.
        module: The module whose ``train(task, contender)`` trains them.
        how: What it does.
        members: How many it trains.
        backend: What Keras runs on; None of a peer, which has an environment of its own.
        of_quantum: Whether it trains quantum fusions alone.
    """

    title: str
    module: str
    how: str
    members: int
    backend: str | None = None
    of_quantum: bool = False

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return Path(sys.executable) if self.backend else PEERS_PYTHON


OURS, REFERENCE = "fit_many", "keras-tensorflow"
CONTENDERS = {
    REFERENCE: Contender(
        "Keras' fit on TensorFlow",
        "bench.training.on_keras",
        "`compile` and `fit`, model by model, on TensorFlow, as Keras compiles it by default.",
        members=4,
        backend="tensorflow",
    ),
    "keras-jax": Contender(
        "Keras' fit on JAX",
        "bench.training.on_keras",
        "the same on JAX.",
        members=4,
        backend="jax",
    ),
    OURS: Contender(
        "fit_many",
        "bench.training.on_keras",
        "`tfq_fusion.training.fit_many`, all models in one call.",
        members=20,
        backend="jax",
    ),
    "pennylane": Contender(
        "PennyLane default.qubit, vmap",
        "bench.training.on_pennylane",
        "`default.qubit`, backpropagation, `jax.vmap` over samples and over models, `jax.lax.scan` over steps and "
        "epochs, all of it in one `jax.jit`, with an Adam of a few lines; gate by gate.",
        members=20,
        of_quantum=True,
    ),
    "pennylane-diagonal": Contender(
        "PennyLane default.qubit, vmap, rewritten",
        "bench.training.on_pennylane",
        "the same, but each multiplexed rotation written by hand as one `DiagonalQubitUnitary`.",
        members=20,
        of_quantum=True,
    ),
}
