"""What Table 5 is made of: every run but for its seed, and how much of it a profile runs."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reproduce.sweep.runs import TRAINING, RunSpec
from reproduce.tables import table
from reproduce.tables.tuning import tuned, tuned_finely
from tfq_fusion.training import Protocol

DATA = "japanese-vowels"
OUTPUTS = {DATA: 21, "mfeat": 18}
"""Outputs where measurements are compared: three per qubit, so that strings of weight 1 are all single-qubit Paulis."""

MEASUREMENTS: tuple[Mapping[str, Any], ...] = (
    {"measurement": "pauli_plane"},
    {"measurement": "computational"},
    {"measurement": "random_pauli"},
    {"measurement": "random_pauli", "locality": 1},
    {"measurement": "random_pauli", "locality": 2},
)
RANKED: tuple[tuple[Mapping[str, Any], int], ...] = (
    ({"measurement": "pauli_plane"}, 255),
    ({"measurement": "pauli_plane", "locality": 4}, 255),
    ({"measurement": "computational"}, 15),
    ({"measurement": "random_pauli"}, 255),
    ({"measurement": "random_pauli", "locality": 1}, 12),
    ({"measurement": "random_pauli", "locality": 2}, 54),
)
"""Measurements of four qubits, and the most outputs that are compared: where there are fewer, all that there are."""
CHANGES: tuple[Mapping[str, Any], ...] = (
    {},
    {"entangler": "ring"},
    {"entangler": "brick"},
    {"blocks": 2},
    {"blocks": 3},
    {"signal": "rx"},
    {"signal": "rz"},
)
SCALES = (0.5, 0.1, 0.25, 1.0, 2.0, 4.0)
"""Angles of a feature of 1, in units of pi."""
UNIFORM, LOCAL = {"initial": "uniform"}, {"initial": "uniform", "locality": 1}
SMALL, SMALL_LOCAL = {"initial": "small"}, {"initial": "small", "locality": 1}
IDENTITY = {"initial": "identity", "blocks": 2}
BEGINNINGS = ("layerwise", "uniform", "small", "identity")
RATES = (1e-2, 1e-4, 1e-3, 3e-3, 3e-2, 1e-1)
PROCESSORS = ("rainbow", "weber")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        trained_seeds: How many seeds of whatever is trained.
        protocol: How these are trained.
        short: How models are trained for remedies, and for devices.
        wide: The data sets on which one part of the circuit after the other is changed.
        points: How many points of each sweep; None for all.
        draws: Initialisations per seed and point, for the variance of a gradient.
        noisy_epochs: Epochs of training with noise, or without it beside that, after those of the protocol.
        degrees: P with noise and on devices.
    """

    trained_seeds: int
    protocol: Protocol
    short: Protocol
    wide: tuple[str, ...]
    points: int | None
    draws: int
    noisy_epochs: int
    degrees: tuple[int, ...]

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return (
            f"at most {self.protocol.epochs} epochs and {self.noisy_epochs} more with noise, {self.short.epochs} for "
            f"remedies and devices; {self.draws} draws per gradient"
        )

    def with_seeds(self, seeds: int) -> Profile:
        """The same with so many seeds everywhere."""
        return dataclasses.replace(self, seeds=seeds, trained_seeds=seeds)

    def some(self, sweep: Sequence[Any]) -> Sequence[Any]:
        """The points of a sweep that are run."""
        return sweep[: self.points]


NAMES = (
    *OUTPUTS,
    "feature-map-rank",
    "encoding",
    "gradient-variance",
    "remedies",
    "noise",
    "device-circuit",
    "device",
)
PROFILES = {
    "smoke": Profile(
        datasets=NAMES,
        seeds=1,
        trained_seeds=1,
        protocol=Protocol(epochs=1),
        short=Protocol(epochs=1),
        wide=(DATA,),
        points=1,
        draws=2,
        noisy_epochs=1,
        degrees=(1,),
    ),
    "default": Profile(
        datasets=NAMES,
        seeds=3,
        trained_seeds=20,
        protocol=tuned(Protocol(epochs=100)),
        short=Protocol(epochs=40),
        wide=(DATA,),
        points=None,
        draws=40,
        noisy_epochs=8,
        degrees=(1, 2, 3),
    ),
    "paper": Profile(
        datasets=NAMES,
        seeds=10,
        trained_seeds=50,
        protocol=tuned_finely(Protocol(epochs=200, patience=20)),
        short=Protocol(epochs=200, patience=20),
        wide=tuple(OUTPUTS),
        points=None,
        draws=200,
        noisy_epochs=60,
        degrees=(1, 2, 3, 5),
    ),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run."""
    sweeps = (_measurements, _changes, _gradients, _noise, _devices)
    for cell in itertools.chain.from_iterable(sweep(profile) for sweep in sweeps):
        if (cell.dataset if cell.experiment == TRAINING else cell.experiment) in profile.datasets:
            for seed in range(_seeds(profile, cell)):
                yield dataclasses.replace(cell, seed=seed)


def _seeds(profile: Profile, cell: RunSpec) -> int:
    if cell.experiment == "device-circuit":
        return 1  # which angles a circuit has makes no difference to its gates
    return profile.seeds if cell.experiment in ("feature-map-rank", "gradient-variance") else profile.trained_seeds


def _cell(protocol: Protocol, degree: int | None = 3, experiment: str = TRAINING, **others: Any) -> RunSpec:
    """All seeds of a run of QFL, or of the fusion that the further fields of :class:`RunSpec` name."""
    return RunSpec(**{"fusion": "qfl", **others}, seed=0, protocol=protocol, experiment=experiment, degree=degree)


def _measurements(profile: Profile) -> Iterator[RunSpec]:
    for data in profile.wide if profile.points else OUTPUTS:
        protocol = dataclasses.replace(profile.protocol, units=OUTPUTS[data])
        for measurement in profile.some(MEASUREMENTS):
            yield _cell(protocol, dataset=data, arguments=measurement)
    for measurement, most in profile.some(RANKED):
        for outputs in sorted({min(outputs, most) for outputs in (4, 8, 16, 32, 64, 128, 255)}):
            for degree in (1, 3):
                protocol = Protocol(features=3, units=outputs)
                options = {"modalities": 2}
                yield _cell(protocol, degree, experiment="feature-map-rank", options=options, arguments=measurement)


def _changes(profile: Profile) -> Iterator[RunSpec]:
    """One part of the circuit after the other, and the encoding."""
    for data in profile.wide:
        for change in profile.some(CHANGES):
            yield _cell(profile.protocol, dataset=data, arguments=change)
    narrow = dataclasses.replace(profile.protocol, features=2)
    for inputs in profile.some(("tanh", "linear", "saturated")):
        for scale in profile.some(SCALES):
            options, arguments = {"inputs": inputs}, {"scale": scale * math.pi}
            yield _cell(narrow, 2, "encoding", dataset=DATA, options=options, arguments=arguments)


def _gradients(profile: Profile) -> Iterator[RunSpec]:
    """Variances of gradients against qubits, modalities and P; and ways to begin a training."""

    def cell(modalities: int, features: int, degree: int, arguments: Mapping[str, Any]) -> RunSpec:
        options = {"modalities": modalities, "draws": profile.draws}
        protocol = Protocol(features=features)
        return _cell(protocol, degree, "gradient-variance", options=options, arguments=arguments)

    points = None if profile.points is None else 2  # a slope needs two
    sweeps: tuple[tuple[tuple[Mapping[str, Any], ...], Sequence[tuple[int, int, int]]], ...] = (
        ((UNIFORM, LOCAL), [(2 ** (qubits - 1) - 1, 1, 3) for qubits in range(3, 13)]),
        ((SMALL, SMALL_LOCAL, IDENTITY), [(2 ** (qubits - 1) - 1, 1, 3) for qubits in range(3, 13, 3)]),
        ((UNIFORM, SMALL_LOCAL), [(modalities, 4, 3) for modalities in (2, 4, 8, 16, 32, 64)]),
        ((UNIFORM, SMALL_LOCAL, IDENTITY), [(8, 4, degree) for degree in (1, 2, 4, 8)]),
    )
    for beginnings, sizes in sweeps:
        for arguments in profile.some(beginnings):
            for modalities, features, degree in sizes[:points]:
                yield cell(modalities, features, degree, arguments)
    for initial in profile.some(BEGINNINGS):
        arguments = {"initial": initial, "blocks": 2}
        yield _cell(profile.short, max(profile.degrees), "remedies", dataset=DATA, arguments=arguments)


def _noise(profile: Profile) -> Iterator[RunSpec]:
    protocol = dataclasses.replace(profile.protocol, features=2, units=16)
    rates = tuple(sorted(profile.some(RATES)))

    def cell(degree: int | None, channel: str, trained: str = "noiseless", **others: Any) -> RunSpec:
        options = {
            "channel": channel,
            "rates": () if channel == "none" else rates,
            "epochs": profile.noisy_epochs,
            "trained": trained,
        }
        channels = {"channels": 6}
        return _cell(protocol, degree, "noise", dataset=DATA, dataset_options=channels, options=options, **others)

    for fusion in ("lmf", "gcn"):
        yield cell(None, "none", fusion=fusion)
    for degree in profile.degrees:
        for channel in profile.some(("depolarizing", "phase_damping")):
            yield cell(degree, channel)
    for degree in profile.degrees:
        for trained in ("noisy", "noisy head"):
            yield cell(degree, "depolarizing", trained)


def _devices(profile: Profile) -> Iterator[RunSpec]:
    for modalities, features in profile.some(((3, 2), (6, 2), (12, 4))):
        for degree in profile.some((1, 2, 3)):
            for processor in ("unrouted", *PROCESSORS):
                for gates in ("cz", "sqrt_iswap"):
                    options = {"modalities": modalities, "processor": processor, "gates": gates}
                    yield _cell(Protocol(features=features), degree, experiment="device-circuit", options=options)
    protocol = dataclasses.replace(profile.short, features=2, units=16)
    for processor in profile.some((*PROCESSORS, "noiseless")):
        options = {"processor": processor, "shots": (100, 1000, 10_000, 100_000)}
        yield _cell(protocol, 1, "device", dataset=DATA, dataset_options={"channels": 3}, options=options)
