"""What docs/data.md says of the data sets is what cards, files and scripts say."""

import math
import re

import numpy as np
import pytest

from tests.documents.support import ROOT, holds, lines, script_of
from tfq_fusion.datasets import describe, load
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.training import evaluate, historical_average, persistence_forecast

PAGE = "docs/data.md"
EMBEDDED = lines(PAGE, "| name | modalities | task | train / validation / test | split | licence |\n")
DOWNLOADED = lines(PAGE, "| name | modalities | task | train / validation / test | split | licence | download |")
SETS_OF_TABLE_2 = lines("docs/reproduce.md", "| data set | command | download |")


def card_of(name):
    """The card of a data set as it stands in its file."""
    return read_card(DATA, name.strip("`"))


def parts(dataset):
    return dataset.train, dataset.validation, dataset.test


def megabytes(size, like):
    """A size as written in a figure such as "1.1 MB", with as many digits."""
    return f"{size / 1e6:.{len(like.partition('.')[2].split()[0]) if '.' in like else 0}f} MB"


@pytest.mark.parametrize("name", [*EMBEDDED, *DOWNLOADED])
def test_parts_have_the_sizes_of_the_card(name):
    split = card_of(name).split
    sizes = f"{split.train:,} / {split.validation:,} / {split.test:,}"
    assert {**EMBEDDED, **DOWNLOADED}[name][2] == sizes


@pytest.mark.parametrize("name", DOWNLOADED)
def test_downloads_have_the_sizes_of_the_card(name):
    size, said = card_of(name).source.download_bytes, DOWNLOADED[name][-1]
    assert said == megabytes(size, said)
    for command, download in [cells for first, cells in SETS_OF_TABLE_2.items() if first == name]:
        assert command == f"`make data DATASET={name.strip('`')}`"
        assert download == megabytes(size, download)


@holds(PAGE)
def test_what_travels_with_the_package_has_the_size_that_the_page_says():
    size = sum((ROOT / "data" / f"{name.strip('`')}.npz").stat().st_size for name in EMBEDDED)
    yield f"Four real multimodal sets, {size / 1e6:.1f} MB in all"


def numbers_of(name):
    """How many numbers the prepared arrays of a data set hold."""
    card = card_of(name)
    samples = card.split.train + card.split.validation + card.split.test
    return samples * sum(math.prod(modality.shape) for modality in card.modalities)


@holds(PAGE)
def test_prepared_arrays_have_the_sizes_that_the_page_says():
    images = [f"{4 * numbers_of(name) / 1e9:.1f} GB" for name in ("mnist", "cifar-10")]
    yield f"{images[0]} for `mnist`, {images[1]} for the whole `cifar-10`"
    yield f"{2 * numbers_of('ptb-xl') / 1e9:.1f} GB in all"


@holds("docs/reproduce.md")
def test_prepared_arrays_have_the_size_that_reproducing_says():
    yield f"{2 * numbers_of('ptb-xl') / 1e6:.0f} MB for the prepared arrays"


@holds(PAGE)
def test_classes_and_samples_are_as_coarse_as_the_page_says():
    counts = np.bincount(np.concatenate([part[1] for part in parts(load("emoji"))]))
    yield f"| {len(counts)} categories, {counts.max()} to {counts.min()} |"
    vowels = describe("japanese-vowels").split.validation
    yield f"one of its {vowels} utterances is {100 / vowels:.1f} points"


@holds("docs/protocol.md")
def test_samples_are_as_coarse_as_the_protocol_says():
    vowels, digits = (1 / describe(name).split.validation for name in ("japanese-vowels", "mfeat"))
    yield f"One sample is {vowels:.3f} of the validation accuracy on `japanese-vowels` and {digits:.3f} on `mfeat`"


def figures(text):
    return [*map(float, re.findall(r"\d\.\d+", text))]


def near(scores):
    """Another processor rounds otherwise: a sample may fall to the other side."""
    return pytest.approx(scores, abs=0.006)


@pytest.mark.slow
def test_linear_models_reach_what_the_page_says():
    script = script_of("data_baselines")
    table = lines(PAGE, "| data set | largest class | single modalities | all |")
    for name, (largest, single, every) in table.items():
        none, *alone, together = script.accuracies(load(name.strip("`")))
        alone = {row["modality"]: row["accuracy"] for row in alone}
        if name == "`japanese-vowels`":
            assert figures(single) == near([min(alone.values()), max(alone.values())])
        else:
            assert re.findall("[a-z]+", single) == [*alone]
            assert figures(single) == near([*alone.values()])
        assert figures(largest + " " + every) == near([none["accuracy"], together["accuracy"]])
    forecasts = {(row["forecast"], row["part"]): row for row in script.forecast_errors(load("traffic-detectors"))}
    for said in (ROOT / PAGE).read_text(encoding="utf-8").split("| `traffic-detectors` | part |")[1].splitlines()[2:5]:
        label, part, mae, rmse = (cell.strip() for cell in said.strip("|").split("|"))
        row = forecasts[label.split()[0], part]
        assert figures(f"{mae} {rmse}") == near([row["mae"], row["rmse"]])


@pytest.mark.data("los-loop")
def test_forecasts_without_a_model_err_after_each_time_as_the_page_says():
    dataset = load("los-loop")
    inputs, targets = dataset.test
    forecasts = {
        "persistence (the last speed again)": persistence_forecast(inputs, 12),
        "historical average (by time of day)": historical_average(dataset)["test"],
    }
    table = lines(PAGE, "| `los-loop`, 207 sensors, test part |")
    for label, forecast in forecasts.items():
        errors = evaluate("forecasting", targets, forecast, 12)
        assert table[label][-1] == ", ".join(f"{errors[f'mae@{step}']:.3f}" for step in (3, 6, 12))


@holds(PAGE)
def test_the_page_counts_the_vectors_of_mfeat_that_are_both_a_six_and_a_nine():
    dataset = load("mfeat")
    inputs = {name: np.concatenate([part[0][name] for part in parts(dataset)]) for name in ("zer", "mor")}
    labels = np.concatenate([part[1] for part in parts(dataset)])
    both = [
        len({vector.tobytes() for vector in array[labels == 6]} & {vector.tobytes() for vector in array[labels == 9]})
        for array in inputs.values()
    ]
    yield f"hold {both[0]} and {both[1]} vectors that are both a six and a nine"
