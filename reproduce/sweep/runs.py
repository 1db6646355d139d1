"""What to train, and what came out."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tfq_fusion.training.protocol import Protocol

FINISHED, DIVERGED, INTRACTABLE, FAILED = "finished", "diverged", "intractable", "failed"
STATUSES = (FINISHED, DIVERGED, INTRACTABLE, FAILED)
PERSISTENCE, HISTORICAL_AVERAGE = "persistence", "historical-average"
BASELINES = (PERSISTENCE, HISTORICAL_AVERAGE)
"""Forecasts without a model."""
TRAINING = "training"
"""The experiment of a run that trains a model on a data set and scores it, nothing else."""
TOGETHER = (TRAINING, "encoding", "noise", "device")
"""Experiments that train all seeds of a cell in one program."""


Pairs = Mapping[str, Any] | tuple[tuple[str, Any], ...]
"""Settings by name, given as a mapping and kept as pairs that are sorted by name: text, finite numbers, booleans, None
and lists of these."""


def stated(value: Any) -> Any:
    """The fields of a dataclass that have no default or differ from it, by name; dataclasses inside it likewise."""
    if not dataclasses.is_dataclass(value):
        return value
    values = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {field.name: stated(value) for field, value in values.items() if value != field.default}


def strict(value: Any) -> Any:
    """The same JSON value with "NaN", "Infinity" and "-Infinity" for what JSON has no numbers for; float() reads them.

    A strict reader would refuse a whole file for the loss of one diverged run.
    """
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return json.dumps(value) if isinstance(value, float) and not math.isfinite(value) else value


def _frozen_pairs(what: str, pairs: Pairs) -> tuple[tuple[str, Any], ...]:
    """The pairs, sorted by name; ``what`` says in an error what they are, with a place for the name."""
    return tuple((name, _frozen(what.format(repr(name)), value)) for name, value in sorted(dict(pairs).items()))


def _frozen(what: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(what, item) for item in value)
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"{what}: expected text, a finite number, a boolean, None or a list of these, got {value!r}.")


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything that defines one run.

    A field may be added with a default that means what was done before it: that changes no :attr:`id`. A default that
    is here, or in the protocol, must never change, since the ids of runs made with it would not tell.

    Attributes:
        fusion: Name of the fusion, or "persistence" or "historical-average", which forecast without a model.
        seed: The one seed of the run.
        protocol: How it is trained.
        experiment: :data:`TRAINING`, or the name of what is done instead.
        dataset: Name of the data set; None for an experiment that needs none.
        dataset_sha256: Hash of its data.
        dataset_options: Options of its loader.
        options: Settings of the experiment; of a training see :mod:`reproduce.sweep.run.options`.
        degree: The degree of "qfl", or of the QFL that "control" matches; None for the others.
        engine: What runs "qfl" or "qmfnn"; None for the others, and where nothing is run.
        arguments: Further keyword arguments of the fusion layer.
        precision: Floating-point type of the computation; where weights are counted alone, of the weights.

    Raises:
        TypeError: If an argument or an option is none of what :data:`Pairs` may hold.
        ValueError: If it is to train on no data set.
    """

    fusion: str
    seed: int
    protocol: Protocol
    experiment: str = TRAINING
    dataset: str | None = None
    dataset_sha256: str | None = None
    dataset_options: Pairs = ()
    options: Pairs = ()
    degree: int | None = None
    engine: str | None = None
    arguments: Pairs = ()
    precision: str = "float32"

    def __post_init__(self) -> None:
        for field, what in (
            ("dataset_options", "Option {} of a data set"),
            ("options", "Option {} of an experiment"),
            ("arguments", "Argument {} of a fusion"),
        ):
            object.__setattr__(self, field, _frozen_pairs(what, getattr(self, field)))
        if self.experiment == TRAINING and not self.dataset:
            raise ValueError("Training needs a data set: name one, or another experiment.")

    @functools.cached_property
    def id(self) -> str:
        """SHA-256 of the specification as canonical JSON, without the fields that have their default value."""
        text = json.dumps(strict(stated(self)), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> RunSpec:
        """The specification of which ``dataclasses.asdict`` gave the JSON values."""
        fields = dict(record)
        protocol = dict(fields.pop("protocol"))
        protocol["learning_rates"] = tuple(map(float, protocol["learning_rates"]))
        return cls(**fields, protocol=Protocol(**protocol))

    def __str__(self) -> str:
        """As people call it."""
        names = [] if self.experiment == TRAINING else [self.experiment]
        names += [] if self.dataset is None else [self.dataset]
        names += [f"{name}={_short(value)}" for name, value in (*self.dataset_options, *self.options)]
        degree = "" if self.degree is None else f" P={self.degree}"
        return f"{' '.join(names)} {self.fusion}{degree} seed {self.seed}"


def each_once(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """The specifications in their order, each once: a run that is asked for twice is one run."""
    return list({spec.id: spec for spec in specs}.values())


TEST_OPTIONS = ("missing", "noise")
"""Options of a training that change nothing but its test part."""

Block = tuple[RunSpec, ...]
"""Runs that are done together: those of :data:`TOGETHER` that differ in their seeds alone, or trainings that differ in
options too; any other run alone."""


def in_blocks(specs: Iterable[RunSpec]) -> list[Block]:
    """The specifications, block by block."""
    blocks: dict[object, list[RunSpec]] = {}
    for spec in specs:
        key = dataclasses.replace(spec, seed=0) if spec.experiment in TOGETHER else spec
        if spec.experiment == TRAINING:
            key = dataclasses.replace(key, options={})
        blocks.setdefault(key, []).append(spec)
    return [tuple(block) for block in blocks.values()]


def by_training(block: Block) -> dict[Pairs, list[RunSpec]]:
    """The runs of a block by what they are trained on: the options that do not change the test part alone."""
    found: dict[Pairs, list[RunSpec]] = {}
    for spec in block:
        trained_on = tuple((name, value) for name, value in dict(spec.options).items() if name not in TEST_OPTIONS)
        found.setdefault(trained_on, []).append(spec)
    return found


def block_id(block: Block) -> str:
    """SHA-256 of the ids of its runs."""
    return hashlib.sha256(" ".join(spec.id for spec in block).encode()).hexdigest()


def block_name(block: Block) -> str:
    """As people call it."""
    if len(block) == 1:
        return str(block[0])
    what = "seeds" if len({spec.seed for spec in block}) == len(block) else "runs"
    return f"{str(block[0]).rpartition(' seed ')[0]}, {len(block)} {what}"


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What came out of one run.

    Attributes:
        spec: What was run.
        status: "finished", "diverged" (the loss became NaN), "intractable" (the fusion has too many weights) or
            "failed" (it raised, was killed or hung).
        modalities: The number of modalities.
        fusion_params: Trained weights of the fusion; None if the run failed before that was known.
        total_params: Trained weights of the model; None if it could not be built.
        metrics: Part -> metric -> value; empty unless finished.
        learning_rate: The one that it was trained with.
        tuning: Learning rate -> mean over the tuning seeds of the lowest validation loss, infinite where one diverged;
            empty if there was no choice.
        epochs: Epochs it trained.
        seconds: Wall time, tuning included; of runs that are done together, their equal share. Of runs that were killed
            and continued, since then.
        history: "loss" and "val_loss" -> one value per epoch.
        seconds_per_epoch: The median over the epochs, validation included; of runs that are done together, their equal
            share. None if nothing was trained.
        program: The seeds of all runs that one program trained, in their places there: these, trained together again,
            give the same numbers to the last bit. Empty if the run was trained alone.
        outcomes: What the model says of each test sample, float32: probabilities ``[n, classes]``, or of a forecast
            ``[n, 2]``, its mean absolute error in the units of the targets, and how many of them were observed. None if
            nothing was trained.
        peak_memory_mb: The most memory its process had held by the end of it, earlier runs of that process included,
            in MB (10^6 bytes); None if not known.
        error: The traceback of a failed run.
        versions: Versions of the packages that computed it.
        commit: The git commit of the code, with "+changes" if it had some; None outside a checkout.
        machine: Processor and number of cores.
    """

    spec: RunSpec
    status: str
    modalities: int
    fusion_params: int | None = None
    total_params: int | None = None
    metrics: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    learning_rate: float | None = None
    tuning: dict[float, float] = dataclasses.field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    seconds_per_epoch: float | None = None
    program: tuple[int, ...] = ()
    outcomes: np.ndarray | None = dataclasses.field(default=None, compare=False)
    peak_memory_mb: float | None = None
    error: str | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    commit: str | None = None
    machine: str = ""

    def to_json(self) -> str:
        """The result as a line of JSON, its id and status first; :func:`strict` says how NaN is written."""
        fields = dataclasses.asdict(self)
        if self.outcomes is not None:
            encoded = base64.b64encode(self.outcomes.astype("<f4").tobytes()).decode()
            fields["outcomes"] = {"shape": self.outcomes.shape, "float32": encoded}
        record = strict({"id": self.spec.id, "status": self.status, **fields})
        return json.dumps(record, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> RunResult:
        """The inverse of :meth:`to_json`.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: If the text is no run result, or its id does not fit its
                content.
        """
        fields = json.loads(text)
        identity = fields.pop("id")
        spec = RunSpec.from_json(fields.pop("spec"))
        fields["metrics"] = {
            part: {name: float(score) for name, score in scores.items()} for part, scores in fields["metrics"].items()
        }
        fields["history"] = {name: [float(value) for value in values] for name, values in fields["history"].items()}
        fields["tuning"] = {float(rate): float(loss) for rate, loss in fields["tuning"].items()}
        fields["program"] = tuple(fields["program"])
        if fields["outcomes"] is not None:
            encoded = base64.b64decode(fields["outcomes"]["float32"], validate=True)
            fields["outcomes"] = np.frombuffer(encoded, "<f4").reshape(fields["outcomes"]["shape"])
        result = cls(spec=spec, **fields)
        if result.spec.id != identity:
            raise ValueError(f"the id is {identity}, but the specification hashes to {result.spec.id}")
        return result
