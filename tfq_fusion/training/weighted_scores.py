"""Scores of several seeds for many weightings of the test samples at once, as a bootstrap draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from tfq_fusion._typing import FloatArray, IntegerArray

LARGE = 1000
"""Samples from which on an area is computed to first order."""


def weighted_accuracy(
    predicted: FloatArray, truth: npt.NDArray[Any], weights: IntegerArray | FloatArray
) -> npt.NDArray[np.float64]:
    """The weighted share of samples whose largest probability is that of their class.

    Args:
        predicted: Class probabilities ``[seeds, n, classes]``.
        truth: Class indices ``[n]``.
        weights: How often each sample counts, ``[resamples, n]``.

    Returns:
        ``[resamples, seeds]``, float64.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, a class index is none of the classes, or weights are
            negative or all zero.
    """
    _check_classes(predicted, truth, weights)
    if truth.ndim != 1:
        raise ValueError(
            f"Accuracy needs one class per sample, class indices [n], got truth of shape {list(truth.shape)}. Where "
            "several classes can be true, use the ROC AUC."
        )
    right = (predicted.argmax(axis=2) == truth).astype(np.float64)
    weights = weights.astype(np.float64)
    shares: npt.NDArray[np.float64] = weights @ right.T / weights.sum(axis=1, keepdims=True)
    return shares


def weighted_roc_auc(
    predicted: FloatArray, truth: npt.NDArray[Any], weights: IntegerArray | FloatArray
) -> npt.NDArray[np.float64]:
    """The weighted ROC AUC of each class against all others, averaged over the classes.

    The area of a class is exact: the share of pairs of a sample that has it and one that has not, each pair weighted by
    the product of both weights, in which the former has the higher probability; ties count half. A class that every
    weighted sample has, or none, has no such pairs and is left out of the average. With two classes that exclude each
    other the area is that of the second: the other's is the same.

    From 1,000 samples on (``LARGE``) the area is that to first order in the weights (Hoeffding's decomposition; see
    DeLong et al. 1988, Biometrics 44, 837-845): exact where all weights are equal, and else, in a bootstrap, within a
    fifth of the spread of the exact one, and the spread itself within 1 %. The exact area of 2,000 resamples of 10,000
    samples takes half a minute for twenty seeds, this one 2 s.

    Probabilities are ordered as they are given. :func:`tfq_fusion.training.evaluate` first divides those of a sample by
    their sum, which float32 misses a little, and so decides near ties otherwise.

    Args:
        predicted: Class probabilities ``[seeds, n, classes]``.
        truth: Class indices ``[n]``, or zeros and ones ``[n, classes]`` where several classes can be true.
        weights: How often each sample counts, ``[resamples, n]``.

    Returns:
        ``[resamples, seeds]``, float64; NaN where no class has a pair. Below ``LARGE`` samples the value is that of
        ``sklearn.metrics.roc_auc_score(..., average="macro", multi_class="ovr", sample_weight=...)``.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, a class index is none of the classes, weights are
            negative or all zero, or no class has a pair even if every sample counts.
    """
    _check_classes(predicted, truth, weights)
    if truth.ndim == 2:
        scores, positive = predicted, truth.astype(bool)
    else:
        scores, positive = predicted, truth[:, None] == np.arange(predicted.shape[2])
        if predicted.shape[2] == 2:
            scores, positive = scores[:, :, 1:], positive[:, 1:]
    if not (positive.any(axis=0) & ~positive.all(axis=0)).any():
        raise ValueError(
            "ROC AUC needs a class that some samples have and others have not, got samples of a single kind. Test on "
            "more of them, or compare the accuracy."
        )
    areas_of = _areas_to_first_order if len(truth) >= LARGE else _areas
    return areas_of(scores, positive, weights)


def _areas_to_first_order(
    scores: FloatArray, positive: npt.NDArray[np.bool_], weights: IntegerArray | FloatArray
) -> npt.NDArray[np.float64]:
    """The mean area over the classes: that of equal weights, and what each sample's own weight changes."""
    weights = weights.astype(np.float64)
    areas, classes = np.zeros((len(weights), len(scores))), np.zeros((len(weights), 1))
    for has, of_class in zip(positive.T, np.moveaxis(scores, 2, 0), strict=True):
        if has.all() or not has.any():
            continue
        shares = np.stack([_shares_won(of_seed, has) for of_seed in of_class], axis=1)
        having, lacking = (weights @ np.column_stack([side[:, None] * shares, side]) for side in (has, ~has))
        there = (having[:, -1:] > 0) & (lacking[:, -1:] > 0)
        # Where a class has no weight, or all of it, another divisor does: its area does not count.
        parts = [each[:, :-1] / np.where(there, each[:, -1:], 1.0) for each in (having, lacking)]
        areas += np.where(there, parts[0] + parts[1] - shares[has].mean(axis=0), 0.0)
        classes += there
    mean: npt.NDArray[np.float64] = np.divide(areas, classes, out=np.full_like(areas, np.nan), where=classes > 0)
    return mean


def _shares_won(scores: FloatArray, has: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Of each sample, the share of the other kind that it is ordered rightly with, ``[n]``; ties count half."""
    shares = np.empty(len(scores))
    for side, sign in ((has, 1), (~has, -1)):
        own, others = sign * scores[side], np.sort(sign * scores[~side])
        below = np.searchsorted(others, own, side="left") + np.searchsorted(others, own, side="right")
        shares[side] = below / (2 * len(others))
    return shares


def _areas(
    scores: FloatArray, positive: npt.NDArray[np.bool_], weights: IntegerArray | FloatArray
) -> npt.NDArray[np.float64]:
    """The mean area over the classes, pair by pair."""
    by_sample = np.ascontiguousarray(weights.T, dtype=_exact_type(weights))
    areas = np.zeros((len(scores), len(weights)))
    classes = np.zeros(len(weights))
    for k in range(positive.shape[1]):
        has = positive[:, k]
        having, lacking = by_sample[has], by_sample[~has]
        pairs = having.sum(axis=0, dtype=np.float64) * lacking.sum(axis=0, dtype=np.float64)
        classes += pairs > 0
        for seed, of_seed in enumerate(scores[:, :, k]):
            won = _pairs_won(of_seed[has], of_seed[~has], having, lacking)
            areas[seed] += np.divide(won, pairs, out=np.zeros_like(won), where=pairs > 0)
    mean: npt.NDArray[np.float64] = np.divide(areas, classes, out=np.full_like(areas, np.nan), where=classes > 0)
    return mean.T


def _exact_type(weights: IntegerArray | FloatArray) -> type[np.floating[Any]]:
    """Float32, in half the time, where it is exact: it holds whole numbers up to 2^24.

    Twice the weight of pairs, the largest number that is summed, is at most half of the squared weight of all samples.
    """
    whole = np.issubdtype(weights.dtype, np.integer) and int(weights.sum(axis=1).max(initial=0)) ** 2 / 2 < 2**24
    return np.float32 if whole else np.float64


def _pairs_won(
    positive: FloatArray, negative: FloatArray, positive_weights: FloatArray, negative_weights: FloatArray
) -> npt.NDArray[np.float64]:
    """The summed weight of pairs whose positive sample has the higher score; weights are ``[samples, resamples]``.

    Negatives between two neighbouring positives lose to the same positives, so they are summed before they are ranked:
    a sparse product passes over their weights once, where sorting them takes several copies.
    """
    levels, level = np.unique(positive, return_inverse=True)
    # Even places lie between two levels of the positives, odd ones on a level.
    place = np.searchsorted(levels, negative, side="left") + np.searchsorted(levels, negative, side="right")
    count = len(negative)
    belongs = sparse.csr_array(
        (np.ones(count, negative_weights.dtype), (place, np.arange(count))), shape=(2 * len(levels) + 1, count)
    )
    up_to = np.cumsum(belongs @ negative_weights, axis=0)
    twice: FloatArray = np.einsum("nr,nr->r", positive_weights, up_to[2 * level] + up_to[2 * level + 1])
    return twice.astype(np.float64) / 2


def weighted_mae(
    errors: FloatArray, observed: IntegerArray, weights: IntegerArray | FloatArray
) -> npt.NDArray[np.float64]:
    """The mean absolute error over all observed targets of the weighted samples.

    Args:
        errors: Mean absolute error of each sample over its observed targets, ``[seeds, n]``; anything, such as NaN,
            where it has none.
        observed: How many targets of each sample were observed, ``[n]``.
        weights: How often each sample counts, ``[resamples, n]``.

    Returns:
        ``[resamples, seeds]``, float64, in the unit of the errors; NaN where nothing was observed.

    Raises:
        ValueError: If shapes do not fit, an error of observed targets is not finite or is negative, counts are negative
            or all zero, or weights are.
    """
    if errors.ndim != 2 or observed.shape != errors.shape[1:]:
        raise ValueError(
            "Errors and counts of observed targets should have the shapes [seeds, n] and [n], got "
            f"{list(errors.shape)} and {list(observed.shape)}."
        )
    _check_weights("observed", observed[None], len(observed))
    _check_weights("weights", weights, len(observed))
    known = np.where(observed > 0, errors, 0.0).astype(np.float64)
    if not (np.isfinite(known) & (known >= 0)).all():
        raise ValueError("Errors of observed targets should be finite and at least 0: leave out seeds that diverged.")
    counts = weights.astype(np.float64) * observed
    total = counts.sum(axis=1, keepdims=True)
    summed = counts @ known.T
    mean: npt.NDArray[np.float64] = np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0)
    return mean


def _check_classes(predicted: FloatArray, truth: npt.NDArray[Any], weights: IntegerArray | FloatArray) -> None:
    if predicted.ndim != 3 or 0 in predicted.shape or truth.shape not in (predicted.shape[1:2], predicted.shape[1:]):
        raise ValueError(
            "Probabilities and truth should have the shapes [seeds, n, classes] and [n] or [n, classes], got "
            f"{list(predicted.shape)} and {list(truth.shape)}."
        )
    if not np.isfinite(predicted).all():
        raise ValueError("Probabilities should be finite, got NaN or infinite values: leave out seeds that diverged.")
    known = 2 if truth.ndim == 2 else predicted.shape[2]
    if not np.isin(truth, np.arange(known)).all():
        raise ValueError(f"truth should be {list(range(known))} in every place, got {np.unique(truth).tolist()}.")
    _check_weights("weights", weights, len(truth))


def _check_weights(name: str, weights: IntegerArray | FloatArray, samples: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != samples:
        raise ValueError(f"{name} should have the shape [resamples, {samples}], got {list(weights.shape)}.")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (weights.sum(axis=1) > 0).all()):
        raise ValueError(f"{name} should be finite and at least 0, and not all zero, got {weights}.")
