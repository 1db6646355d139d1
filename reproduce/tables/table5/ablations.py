"""What Table 5 is made of: every run but for its seed, and how much of it a profile runs."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reproduce.sweep.run.run_one import computation
from reproduce.sweep.runs import TRAINING, RunSpec
from tfq_fusion.datasets import load
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


@dataclasses.dataclass(frozen=True)
class Profile:
    """How much is run.

    Attributes:
        datasets: Names of data sets and experiments.
        seeds: How many seeds, 0, 1, ...
        claim_seeds: The same where measurements are compared, on which a claim is decided.
        protocol: How models are trained.
        wide: The data sets on which one part of the circuit after the other is changed.
        points: How many points of each sweep; None for all.
        draws: Initialisations per seed and point, for the variance of a gradient.
        samples: Test samples with noise, and on a device.
        trajectories: Per sample, with noise.
        noisy_epochs: Epochs of training with noise.
        degrees: P with noise and on devices.
    """

    datasets: tuple[str, ...]
    seeds: int
    claim_seeds: int
    protocol: Protocol
    wide: tuple[str, ...]
    points: int | None
    draws: int
    samples: tuple[int, int]
    trajectories: int
    noisy_epochs: int
    degrees: tuple[int, ...]

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return (
            f"at most {self.protocol.epochs} epochs, {self.noisy_epochs} more with noise; {self.draws} draws per "
            f"gradient, {self.trajectories} trajectories"
        )

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
        NAMES,
        seeds=1,
        claim_seeds=1,
        protocol=Protocol(epochs=1),
        wide=(DATA,),
        points=1,
        draws=2,
        samples=(4, 1),
        trajectories=2,
        noisy_epochs=1,
        degrees=(1,),
    ),
    "default": Profile(
        NAMES,
        seeds=3,
        claim_seeds=5,
        protocol=Protocol(epochs=40),
        wide=(DATA,),
        points=None,
        draws=40,
        samples=(100, 50),
        trajectories=60,
        noisy_epochs=8,
        degrees=(1, 2, 3),
    ),
    "paper": Profile(
        NAMES,
        seeds=10,
        claim_seeds=10,
        protocol=Protocol(epochs=200, patience=20, learning_rates=(1e-3, 2e-3, 5e-3, 1e-2, 2e-2)),
        wide=tuple(OUTPUTS),
        points=None,
        draws=200,
        samples=(370, 370),
        trajectories=1000,
        noisy_epochs=60,
        degrees=(1, 2, 3, 5),
    ),
}


def cells(profile: Profile, engine: str) -> Iterator[RunSpec]:
    """Every run of a profile with seed 0; ``engine`` runs "qfl" where it is trained, and its gradients."""
    yield from _measurements(profile, engine)
    yield from _changes(profile, engine)
    yield from _gradients(profile, engine)
    yield from _noise(profile, engine)
    yield from _devices(profile, engine)


def _cell(
    protocol: Protocol,
    degree: int | None = 3,
    engine: str = "compiled",
    experiment: str = TRAINING,
    dataset: str | None = None,
    fusion: str = "qfl",
    **settings: Any,
) -> RunSpec:
    """All seeds of a run; ``settings`` are options and arguments, as of :class:`RunSpec`."""
    return RunSpec(
        fusion=fusion,
        seed=0,
        protocol=protocol,
        experiment=experiment,
        dataset=dataset,
        dataset_sha256=_hash(dataset) if dataset else None,
        degree=degree,
        **computation(experiment).stated(fusion, engine),
        **settings,
    )


@functools.cache
def _hash(dataset: str) -> str:
    return load(dataset).card.sha256


def _measurements(profile: Profile, engine: str) -> Iterator[RunSpec]:
    for data in profile.wide if profile.points else OUTPUTS:
        protocol = dataclasses.replace(profile.protocol, units=OUTPUTS[data])
        for measurement in profile.some(MEASUREMENTS):
            yield _cell(protocol, engine=engine, dataset=data, arguments=measurement)
    for measurement, most in profile.some(RANKED):
        for outputs in sorted({min(outputs, most) for outputs in (4, 8, 16, 32, 64, 128, 255)}):
            for degree in (1, 3):
                protocol = Protocol(features=3, units=outputs)
                options = {"modalities": 2}
                yield _cell(protocol, degree, experiment="feature-map-rank", options=options, arguments=measurement)


def _changes(profile: Profile, engine: str) -> Iterator[RunSpec]:
    """One part of the circuit after the other, and the encoding."""
    for data in profile.wide:
        for change in profile.some(CHANGES):
            yield _cell(profile.protocol, engine=engine, dataset=data, arguments=change)
    narrow = dataclasses.replace(profile.protocol, features=2)
    for inputs in profile.some(("tanh", "linear", "saturated")):
        for scale in profile.some(SCALES):
            options, arguments = {"inputs": inputs}, {"scale": scale * math.pi}
            yield _cell(narrow, 2, engine, "encoding", DATA, options=options, arguments=arguments)


def _gradients(profile: Profile, engine: str) -> Iterator[RunSpec]:
    """Variances of gradients against qubits, modalities and P; and ways to begin a training."""

    def cell(modalities: int, features: int, degree: int, arguments: Mapping[str, Any]) -> RunSpec:
        options = {"modalities": modalities, "draws": profile.draws}
        protocol = Protocol(features=features)
        return _cell(protocol, degree, engine, "gradient-variance", options=options, arguments=arguments)

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
        yield _cell(profile.protocol, max(profile.degrees), engine, "remedies", DATA, arguments=arguments)


def _noise(profile: Profile, engine: str) -> Iterator[RunSpec]:
    protocol = dataclasses.replace(profile.protocol, features=2, units=16)
    channels = {"channels": 6}
    none = {
        "samples": profile.samples[0],
        "channel": "none",
        "rates": (),
        "trajectories": profile.trajectories,
        "epochs": 0,
    }
    for fusion in ("lmf", "gcn"):
        yield _cell(protocol, None, engine, "noise", DATA, fusion, dataset_options=channels, options=none)
    for degree in profile.degrees:
        for channel in profile.some(("depolarizing", "phase_damping")):
            noisy = {**none, "channel": channel, "rates": tuple(sorted(profile.some(RATES)))}
            yield _cell(protocol, degree, engine, "noise", DATA, dataset_options=channels, options=noisy)
    for degree in profile.degrees[:2]:
        rates = tuple(sorted(profile.some((1e-2, 3e-3, 3e-2))))
        trained = {**none, "channel": "depolarizing", "rates": rates, "epochs": profile.noisy_epochs}
        yield _cell(protocol, degree, engine, "noise", DATA, dataset_options=channels, options=trained)


def _devices(profile: Profile, engine: str) -> Iterator[RunSpec]:
    for modalities, features in profile.some(((3, 2), (6, 2), (12, 4))):
        for degree in profile.some((1, 2, 3)):
            for processor in ("unrouted", *PROCESSORS):
                for gates in ("cz", "sqrt_iswap"):
                    options = {"modalities": modalities, "processor": processor, "gates": gates}
                    yield _cell(Protocol(features=features), degree, experiment="device-circuit", options=options)
    protocol = dataclasses.replace(profile.protocol, features=2, units=16)
    for processor in profile.some((*PROCESSORS, "noiseless")):
        options = {
            "samples": profile.samples[1],
            "processor": processor,
            "shots": (100, 1000, 10_000, 100_000),
        }
        yield _cell(protocol, 1, engine, "device", DATA, dataset_options={"channels": 3}, options=options)
