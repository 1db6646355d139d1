"""Prints what linear models reach on the embedded data sets: a check of the data, not a result.

    python scripts/data_baselines.py

scikit-learn's logistic and ridge regression at their default regularisation, on standardised features, fitted on the
training part and scored on the validation part. Persistence has nothing to fit or to choose, so its figure on the test
part is printed too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from tabulate import tabulate

from tfq_fusion.datasets import Dataset, load
from tfq_fusion.datasets.registry import EMBEDDED
from tfq_fusion.training import evaluate, persistence_forecast, prepare


def main() -> None:
    """Print one Markdown table per data set."""
    for name in EMBEDDED:
        dataset = load(name)
        rows = accuracies(dataset) if dataset.task == "classification" else forecast_errors(dataset)
        print(f"\n{name}\n\n{tabulate(rows, headers='keys', tablefmt='github', floatfmt='.3f')}")


def accuracies(dataset: Dataset) -> list[dict[str, object]]:
    """Validation accuracy of the largest class, of each modality alone and of all together."""
    data = prepare(dataset)
    labels = data.validation[1]
    rows: list[dict[str, object]] = [
        {"modality": "none (largest class)", "accuracy": np.mean(labels == np.bincount(data.train[1]).argmax())}
    ]
    for names in [*([name] for name in dataset.modalities), dataset.modalities]:
        model = LogisticRegression(max_iter=5000).fit(joined(data.train[0], names), data.train[1])
        accuracy = model.score(joined(data.validation[0], names), labels)
        rows.append({"modality": names[0] if len(names) == 1 else "all", "accuracy": accuracy})
    return rows


def forecast_errors(dataset: Dataset) -> list[dict[str, object]]:
    """Errors of persistence, and of ridge regression from all modalities to all outputs."""
    data = prepare(dataset)
    if data.target_scaler is None:
        raise ValueError(f"{dataset.card.name} is a {dataset.task} set; expected a forecast.")
    ridge = Ridge().fit(joined(data.train[0], dataset.modalities), data.train[1])
    predicted = data.target_scaler.inverse_transform(ridge.predict(joined(data.validation[0], dataset.modalities)))
    forecasts = [
        ("persistence", "validation", dataset.validation[1], persistence_forecast(dataset.validation[0])),
        ("ridge", "validation", dataset.validation[1], predicted),
        ("persistence", "test", dataset.test[1], persistence_forecast(dataset.test[0])),
    ]
    return [
        {"forecast": name, "part": part, **evaluate(dataset.task, truth, forecast)}
        for name, part, truth, forecast in forecasts
    ]


def joined(inputs: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """The named modalities side by side: ``[n, features]``."""
    return np.hstack([inputs[name] for name in names])


if __name__ == "__main__":
    main()
