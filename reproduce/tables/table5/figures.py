"""The figures of Table 5: measurements, circuit, encoding, gradients, noise and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reproduce.claims.rows import METRICS, base, caption, options

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Of Okabe and Ito, which stay apart for colour-blind readers; the markers say the same without colour."""
_MARKERS = "osD^Pv*"


def ablation_figures(frame: pd.DataFrame, profile: str, units: Mapping[str, str]) -> Mapping[str, Figure]:
    """One figure for each part of the table that has rows, by "-" and its name."""
    rows = frame.assign(
        part=frame["dataset"].map(base),
        setting=frame["dataset"].map(options),
        change=frame["fusion"].map(options),
    )
    measured = rows["change"].map(lambda change: "measurement" in change)
    parts: dict[str, tuple[Callable[[pd.DataFrame], Figure], pd.Series]] = {
        "measurement": (_measurement, measured),
        "circuit": (_circuit, rows["part"].isin(("japanese-vowels", "mfeat")) & ~measured),
        "encoding": (_encoding, rows["part"] == "encoding"),
        "gradients": (_gradients, rows["part"].isin(("gradient-variance", "remedies"))),
        "noise": (_noise, rows["part"] == "noise"),
        "devices": (_devices, rows["part"].isin(("device-circuit", "device"))),
    }
    return {f"-{name}": draw(rows[chosen]) for name, (draw, chosen) in parts.items() if chosen.any()}


def _measurement(rows: pd.DataFrame) -> Figure:
    trained = rows[rows["metric"] == "accuracy"]
    ranks = rows[rows["metric"] == "rank_outputs"].assign(outputs=lambda cells: _setting(cells, "outputs", int))
    figure, axes = _new("Measurements, compared at equal numbers of outputs", rows, 2, 2, 5.8)
    for axis, (name, cells) in _panels(axes[:2], _each(trained, "dataset")):
        _dots(axis, cells, named=axis is axes[0])
        axis.set_title(f"{name}, P = {cells['degree'].iloc[0]}", fontsize=9)
    for axis, (degree, cells) in _panels(axes[2:], _each(ranks, "degree")):
        for style, (name, points) in enumerate(_each(cells, "fusion")):
            _line(axis, points["outputs"], points, style, _said(str(name)), markerfacecolor="none")
        states = rows[(rows["metric"] == "rank_states") & (rows["degree"] == degree)]["mean"].max()
        axis.axhline(states, color="black", linestyle=":", linewidth=1)
        axis.annotate(f"the states: {states:g}", (4, states), va="bottom", fontsize=8)
        _log(axis, "x", (4, 8, 16, 32, 64, 128, 255))
        _log(axis, "y", (4, 8, 16, 32, 64, 128, 255))
        _name(axis, "Outputs (observables)", "Rank of the outputs", f"4 qubits, random weights, P = {degree}")
    _legend(figure, axes[2:], columns=3)
    return figure


def _circuit(rows: pd.DataFrame) -> Figure:
    trained = rows[rows["metric"] == "accuracy"]
    sets = trained["dataset"].nunique()
    figure, axes = _new("One part of the circuit changed (P = 3, 32 outputs)", rows, sets, 1, 3.0)
    for axis, (name, cells) in _panels(axes, _each(trained, "dataset")):
        _dots(axis, cells, named=axis is axes[0])
        axis.set_title(str(name), fontsize=9)
    return figure


def _encoding(rows: pd.DataFrame) -> Figure:
    rows = rows.assign(
        inputs=_setting(rows, "inputs", str),
        scale=rows["change"].map(lambda change: float(change["scale"].removesuffix("pi"))),
    ).sort_values("scale")
    figure, axes = _new("Scale of the angles, and how encoders end (japanese-vowels, P = 2)", rows, 3, 1, 3.4)
    for axis, metric in zip(axes, ("accuracy", "reconstruction_error", "saturation"), strict=True):
        for style, (inputs, points) in enumerate(_each(rows[rows["metric"] == metric], "inputs")):
            _line(axis, points["scale"], points, style, str(inputs))
            if metric == "reconstruction_error":
                before = rows[(rows["metric"] == f"{metric}_untrained") & (rows["inputs"] == inputs)]
                axis.plot(
                    before["scale"], before["mean"], color=_COLORS[style % len(_COLORS)], linestyle=":", linewidth=1.2
                )
        _log(axis, "x", sorted(rows["scale"].unique()))
        _name(axis, "Scale (units of π)", METRICS[metric].label, "")
    axes[1].set_title("dotted: before training", fontsize=9)
    axes[2].set_ylabel("Features beyond ±0.99 (share)", fontsize=9)
    _legend(figure, axes[:1])
    return figure


def _gradients(rows: pd.DataFrame) -> Figure:
    from reproduce.experiments.gradients.trainability import two_design_variance  # which imports Cirq

    variances = rows[rows["metric"] == "gradient_variance_log2"].assign(
        features=lambda cells: _setting(cells, "features", int)
    )
    narrow, wide = variances[variances["features"] == 1], variances[variances["features"] > 1]
    sweeps = (
        (narrow.assign(x=narrow["modalities"].map(_qubits)), "Qubits n", "P = 3, one feature per modality"),
        (wide[wide["degree"] == 3].assign(x=lambda cells: cells["modalities"]), "Modalities M", "P = 3, D = 4"),
        (wide[wide["modalities"] == 8].assign(x=lambda cells: cells["degree"]), "Degree P", "M = 8, D = 4, 7 qubits"),
    )
    figure, axes = _new("Gradients before training, and ways to begin it", rows, 2, 2, 6.0)
    styles = {name: style for style, name in enumerate(variances["fusion"].unique())}
    for axis, (cells, label, title) in zip(axes, sweeps, strict=False):
        for name, points in _each(cells.sort_values("x"), "fusion"):
            _line(axis, points["x"], points, styles[str(name)], _said(str(name)))
        sizes = cells.drop_duplicates("x").sort_values("x")
        exact = [two_design_variance(_qubits(size)) for size in sizes["modalities"] * sizes["features"]]
        axis.plot(sizes["x"], np.log2(exact), color="black", linestyle=":", linewidth=1.2, label="2-design")
        axis.yaxis.set_major_formatter(FuncFormatter(lambda exponent, _: f"$2^{{{exponent:g}}}$"))
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if label != "Qubits n":
            _log(axis, "x", sizes["x"])
        _name(axis, label, "Variance of the gradient", title)
    remedies = rows[(rows["part"] == "remedies") & (rows["metric"] == "accuracy")]
    for axis, (_, cells) in _panels(axes[3:], _each(remedies, "part")):
        _dots(axis, cells)
        axis.set_title("japanese-vowels, two blocks per unitary", fontsize=9)
    _legend(figure, axes[:3], columns=3)
    return figure


def _noise(rows: pd.DataFrame) -> Figure:
    rows = rows[rows["metric"] == "accuracy"]
    rows = rows.assign(
        channel=_setting(rows, "channel", str),
        rate=_setting(rows, "rate", float),
        trained=rows["change"].map(lambda change: change.get("trained")),
    ).sort_values(["rate", "degree"])
    noisy = rows[rows["rate"] > 0]
    figure, axes = _new("Noise after every gate (japanese-vowels, 6 channels, 5 qubits)", rows, 2, 2, 6.0)
    for axis, channel in zip(axes[:2], ("depolarizing", "phase_damping"), strict=True):
        cells = noisy[(noisy["channel"] == channel) & (noisy["trained"] == "noiseless")]
        for style, (degree, points) in enumerate(_each(cells, "degree")):
            _line(axis, points["rate"], points, style, f"QFL, P = {degree}")
        _name(axis, "Error rate per gate and qubit", "Accuracy", channel.replace("_", " "))
    cells = noisy[(noisy["channel"] == "depolarizing") & (noisy["trained"] == "noiseless")]
    for style, (degree, points) in enumerate(_each(cells, "degree")):
        _line(axes[2], points["rate"] * degree, points, style, f"QFL, P = {degree}")
    _name(axes[2], "P x error rate", "Accuracy", "depolarizing")
    trained = noisy[(noisy["channel"] == "depolarizing") & noisy["degree"].isin((1, 2))]
    for (degree, how), points in _each(trained, ["degree", "trained"]):
        hollow = {"linestyle": "--", "markerfacecolor": "none"} if how == "noisy" else {}
        _line(axes[3], points["rate"], points, degree - 1, f"P = {degree}, trained {how}", **hollow)
    _name(axes[3], "Error rate per gate and qubit", "Accuracy", "depolarizing: trained with noise, or without")
    axes[3].legend(fontsize=8, frameon=False)
    for axis in axes:
        axis.set_xscale("log")
        for line, fusion in (("--", "lmf"), (":", "gcn")):
            level = rows[rows["fusion"] == fusion]["mean"]
            if len(level):
                axis.axhline(level.iloc[0], color="black", linestyle=line, linewidth=1, label=caption(fusion))
    _legend(figure, axes[:1])
    return figure


def _devices(rows: pd.DataFrame) -> Figure:
    compiled = rows[rows["part"] == "device-circuit"]
    compiled = compiled.assign(processor=_setting(compiled, "processor", str), gates=_setting(compiled, "gates", str))
    compiled = compiled[compiled["gates"] == "sqrt_iswap"]
    figure, axes = _new("On Google's processors, in square-root iSWAPs", rows, 3, 1, 3.6)
    for axis, metric in zip(axes, ("two_qubit_gates", "depth"), strict=False):
        cells = compiled[compiled["metric"] == metric].sort_values("degree")
        for style, (processor, of_processor) in enumerate(_each(cells, "processor")):
            for _, points in _each(of_processor, "modalities"):
                _line(axis, points["degree"], points, style, str(processor))
        for modalities, points in _each(cells, "modalities"):
            last = points.sort_values(["degree", "mean"]).iloc[-1]
            axis.annotate(f"M = {modalities}", (last["degree"], last["mean"]), xytext=(4, 0), fontsize=8,
                          textcoords="offset points", va="center")  # fmt: skip
        axis.set_yscale("log")
        axis.margins(x=0.25)
        axis.xaxis.set_major_locator(FixedLocator(sorted(cells["degree"].unique())))
        _name(axis, "Degree P", METRICS[metric].label + (" (moments)" if metric == "depth" else ""), "")
    measured = rows[(rows["part"] == "device") & (rows["metric"] == "accuracy")]
    shots = _setting(measured, "shots", str)
    counted = measured[shots != "exact"].assign(shots=shots[shots != "exact"].map(int)).sort_values("shots")
    for style, processor in ((1, "rainbow"), (2, "weber"), (6, "noiseless")):
        points = counted[_setting(counted, "processor", str) == processor]
        _line(axes[2], points["shots"], points, style, processor)
        exact = measured[(_setting(measured, "processor", str) == processor) & (shots == "exact")]["mean"]
        if len(exact):
            axes[2].axhline(exact.iloc[0], color=_COLORS[style % len(_COLORS)], linestyle=":", linewidth=1)
    axes[2].set_xscale("log")
    _name(axes[2], "Shots per observable", "Accuracy", "M = 3, P = 1; dotted: exact")
    _legend(figure, axes, columns=4)
    return figure


def _new(title: str, rows: pd.DataFrame, columns: int, lines: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with its caption, and its panels row by row."""
    figure = Figure(figsize=(7.4, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, columns, squeeze=False).flatten().tolist()
    seeds = sorted({int(count) for count in rows["seeds"]})
    count = " to ".join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))
    spread = "1 seed, no interval" if seeds == [1] else f"mean and 95 % interval over {count} seeds"
    figure.suptitle(f"{title}\n{spread}", fontsize=10)
    return figure, axes


def _panels(axes: Sequence[Axes], groups: Iterable[tuple[Any, pd.DataFrame]]) -> Iterator[tuple[Axes, Any]]:
    """Each panel with its group; panels without one are taken away."""
    found = list(groups)
    yield from zip(axes, found, strict=False)
    for axis in axes[len(found) :]:
        axis.remove()


def _each(rows: pd.DataFrame, by: Any) -> list[tuple[Any, pd.DataFrame]]:
    """The rows of each value of a column, in the order of their first appearance."""
    return list(rows.groupby(by, sort=False))


def _line(axis: Axes, x: pd.Series, points: pd.DataFrame, style: int, label: str, **more: Any) -> None:
    interval = [points["mean"] - points["ci95_low"], points["ci95_high"] - points["mean"]]
    axis.errorbar(
        x,
        points["mean"],
        yerr=interval,
        label=label,
        **{
            "color": _COLORS[style % len(_COLORS)],
            "marker": _MARKERS[style % len(_MARKERS)],
            "markersize": 4.5,
            "linewidth": 1.2,
            "capsize": 2,
            **more,
        },
    )


def _dots(axis: Axes, cells: pd.DataFrame, named: bool = True) -> None:
    """A line per change of QFL, with its score; the panel to the left can name them."""
    names = [_said(fusion) for fusion in cells["fusion"]]
    for place, row in enumerate(cells.to_dict("records")):
        spread = [[row["mean"] - row["ci95_low"]], [row["ci95_high"] - row["mean"]]]
        axis.errorbar(row["mean"], place, xerr=spread, color=_COLORS[0], marker="o", markersize=4.5, capsize=2.5)
    axis.set_yticks(range(len(cells)), names if named else [""] * len(names))
    axis.set_ylim(len(cells) - 0.4, -0.6)
    _name(axis, METRICS[cells["metric"].iloc[0]].label, "", "")


def _said(fusion: str) -> str:
    """What is changed, as short as it can be understood."""
    chosen = options(fusion)
    said = [chosen[name].replace("_", " ") for name in ("measurement", "initial") if name in chosen]
    if "locality" in chosen:
        said.append(f"weight {chosen['locality']}")
    said += [f"{name} {chosen[name]}" for name in ("entangler", "signal") if name in chosen]
    if "blocks" in chosen and "initial" not in chosen:
        said.append(f"{chosen['blocks']} blocks")
    return ", ".join(said) or "unchanged"


def _setting(rows: pd.DataFrame, name: str, kind: Callable[[str], Any]) -> pd.Series:
    """An option of the experiment, where there is one."""
    return rows["setting"].map(lambda setting: kind(setting[name]) if name in setting else None)


def _qubits(features: int) -> int:
    return int(features).bit_length() + 1


def _log(axis: Axes, which: Literal["x", "y"], ticks: Iterable[float]) -> None:
    """A logarithmic axis with these ticks."""
    axis.set(**{f"{which}scale": "log"})
    scaled = axis.xaxis if which == "x" else axis.yaxis
    scaled.set_major_locator(FixedLocator(list(ticks)))
    scaled.set_minor_locator(NullLocator())
    scaled.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))


def _name(axis: Axes, x: str, y: str, title: str) -> None:
    axis.set_xlabel(x, fontsize=9)
    axis.set_ylabel(y, fontsize=9)
    if title:
        axis.set_title(title, fontsize=9)
    axis.tick_params(labelsize=8.5)
    axis.grid(color="0.9")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, axes: Sequence[Axes], columns: int = 5) -> None:
    """One legend below for all panels."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=columns, fontsize=8.5, frameon=False
    )
