"""Weighted scores against scikit-learn's, weight by weight and seed by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tfq_fusion.training import evaluate, weighted_accuracy, weighted_mae, weighted_roc_auc, weighted_scores

SEEDS, SAMPLES = 2, 15


def drawn(seed, classes):
    """Probabilities with many ties, a truth that has every class, and weights, zeros among them."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(classes, size=SAMPLES - classes)])
    probabilities = rng.integers(1, 4, size=(SEEDS, SAMPLES, classes)).astype(float)
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    return probabilities, truth, rng.integers(4, size=(5, SAMPLES)) + np.eye(5, SAMPLES, dtype=int)


def area_by_pairs(positive, scores, weights):
    """Share of weighted (positive, negative) pairs that are ordered rightly; ties count half."""
    won = np.sign(scores[positive][:, None] - scores[~positive]) / 2 + 0.5
    pairs = np.outer(weights[positive], weights[~positive])
    return np.sum(won * pairs) / pairs.sum() if pairs.sum() else np.nan


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_accuracy_is_scikit_learn_s(seed, classes):
    probabilities, truth, weights = drawn(seed, classes)
    expected = [
        [metrics.accuracy_score(truth, one.argmax(axis=1), sample_weight=weight) for one in probabilities]
        for weight in weights
    ]
    np.testing.assert_allclose(weighted_accuracy(probabilities, truth, weights), expected)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_roc_auc_is_scikit_learn_s_where_every_class_has_weight(seed, classes):
    probabilities, truth, weights = drawn(seed, classes)
    weights[:, :classes] += 1
    scores = probabilities[..., 1] if classes == 2 else probabilities
    expected = [
        [metrics.roc_auc_score(truth, one, average="macro", multi_class="ovr", sample_weight=weight) for one in scores]
        for weight in weights
    ]
    np.testing.assert_allclose(weighted_roc_auc(probabilities, truth, weights), expected)


def test_with_many_samples_the_roc_auc_spreads_as_the_exact_one_does(monkeypatch):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=weighted_scores.LARGE)
    predicted = rng.normal(size=(SEEDS, len(truth), 3)).round(1) + 0.8 * np.eye(3)[truth]  # with ties
    drawn = rng.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=200)
    weights = np.vstack([np.ones(len(truth), int), drawn, truth > 0])
    exact = weighted_roc_auc(predicted, truth, weights)
    monkeypatch.setattr(weighted_scores, "LARGE", 0)
    found = weighted_roc_auc(predicted, truth, weights)
    np.testing.assert_allclose(found[0], exact[0], atol=1e-12)
    np.testing.assert_allclose(found[-1], exact[-1], atol=1e-12)  # a class that is not drawn, and equal weights
    assert np.abs(found - exact).max() < 0.2 * exact[1:-1].std(axis=0).min()
    np.testing.assert_allclose(found[1:-1].std(axis=0), exact[1:-1].std(axis=0), rtol=0.01)


@pytest.mark.parametrize("samples", [500, 999])
def test_whole_weights_give_the_bits_of_fractional_ones_whatever_their_number(samples):
    """Sums of whole numbers are exact in any type that is wide enough for them."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=samples)
    second = (0.9 * truth + rng.uniform(size=samples)) / 3  # it nearly tells the classes apart: most pairs count
    probabilities = np.stack([1 - second, second], axis=1)[None]
    weights = rng.multinomial(samples, np.full(samples, 1 / samples), size=3)
    whole, fractional = (weighted_roc_auc(probabilities, truth, one) for one in (weights, weights.astype(float)))
    np.testing.assert_array_equal(whole, fractional)


@given(st.integers(0, 2**32 - 1))
def test_roc_auc_where_several_classes_can_be_true_is_scikit_learn_s(seed):
    probabilities, _, weights = drawn(seed, 3)
    labels = np.concatenate(
        [np.eye(3), 1 - np.eye(3), np.random.default_rng(seed).integers(2, size=(SAMPLES - 6, 3))]
    ).astype(int)
    weights[:, :6] += 1
    expected = [
        [metrics.roc_auc_score(labels, one, average="macro", sample_weight=weight) for one in probabilities]
        for weight in weights
    ]
    np.testing.assert_allclose(weighted_roc_auc(probabilities, labels, weights), expected)


@given(st.integers(0, 2**32 - 1), st.integers(3, 5))
def test_a_class_without_weight_or_with_all_of_it_is_left_out(seed, classes):
    probabilities, truth, weights = drawn(seed, classes)
    weights[0, truth == 0] = 0
    weights[1] = truth == 1
    expected = [
        [np.mean([area for k in range(classes) if not np.isnan(area := area_by_pairs(truth == k, one[:, k], weight))]
                 or [np.nan]) for one in probabilities]
        for weight in weights
    ]  # fmt: skip
    found = weighted_roc_auc(probabilities, truth, weights)
    np.testing.assert_allclose(found, expected)
    assert np.isnan(found[1]).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_with_every_sample_once_the_scores_are_those_of_the_tables(seed, classes):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(classes, size=20)])
    predicted = rng.dirichlet(np.full(classes, 0.02), size=(SEEDS, len(truth))).astype(np.float32)  # near ties
    once = np.ones((1, len(truth)))
    reported = [evaluate("classification", truth, one) for one in predicted]
    assert weighted_accuracy(predicted, truth, once)[0].tolist() == [one["accuracy"] for one in reported]
    normalised = predicted.astype(np.float64)
    normalised /= normalised.sum(axis=2, keepdims=True)
    found = weighted_roc_auc(normalised, truth, once)[0]
    assert found == pytest.approx([one["roc_auc"] for one in reported], abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_mae_is_scikit_learn_s_over_the_targets_that_were_observed(seed):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(size=(SAMPLES, 4)), rng.normal(size=(SEEDS, SAMPLES, 4))
    truth[rng.uniform(size=truth.shape) < 0.3] = np.nan
    truth[0] = np.nan
    truth[1] = 0
    weights = rng.integers(4, size=(5, SAMPLES)) + np.eye(5, SAMPLES, 1, dtype=int)
    weights[:, 1] += 1
    seen = ~np.isnan(truth)
    with np.errstate(invalid="ignore"):
        errors = np.where(seen, np.abs(predicted - truth), 0).sum(axis=2) / seen.sum(axis=1)  # NaN in sample 0
    expected = [
        [
            metrics.mean_absolute_error(truth[seen], one[seen], sample_weight=np.repeat(weight, seen.sum(axis=1)))
            for one in predicted
        ]
        for weight in weights
    ]
    np.testing.assert_allclose(weighted_mae(errors, seen.sum(axis=1), weights), expected)


def test_mae_is_unknown_where_nothing_was_observed():
    found = weighted_mae(np.array([[1.0, np.nan]]), np.array([3, 0]), np.array([[1, 1], [0, 2]]))
    np.testing.assert_array_equal(found, [[1.0], [np.nan]])


PREDICTED = np.full((2, 3, 2), 0.5)
TRUTH = np.array([0, 1, 1])
ONCE = np.ones((1, 3))


@pytest.mark.parametrize("score", [weighted_accuracy, weighted_roc_auc])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PREDICTED[0], TRUTH, ONCE), r"\[seeds, n, classes\] and \[n\] or \[n, classes\], got \[3, 2\] and \[3\]"),
        ((PREDICTED[:0], TRUTH, ONCE), r"got \[0, 3, 2\] and \[3\]"),
        ((PREDICTED, TRUTH[:2], ONCE), r"got \[2, 3, 2\] and \[2\]"),
        ((PREDICTED * np.nan, TRUTH, ONCE), "Probabilities should be finite"),
        ((PREDICTED, TRUTH + 1, ONCE), r"truth should be \[0, 1\] in every place, got \[1, 2\]"),
        ((PREDICTED, TRUTH, ONCE[:, :2]), r"weights should have the shape \[resamples, 3\], got \[1, 2\]"),
        ((PREDICTED, TRUTH, ONCE[0]), r"weights should have the shape \[resamples, 3\], got \[3\]"),
        ((PREDICTED, TRUTH, -ONCE), "weights should be finite and at least 0, and not all zero"),
        ((PREDICTED, TRUTH, 0 * ONCE), "weights should be finite and at least 0, and not all zero"),
    ],
)
def test_what_has_no_score_is_named(score, arguments, message):
    with pytest.raises(ValueError, match=message):
        score(*arguments)


def test_one_class_has_no_roc_auc_and_several_true_ones_no_accuracy():
    with pytest.raises(ValueError, match="ROC AUC needs a class that some samples have and others have not"):
        weighted_roc_auc(PREDICTED, np.ones(3, int), ONCE)
    with pytest.raises(ValueError, match=r"Accuracy needs one class per sample.* got truth of shape \[3, 2\]"):
        weighted_accuracy(PREDICTED, np.ones((3, 2), int), ONCE)


@pytest.mark.parametrize(
    ("errors", "observed", "message"),
    [
        (np.ones(3), np.ones(3), r"\[seeds, n\] and \[n\], got \[3\] and \[3\]"),
        (np.ones((2, 3)), np.ones(2), r"got \[2, 3\] and \[2\]"),
        (np.full((2, 3), np.nan), np.ones(3), "Errors of observed targets should be finite"),
        (-np.ones((2, 3)), np.ones(3), "Errors of observed targets should be finite and at least 0"),
        (np.ones((2, 3)), np.zeros(3), "observed should be finite and at least 0, and not all zero"),
    ],
)
def test_what_has_no_error_is_named(errors, observed, message):
    with pytest.raises(ValueError, match=message):
        weighted_mae(errors, observed, ONCE)
