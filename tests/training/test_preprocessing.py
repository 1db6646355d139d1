"""Standardisation by the training part alone."""

import types

import numpy as np
import pytest

from tfq_fusion.datasets import load
from tfq_fusion.training import prepare


def dataset(task="classification", **changes):
    """A stand-in for a data set: two modalities, one of them a matrix per sample."""
    rng = np.random.default_rng(0)

    def part(n):
        inputs = {"a": rng.normal(5, 3, (n, 4)).astype("f"), "b": rng.normal(-2, 0.1, (n, 2, 3)).astype("f")}
        labels = np.arange(n) % 2 if task == "classification" else rng.normal(10, 2, (n, 2)).astype("f")
        return inputs, labels

    return types.SimpleNamespace(
        **{"train": part(40), "validation": part(10), "test": part(10), "task": task, **changes}
    )


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


@pytest.mark.parametrize(("name", "imbalanced"), [("emoji", True), ("japanese-vowels", False), ("mfeat", False)])
def test_imbalance_of_real_sets(name, imbalanced):
    assert prepare(load(name)).imbalanced is imbalanced


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(value):
    raw = dataset()
    raw.validation[0]["b"][3, 0, 0] = value
    with pytest.raises(ValueError, match="validation: b holds NaN or infinite"):
        prepare(raw)


def test_different_numbers_of_samples_are_named():
    raw = dataset()
    raw.test[0]["a"] = raw.test[0]["a"][:7]
    with pytest.raises(ValueError, match="test: a has 7 samples, but there are 10 labels"):
        prepare(raw)
