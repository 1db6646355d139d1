"""The downloaded sets as they really are, where ``TFQ_FUSION_DATA_DIR`` has them."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfq_fusion.datasets import Dataset, load

PARTS = ("train", "validation", "test")
NAMES = [pytest.param(name, marks=pytest.mark.data(name)) for name in ("cifar-10", "mnist", "wikipedia")]


def official(dataset: Dataset, modality: str) -> np.ndarray:
    """The official training part of a modality: ours and the validation part."""
    return np.concatenate([part[0][modality].reshape(len(part[1]), -1) for part in (dataset.train, dataset.validation)])


def official_labels(dataset: Dataset) -> np.ndarray:
    return np.concatenate([dataset.train[1], dataset.validation[1]])


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_what_the_card_says(name):
    dataset = load(name)
    for part in PARTS:
        inputs, labels = getattr(dataset, part)
        assert len(labels) == getattr(dataset.card.split, part)
        assert labels.dtype == np.int64
        assert set(labels) == set(range(len(dataset.card.classes)))
        assert tuple(inputs) == dataset.modalities
        for modality in dataset.card.modalities:
            assert inputs[modality.name].shape == (len(labels), *modality.shape)
            assert inputs[modality.name].dtype == np.float32


@pytest.mark.parametrize("name", NAMES[1:])  # cifar-10 has near duplicates, upstream
def test_no_sample_is_in_two_parts(name):
    dataset = load(name)
    samples = [
        {b"".join(values.tobytes() for values in sample) for sample in zip(*inputs.values(), strict=True)}
        for inputs, _ in (dataset.train, dataset.validation, dataset.test)
    ]
    for one, other in itertools.combinations(samples, 2):
        assert one.isdisjoint(other)


@pytest.mark.data("mnist")
def test_mnist_has_the_official_number_of_each_digit():
    dataset = load("mnist")
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(official_labels(dataset)).tolist() == train
    assert np.bincount(dataset.test[1]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.data("cifar-10")
def test_cifar10_begins_with_a_frog():
    dataset = load("cifar-10")
    frogs = official(dataset, "image")[official_labels(dataset) == dataset.card.classes.index("frog")]
    assert np.any(np.all(frogs[:, :3] == (59, 62, 63), axis=1))
    if dataset.card.split.test == 10_000:
        assert np.bincount(official_labels(dataset)).tolist() == [5000] * 10
    else:
        assert dataset.card.notes[0].startswith("This is a part of CIFAR-10")


@pytest.mark.data("wikipedia")
def test_wikipedia_repeats_as_many_images_across_parts_as_the_card_says():
    dataset = load("wikipedia")
    train, validation, test = (
        {row.tobytes() for row in inputs["image"]} for inputs, _ in (dataset.train, dataset.validation, dataset.test)
    )
    assert (len(train & validation), len((train | validation) & test)) == (2, 3)


@pytest.mark.data("wikipedia")
@pytest.mark.parametrize(
    ("modalities", "accuracy"), [(["image"], 0.264), (["text"], 0.678), (["image", "text"], 0.654)]
)
def test_logistic_regression_on_wikipedia_has_the_accuracies_of_the_card(modalities, accuracy):
    dataset = load("wikipedia")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    model.fit(np.hstack([official(dataset, each) for each in modalities]), official_labels(dataset))
    found = model.score(np.hstack([dataset.test[0][each] for each in modalities]), dataset.test[1])
    assert round(found, 3) == accuracy
    assert any(f"{accuracy:.3f}" in note for note in dataset.card.notes)
