"""The figures of Table 5: measurements, circuit, encoding, gradients, noise and devices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reproduce.claims.metrics import METRICS
from reproduce.claims.rows import caption, decode
from reproduce.report.style import (
    LABEL,
    NOTE,
    draw,
    finish,
    legend,
    new_figure,
    numbered,
    panels,
    powers,
    spread,
    ticks,
)
from reproduce.sweep.runs import TRAINING


def ablation_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure for each part of the table that has rows, by "-" and its name."""
    rows = frame.assign(
        setting=frame["options"].map(decode),
        change=frame["arguments"].map(decode),
    )
    measured = rows["change"].map(lambda change: "measurement" in change)
    parts: dict[str, tuple[Callable[[pd.DataFrame], Figure], pd.Series]] = {
        "measurement": (_measurement, measured),
        "circuit": (_circuit, (rows["experiment"] == TRAINING) & ~measured),
        "encoding": (_encoding, rows["experiment"] == "encoding"),
        "gradients": (_gradients, rows["experiment"].isin(("gradient-variance", "remedies"))),
        "noise": (_noise, rows["experiment"] == "noise"),
        "devices": (_devices, rows["experiment"].isin(("device-circuit", "device"))),
    }
    return {f"-{name}": draw(rows[chosen]) for name, (draw, chosen) in parts.items() if chosen.any()}


def _measurement(rows: pd.DataFrame) -> Figure:
    trained = rows[rows["metric"] == "accuracy"]
    ranks = rows[rows["metric"] == "rank_outputs"].assign(outputs=lambda cells: _setting(cells, "outputs"))
    figure, axes = _new("Measurements, compared at equal numbers of outputs", rows, 2, 2, 5.8)
    for axis, (name, cells) in panels(axes[:2], _each(trained, "dataset")):
        _dots(axis, cells, named=axis is axes[0])
        axis.set_title(f"{name}, P = {cells['degree'].iloc[0]}", fontsize=LABEL)
    for axis, (degree, cells) in panels(axes[2:], _each(ranks, "degree")):
        for style, (change, points) in enumerate(_each(cells, "arguments")):
            draw(axis, points["outputs"], points, numbered(style), label=_said(str(change)), markerfacecolor="none")
        states = rows[(rows["metric"] == "rank_states") & (rows["degree"] == degree)]["mean"].max()
        axis.axhline(states, color="black", linestyle=":", linewidth=1)
        axis.annotate(f"the states: {states:g}", (4, states), va="bottom", fontsize=NOTE)
        ticks(axis, "x", (4, 8, 16, 32, 64, 128, 255))
        ticks(axis, "y", (4, 8, 16, 32, 64, 128, 255))
        finish(axis, "Outputs (observables)", "Rank of the outputs", f"4 qubits, random weights, P = {degree}")
    legend(figure, axes[2:], columns=3)
    return figure


def _circuit(rows: pd.DataFrame) -> Figure:
    trained = rows[rows["metric"] == "accuracy"]
    sets = trained["dataset"].nunique()
    figure, axes = _new("One part of the circuit changed (P = 3, 32 outputs)", rows, sets, 1, 3.0)
    for axis, (name, cells) in panels(axes, _each(trained, "dataset")):
        _dots(axis, cells, named=axis is axes[0])
        axis.set_title(str(name), fontsize=LABEL)
    return figure


def _encoding(rows: pd.DataFrame) -> Figure:
    rows = rows.assign(
        inputs=_setting(rows, "inputs"),
        scale=rows["change"].map(lambda change: change["scale"] / math.pi),
    ).sort_values("scale")
    figure, axes = _new("Scale of the angles, and how encoders end (japanese-vowels, P = 2)", rows, 3, 1, 3.4)
    for axis, metric in zip(axes, ("accuracy", "reconstruction_error", "saturation"), strict=True):
        for style, (inputs, points) in enumerate(_each(rows[rows["metric"] == metric], "inputs")):
            draw(axis, points["scale"], points, numbered(style), label=str(inputs))
            if metric == "reconstruction_error":
                before = rows[(rows["metric"] == f"{metric}_untrained") & (rows["inputs"] == inputs)]
                axis.plot(before["scale"], before["mean"], color=numbered(style).color, linestyle=":", linewidth=1.2)
        ticks(axis, "x", sorted(rows["scale"].unique()))
        finish(axis, "Scale (units of π)", METRICS[metric].label, "")
    axes[1].set_title("dotted: before training", fontsize=LABEL)
    axes[2].set_ylabel("Features beyond ±0.99 (share)", fontsize=LABEL)
    legend(figure, axes[:1], columns=5)
    return figure


def _gradients(rows: pd.DataFrame) -> Figure:
    from reproduce.experiments.gradients.trainability import two_design_variance  # which imports Cirq

    variances = rows[rows["metric"] == "gradient_variance_log2"].assign(
        features=lambda cells: _setting(cells, "features")
    )
    narrow, wide = variances[variances["features"] == 1], variances[variances["features"] > 1]
    sweeps = (
        (narrow.assign(x=narrow["modalities"].map(_qubits)), "Qubits n", "P = 3, one feature per modality"),
        (wide[wide["degree"] == 3].assign(x=lambda cells: cells["modalities"]), "Modalities M", "P = 3, D = 4"),
        (wide[wide["modalities"] == 8].assign(x=lambda cells: cells["degree"]), "Degree P", "M = 8, D = 4, 7 qubits"),
    )
    figure, axes = _new("Gradients before training, and ways to begin it", rows, 2, 2, 6.0)
    styles = {change: style for style, change in enumerate(variances["arguments"].unique())}
    for axis, (cells, label, title) in zip(axes, sweeps, strict=False):
        for change, points in _each(cells.sort_values("x"), "arguments"):
            draw(axis, points["x"], points, numbered(styles[change]), label=_said(change))
        sizes = cells.drop_duplicates("x").sort_values("x")
        exact = [two_design_variance(_qubits(size)) for size in sizes["modalities"] * sizes["features"]]
        axis.plot(sizes["x"], np.log2(exact), color="black", linestyle=":", linewidth=1.2, label="2-design")
        powers(axis, 2)
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if label != "Qubits n":
            ticks(axis, "x", sizes["x"])
        finish(axis, label, "Variance of the gradient", title)
    remedies = rows[(rows["experiment"] == "remedies") & (rows["metric"] == "accuracy")]
    for axis, (_, cells) in panels(axes[3:], _each(remedies, "experiment")):
        _dots(axis, cells)
        axis.set_title("japanese-vowels, two blocks per unitary", fontsize=LABEL)
    legend(figure, axes[:3], columns=3)
    return figure


def _noise(rows: pd.DataFrame) -> Figure:
    rows = rows[rows["metric"] == "accuracy"]
    rows = rows.assign(
        channel=_setting(rows, "channel"),
        rate=_setting(rows, "rate"),
        trained=rows["change"].map(lambda change: change.get("trained")),
    ).sort_values(["rate", "degree"])
    noisy = rows[rows["rate"] > 0]
    figure, axes = _new("Noise after every gate (japanese-vowels, 6 channels, 5 qubits)", rows, 2, 2, 6.0)
    for axis, channel in zip(axes[:2], ("depolarizing", "phase_damping"), strict=True):
        cells = noisy[(noisy["channel"] == channel) & (noisy["trained"] == "noiseless")]
        for style, (degree, points) in enumerate(_each(cells, "degree")):
            draw(axis, points["rate"], points, numbered(style), label=f"QFL, P = {degree}")
        finish(axis, "Error rate per gate and qubit", "Accuracy", channel.replace("_", " "))
    cells = noisy[(noisy["channel"] == "depolarizing") & (noisy["trained"] == "noiseless")]
    for style, (degree, points) in enumerate(_each(cells, "degree")):
        draw(axes[2], points["rate"] * degree, points, numbered(style), label=f"QFL, P = {degree}")
    finish(axes[2], "P x error rate", "Accuracy", "depolarizing")
    trained = noisy[(noisy["channel"] == "depolarizing") & noisy["degree"].isin((1, 2))]
    dashes = {"noisy": "--", "noisy head": ":"}
    for (degree, how), points in _each(trained, ["degree", "trained"]):
        hollow: dict[str, Any] = {} if how == "noiseless" else {"markerfacecolor": "none", "linestyle": dashes[how]}
        draw(axes[3], points["rate"], points, numbered(degree - 1), label=f"P = {degree}, trained {how}", **hollow)
    finish(axes[3], "Error rate per gate and qubit", "Accuracy", "depolarizing: trained with noise, or without")
    axes[3].legend(fontsize=NOTE, frameon=False)
    for axis in axes:
        axis.set_xscale("log")
        for line, fusion in (("--", "lmf"), (":", "gcn")):
            level = rows[rows["fusion"] == fusion]["mean"]
            if len(level):
                axis.axhline(level.iloc[0], color="black", linestyle=line, linewidth=1, label=caption(fusion))
    legend(figure, axes[:1], columns=5)
    return figure


def _devices(rows: pd.DataFrame) -> Figure:
    compiled = rows[rows["experiment"] == "device-circuit"]
    compiled = compiled.assign(processor=_setting(compiled, "processor"), gates=_setting(compiled, "gates"))
    compiled = compiled[compiled["gates"] == "sqrt_iswap"]
    figure, axes = _new("On Google's processors, in square-root iSWAPs", rows, 3, 1, 3.6)
    for axis, metric in zip(axes, ("two_qubit_gates", "depth"), strict=False):
        cells = compiled[compiled["metric"] == metric].sort_values("degree")
        for style, (processor, of_processor) in enumerate(_each(cells, "processor")):
            for _, points in _each(of_processor, "modalities"):
                draw(axis, points["degree"], points, numbered(style), label=str(processor))
        for modalities, points in _each(cells, "modalities"):
            last = points.sort_values(["degree", "mean"]).iloc[-1]
            axis.annotate(f"M = {modalities}", (last["degree"], last["mean"]), xytext=(4, 0), fontsize=NOTE,
                          textcoords="offset points", va="center")  # fmt: skip
        axis.set_yscale("log")
        axis.margins(x=0.25)
        ticks(axis, "x", cells["degree"].unique(), "linear")
        finish(axis, "Degree P", METRICS[metric].label + (" (moments)" if metric == "depth" else ""), "")
    measured = rows[(rows["experiment"] == "device") & (rows["metric"] == "accuracy")]
    shots = _setting(measured, "shots")
    counted = measured[shots != "exact"].assign(shots=shots[shots != "exact"].map(int)).sort_values("shots")
    for style, processor in ((1, "rainbow"), (2, "weber"), (6, "noiseless")):
        points = counted[_setting(counted, "processor") == processor]
        draw(axes[2], points["shots"], points, numbered(style), label=processor)
        exact = measured[(_setting(measured, "processor") == processor) & (shots == "exact")]["mean"]
        if len(exact):
            axes[2].axhline(exact.iloc[0], color=numbered(style).color, linestyle=":", linewidth=1)
    axes[2].set_xscale("log")
    finish(axes[2], "Shots per observable", "Accuracy", "M = 3, P = 1; dotted: exact")
    legend(figure, axes, columns=4)
    return figure


def _new(title: str, rows: pd.DataFrame, columns: int, lines: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with its caption, and its panels row by row."""
    figure = new_figure(height, title, spread(rows))
    return figure, figure.subplots(lines, columns, squeeze=False).flatten().tolist()


def _each(rows: pd.DataFrame, by: Any) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each value of a column, in the order of their first appearance."""
    return list(rows.groupby(by, sort=False))


def _dots(axis: Axes, cells: pd.DataFrame, named: bool = True) -> None:
    """A line per change of QFL, with its score; the panel to the left can name them."""
    names = [_said(change) for change in cells["arguments"]]
    for place, row in enumerate(cells.to_dict("records")):
        spread = [[row["mean"] - row["ci95_low"]], [row["ci95_high"] - row["mean"]]]
        axis.errorbar(row["mean"], place, xerr=spread, color=numbered(0).color, marker="o", markersize=4.5, capsize=2.5)
    axis.set_yticks(range(len(cells)), names if named else [""] * len(names))
    axis.set_ylim(len(cells) - 0.4, -0.6)
    finish(axis, METRICS[cells["metric"].iloc[0]].label, "", "")


def _said(arguments: str) -> str:
    """What is changed, as short as it can be understood."""
    chosen = decode(arguments)
    said = [chosen[name].replace("_", " ") for name in ("measurement", "initial") if name in chosen]
    if "locality" in chosen:
        said.append(f"weight {chosen['locality']}")
    said += [f"{name} {chosen[name]}" for name in ("entangler", "signal") if name in chosen]
    if "blocks" in chosen and "initial" not in chosen:
        said.append(f"{chosen['blocks']} blocks")
    return ", ".join(said) or "unchanged"


def _setting(rows: pd.DataFrame, name: str) -> pd.Series:
    """An option of the experiment, where there is one."""
    return rows["setting"].map(lambda setting: setting.get(name))


def _qubits(features: int) -> int:
    return int(features).bit_length() + 1
