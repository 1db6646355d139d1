"""Training on fewer samples, and testing without a modality or with noise in its place."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce.sweep.run.options import disturbed, trained_on
from tfq_fusion.datasets import describe, load
from tfq_fusion.datasets.card import Modality
from tfq_fusion.training import Prepared, prepare

MFEAT, EMOJI, TRAFFIC = load("mfeat"), load("emoji"), load("traffic-detectors")


def samples(dataset):
    """The training samples, each as the bytes of its inputs and of its label."""
    inputs, labels = dataset.train
    return {b"".join(array[row].tobytes() for array in (*inputs.values(), labels)) for row in range(len(labels))}


@given(st.integers(10, 200), st.integers(10, 200), st.integers(0, 5))
def test_fewer_samples_are_among_more_of_the_same_draw(one, other, draw):
    few, many = (samples(trained_on(MFEAT, {"samples": count, "draw": draw})) for count in sorted((one, other)))
    assert few <= many <= samples(MFEAT)
    assert (len(few), len(many)) == (min(one, other), max(one, other))


@pytest.mark.parametrize(("dataset", "count"), [(MFEAT, 10), (MFEAT, 57), (EMOJI, 9), (EMOJI, 400)])
def test_every_class_has_the_same_number_of_samples_or_one_more(dataset, count):
    labels = trained_on(dataset, {"samples": count, "draw": 1}).train[1]
    assert np.ptp(np.bincount(labels, minlength=len(dataset.card.classes))) <= 1


def test_a_class_that_is_used_up_leaves_the_rest_to_the_others():
    sizes = np.bincount(EMOJI.train[1])
    found = np.bincount(trained_on(EMOJI, {"samples": 900}).train[1])
    short = found == sizes
    assert short.any() and not short.all()
    assert np.ptp(found[~short]) <= 1
    assert found[~short].min() >= found[short].max()


def test_a_draw_is_another_one_and_the_first_unless_it_is_named():
    first, same, other = (
        samples(trained_on(TRAFFIC, {"samples": 40} | draw)) for draw in ({}, {"draw": 0}, {"draw": 1})
    )
    assert first == same
    assert len(first & other) < 10  # of 1,709


def test_inputs_and_labels_stay_together_and_nothing_else_changes():
    drawn = trained_on(TRAFFIC, {"samples": 20})
    assert samples(drawn) <= samples(TRAFFIC)
    assert drawn.validation is TRAFFIC.validation and drawn.test is TRAFFIC.test
    assert trained_on(TRAFFIC, {"missing": 1}) is TRAFFIC


@pytest.mark.parametrize(
    ("dataset", "count", "message"),
    [
        (MFEAT, 9, "samples should be from 10 to 200 on mfeat, got 9"),
        (MFEAT, 201, "samples should be from 10 to 200 on mfeat, got 201"),
        (TRAFFIC, 0, "samples should be from 1 to 1709 on traffic-detectors, got 0"),
    ],
)
def test_too_few_or_too_many_samples_are_refused(dataset, count, message):
    with pytest.raises(ValueError, match=message):
        trained_on(dataset, {"samples": count})


def test_a_missing_modality_is_the_mean_of_the_training_part():
    inputs, labels = MFEAT.test
    mean = np.broadcast_to(MFEAT.train[0]["kar"].mean(axis=0), inputs["kar"].shape)
    expected = prepare(dataclasses.replace(MFEAT, test=({**inputs, "kar": mean}, labels))).test[0]
    found, same_labels = disturbed(prepare(MFEAT), MFEAT.card, {"missing": 2})
    assert same_labels is not None and np.array_equal(same_labels, labels)
    for name in inputs:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def test_noise_replaces_one_modality_and_is_the_same_every_time():
    data = prepare(MFEAT)
    clean = data.test[0]["fac"].copy()
    (found, _), (again, _) = (disturbed(data, MFEAT.card, {"noise": 1}) for _ in range(2))
    np.testing.assert_array_equal(found["fac"], again["fac"])
    assert abs(found["fac"].mean()) < 0.01 and abs(found["fac"].std() - 1) < 0.01  # 345,600 numbers
    assert abs(np.corrcoef(found["fac"].ravel(), clean.ravel())[0, 1]) < 0.01
    for name in set(found) - {"fac"}:
        np.testing.assert_array_equal(found[name], data.test[0][name])
    np.testing.assert_array_equal(data.test[0]["fac"], clean)


STACK = describe("traffic-detectors").model_copy(
    update={
        "modalities": (
            Modality(name="sensors", shape=(2,), description="", kind="window", count=3),
            Modality(name="weather", shape=(4,), description=""),
        )
    }
)


def stacked():
    rng = np.random.default_rng(0)
    parts = [
        ({"sensors": rng.normal(size=(5, 3, 2)), "weather": rng.normal(size=(5, 4))}, np.zeros((5, 1)))
        for _ in range(3)
    ]
    parts[0][0]["weather"][:, 1] = 0
    return Prepared(*parts, task="forecasting", outputs=1, imbalanced=False, target_scaler=None)


@pytest.mark.parametrize("change", ["missing", "noise"])
def test_each_of_a_stack_is_a_modality(change):
    data = stacked()
    found = disturbed(data, STACK, {change: 1})[0]
    changed = found["sensors"] != data.test[0]["sensors"]
    assert changed[:, 1].all() and not changed[:, [0, 2]].any()
    np.testing.assert_array_equal(found["weather"], data.test[0]["weather"])
    behind = disturbed(data, STACK, {change: 3})[0]
    np.testing.assert_array_equal(behind["sensors"], data.test[0]["sensors"])
    assert (behind["weather"] != data.test[0]["weather"]).all()


def test_a_feature_without_a_deviation_has_no_noise():
    noise = disturbed(stacked(), STACK, {"noise": 3})[0]["weather"]
    assert (noise[:, 1] == 0).all() and (np.delete(noise, 1, axis=1) != 0).all()


@pytest.mark.parametrize("change", ["missing", "noise"])
def test_a_modality_that_there_is_not_is_refused(change):
    with pytest.raises(ValueError, match="There is no modality 4: traffic-detectors has 4, numbered from 0"):
        disturbed(stacked(), STACK, {change: 4})
