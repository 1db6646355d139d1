"""Comparisons of two fusions against SciPy, against simulated truths, and by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion.training import Comparison, Stratum, compare, decide


def errors(differences, baseline=100.0):
    """A stratum of errors ``[seeds, n]`` with these differences, one observed target per sample."""
    second = np.full(differences.shape, baseline)
    return Stratum(second + differences, second, np.ones(differences.shape[1]))


def hits(first, second):
    """A stratum of two classes from zeros and ones ``[seeds, n]``: whether each sample was right."""
    probabilities = [np.stack([1 - right, right], axis=2).astype(float) for right in (first, second)]
    return Stratum(*probabilities, np.ones(first.shape[1], int))


def simulated(rng, seeds, samples, of_seeds, of_samples, of_both=1.0):
    """Normal differences around zero that vary with the seed, the sample, and both."""
    return (
        of_seeds * rng.normal(size=(seeds, 1))
        + of_samples * rng.normal(size=(1, samples))
        + of_both * rng.normal(size=(seeds, samples))
    )


def test_the_difference_is_the_first_score_minus_the_second_in_the_mean_over_seeds():
    first, second = np.array([[1, 1, 1, 0], [1, 1, 0, 0]]), np.array([[1, 0, 0, 0], [1, 1, 0, 0]])
    found = compare("accuracy", [hits(first, second)], seed=0)
    assert (found.metric, found.seeds) == ("accuracy", 2)
    assert found.difference == pytest.approx(0.625 - 0.375)
    assert found.baseline == pytest.approx(0.375)


def test_errors_are_averaged_over_observed_targets():
    stratum = Stratum(np.array([[1.0, np.nan, 4.0]] * 2), np.array([[1.0, np.nan, 2.0]] * 2), np.array([3, 0, 1]))
    found = compare("mae", [stratum], seed=0)
    assert (found.baseline, found.difference) == (pytest.approx(5 / 4), pytest.approx(2 / 4))


def test_the_roc_auc_can_be_compared_where_several_classes_can_be_true():
    labels = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 5)
    right = np.stack([labels, labels]).astype(float)
    found = compare("roc_auc", [Stratum(right, 1 - right, labels)], seed=0)
    assert found.difference == found.ci95_low == found.ci95_high == 1


def test_resamples_without_a_score_are_left_out():
    right = np.tile(np.eye(2), (3, 1, 1))  # half of the resamples of two samples have one class
    found = compare("roc_auc", [Stratum(right, 1 - right, np.array([0, 1]))], seed=0)
    assert found.difference == found.ci95_low == found.ci95_high == 1
    assert found.std_samples == 0


def test_the_score_of_several_strata_is_their_mean_whatever_their_sizes():
    strata = [errors(np.full((3, 5), 1.0), baseline=1.0), errors(np.full((3, 50), 2.0), baseline=3.0)]
    found = compare("mae", strata, seed=0)
    assert found.difference == pytest.approx(1.5)
    assert found.baseline == pytest.approx(2.0)


@given(st.integers(0, 2**32 - 1))
def test_p_is_scipy_s_where_all_differences_differ(seed):
    differences = np.random.default_rng(seed).normal(size=(9, 4))
    found = compare("mae", [errors(differences)], seed=0, resamples=100)
    assert found.p_value == pytest.approx(stats.wilcoxon(differences.mean(axis=1), method="exact").pvalue)


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=4, max_size=8))
def test_p_counts_the_signs_that_are_as_extreme_where_seeds_tie(correct):
    """With zeros ranked but without a sign, over all ways to draw the others' signs."""
    first = np.arange(20) < 10 + np.array(correct)[:, None]
    second = np.broadcast_to(np.arange(20) < 10, first.shape)
    ranks = stats.rankdata(np.abs(correct)) * (np.array(correct) != 0)
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(correct))).reshape(len(correct), -1)
    sums = np.abs(ranks @ signs)
    expected = np.mean(sums >= abs(ranks @ np.sign(correct)) - 1e-9)
    found = compare("accuracy", [hits(first, second)], seed=0, resamples=100)
    assert found.p_value == pytest.approx(expected)


def test_equal_fusions_have_p_one_and_an_interval_of_zero():
    same = np.random.default_rng(0).integers(2, size=(8, 30))
    found = compare("accuracy", [hits(same, same)], seed=0)
    assert (found.difference, found.ci95_low, found.ci95_high, found.p_value) == (0, 0, 0, 1)
    assert np.isnan(found.share_of_seeds)


def test_where_samples_do_not_matter_the_interval_is_scipy_s_over_seeds():
    differences = np.random.default_rng(1).normal(size=12)
    expected = stats.bootstrap(
        (differences,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(2)
    )
    found = compare("mae", [errors(np.repeat(differences[:, None], 30, axis=1))], seed=0, resamples=20000)
    limits = expected.confidence_interval
    assert (found.ci95_low, found.ci95_high) == pytest.approx((limits.low, limits.high), abs=0.02)
    assert found.std_seeds == pytest.approx(expected.standard_error, rel=0.02)
    assert found.std_samples == pytest.approx(0, abs=1e-12)
    assert found.share_of_seeds == pytest.approx(1)


def test_where_seeds_do_not_matter_the_interval_is_scipy_s_over_samples():
    differences = np.random.default_rng(1).normal(size=40)
    expected = stats.bootstrap(
        (differences,), np.mean, n_resamples=20000, method="percentile", confidence_level=0.9,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    found = compare("mae", [errors(np.tile(differences, (7, 1)))], seed=0, resamples=20000)
    limits = expected.confidence_interval
    assert (found.ci90_low, found.ci90_high) == pytest.approx((limits.low, limits.high), abs=0.01)
    assert found.std_samples == pytest.approx(expected.standard_error, rel=0.02)
    assert found.share_of_seeds == pytest.approx(0)


def test_samples_of_all_strata_are_drawn_apart_and_seeds_together():
    """The variance of a mean of k independent parts is a k-th; what they share stays."""
    rng = np.random.default_rng(0)
    of_samples, of_seeds = rng.normal(size=(5, 1, 60)), rng.normal(size=(8, 1))
    one = compare("mae", [errors(of_seeds + of_samples[0])], seed=0, resamples=4000)
    five = compare("mae", [errors(of_seeds + of_samples[0]) for _ in range(5)], seed=0, resamples=4000)
    assert five.std_samples == pytest.approx(one.std_samples / np.sqrt(5), rel=0.05)
    assert five.std_seeds == pytest.approx(one.std_seeds)


def test_the_variance_says_whether_it_is_people_or_training():
    rng = np.random.default_rng(0)
    people = compare("mae", [errors(simulated(rng, 10, 40, of_seeds=0.1, of_samples=5))], seed=0)
    training = compare("mae", [errors(simulated(rng, 10, 40, of_seeds=5, of_samples=0.1))], seed=0)
    assert people.share_of_seeds < 0.1
    assert training.share_of_seeds > 0.9


@pytest.mark.parametrize(
    ("seeds", "of_seeds", "of_samples", "lowest", "highest"),
    [
        (20, 0.5, 1.2, 0.92, 0.98),
        (20, 0.0, 3.0, 0.92, 0.98),
        (20, 3.0, 0.0, 0.88, 0.96),  # few seeds alone: too narrow
        (6, 3.0, 0.0, 0.82, 0.92),
        (20, 0.0, 0.0, 0.98, 1.0),  # what seeds and samples have together alone: too wide
    ],
)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(seeds, of_seeds, of_samples, lowest, highest):
    rng = np.random.default_rng(0)
    repetitions = 300
    covered = 0
    for repetition in range(repetitions):
        differences = simulated(rng, seeds, 50, of_seeds, of_samples)
        found = compare("mae", [errors(differences)], seed=repetition, resamples=400)
        covered += found.ci95_low <= 0 <= found.ci95_high
    assert lowest <= covered / repetitions <= highest


def test_the_seed_fixes_what_is_drawn_and_no_global_state_does():
    stratum = errors(simulated(np.random.default_rng(0), 6, 30, 1, 1))
    first = compare("mae", [stratum], seed=3)
    np.random.seed(1)  # noqa: NPY002
    assert compare("mae", [stratum], seed=3) == first
    assert compare("mae", [stratum], seed=4) != first


@given(st.integers(0, 2**32 - 1))
def test_the_other_way_round_everything_has_the_other_sign(seed):
    first, second = np.random.default_rng(seed).integers(2, size=(2, 6, 12))
    there = compare("accuracy", [hits(first, second)], seed=0, resamples=100)
    back = compare("accuracy", [hits(second, first)], seed=0, resamples=100)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.ci95_low, back.ci90_high) == pytest.approx((-there.ci95_high, -there.ci90_low))
    assert back.p_value == pytest.approx(there.p_value)


CLASSES = np.full((6, 4, 2), 0.5)
ZEROS = np.zeros(4, int)
GOOD = Stratum(CLASSES, CLASSES, np.array([0, 1, 0, 1]))


@pytest.mark.parametrize(
    ("metric", "strata", "more", "message"),
    [
        ("f1", [GOOD], {}, r"metric should be one of \['accuracy', 'roc_auc', 'mae'\], got 'f1'"),
        ("accuracy", [], {}, "at least one set of test samples, got none"),
        (
            "accuracy",
            [GOOD._replace(first=CLASSES[:5])],
            {},
            r"got the shapes \[5, 4, 2\] and \[6, 4, 2\] in stratum 0",
        ),
        ("accuracy", [GOOD, Stratum(CLASSES[:5], CLASSES[:5], ZEROS)], {}, r"the same seeds, got \[6, 5\]"),
        ("accuracy", [Stratum(CLASSES[:0], CLASSES[:0], ZEROS)], {}, "at least two seeds, got 0"),
        ("accuracy", [Stratum(CLASSES[:1], CLASSES[:1], ZEROS)], {}, "at least two seeds, got 1"),
        ("accuracy", [GOOD._replace(second=CLASSES * np.nan)], {}, "Probabilities should be finite, got NaN"),
        ("roc_auc", [GOOD._replace(truth=ZEROS)], {}, "got samples of a single kind"),
        ("accuracy", [GOOD], {"resamples": 99}, "resamples should be an integer of at least 100, got 99"),
        ("accuracy", [GOOD], {"seed": -1}, "seed should be an integer of at least 0, got -1"),
    ],
)
def test_what_cannot_be_compared_is_named(metric, strata, more, message):
    with pytest.raises(ValueError, match=message):
        compare(metric, strata, **{"seed": 0, **more})


SURE = Comparison(
    metric="accuracy",
    seeds=10,
    baseline=0.8,
    difference=0.05,
    ci95_low=0.03,
    ci95_high=0.07,
    ci90_low=0.035,
    ci90_high=0.065,
    p_value=0.002,
    std_seeds=0.01,
    std_samples=0.01,
)


def around(centre, **more):
    """A comparison with this difference; its intervals are ±0.02 and ±0.015 wide."""
    limits = {"ci95_low": -0.02, "ci90_low": -0.015, "ci90_high": 0.015, "ci95_high": 0.02}
    return dataclasses.replace(SURE, difference=centre, **{name: centre + off for name, off in limits.items()}, **more)


def narrow(centre, scale=1.0, **more):
    """A comparison with this difference; its intervals are a tenth as wide."""
    limits = {"ci95_low": -0.002, "ci90_low": -0.0015, "ci90_high": 0.0015, "ci95_high": 0.002}
    return dataclasses.replace(
        SURE, difference=centre, **{name: centre + scale * off for name, off in limits.items()}, **more
    )


@pytest.mark.parametrize(
    ("comparison", "word"),
    [
        (around(0.05), "better"),
        (around(-0.05), "worse"),
        (around(-0.05, metric="roc_auc"), "worse"),
        (around(-0.05, metric="mae"), "better"),
        (around(0.05, metric="mae"), "worse"),
        (around(0.05, p_value=0.06), "undecided"),
        (around(0.015), "undecided"),  # p is small, but the interval reaches zero
        (around(0.0, p_value=0.9), "undecided"),
        (narrow(0.0, p_value=0.9), "equivalent"),
        (narrow(0.0, metric="roc_auc", p_value=0.9), "equivalent"),
        (narrow(0.008), "equivalent"),  # sure, and within the margin
        (narrow(0.009, p_value=0.9), "undecided"),  # the 90 % interval ends at 0.0105
        (narrow(-0.009), "worse"),
        (narrow(0.03, scale=10, metric="mae", baseline=5.0), "equivalent"),  # margin 0.05
        (narrow(0.03, scale=10, metric="mae", baseline=4.0), "worse"),  # margin 0.04
        (around(0.05, seeds=5, p_value=0.0625), "undecided"),
        (narrow(0.0, seeds=5, p_value=0.9), "undecided"),
    ],
)
def test_every_word_has_one_meaning(comparison, word):
    (decision,) = decide([comparison])
    assert decision.word == word
    assert decision.p_holm == comparison.p_value  # one comparison needs no correction


def test_holm_s_correction_by_hand():
    p_values = [0.01, 0.04, 0.03, 0.005]
    corrected = [0.03, 0.06, 0.06, 0.02]  # 3 x 0.01, then max(2 x 0.03, 0.04) for both, 4 x 0.005
    decisions = decide([around(0.05, p_value=p) for p in p_values])
    assert [one.p_holm for one in decisions] == pytest.approx(corrected)
    assert [one.word for one in decisions] == ["better", "undecided", "undecided", "better"]


def test_a_table_without_comparisons_has_no_decisions():
    assert decide([]) == []


def test_five_seeds_cannot_decide_and_six_can():
    differences = np.tile(np.linspace(1, 2, 40), (6, 1)) * np.linspace(1, 1.1, 6)[:, None]
    for seeds, word in ((5, "undecided"), (6, "worse")):
        (decision,) = decide([compare("mae", [errors(differences[:seeds])], seed=0)])
        assert decision.word == word
        assert decision.p_holm == pytest.approx(2 / 2**seeds)
