"""Whose layers the tutorials are given."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Contender:
    """A library with layers ``PQC`` and ``ControlledPQC``.

    Attributes:
        title: For people.
        layers: The module that has them.
        how: How a program imports it.
    """

    title: str
    layers: str
    how: str


REFERENCE, OURS = "tfq", "tfq-fusion"
CONTENDERS = {
    REFERENCE: Contender(
        "TensorFlow Quantum", "tensorflow_quantum.python.layers", "`from tensorflow_quantum import layers`."
    ),
    OURS: Contender("tfq-fusion", "tfq_fusion.layers", "`from tfq_fusion import layers`."),
}
