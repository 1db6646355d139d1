"""How many parameters the same accuracy takes: read off the curves of accuracy over parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from reproduce.claims.rows import typed

Curve = Sequence[tuple[float, float]]
"""Parameters and accuracy of a network in several sizes."""


def parameters_for(curve: Curve, accuracy: float) -> float | None:
    """How many parameters a network needs for an accuracy.

    The curve is the best accuracy with at most so many parameters, straight between its points over the logarithm of
    the parameters. For less than the smallest network's accuracy the smallest is what is needed: no smaller one was
    tried.

    Args:
        curve: Sizes of the network, in any order.
        accuracy: What is to be reached.

    Returns:
        The parameters; None if no size of the network reaches the accuracy.
    """
    previous: tuple[float, float] | None = None
    for parameters, reached in sorted(curve):
        if reached >= accuracy:
            if previous is None:
                return parameters
            smaller, before = previous
            share = (accuracy - before) / (reached - before)
            return math.exp(math.log(smaller) + share * (math.log(parameters) - math.log(smaller)))
        if previous is None or reached > previous[1]:
            previous = parameters, reached
    return None


def with_parameter_ratios(frame: pd.DataFrame, quantum: str) -> pd.DataFrame:
    """The frame with a row "parameter_ratio" for every fusion that has an accuracy.

    That is the number of parameters of a classical network over that of the quantum one, both at the accuracy of the
    row. In a row of the quantum network, the classical one is whichever needs the fewest; in a classical row, it is
    itself. Without a mean if the other side does not reach the accuracy at any size. A single size makes no curve: such
    a network has no ratio, and is nobody's other side.

    Args:
        frame: A results table; variants of a fusion are its sizes.
        quantum: The fusion of the quantum network.
    """
    accuracies = frame[(frame["metric"] == "accuracy") & frame["mean"].notna()]
    rows = []
    for _, cells in accuracies.groupby(["dataset", "modalities"], sort=False):
        curves: dict[str, list[tuple[float, float]]] = {}
        for row in cells.to_dict("records"):
            curves.setdefault(row["fusion"], []).append((float(row["total_params"]), row["mean"]))
        curves = {fusion: curve for fusion, curve in curves.items() if len(curve) > 1}
        if quantum not in curves or len(curves) == 1:
            continue
        classical = [curve for fusion, curve in curves.items() if fusion != quantum]
        for row in cells[cells["fusion"].isin(list(curves))].to_dict("records"):
            own = float(row["total_params"])
            if row["fusion"] == quantum:
                ratio = _over(_fewest(classical, row["mean"]), own)
            else:
                ratio = _over(own, parameters_for(curves[quantum], row["mean"]))
            rows.append(row | {"metric": "parameter_ratio", "mean": ratio} | _NO_SPREAD)
    if not rows:
        return frame
    return typed(pd.concat([frame, typed(pd.DataFrame(rows, columns=frame.columns))], ignore_index=True))


_NO_SPREAD: dict[str, float] = dict.fromkeys(("std", "ci95_low", "ci95_high"), float("nan"))


def _fewest(curves: Iterable[Curve], accuracy: float) -> float | None:
    return min((found for curve in curves if (found := parameters_for(curve, accuracy)) is not None), default=None)


def _over(classical: float | None, quantum: float | None) -> float:
    return float("nan") if classical is None or quantum is None else classical / quantum
