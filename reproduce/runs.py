"""What to train, and what came out."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from typing import Any

from tfq_fusion.training.protocol import Protocol

FINISHED, DIVERGED, INTRACTABLE = "finished", "diverged", "intractable"
PERSISTENCE = "persistence"

_PACKAGES = ("tfq-fusion", "tensorflow", "tensorflow-quantum", "keras", "cirq-core", "numpy", "scikit-learn")


def _versions() -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in _PACKAGES}


@dataclasses.dataclass(frozen=True)
class RunSpec:
    """Everything that defines one training run.

    Attributes:
        dataset: Name of the data set.
        dataset_sha256: Hash of its data.
        fusion: Name of the fusion, or "persistence".
        seed: The one seed of the run.
        protocol: How it is trained.
        degree: The degree of "qfl", or of the QFL that "control" matches; None for the others.
        engine: What runs "qfl"; None for the others.
    """

    dataset: str
    dataset_sha256: str
    fusion: str
    seed: int
    protocol: Protocol
    degree: int | None = None
    engine: str | None = None

    @functools.cached_property
    def id(self) -> str:
        """SHA-256 of the specification as canonical JSON."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        """As people call it."""
        degree = "" if self.degree is None else f" P={self.degree}"
        return f"{self.dataset} {self.fusion}{degree} seed {self.seed}"


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What came out of one run.

    Attributes:
        spec: What was run.
        status: "finished", "diverged" (the loss became NaN) or "intractable" (the fusion has too many weights).
        modalities: The number of modalities.
        fusion_params: Trained weights of the fusion.
        total_params: Trained weights of the model; None if it could not be built.
        metrics: Part -> metric -> value; empty unless finished.
        learning_rate: The one that validation chose.
        epochs: Epochs it trained.
        seconds: Wall time.
        versions: Versions of the packages that computed it.
    """

    spec: RunSpec
    status: str
    modalities: int
    fusion_params: int
    total_params: int | None = None
    metrics: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    learning_rate: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    versions: dict[str, str] = dataclasses.field(default_factory=_versions)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values, its id first."""
        return {"id": self.spec.id, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> RunResult:
        """The inverse of :meth:`to_json`.

        Raises:
            KeyError, TypeError, ValueError: If the record is no run result, or its id does not fit its content.
        """
        fields = dict(record)
        identity = fields.pop("id")
        spec = dict(fields.pop("spec"))
        protocol = dict(spec.pop("protocol"))
        protocol["learning_rates"] = tuple(protocol["learning_rates"])
        result = cls(spec=RunSpec(**spec, protocol=Protocol(**protocol)), **fields)
        if result.spec.id != identity:
            raise ValueError(f"the id is {identity}, but the specification hashes to {result.spec.id}")
        return result
