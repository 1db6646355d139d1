"""The engines that are compared, and the environment that each runs in."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

PEERS_PYTHON = Path(".venv-bench/bin/python")
"""The peers need other versions of NumPy and JAX than TensorFlow Quantum."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """One engine.

    Attributes:
        title: For people.
        module: The module whose ``build_step(problem, engine)`` returns a function that runs one step.
        peer: Whether it is another library, in the peers' environment.
        backend: Keras' backend.
        multiplexers: Whether the circuit is rewritten by hand for it, with one operation for each multiplexed rotation;
            only circuits that have such rotations are run.
        how: What the engine is given and how it runs.
    """

    title: str
    module: str
    how: str
    peer: bool = True
    backend: str = "tensorflow"
    multiplexers: bool = False

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return PEERS_PYTHON if self.peer else Path(sys.executable)


ENGINES = {
    "compiled": Engine(
        "tfq_fusion, compiled",
        "bench.on_tensorflow",
        '`expectation(..., engine="compiled")` inside `tf.function`; starts from states where there are any.',
        peer=False,
    ),
    "compiled-jax": Engine(
        "tfq_fusion, compiled, on JAX",
        "bench.compiled_on_jax",
        "the same with Keras on JAX, inside `jax.jit`.",
        peer=False,
        backend="jax",
    ),
    "tfq": Engine(
        "TensorFlow Quantum",
        "bench.on_tensorflow",
        '`expectation(..., engine="tfq")`, that is `tfq.layers.ControlledPQC` with the adjoint differentiator, inside '
        "`tf.function`; where there are states, it gets the circuits that prepare them, serialised once beforehand.",
        peer=False,
    ),
    "pennylane": Engine(
        "PennyLane default.qubit",
        "bench.on_pennylane",
        "`default.qubit`, backpropagation, `jax.vmap` over the batch, `jax.jit` around values and gradients; gate by "
        "gate, multi-controlled rotations by `qml.ctrl`.",
    ),
    "pennylane-diagonal": Engine(
        "PennyLane default.qubit, rewritten",
        "bench.on_pennylane",
        "the same, but each multiplexed rotation written by hand as one `DiagonalQubitUnitary` between two rotations "
        "of its target, the fastest of the forms tried (`qml.ctrl`, `qml.SelectPauliRot`, this).",
        multiplexers=True,
    ),
    "lightning": Engine(
        "PennyLane lightning.qubit",
        "bench.on_lightning",
        "`lightning.qubit` in complex64, adjoint vector-Jacobian products straight from the device, one tape per "
        "sample; gate by gate, its native controlled rotations.",
    ),
    "tensorcircuit": Engine(
        "TensorCircuit-NG",
        "bench.on_tensorcircuit",
        "JAX backend, `jax.vmap` over the batch, `jax.jit` around values and gradients; gate by gate, multi-controlled "
        "rotations by `multicontrol`; the contractor is the default one, but `plain` from 14 qubits or 6 controls on, "
        "where the default one is slower or fails.",
    ),
    "tensorcircuit-diagonal": Engine(
        "TensorCircuit-NG, rewritten",
        "bench.on_tensorcircuit",
        "the same, but each multiplexed rotation written by hand as one `diagonal` between two rotations of its "
        "target, the fastest of the forms tried (`multicontrol`, one dense unitary, rotations between CNOTs, this).",
        multiplexers=True,
    ),
}
