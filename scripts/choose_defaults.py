"""Validation figures behind the defaults of the Quantum Fusion Layer; the test parts are not touched.

One default is changed at a time, at degree 2. Run ``python scripts/choose_defaults.py``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import typer

from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol, prepare

BASE: dict[str, Any] = {"scale": math.pi / 2, "initial_range": math.pi / 2, "observables": 32, "rate": 5e-3}
CHANGES: list[dict[str, Any]] = [
    {},
    {"scale": math.pi / 4},
    {"scale": math.pi},
    {"scale": 2 * math.pi},
    {"initial_range": 0.1 * math.pi},
    {"initial_range": math.pi},
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


def main(
    datasets: Annotated[str, typer.Option(help="Names, separated by commas.")] = "japanese-vowels,mfeat",
    seeds: int = 3,
    engine: str = "tfq",
) -> None:
    """Print mean validation loss and accuracy over seeds for every change of a default."""
    from tfq_fusion._keras import keras
    from tfq_fusion.layers import QuantumFusionLayer
    from tfq_fusion.models import fusion_model
    from tfq_fusion.training.fit import fit

    for name in datasets.split(","):
        data = prepare(load(name))
        for change in CHANGES:
            settings = {**BASE, **change}
            protocol = Protocol(learning_rates=(settings.pop("rate"),))
            stretch = settings.pop("initial_range") / BASE["initial_range"]
            scores = []
            for seed in range(seeds):

                def make(
                    seed: int = seed, stretch: float = stretch, settings: dict[str, Any] = settings
                ) -> keras.Model:
                    layer = QuantumFusionLayer(2, seed=seed, engine=engine, **settings)
                    model = fusion_model(data.widths, layer, data.outputs, data.task, seed=seed)  # noqa: B023
                    layer.set_weights([stretch * weights for weights in layer.get_weights()])
                    return model

                scores.append(fit(make, data, protocol, seed).metrics["validation"])
            means = (f"{metric} {np.mean([score[metric] for score in scores]):.3f}" for metric in scores[0])
            print(name, change or "as it is", *means, flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    typer.run(main)
