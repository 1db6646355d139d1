"""Standardisation by the training part alone."""

import types

import numpy as np
import pytest

from tfq_fusion.datasets import load
from tfq_fusion.datasets.card import Modality
from tfq_fusion.training import prepare


def dataset(task="classification", **changes):
    """A stand-in for a data set: two modalities, one of them a matrix per sample."""
    rng = np.random.default_rng(0)

    def part(n):
        inputs = {"a": rng.normal(5, 3, (n, 4)).astype("f"), "b": rng.normal(-2, 0.1, (n, 2, 3)).astype("f")}
        labels = np.arange(n) % 2 if task == "classification" else rng.normal(10, 2, (n, 2)).astype("f")
        return inputs, labels

    parts = {"train": part(40), "validation": part(10), "test": part(10)}
    card = types.SimpleNamespace(modalities=[modality("a", (4,)), modality("b", (2, 3))], horizon=1)
    return types.SimpleNamespace(**{**parts, "task": task, "card": card, "adjacency": None, **changes})


def modality(name, shape, **fields):
    return Modality(name=name, shape=shape, description="", **fields)


def test_train_has_mean_zero_and_deviation_one():
    prepared = prepare(dataset())
    assert prepared.widths == {"a": 4, "b": 6}
    for array in prepared.train[0].values():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(array.std(axis=0), 1, atol=1e-5)


def test_test_part_is_scaled_by_the_training_part():
    raw = dataset()
    train, test = (part[0]["a"].astype(float) for part in (raw.train, raw.test))
    expected = (test - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(prepare(raw).test[0]["a"], expected, rtol=1e-5)


def test_validation_and_test_do_not_influence_the_training_part():
    raw = dataset()
    shifted = types.SimpleNamespace(**{**vars(raw), "test": ({k: v + 9 for k, v in raw.test[0].items()}, raw.test[1])})
    for name, array in prepare(raw).train[0].items():
        np.testing.assert_array_equal(prepare(shifted).train[0][name], array)


def test_targets_are_standardised_and_come_back():
    raw = dataset("forecasting")
    prepared = prepare(raw)
    assert prepared.outputs == 2
    np.testing.assert_allclose(prepared.train[1].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(prepared.target_scaler.inverse_transform(prepared.test[1]), raw.test[1], rtol=1e-5)


@pytest.mark.parametrize(("kind", "count"), [("waveform", 1), ("image", 1), ("window", 2)])
def test_other_kinds_than_vectors_keep_their_shape_and_have_one_mean_and_deviation_each(kind, count):
    raw = dataset()
    shape = (2, 3) if count == 1 else (3,)
    raw.card.modalities[1] = modality("b", shape, kind=kind, count=count)
    raw.train[0]["b"][:, 1] += 7
    train, test = (part[0]["b"] for part in (raw.train, raw.test))
    rows = [slice(None)] if count == 1 else [slice(0, 1), slice(1, 2)]  # of a stack, each row is a modality
    expected = np.concatenate([(test[:, k] - train[:, k].mean()) / train[:, k].std() for k in rows], axis=1)
    found = prepare(raw).test[0]["b"]
    assert (found.shape, found.dtype) == ((10, 2, 3), np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_waveform_that_never_changes_becomes_zero():
    raw = dataset()
    raw.card.modalities[0] = modality("a", (4,), kind="waveform")
    for inputs, _ in (raw.train, raw.validation, raw.test):
        inputs["a"][:] = 3
    assert not prepare(raw).test[0]["a"].any()


def test_targets_that_were_not_observed_stay_so_and_do_not_move_the_others():
    raw = dataset("forecasting")
    raw.train[1][5, 0] = np.nan
    prepared = prepare(raw)
    assert np.argwhere(np.isnan(prepared.train[1])).tolist() == [[5, 0]]
    observed = np.delete(raw.train[1][:, 0].astype(float), 5)
    np.testing.assert_allclose(prepared.target_scaler.mean_[0], observed.mean())
    np.testing.assert_allclose(prepared.target_scaler.scale_[0], observed.std())


def test_several_labels_per_sample_pass_as_they_are():
    labels = np.eye(4, dtype=np.float32)[np.arange(40) % 3]
    raw = dataset()
    raw = types.SimpleNamespace(**{**vars(raw), "task": "multilabel", "train": (raw.train[0], labels)})
    prepared = prepare(raw)
    assert (prepared.outputs, prepared.imbalanced, prepared.target_scaler) == (4, False, None)
    np.testing.assert_array_equal(prepared.train[1], labels)


@pytest.mark.parametrize("kind", ["vector", "waveform", "window", "image"])
@pytest.mark.parametrize("task", ["classification", "multilabel", "forecasting"])
def test_nothing_of_the_data_set_is_kept(task, kind):
    raw = dataset(task, adjacency=np.ones((2, 2), np.float32))
    raw.card.modalities[1] = modality("b", (2, 3), kind=kind)
    owned = [raw.adjacency, *(array for part in (raw.train, raw.validation, raw.test) for array in arrays_of(part))]
    prepared = prepare(raw)
    kept = [prepared.adjacency]
    kept += [array for part in (prepared.train, prepared.validation, prepared.test) for array in arrays_of(part)]
    before = [array.copy() for array in kept]
    for array in owned:
        array += 1
    for array, expected in zip(kept, before, strict=True):
        np.testing.assert_array_equal(array, expected)
    for array in kept:
        array += 1  # a data set may be mapped from a file that nothing may write to


def arrays_of(part):
    inputs, labels = part
    return [*inputs.values(), labels]


@pytest.mark.parametrize("kind", ["vector", "waveform"])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_prepared_modalities_are_in_single_precision_whatever_came(kind, dtype):
    raw = dataset()
    raw.card.modalities[0] = modality("a", (4,), kind=kind)
    for inputs, _ in (raw.train, raw.validation, raw.test):
        inputs["a"] = inputs["a"].astype(dtype)
    assert prepare(raw).test[0]["a"].dtype == np.float32


@pytest.mark.parametrize(("name", "imbalanced"), [("emoji", True), ("japanese-vowels", False), ("mfeat", False)])
def test_imbalance_of_real_sets(name, imbalanced):
    assert prepare(load(name)).imbalanced is imbalanced


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(value):
    raw = dataset()
    raw.validation[0]["b"][3, 0, 0] = value
    with pytest.raises(ValueError, match="validation: b holds NaN or infinite"):
        prepare(raw)


@pytest.mark.parametrize(("task", "value"), [("multilabel", np.nan), ("forecasting", np.inf)])
def test_labels_that_are_not_finite_are_named(task, value):
    raw = dataset(task)
    raw.test[1][2, 1] = value
    with pytest.raises(ValueError, match="test: labels holds NaN or infinite"):
        prepare(raw)


def test_different_numbers_of_samples_are_named():
    raw = dataset()
    raw.test[0]["a"] = raw.test[0]["a"][:7]
    with pytest.raises(ValueError, match="test: a has 7 samples, but there are 10 labels"):
        prepare(raw)
