"""How figures look: colours and markers, sizes, axes and legend. Figures draw with these and nothing of their own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reproduce.claims.rows import FUSIONS

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito, which stay apart for colour-blind readers; the markers say the same without colour."""
_MARKERS = "osD^Pv*"
_BLUE, _VERMILION, _GREEN, _PURPLE, _ORANGE, _SKY, _BLACK = PALETTE
_GREY = "#999999"

WIDTH = 7.4
"""Of a figure that fills a page, in inches."""
TITLE, LABEL, TICK, NOTE = 10, 9, 8.5, 8
"""Sizes of text, in points."""
_CHARACTERS_PER_INCH = 13
"""Of the title."""


@dataclass(frozen=True)
class Style:
    """A colour and a marker; a hollow one shows the marker of another series at the same place inside."""

    color: str
    marker: str
    hollow: bool = False
    strong: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """As Matplotlib's arguments of a line with markers."""
        size, width = (6.0, 2.0) if self.strong else (4.5, 1.2)
        line: dict[str, Any] = {"color": self.color, "marker": self.marker, "markersize": size, "linewidth": width}
        return line | ({"markersize": 8.5, "markerfacecolor": "none"} if self.hollow else {})


_CHOSEN = {
    "qfl": Style(_BLUE, "o"),
    "control": Style(_GREEN, "D", hollow=True),
    "qmfnn": Style(_BLUE, "o", strong=True),
    "mean": Style(_ORANGE, "P"),
    "product": Style(_PURPLE, "^"),
    "dempster": Style(_GREEN, "D"),
    "attention": Style(_BLACK, "p"),
    "concat": Style(_BLACK, "x"),
    "gated": Style(_VERMILION, "X"),
    "tfn": Style(_GREY, "v"),
    "lmf": Style(_VERMILION, "s", hollow=True),
    "lmf-unit": Style(_ORANGE, "P"),
    "mfb": Style(_PURPLE, "^"),
    "gcn": Style(_SKY, "*"),
    "cnn": Style(_SKY, "*"),
}

LEVELS: Mapping[str, str] = {"persistence": "--", "historical-average": "-."}
"""The dashes of forecasts without a model, which are drawn as lines across."""


def numbered(number: int) -> Style:
    """The look of the n-th of some series that are no fusions, such as degrees."""
    return Style(PALETTE[number % len(PALETTE)], _MARKERS[number % len(_MARKERS)])


STYLES: Mapping[str, Style] = {
    name: _CHOSEN.get(name) or numbered(number) for number, name in enumerate(FUSIONS) if name not in LEVELS
}
"""What a fusion with weights looks like; of those that were chosen, two that share a look are never in one figure."""

_GROUPS = {"qfl": "QFL", "qmfnn": "QMFNN", "lmf": "Classical baseline", "control": "Classical control of QFL's size"}
"""The fusions whose looks stand for a group where every fusion has its name beside it."""


def group_of(fusion: str) -> str:
    """The fusion whose look stands for this one's group."""
    return fusion if fusion in _GROUPS else "lmf"


def group_handles(fusions: Iterable[str]) -> list[Line2D]:
    """What a legend says of the groups of these fusions."""
    return [
        Line2D([], [], color=STYLES[group].color, marker=STYLES[group].marker, label=_GROUPS[group])
        for group in dict.fromkeys(map(group_of, fusions))
    ]


def fusions_of(rows: pd.DataFrame) -> list[str]:
    """The fusions of these rows without their variants, in the order of display."""
    there = set(rows["fusion"])
    return [fusion for fusion in FUSIONS if fusion in there]


def new_figure(height: float, title: str, said: str, width: float = WIDTH) -> Figure:
    """An empty figure that says below its title what is shown."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    lines = [title, *textwrap.wrap(said, int(_CHARACTERS_PER_INCH * width))]
    figure.suptitle("\n".join(lines), fontsize=TITLE)
    return figure


def spread(rows: pd.DataFrame, shown: str = "mean and 95 % interval") -> str:
    """What is drawn over how many seeds, in words."""
    seeds = sorted({int(count) for count in rows["seeds"] if count}) or [0]
    if seeds == [1]:
        return "1 seed, no interval"
    return f"{shown} over {' to '.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))} seeds"


def interval(rows: pd.DataFrame, floor: float = float("-inf")) -> list[pd.Series]:
    """How far the 95 % interval reaches below and above the mean, for error bars; ``floor`` is the least shown."""
    mean = rows["mean"].clip(lower=floor)
    return [mean - rows["ci95_low"].clip(lower=floor), rows["ci95_high"].clip(lower=floor) - mean]


def draw(axis: Axes, x: pd.Series, rows: pd.DataFrame, style: Style, floor: float = float("-inf"), **more: Any) -> None:
    """Means with their intervals; ``more`` as for :meth:`matplotlib.axes.Axes.errorbar`."""
    arguments = {**style.line, "capsize": 2, **more}
    axis.errorbar(x.astype(float), rows["mean"].clip(lower=floor), yerr=interval(rows, floor), **arguments)


def panels(axes: Sequence[Axes], groups: Iterable[tuple[Any, pd.DataFrame]]) -> Iterator[tuple[Axes, Any]]:
    """Each panel with its group; panels without one are taken away."""
    found = list(groups)
    yield from zip(axes, found, strict=False)
    for axis in axes[len(found) :]:
        axis.remove()


def finish(axis: Axes, x: str, y: str = "", title: str = "", grid: Literal["both", "x"] = "both") -> None:
    """Names the axes and the panel, and draws grid and frame as everywhere."""
    axis.set_xlabel(x, fontsize=LABEL)
    axis.set_ylabel(y, fontsize=LABEL)
    axis.set_title(title, fontsize=LABEL)
    axis.tick_params(labelsize=TICK)
    axis.grid(axis=grid, color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def ticks(axis: Axes, which: Literal["x", "y"], at: Iterable[float], scale: str = "log", **more: Any) -> None:
    """Ticks at these places alone, on an axis with that scale; ``more`` as for Matplotlib's scales."""
    getattr(axis, f"set_{which}scale")(scale, **more)
    scaled = axis.xaxis if which == "x" else axis.yaxis
    scaled.set_major_locator(FixedLocator(sorted(at)))
    scaled.set_minor_locator(NullLocator())
    scaled.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))


def powers(axis: Axes, base: int) -> None:
    """Labels exponents of a base on the vertical axis as powers."""
    axis.yaxis.set_major_formatter(FuncFormatter(lambda exponent, _: f"${base}^{{{exponent:g}}}$"))


def legend(figure: Figure, shown: Sequence[Axes] | Sequence[Artist], columns: int) -> None:
    """One legend below all panels: of what they show, each label once, or of these handles."""
    handles: dict[str, Any] = {}
    for one in shown:
        pairs = (
            zip(*one.get_legend_handles_labels(), strict=True) if isinstance(one, Axes) else [(one, one.get_label())]
        )
        for handle, label in pairs:
            handles.setdefault(str(label), handle)
    below = {"loc": "outside lower center", "ncols": columns, "fontsize": LABEL, "frameon": False}
    figure.legend(handles.values(), handles.keys(), **below)
