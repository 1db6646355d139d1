"""Validation figures behind the defaults of the Quantum Fusion Layer; the test parts are not touched.

One default is changed at a time, at degree 2. Run ``python scripts/choose_defaults.py``.
"""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
from typing import Annotated, Any

import numpy as np
import typer

from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol, prepare

BASE: dict[str, Any] = {"scale": math.pi / 2, "initial_range": math.pi, "observables": 32, "rate": 5e-3}
CHANGES: list[dict[str, Any]] = [
    {},
    {"scale": math.pi / 4},
    {"scale": math.pi},
    {"scale": 2 * math.pi},
    {"initial_range": 0.1 * math.pi},
    {"initial_range": 0.5 * math.pi},
    {"measurement": "pauli_plane"},
    {"measurement": "computational"},
    {"entangler": "ring"},
    {"entangler": "brick"},
    {"signal": "rx"},
    {"signal": "rz"},
    {"blocks": 2},
    {"observables": 64},
    {"rate": 2e-3},
    {"rate": 1e-2},
]


def label(change: dict[str, Any]) -> str:
    """A change of a default in words."""
    return ", ".join(f"{k} = {v:.3g}" if isinstance(v, float) else f"{k} = {v}" for k, v in change.items()) or "none"


def validate(task: tuple[str, dict[str, Any], int, str]) -> dict[str, float]:
    """The validation scores of one data set, change of a default, and seed."""
    from tfq_fusion._keras import keras
    from tfq_fusion.layers import QuantumFusionLayer
    from tfq_fusion.models import fusion_model
    from tfq_fusion.training.fit import fit

    name, change, seed, engine = task
    dataset = load(name)
    data = prepare(dataset)
    data = dataclasses.replace(data, test=data.validation)  # out of reach
    settings = {**BASE, **change}
    rate = settings.pop("rate")
    stretch = settings.pop("initial_range") / BASE["initial_range"]

    def make(seed: int) -> keras.Model:
        layer = QuantumFusionLayer(2, seed=seed, engine=engine, **settings)
        model = fusion_model(dataset.card.modalities, layer, data.outputs, data.task, seed=seed)
        layer.set_weights([stretch * weights for weights in layer.get_weights()])
        return model

    return fit(make, data, Protocol(), seed, rate).metrics["validation"]


def main(
    datasets: Annotated[str, typer.Option(help="Names, separated by commas.")] = "japanese-vowels,mfeat",
    seeds: int = 2,
    engine: str = "compiled",
) -> None:
    """Print the mean validation scores over seeds for every change of a default, as a Markdown table."""
    names = datasets.split(",")
    tasks = [(name, change, seed, engine) for change in CHANGES for name in names for seed in range(seeds)]
    print("| change |", " | ".join(names), "|")
    print("|---" * (1 + len(names)) + "|")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=8) as pool:
        results = pool.imap(validate, tasks)
        for change in CHANGES:
            cells = []
            for _ in names:
                scores = [next(results) for _ in range(seeds)]
                cells.append(", ".join(f"{metric} {np.mean([s[metric] for s in scores]):.3f}" for metric in scores[0]))
            print(f"| {label(change)} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    typer.run(main)
