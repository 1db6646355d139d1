"""Table 4: the evidence fusion network beside classical fusion of decisions and of features, and a CNN."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import pandas as pd

from reproduce.sweep.runs import TRAINING, RunResult, RunSpec
from reproduce.tables import grid, table
from reproduce.tables.table4.equal_accuracy import with_parameter_ratios
from reproduce.tables.table4.figures import parameter_figures
from reproduce.tables.tuning import tuned, tuned_finely
from tfq_fusion.datasets import describe
from tfq_fusion.training import Protocol

TITLE = "Table 4: accuracy over parameters, quantum and classical fusion"
DECISIONS = ("mean", "product", "dempster")
FEATURES = ("concat", "tfn", "lmf")
FUSIONS = ("qmfnn", *DECISIONS, *FEATURES, "cnn")
GROWTH = "growth"
"""The experiment beside the data sets."""
GROWING = ("qmfnn", "dempster", "tfn", "lmf")
"""Fusions that have weights of their own."""
METRICS = {
    "classification": ("accuracy", "own_accuracy", "conflict", "conflict_with_noise"),
    GROWTH: ("fusion_growth",),
}

_MFEAT = ("fou", "fac", "kar", "pix", "zer", "mor")
VIEWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "emoji": (("google", "twitter"),),
    "mfeat": tuple(_MFEAT[:modalities] for modalities in (2, 3, 6)),
    "mnist": (("image", "descriptors"),),
    "cifar-10": (("image", "descriptors"),),
}
"""Data set -> which of its modalities are fused, one choice for each number of them."""
_SIMULATION = {"method": "mixture"}
"""The numbers of the whole circuit, of 12 to 28 qubits, from the closed form of its fused ones."""
PICTURES = ("emoji", "mnist", "cifar-10")
DOWNLOADED = ("mnist", "cifar-10")
CURVE_OF = 2
"""Modalities of the curves; more are run in one size alone."""
MIDDLE = 8
"""That size: hidden units of each encoder."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(table.Profile):
    """How much is run.

    Attributes:
        datasets: Names of the data sets, and :data:`GROWTH`.
        seeds: How many seeds, 0, 1, ...
        protocol: How each run is trained, but for the size of its encoders.
        few_shot: Likewise on mfeat, whose 200 training samples make short epochs.
        samples: Training samples of the sets that are downloaded; None for all.
        hidden: Hidden units of each encoder, one for each size of a network.
        filters: Filters of the CNN's first convolution, one for each size.
        modalities: With how many modalities at most anything is trained.
    """

    protocol: Protocol
    few_shot: Protocol
    samples: int | None
    hidden: tuple[int, ...]
    filters: tuple[int, ...]
    modalities: int = 6

    @property
    def extent(self) -> str:
        """How long is trained, and on how much of the large sets, in words."""
        epochs = f"at most {self.protocol.epochs} epochs, {self.few_shot.epochs} on mfeat"
        drawn = [name for name in DOWNLOADED if name in self.datasets]
        if self.samples is None or not drawn:
            return epochs
        return f"{epochs}, {self.samples:,} training samples of {' and '.join(drawn)}"


_PROTOCOL = Protocol(head=16, units=16, flatten=True)
_LONG = tuned_finely(dataclasses.replace(_PROTOCOL, epochs=200, patience=20))
PROFILES = {
    "smoke": Profile(
        datasets=("mfeat", GROWTH),
        seeds=2,
        protocol=dataclasses.replace(_PROTOCOL, epochs=2),
        few_shot=dataclasses.replace(_PROTOCOL, epochs=2),
        samples=None,
        hidden=(2, MIDDLE),
        filters=(),
        modalities=CURVE_OF,
    ),
    "default": Profile(
        datasets=(*VIEWS, GROWTH),
        seeds=20,
        protocol=tuned(dataclasses.replace(_PROTOCOL, epochs=30)),
        few_shot=tuned(dataclasses.replace(_PROTOCOL, epochs=60)),
        samples=1000,
        hidden=(2, MIDDLE, 32, 128),
        filters=(2, 4, 8),
    ),
    "paper": Profile(
        datasets=(*VIEWS, GROWTH),
        seeds=50,
        protocol=_LONG,
        few_shot=_LONG,
        samples=None,
        hidden=(2, 4, MIDDLE, 16, 32, 64, 128),
        filters=(2, 4, 8, 16, 32),
    ),
}


def cells(profile: Profile) -> Iterator[RunSpec]:
    """Every run, data set by data set and size by size."""
    for name in profile.datasets:
        yield from _growth() if name == GROWTH else _trained(name, profile)


def _growth() -> Iterator[RunSpec]:
    for modalities in range(2, 7):
        # Only the widths count: the profile makes no difference.
        yield from grid.runs(GROWING, 1, protocol=_PROTOCOL, experiment=GROWTH, options={"modalities": modalities})


def _trained(name: str, profile: Profile) -> Iterator[RunSpec]:
    samples = {"samples": profile.samples} if name in DOWNLOADED and profile.samples else {}
    trained = profile.few_shot if name == "mfeat" else profile.protocol
    for views in [views for views in VIEWS[name] if len(views) <= profile.modalities]:
        sizes = profile.hidden if len(views) == CURVE_OF else (MIDDLE,)
        for members, arguments, of_members in (
            (("qmfnn",), _SIMULATION, sizes),
            ((*DECISIONS, *FEATURES), {}, sizes),
            (("cnn",), {}, profile.filters if name in PICTURES else ()),
        ):
            for hidden in of_members:
                yield from grid.runs(
                    members,
                    profile.seeds,
                    dataset_options={"views": views, **samples},
                    # A convolution needs the image as it is.
                    protocol=dataclasses.replace(trained, hidden=hidden, flatten=members != ("cnn",)),
                    dataset=name,
                    arguments=arguments,
                )


def fold(results: Sequence[RunResult]) -> pd.DataFrame:
    """As :func:`reproduce.tables.grid.fold`, sizes as variants, with ratios of parameters at equal accuracy."""
    return with_parameter_ratios(grid.fold(results, METRICS, settings=_settings), quantum="qmfnn")


def _settings(spec: RunSpec) -> grid.Settings:
    return {}, ({"hidden": spec.protocol.hidden} if spec.experiment == TRAINING else {})


def notes(profile: Profile) -> list[str]:
    """How to read the table, where its modalities come from, and which data sets are missing from it."""
    found = [_HOW_TO_READ]
    trained = [name for name in profile.datasets if name != GROWTH]
    found += [f"**{name}**: {_ORIGIN[name]}{_part(name)}" for name in trained]
    for name in profile.missing:
        found.append(f"**{name}** is not here, so it has no rows: `make data DATASET={name}` fetches it.")
    return found


def _part(name: str) -> str:
    """What is said of a data set of which only a part is there."""
    card = describe(name)
    return f" {card.notes[0]}" if "part" in card.title else ""


_ORIGIN = {
    "emoji": "natural modalities, two renderings of the same thing as thumbnails of 8 x 8 pixels; without the names.",
    "mfeat": "natural modalities in that they were published so, but all views are computed from one scan.",
    "mnist": "constructed modalities, the image and orientation histograms that are computed from it.",
    "cifar-10": "constructed modalities, the image and histograms of orientations and colours computed from it.",
}

_HOW_TO_READ = """\
- *hidden*: the size. Units of the first layer of each modality's module, filters of the CNN's first convolution. The
  module is the same in all rows of a size but the CNN's: Dense(hidden, ReLU), then 4 features, masses or, with a
  softmax on top of them, class probabilities. Pictures are flattened for it. The CNN sees the pictures alone, stacked
  as channels, and there is none where there are no pictures.
- *QMFNN* is a reconstruction: the paper's circuits were not at hand. Its fusion parameters are those of the evidence
  fusion block and of the QCNN behind it. Its circuit has 12 qubits for two modalities, 16 for three and 28 for six; the
  exact expectation values come from the closed form of the fused qubits, which gives the same numbers. *Mean*,
  *product* and *Dempster's rule* fuse decisions; *Concat* (with an MLP behind it), *TFN* and *LMF* (rank 4) features.
- *Parameters, classical / QMFNN, at equal accuracy*: all parameters of both models. In a QMFNN row, the leanest
  classical network of that mean accuracy over this one; in a classical row, this network over the leanest QMFNN. Above
  1, QMFNN is the leaner one. Sizes in between are interpolated. Where the smallest network tried is better already, it
  counts with its size: the ratio is a bound. *Not reached*: no size of the other side that was tried is as good. Means
  of few seeds are compared; the intervals say how little some of them differ.
- *Accuracy of one modality's own decision*: of the class that a modality's own probabilities or masses favour, as a
  mean over modalities. *Conflict*: what the conjunctive rule of evidence theory gives to the empty set, between the
  modalities over the bits of the class index, from 0 to 1; one that knows nothing conflicts with none. Then the same
  with normal noise in place of each modality in turn. No conflict is computed where no modality decides.
- *growth*: fusion parameters alone, for modalities of 4 features and 10 classes; nothing is trained. Mean, product,
  concatenation and CNN have none."""


TABLE = table.Table(
    title=TITLE,
    profiles=PROFILES,
    metrics=METRICS,
    fusions=FUSIONS,
    choices=(*VIEWS, GROWTH),
    cells=cells,
    fold=fold,
    settings=_settings,
    figures=parameter_figures,
    notes=notes,
)
