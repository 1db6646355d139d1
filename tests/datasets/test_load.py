import subprocess
import sys

import numpy as np
import pytest

from tfq_fusion.datasets import Dataset, available, describe, load
from tfq_fusion.datasets.registry import DOWNLOADS, EMBEDDED
from tfq_fusion.datasets.sets.embedded import DATA

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module", params=EMBEDDED)
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return load(request.param)


def test_four_sets_are_embedded_and_the_others_downloaded():
    assert EMBEDDED == ("emoji", "japanese-vowels", "mfeat", "traffic-detectors")
    assert available() == tuple(sorted([*EMBEDDED, *DOWNLOADS]))
    assert {"cifar-10", "mnist", "wikipedia"} <= set(DOWNLOADS)


def test_every_set_has_its_card_and_every_embedded_one_its_file():
    files = {file.name for file in DATA.iterdir()}
    cards = {name.removesuffix(".yaml") for name in files if name.endswith(".yaml")}
    arrays = {name.removesuffix(".npz") for name in files if name.endswith(".npz")}
    assert cards == set(available())
    assert arrays == set(EMBEDDED)


def test_the_files_stay_small():
    assert sum(len(file.read_bytes()) for file in DATA.iterdir() if file.is_file()) < 6_000_000


def test_parts_are_what_the_card_says(dataset):
    sizes = {part: len(getattr(dataset, part)[1]) for part in PARTS}
    assert sizes == {part: getattr(dataset.card.split, part) for part in PARTS}
    for part in PARTS:
        inputs, labels = getattr(dataset, part)
        assert tuple(inputs) == dataset.modalities
        for modality in dataset.card.modalities:
            assert inputs[modality.name].shape == (len(labels), *modality.shape)
            assert inputs[modality.name].dtype == np.float32
            assert np.isfinite(inputs[modality.name]).all()


def test_labels_are_what_the_card_says(dataset):
    for part in PARTS:
        _, labels = getattr(dataset, part)
        if dataset.task == "classification":
            assert labels.dtype == np.int64
            assert set(labels) == set(range(len(dataset.card.classes)))  # every class is in every part
        else:
            assert labels.dtype == np.float32
            assert labels.shape == (len(labels), len(dataset.card.outputs))


def test_no_modality_is_constant_in_training(dataset):
    for values in dataset.train[0].values():
        assert values.std() > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, {}) for name in EMBEDDED]
    + [("japanese-vowels", {"channels": 3}), ("emoji", {"views": ["name", "google"]})],
)
def test_a_description_is_the_card_of_what_is_loaded(name, options):
    assert describe(name, **options) == load(name, **options).card


REAL = [
    ("cifar-10", {}),
    ("cifar-10", {"samples": 500, "views": ["descriptors"]}),
    ("los-loop", {}),
    ("los-loop", {"sensors": 20, "horizon": 3}),
    ("ludb", {"fold": 3, "leads": ["I", "V2"]}),
    ("ludb", {"target": "rhythm"}),
    ("metr-la", {"horizon": 1}),
    ("mnist", {"samples": 500}),
    ("ptb-xl", {"target": "norm"}),
    ("wikipedia", {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"), [pytest.param(*case, marks=pytest.mark.data(case[0])) for case in REAL], ids=str
)
def test_a_description_of_a_downloaded_set_is_the_card_of_what_is_loaded(name, options):
    assert describe(name, **options) == load(name, **options).card


def test_a_description_reads_no_arrays(monkeypatch):
    monkeypatch.setattr(np, "load", lambda *arguments, **options: pytest.fail("arrays are read"))
    assert describe("japanese-vowels", channels=2).split.train == 216
    with pytest.raises(ValueError, match="mfeat has no option channels; it takes views"):
        describe("mfeat", channels=2)


def test_unknown_names_get_the_known_ones_and_a_suggestion():
    with pytest.raises(
        ValueError, match=r"'japanese_vowel'.*emoji, japanese-vowels, .*traffic-detectors.*mean 'japanese-vowels'"
    ):
        load("japanese_vowel")


def test_loading_is_fast_and_imports_no_deep_learning():
    program = """
import sys, time
start = time.perf_counter()
from tfq_fusion.datasets import load
from tfq_fusion.datasets.registry import EMBEDDED
for name in EMBEDDED:
    load(name)
print(time.perf_counter() - start)
print(*{"tensorflow", "tensorflow_quantum", "keras", "tf_keras", "cirq", "sklearn", "pandas"} & set(sys.modules))
print(*{"pooch", "requests", "rich", "scipy", "PIL"} & set(sys.modules))
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    seconds, imported = output.split("\n", 1)
    assert imported.strip() == ""
    assert float(seconds) < 5  # about 0.3 s on an idle machine
