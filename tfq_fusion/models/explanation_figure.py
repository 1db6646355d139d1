"""A picture of why an evidence network decided as it did, and the same in words."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["explanation_figure", "reason"]

_MEASURES = {"contribution": ("#0072B2", "Decision less probable by"), "influence": ("#E69F00", "Fused state moves by")}
"""Colours of Okabe and Ito, which stay apart for colour-blind readers."""
_NOTABLE = 0.05
"""Changes of probability below this are not named as a reason."""


def reason(explanation: pd.DataFrame) -> str:
    """One decision in words: how probable it is, what each modality did to that, which ones say otherwise.

    Args:
        explanation: The rows of one sample of :func:`tfq_fusion.models.explain.explain`: ``explanation.loc[sample]``.
    """
    beliefs, modalities = _beliefs(explanation), _modalities(explanation)
    said, sure = beliefs.idxmax(axis=1), beliefs.max(axis=1)
    contributions = modalities["contribution"].sort_values(key=abs, ascending=False)
    changes = [
        f"{abs(change):.2f} {'less' if change > 0 else 'more'} without {name}"
        for name, change in contributions.items()
        if abs(change) > _NOTABLE
    ]
    others = [
        f"{name} alone says {said[name]} ({sure[name]:.2f})"
        for name in modalities.index
        if said[name] != said["network"]
    ]
    return (
        f"Decision {said['network']}, probability {sure['network']:.2f}: "
        f"{', '.join(changes) or 'no modality alone makes a difference'}. "
        f"{'; '.join(others) or 'Each modality alone says so too'}. "
        f"Conflict {explanation['conflict']['block']:.2f}."
    )


def explanation_figure(explanation: pd.DataFrame) -> Figure:
    """One decision as a figure: beliefs of every source in every class, and what each modality did to the decision.

    Args:
        explanation: The rows of one sample of :func:`tfq_fusion.models.explain.explain`: ``explanation.loc[sample]``.

    Returns:
        The figure, 7.4 inches wide; :func:`reason` is its title.
    """
    sources = len(explanation)
    figure = Figure(figsize=(7.4, 1.9 + 0.36 * sources), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[5, 3])
    _draw_beliefs(left, _beliefs(explanation))
    _draw_measures(right, _modalities(explanation))
    figure.suptitle("\n".join(textwrap.wrap(reason(explanation), 100)), fontsize=10)
    return figure


def _beliefs(explanation: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(explanation["belief"])


def _modalities(explanation: pd.DataFrame) -> pd.DataFrame:
    return explanation.drop(index=["block", "network"])


def _draw_beliefs(axis: Axes, beliefs: pd.DataFrame) -> None:
    axis.imshow(beliefs, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, values in enumerate(beliefs.to_numpy()):
        for column, value in enumerate(values):
            color = "white" if value > 0.6 else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    axis.set_xticks(range(beliefs.shape[1]), map(str, beliefs.columns), fontsize=9)
    axis.set_yticks(range(len(beliefs)), map(str, beliefs.index), fontsize=9)
    axis.set_xlabel("Belief in each class (probability)", fontsize=9)
    # What the modalities say, what the block makes of it, what the network decides.
    axis.axhline(len(beliefs) - 2.5, color="black", linewidth=0.8)


def _draw_measures(axis: Axes, modalities: pd.DataFrame) -> None:
    height = 0.8 / len(_MEASURES)
    for number, (measure, (color, label)) in enumerate(_MEASURES.items()):
        places = [row + (number - 0.5) * height for row in range(len(modalities))]
        bars = axis.barh(places, modalities[measure], height, color=color, label=label)
        axis.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.margins(x=0.25)
    axis.set_xlabel("Without the modality (no unit)", fontsize=9)
    axis.tick_params(labelsize=9, left=False)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.legend(loc="lower center", fontsize=8, frameon=False)
