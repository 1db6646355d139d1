"""Comparisons of two fusions against SciPy, against simulated truths, and by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion.training import Comparison, Stratum, compare, decide, resample_scores


def errors(differences, baseline=100.0):
    """A stratum of errors ``[seeds, n]`` of two fusions with these differences, one observed target per sample."""
    second = np.full(differences.shape, baseline)
    return [Stratum(one, np.ones(differences.shape[1])) for one in (second + differences, second)]


def hits(first, second):
    """A stratum of two classes of two fusions from zeros and ones ``[seeds, n]``: whether each sample was right."""
    truth = np.ones(first.shape[1], int)
    return [Stratum(np.stack([1 - right, right], axis=2).astype(float), truth) for right in (first, second)]


def compared(metric, pairs, seed=0, **more):
    """The comparison of two fusions, a pair of strata for each set of test samples."""
    scores = [
        resample_scores(metric, range(len(strata[0].predicted)), strata, seed=seed, **more)
        for strata in zip(*pairs, strict=True)
    ]
    return compare(*scores)


def simulated(rng, seeds, samples, of_seeds, of_samples, of_both=1.0):
    """Normal differences around zero that vary with the seed, the sample, and both."""
    return (
        of_seeds * rng.normal(size=(seeds, 1))
        + of_samples * rng.normal(size=(1, samples))
        + of_both * rng.normal(size=(seeds, samples))
    )


def test_the_difference_is_the_first_score_minus_the_second_in_the_mean_over_seeds():
    first, second = np.array([[1, 1, 1, 0], [1, 1, 0, 0]]), np.array([[1, 0, 0, 0], [1, 1, 0, 0]])
    found = compared("accuracy", [hits(first, second)])
    assert (found.metric, found.seeds) == ("accuracy", 2)
    assert found.difference == pytest.approx(0.625 - 0.375)
    assert found.baseline == pytest.approx(0.375)


def test_errors_are_averaged_over_observed_targets():
    pair = [Stratum(np.array([[1.0, np.nan, last]] * 2), np.array([3, 0, 1])) for last in (4.0, 2.0)]
    found = compared("mae", [pair])
    assert (found.baseline, found.difference) == (pytest.approx(5 / 4), pytest.approx(2 / 4))


def test_the_roc_auc_can_be_compared_where_several_classes_can_be_true():
    labels = np.array([[0, 1], [1, 0], [1, 1], [0, 0]] * 5)
    right = np.stack([labels, labels]).astype(float)
    found = compared("roc_auc", [[Stratum(right, labels), Stratum(1 - right, labels)]])
    assert found.difference == found.ci95_low == found.ci95_high == 1


def test_resamples_without_a_score_are_left_out():
    right = np.tile(np.eye(2), (3, 1, 1))  # half of the resamples of two samples have one class
    truth = np.array([0, 1])
    found = compared("roc_auc", [[Stratum(right, truth), Stratum(1 - right, truth)]])
    assert found.difference == found.ci95_low == found.ci95_high == 1
    assert found.std_samples == 0


def test_the_score_of_several_strata_is_their_mean_whatever_their_sizes():
    pairs = [errors(np.full((3, 5), 1.0), baseline=1.0), errors(np.full((3, 50), 2.0), baseline=3.0)]
    found = compared("mae", pairs)
    assert found.difference == pytest.approx(1.5)
    assert found.baseline == pytest.approx(2.0)


@given(st.integers(0, 2**32 - 1))
def test_p_is_scipy_s_where_all_differences_differ(seed):
    differences = np.random.default_rng(seed).normal(size=(9, 4))
    found = compared("mae", [errors(differences)], resamples=100)
    assert found.p_value == pytest.approx(stats.wilcoxon(differences.mean(axis=1), method="exact").pvalue)


def test_p_of_twenty_seeds_that_agree_is_the_least_there_is_though_some_tie():
    differences = np.repeat([-0.1, -0.2, -0.3, -0.4], 5)[:, None]
    assert compared("mae", [errors(differences)]).p_value == pytest.approx(2 / 2**20)


def test_beyond_fifty_seeds_p_is_the_normal_approximation():
    differences = np.random.default_rng(0).integers(-2, 4, size=(60, 1)).astype(float)
    expected = stats.wilcoxon(differences[:, 0], zero_method="pratt", method="asymptotic").pvalue
    assert compared("mae", [errors(differences)]).p_value == pytest.approx(expected)


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=4, max_size=14))
def test_p_counts_the_signs_that_are_as_extreme_where_seeds_tie(correct):
    """With zeros ranked but without a sign, over all ways to draw the others' signs."""
    first = np.arange(20) < 10 + np.array(correct)[:, None]
    second = np.broadcast_to(np.arange(20) < 10, first.shape)
    ranks = stats.rankdata(np.abs(correct)) * (np.array(correct) != 0)
    signs = np.array(np.meshgrid(*[[-1, 1]] * len(correct))).reshape(len(correct), -1)
    sums = np.abs(ranks @ signs)
    expected = np.mean(sums >= abs(ranks @ np.sign(correct)) - 1e-9)
    found = compared("accuracy", [hits(first, second)], resamples=100)
    assert found.p_value == pytest.approx(expected)


def test_equal_fusions_have_p_one_and_an_interval_of_zero():
    same = np.random.default_rng(0).integers(2, size=(8, 30))
    found = compared("accuracy", [hits(same, same)])
    assert (found.difference, found.ci95_low, found.ci95_high, found.p_value) == (0, 0, 0, 1)
    assert np.isnan(found.share_of_seeds)


def test_where_samples_do_not_matter_the_interval_is_scipy_s_over_seeds():
    differences = np.random.default_rng(1).normal(size=12)
    expected = stats.bootstrap(
        (differences,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(2)
    )
    found = compared("mae", [errors(np.repeat(differences[:, None], 30, axis=1))], resamples=20000)
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
    found = compared("mae", [errors(np.tile(differences, (7, 1)))], resamples=20000)
    limits = expected.confidence_interval
    assert (found.ci90_low, found.ci90_high) == pytest.approx((limits.low, limits.high), abs=0.01)
    assert found.std_samples == pytest.approx(expected.standard_error, rel=0.02)
    assert found.share_of_seeds == pytest.approx(0)


def test_samples_of_all_strata_are_drawn_apart_and_seeds_together():
    """The variance of a mean of k independent parts is a k-th; what they share stays."""
    rng = np.random.default_rng(0)
    of_samples, of_seeds = rng.normal(size=(5, 1, 60)), rng.normal(size=(8, 1))
    one = compared("mae", [errors(of_seeds + of_samples[0])], resamples=4000)
    five = compared("mae", [errors(of_seeds + of_samples[0]) for _ in range(5)], resamples=4000)
    assert five.std_samples == pytest.approx(one.std_samples / np.sqrt(5), rel=0.05)
    assert five.std_seeds == pytest.approx(one.std_seeds)


def test_the_variance_says_whether_it_is_people_or_training():
    rng = np.random.default_rng(0)
    people = compared("mae", [errors(simulated(rng, 10, 40, of_seeds=0.1, of_samples=5))])
    training = compared("mae", [errors(simulated(rng, 10, 40, of_seeds=5, of_samples=0.1))])
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
        found = compared("mae", [errors(differences)], seed=repetition, resamples=400)
        covered += found.ci95_low <= 0 <= found.ci95_high
    assert lowest <= covered / repetitions <= highest


def test_the_seed_fixes_what_is_drawn_and_no_global_state_does():
    pair = errors(simulated(np.random.default_rng(0), 6, 30, 1, 1))
    first = compared("mae", [pair], seed=3)
    np.random.seed(1)  # noqa: NPY002
    assert compared("mae", [pair], seed=3) == first
    assert compared("mae", [pair], seed=4) != first


@given(st.integers(0, 2**32 - 1))
def test_the_other_way_round_everything_has_the_other_sign(seed):
    first, second = np.random.default_rng(seed).integers(2, size=(2, 6, 12))
    there = compared("accuracy", [hits(first, second)], resamples=100)
    back = compared("accuracy", [hits(second, first)], resamples=100)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.ci95_low, back.ci90_high) == pytest.approx((-there.ci95_high, -there.ci90_low))
    assert back.p_value == pytest.approx(there.p_value)


def test_seeds_that_one_of_both_lacks_are_left_out_wherever_they_stand():
    first, second = np.random.default_rng(0).integers(2, size=(2, 8, 30))
    common, ours, theirs = [0, 2, 3, 5, 6], [0, 2, 3, 5, 6, 1], [6, 5, 3, 2, 0, 7]
    left, right = hits(first[ours], second[theirs])
    found = compare(
        resample_scores("accuracy", ours, [left], seed=0), resample_scores("accuracy", theirs, [right], seed=0)
    )
    assert found == compared("accuracy", [hits(first[common], second[common])])


def test_fusions_share_the_draws_of_the_samples_they_share():
    truth = np.arange(40) % 2
    right = np.eye(2)[truth][None]
    strata = [right, 1 - right, np.repeat(right, 3, axis=0)]
    once, other, thrice = (
        resample_scores("accuracy", range(len(one)), [Stratum(one[:, :, [0, 0]], truth), Stratum(one, truth)], seed=1)
        for one in strata
    )
    assert once.scores[1:].std() > 0
    np.testing.assert_array_equal(thrice.scores, np.repeat(once.scores, 3, axis=1))
    np.testing.assert_allclose(once.scores - other.scores, 0.5)


CLASSES = np.full((6, 4, 2), 0.5)
ZEROS = np.zeros(4, int)
GOOD = Stratum(CLASSES, np.array([0, 1, 0, 1]))


@pytest.mark.parametrize(
    ("metric", "seeds", "strata", "more", "message"),
    [
        ("f1", range(6), [GOOD], {}, r"metric should be one of \['accuracy', 'roc_auc', 'mae'\], got 'f1'"),
        ("accuracy", range(6), [], {}, "at least one set of test samples, got none"),
        ("accuracy", range(6), [GOOD, GOOD._replace(predicted=CLASSES[:5])], {}, r"of the 6 seeds, got \[6, 5\]"),
        ("accuracy", [0, 1, 2, 3, 4, 0], [GOOD], {}, r"named once, got \[0, 1, 2, 3, 4, 0\]"),
        ("accuracy", [], [GOOD._replace(predicted=CLASSES[:0])], {}, r"\[seeds, n, classes\].*got \[0, 4, 2\]"),
        ("accuracy", range(6), [GOOD._replace(predicted=CLASSES * np.nan)], {}, "Probabilities should be finite"),
        ("roc_auc", range(6), [GOOD._replace(truth=ZEROS)], {}, "got samples of a single kind"),
        ("accuracy", range(6), [GOOD], {"resamples": 99}, "resamples should be an integer of at least 100, got 99"),
        ("accuracy", range(6), [GOOD], {"seed": -1}, "seed should be an integer of at least 0, got -1"),
    ],
)
def test_what_has_no_scores_is_named(metric, seeds, strata, more, message):
    with pytest.raises(ValueError, match=message):
        resample_scores(metric, seeds, strata, **{"seed": 0, **more})


SCORES = resample_scores("accuracy", range(6), [GOOD], seed=0, resamples=100)
SHORTER = GOOD._replace(predicted=CLASSES[:, :3], truth=GOOD.truth[:3])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (resample_scores("roc_auc", range(6), [GOOD], seed=0, resamples=100), "got .'accuracy', .* and .'roc_auc', "),
        (resample_scores("accuracy", range(6), [GOOD], seed=1, resamples=100), r"got .*, 100, 0\) and .*, 100, 1\)"),
        (resample_scores("accuracy", range(6), [GOOD], seed=0, resamples=200), "100.* and .*200"),
        (resample_scores("accuracy", range(6), [SHORTER], seed=0, resamples=100), r"\(4,\).* and .*\(3,\)"),
        (
            resample_scores("accuracy", range(5, 11), [GOOD], seed=0, resamples=100),
            r"two seeds that both have, got \[5\]",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(other, message):
    with pytest.raises(ValueError, match=message):
        compare(SCORES, other)


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
        (decision,) = decide([compared("mae", [errors(differences[:seeds])])])
        assert decision.word == word
        assert decision.p_holm == pytest.approx(2 / 2**seeds)


def test_strata_of_the_same_samples_are_drawn_together():
    rng = np.random.default_rng(0)
    errors, observed = rng.uniform(size=(8, 30)), np.ones(30)

    def spread(*names):
        strata = [Stratum(errors, observed, name) for name in names]
        return resample_scores("mae", range(8), strata, seed=0).scores[1:].mean(axis=1).std()

    # The same samples twice tell as much as once; as many others would tell more.
    assert spread("test", "test") == pytest.approx(spread("test"))
    assert spread("fold 0", "fold 1") == pytest.approx(spread("test") / np.sqrt(2), rel=0.1)
