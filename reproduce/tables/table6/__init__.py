"""Table 6: where quantum fusion pays: few samples, a modality that is missing or noise, fewer modalities."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reproduce.sweep.runs import PERSISTENCE, TEST_OPTIONS, RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.table6.figures import comparison_maps
from reproduce.tables.tuning import tuned, tuned_finely
from tfq_fusion.datasets import describe
from tfq_fusion.datasets.sets.ludb import FOLDS
from tfq_fusion.training import Protocol

TITLE = "Table 6: few samples, missing and noisy modalities, fewer modalities"
METRICS = {"classification": ("accuracy", "roc_auc"), "forecasting": ("mae", "rmse")}
DEGREE = 3
"""P of QFL, and of the control with as many weights."""
TFN_MODALITIES = 8
"""With more of them TFN has too many weights to be built: 32 (4 + 1)^M."""
EACH = "each in turn"
"""In place of the number of a modality: the mean over all of them."""

_DETECTORS = tuple(f"detector_{number:02}" for number in (1, 2, 3, 4, 5, 6))
MODALITIES: dict[str, tuple[Mapping[str, Any], ...]] = {
    "japanese-vowels": ({}, {"channels": 3}, {"channels": 6}),
    "mfeat": ({}, {"views": ("fou", "fac")}, {"views": ("fou", "fac", "kar")}),
    "emoji": ({}, {"views": ("google", "twitter")}),
    "traffic-detectors": ({}, {"views": _DETECTORS}),
    "ludb": ({}, {"leads": ("I", "II", "V2")}),
    "los-loop": ({"sensors": 12}, {"sensors": 48}, {"sensors": 207}),
    "mnist": ({},),
    "cifar-10": ({},),
}
"""Data set -> options of its loader, one choice for each number of modalities; everything is varied with the first."""
PICTURES = ("mnist", "cifar-10")
"""Large sets with a modality that is an image; it is flattened, as in Table 4."""
SLOW = ("ludb", "los-loop")
"""Sets whose encoders take hours on two cores."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        datasets: Names of the data sets.
        seeds: How many seeds, 0, 1, ... On LUDB each of them tests every fold.
        protocol: How each run is trained.
        samples: Numbers of training samples, beside all of them; of a data set those up to half of what it has.
        draws: How many times so many samples are drawn; once on LUDB, where the folds are other draws.
        modalities: How many of a data set's choices of :data:`MODALITIES` are run.
        pictures: Of how many training samples of :data:`PICTURES` anything is drawn; None for all.
    """

    protocol: Protocol
    samples: tuple[int, ...]
    draws: int
    modalities: int = 3
    pictures: int | None = None

    @property
    def extent(self) -> str:
        """How long is trained, in words."""
        return f"at most {self.protocol.epochs} epochs"


PROFILES = {
    "smoke": Profile(
        datasets=("mfeat",),
        seeds=2,
        protocol=Protocol(epochs=2),
        samples=(10,),
        draws=1,
        modalities=1,
    ),
    "default": Profile(
        datasets=tuple(name for name in MODALITIES if name not in SLOW),
        seeds=20,
        protocol=tuned(Protocol(epochs=200)),
        samples=(10, 20, 40, 80, 160),
        draws=1,
        pictures=1000,
    ),
    "paper": Profile(
        datasets=tuple(MODALITIES),
        seeds=50,
        protocol=tuned_finely(Protocol(epochs=300, patience=20)),
        samples=tuple(10 * 2**doublings for doublings in range(12)),
        draws=5,
    ),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, data set by data set: few samples, all of them, a modality missing or noise, other modalities."""
    for name in profile.datasets:
        for number, options in enumerate(MODALITIES[name][: profile.modalities]):
            yield from _of_size(name, options, profile, varied=number == 0)


def _of_size(name: str, dataset_options: Mapping[str, Any], profile: Profile, varied: bool) -> Iterator[RunSpec]:
    """The runs with one choice of modalities, where only those of one choice are varied in anything else."""
    drawn = {"samples": profile.pictures} if name in PICTURES and profile.pictures else {}
    dataset_options = {**dataset_options, **drawn}
    card = describe(name, **dataset_options)
    changes: list[Mapping[str, Any]] = [{}]
    if varied:
        sizes = [samples for samples in profile.samples if 2 * samples <= card.split.train]
        draws = 1 if name == "ludb" else profile.draws
        few = [{"samples": samples, "draw": draw} for samples in sizes for draw in range(draws)]
        modalities = range(card.modality_count)
        changes = [*few, {}, *({change: modality} for change in TEST_OPTIONS for modality in modalities)]
    baselines = (PERSISTENCE,) if card.modality_count == len(card.outputs) else ()  # it forecasts what it sees
    layers = [fusion for fusion in grid.LAYERS if fusion != "tfn" or card.modality_count <= TFN_MODALITIES]
    for options in changes:
        yield from grid.runs(
            (*layers, *(() if options else baselines)),
            profile.seeds,
            (DEGREE,),
            folds=FOLDS if name == "ludb" else None,
            dataset_options=dataset_options,
            protocol=dataclasses.replace(profile.protocol, flatten=name in PICTURES),
            dataset=name,
            options=options,
        )


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`, a modality that is missing or noise in the mean over all, then each."""
    disturbed = [result for result in results if not {*TEST_OPTIONS}.isdisjoint(dict(result.spec.options))]
    folded = [grid.fold(results, METRICS, settings=settings)]
    folded += [grid.fold(disturbed, METRICS, settings=_settings)] if disturbed else []
    return pd.concat(folded, ignore_index=True)


def settings(spec: RunSpec) -> grid.Settings:
    """What sets a cell apart: draws of so many samples are one cell, and so are modalities that are missing, or noise.

    The results of one seed in a cell were tested on the same samples (on LUDB, those of the same fold).
    """
    options, _ = _settings(spec)
    return {name: EACH if name in TEST_OPTIONS else value for name, value in options.items()}, {}


def _settings(spec: RunSpec) -> grid.Settings:
    return {name: value for name, value in dict(spec.options).items() if name != "draw"}, {}


def notes(profile: Profile) -> list[str]:
    """How to read the table, and which data sets are missing from it."""
    found = [_HOW_TO_READ.format(draws=profile.draws)]
    left_out = [name for name in SLOW if name not in profile.datasets]
    if left_out:
        found.append(f"Not in this profile, since their encoders take hours on two cores: {', '.join(left_out)}.")
    for name in profile.missing:
        found.append(f"**{name}** is not here, so it has no rows: `make data DATASET={name}` fetches it.")
    return found


_HOW_TO_READ = """\
- QFL and its control have P = 3 alone. *TFN* is left out where it cannot be built, with more than 8 modalities.
- *samples*: so many samples are trained on, the same number of each class where that is possible; fewer are among more.
  The validation part stays whole, for every fusion alike: with few samples it is the larger one, and chooses learning
  rate and epoch better than a validation part of that size would. A score is the mean over draws of so many samples,
  {draws} here (the folds on *ludb*), of each seed. Intervals are over seeds, those of comparisons over seeds and test
  samples: other draws would move both further.
- The rows without a setting are trained on all samples and tested as they are, with all modalities or some of them.
- *missing*, *noise*: the same models, trained on all samples, are tested with the mean of the training part in place of
  one modality, numbered from 0, or with normal noise of its mean and deviation, the same for all fusions. *Each in
  turn* is the mean over all modalities. None of the fusions was told which modality it is, or trained for that.
- On *traffic-detectors* all 22 detectors are forecast, whatever the number of those that are seen; *Persistence* sees
  all.
- The maps: QFL's score minus that of the baseline with the best mean there, which they name; in points of accuracy, or
  for errors in percent of the baseline's, above zero where QFL is better. Full colours are ten times the margin of
  *equivalent*. White is equivalent, hatched undecided, all else better or worse by the comparisons. The baseline is
  chosen after the scores were seen, which favours it: against one named beforehand QFL would on average look better.
- On *emoji*, whose classes are of unequal size, the loss is the focal one with all samples and cross-entropy with few,
  which are balanced."""


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=(*grid.LAYERS, PERSISTENCE),
    choices=tuple(MODALITIES),
    cells=cells,
    fold=fold,
    settings=settings,
    figures=lambda frame, profile, units: {},
    comparison_figures=comparison_maps,
    notes=notes,
    units={"traffic-detectors": "vehicles per 15 minutes", "los-loop": "miles per hour"},
)
