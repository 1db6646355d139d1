"""Whether one fusion is better than another: paired differences, their intervals, and one word for each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata, wilcoxon
from statsmodels.stats.multitest import multipletests

from tfq_fusion._typing import FloatArray
from tfq_fusion.arguments import SEEDS, integer, one_of
from tfq_fusion.training.weighted_scores import weighted_accuracy, weighted_mae, weighted_roc_auc

_SCORES = {"accuracy": weighted_accuracy, "roc_auc": weighted_roc_auc, "mae": weighted_mae}
_LOWER_IS_BETTER = ("mae",)

LEVEL = 0.05
"""How probable a table may make any "better" or "worse" where there is no difference."""

MARGIN = 0.01
"""The largest difference that does not matter: of accuracy or ROC AUC as it is, of MAE as a share of the baseline's."""

EXACT_SEEDS = 50
"""Seeds up to which the signed-rank test is exact."""
FEWEST_SEEDS = 6
"""With five seeds the least p of Wilcoxon's signed-rank test is 2 / 2^5 = 0.0625, above :data:`LEVEL`."""

Word = Literal["better", "worse", "equivalent", "undecided"]


class Stratum(NamedTuple):
    """What a fusion made of a set of test samples, seed by seed.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.training import Stratum, resample_scores
        >>> predicted = np.array([[[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.8, 0.2]]])  # by one seed
        >>> stratum = Stratum(predicted, truth=np.array([0, 1, 1, 0]))
        >>> resample_scores("accuracy", [0], [stratum], seed=0).scores[0]
        array([0.75])

    Attributes:
        predicted: Class probabilities ``[seeds, n, classes]``, or mean absolute errors ``[seeds, n]`` of each sample
            over its observed targets.
        truth: Class indices ``[n]``; zeros and ones ``[n, classes]`` where several classes can be true; for errors the
            number of observed targets of each sample, ``[n]``.
        samples: Names the samples: strata of one name have the same ones, of which the same are drawn. None for samples
            of its own.
    """

    predicted: FloatArray
    truth: npt.NDArray[Any]
    samples: Hashable | None = None


@dataclass(frozen=True, eq=False)
class ResampledScores:
    """The scores of a fusion on the test samples, and on samples that are drawn from them.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.training import Stratum, resample_scores
        >>> truth = np.arange(200) % 2
        >>> stratum = Stratum(np.tile(np.eye(2)[truth], (6, 1, 1)), truth)  # six seeds, always right
        >>> resampled = resample_scores("accuracy", range(6), [stratum], seed=0, resamples=100)
        >>> resampled.scores.shape
        (101, 6)

    Attributes:
        metric: "accuracy", "roc_auc" or "mae".
        seeds: Those that were trained.
        scores: ``[1 + resamples, seeds]``, float64: on the test samples as they are, then on each resample of them, in
            the mean over strata; NaN where a resample has none.
        samples: How many test samples each stratum has.
        seed: What fixed the draws. Fusions with the same seed, numbers of samples and of resamples share them.
    """

    metric: str
    seeds: tuple[int, ...]
    scores: npt.NDArray[np.float64]
    samples: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class Comparison:
    """The first fusion's score minus the second's, the baseline's.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.training import Stratum, compare, resample_scores
        >>> truth = np.arange(200) % 2
        >>> right = np.tile(np.eye(2)[truth], (6, 1, 1))  # six seeds, always right
        >>> wrong = right.copy()
        >>> wrong[:, :40] = right[:, :40, ::-1]  # six seeds, right but for the same 40 samples
        >>> ours, theirs = (
        ...     resample_scores("accuracy", range(6), [Stratum(predicted, truth)], seed=0)
        ...     for predicted in (right, wrong)
        ... )
        >>> round(compare(ours, theirs).difference, 2)
        0.2

    Attributes:
        metric: "accuracy", "roc_auc" or "mae".
        seeds: How many pairs were trained.
        baseline: Mean score of the second.
        difference: Mean over seeds, in the unit of the score.
        ci95_low: Its 95 % interval over seeds and samples begins here
        ci95_high: and ends here.
        ci90_low: Its 90 % interval begins here
        ci90_high: and ends here.
        p_value: Of Wilcoxon's signed-rank test over the seeds, two-sided.
        std_seeds: Standard deviation of the difference if other seeds had been drawn, and the same test samples.
        std_samples: The same if other test samples had been drawn, and the same seeds.
    """

    metric: str
    seeds: int
    baseline: float
    difference: float
    ci95_low: float
    ci95_high: float
    ci90_low: float
    ci90_high: float
    p_value: float
    std_seeds: float
    std_samples: float

    @property
    def share_of_seeds(self) -> float:
        """The seeds' part, from 0 to 1, of the variance that seeds and samples have one by one; NaN if that is zero."""
        seeds, samples = self.std_seeds**2, self.std_samples**2
        return seeds / (seeds + samples) if seeds + samples > 0 else float("nan")


@dataclass(frozen=True)
class Decision:
    """The word for a comparison, and its p after Holm's correction over the table.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.training import Stratum, compare, decide, resample_scores
        >>> truth = np.arange(200) % 2
        >>> right = np.tile(np.eye(2)[truth], (6, 1, 1))  # six seeds, always right
        >>> wrong = right.copy()
        >>> wrong[:, :40] = right[:, :40, ::-1]  # six seeds, right but for the same 40 samples
        >>> ours, theirs = (
        ...     resample_scores("accuracy", range(6), [Stratum(predicted, truth)], seed=0)
        ...     for predicted in (right, wrong)
        ... )
        >>> decide([compare(ours, theirs)])
        [Decision(word='better', p_holm=0.03125)]
    """

    word: Word
    p_holm: float


def resample_scores(
    metric: str, seeds: Sequence[int], strata: Sequence[Stratum], *, seed: int, resamples: int = 2000
) -> ResampledScores:
    """The scores of a fusion with each seed when its test samples are drawn with replacement.

    This takes nearly all of the time of a comparison, and once per fusion is enough: what is drawn depends on the seed
    and the numbers of samples alone, so fusions that were tested on the same samples get the same draws.

    Args:
        metric: "accuracy", "roc_auc" or "mae", see :func:`weighted_accuracy`, :func:`weighted_roc_auc` and
            :func:`weighted_mae`.
        seeds: Those that were trained, in the order of the predictions. Leave out a seed that diverged.
        strata: Sets of test samples, such as the folds of a cross-validation, or the same ones disturbed in several
            ways, each tested with every seed. Samples are drawn within their stratum; the score is the mean over
            strata.
        seed: Fixes what is drawn.
        resamples: How many times is drawn.

    Raises:
        ValueError: If there are no strata, if they do not have these seeds or one stands twice, if a value is not
            finite, or if the metric is unknown or cannot be taken of these samples.
    """
    one_of("metric", metric, list(_SCORES))
    seed, resamples = integer("seed", seed, 0, SEEDS - 1), integer("resamples", resamples, minimum=100)
    if not strata:
        raise ValueError("strata should hold at least one set of test samples, got none.")
    if len(set(seeds)) != len(seeds):
        raise ValueError(f"Every seed should be named once, got {list(seeds)}.")
    if any(len(stratum.predicted) != len(seeds) for stratum in strata):
        raise ValueError(
            f"Every stratum should have predictions of the {len(seeds)} seeds, got "
            f"{[len(stratum.predicted) for stratum in strata]}. Leave out a seed that one of them lacks."
        )
    by_stratum = []
    streams: dict[Hashable, np.random.SeedSequence] = {}
    for number, stream in enumerate(np.random.SeedSequence(seed).spawn(1 + len(strata))[1:]):
        stratum = strata[number]
        if stratum.samples is not None:
            stream = streams.setdefault((stratum.samples, len(stratum.truth)), stream)
        samples = len(stratum.truth)
        drawn = np.random.default_rng(stream).multinomial(samples, np.full(samples, 1 / samples), size=resamples)
        weights = np.vstack([np.ones(samples, drawn.dtype), drawn])  # the first row is the test part as it is
        by_stratum.append(_SCORES[metric](stratum.predicted, stratum.truth, weights))
    counts = tuple(len(stratum.truth) for stratum in strata)
    return ResampledScores(metric, tuple(seeds), np.mean(by_stratum, axis=0), counts, seed)


def compare(first: ResampledScores, second: ResampledScores) -> Comparison:
    """Compares two fusions over the seeds that both have, tested on the same samples.

    **Intervals** are the percentiles of a two-way bootstrap (the pigeonhole bootstrap of Owen 2007, Annals of Applied
    Statistics 1, 386-411): each resample draws seeds with replacement and, independently, test samples with
    replacement, the same for both fusions, and takes the difference of their mean scores. No bootstrap of crossed
    factors is exact (McCullagh 2000, Bernoulli 6, 285-301). What seeds and samples have only together is counted up to
    three times, which makes the interval too wide; few seeds make it too narrow: see ``docs/statistics.md`` for the
    coverage that was measured. A resample whose score is undefined, such as one without positives, is left out.

    **p** is that of Wilcoxon's signed-rank test over the differences of the seeds on all samples. Zeros are ranked and
    then dropped (Pratt 1959). Dropping them first, Wilcoxon's way, would pass over what speaks most for equality;
    splitting them has the same exact p, but a normal approximation whose variance counts signs of zeros, which they
    have not. p is exact up to 50 seeds, with zeros and ties as they are: the share of all choices of signs whose sum of
    ranks lies as far out. The normal approximation, which this function takes beyond, and
    :func:`scipy.stats.wilcoxon` wherever there are ties, is at least 9e-5 with 20 seeds, where the exact p can be 2e-6.
    If all differences are zero, p is 1. It knows the seeds alone, and other test samples not at all: :func:`decide`
    asks the interval as well.

    Args:
        first: Of the fusion.
        second: Of the baseline.

    Raises:
        ValueError: If they are not of the same metric, draws and numbers of samples, or have fewer than two seeds in
            common.
    """
    alike = [(one.metric, one.samples, len(one.scores) - 1, one.seed) for one in (first, second)]
    if alike[0] != alike[1]:
        raise ValueError(
            "Both fusions should have the same metric, samples, resamples and seed of the draws, got "
            f"{alike[0]} and {alike[1]}. Resample both in the same way."
        )
    common = [seed for seed in first.seeds if seed in second.seeds]
    if len(common) < 2:
        raise ValueError(f"A comparison needs at least two seeds that both have, got {common}: train more of them.")
    ours, theirs = (one.scores[:, [one.seeds.index(seed) for seed in common]] for one in (first, second))
    whole, resampled = (ours - theirs)[0], (ours - theirs)[1:]
    generator = np.random.default_rng(np.random.SeedSequence(first.seed).spawn(1)[0])
    count = len(common)
    shares = generator.multinomial(count, np.full(count, 1 / count), size=len(resampled)) / count
    quantiles = np.nanquantile((shares * resampled).sum(axis=1), [0.025, 0.05, 0.95, 0.975])
    low95, low90, high90, high95 = (float(quantile) for quantile in quantiles)
    return Comparison(
        metric=first.metric,
        seeds=count,
        baseline=float(theirs[0].mean()),
        difference=float(whole.mean()),
        ci95_low=low95,
        ci95_high=high95,
        ci90_low=low90,
        ci90_high=high90,
        p_value=_signed_rank_p(whole, scale=float(np.abs([ours[0], theirs[0]]).max())),
        std_seeds=float((shares @ whole).std()),
        std_samples=float(np.nanstd(resampled.mean(axis=1))),
    )


def _signed_rank_p(differences: FloatArray, scale: float) -> float:
    # What differs by rounding alone, such as 0.9 - 0.8 and 0.3 - 0.2, is a tie.
    differences = np.round(differences / (scale or 1.0), 12)
    if not differences.any():
        return 1.0
    if len(differences) > EXACT_SEEDS:
        return float(wilcoxon(differences, zero_method="pratt").pvalue)
    # Those of ties are halves of whole numbers.
    ranks = (2 * rankdata(np.abs(differences))).astype(int)
    positive = ranks[differences > 0].sum()
    ways = np.ones(1)  # of choosing signs, by the sum of the ranks with a plus
    for rank in ranks[differences != 0]:
        ways = np.pad(ways, (0, rank)) + np.pad(ways, (rank, 0))
    tail = min(ways[: positive + 1].sum(), ways[positive:].sum()) / ways.sum()
    return float(min(1.0, 2 * tail))


def decide(comparisons: Sequence[Comparison]) -> list[Decision]:
    """One word for each comparison of a table.

    - **equivalent**: the 90 % interval lies within the margin, ±0.01 of accuracy or ROC AUC and ±1 % of the baseline's
      mean MAE. That is two one-sided tests at 5 % each (Schuirmann 1987, Journal of Pharmacokinetics and
      Biopharmaceutics 15, 657-680), for each comparison alone.
    - **better**, **worse**: else, if p after Holm's correction is below 0.05 and the 95 % interval lies off zero.
      "better" is a higher accuracy or ROC AUC, and a lower MAE.
    - **undecided**: else, and always with fewer than six seeds. Wilcoxon's test cannot reach 0.05 with fewer, and the
      interval of so few says less than it seems to.

    A difference that is sure and within the margin is *equivalent*: with enough seeds any difference becomes sure, and
    the margin was there before the results. Its interval and its p still say that it is not zero.

    Args:
        comparisons: All comparisons of a table. Holm's correction (Holm 1979, Scandinavian Journal of Statistics 6,
            65-70) keeps the probability that any "better" or "worse" stands where there is no difference at 5 % or
            less over all of them, so words depend on what is in the table.

    Returns:
        A decision for each, in their order.
    """
    if not comparisons:
        return []
    corrected = multipletests([one.p_value for one in comparisons], method="holm")[1]
    return [Decision(_word(one, p), float(p)) for one, p in zip(comparisons, corrected, strict=True)]


def _word(found: Comparison, p_holm: float) -> Word:
    lower_is_better = found.metric in _LOWER_IS_BETTER
    margin = MARGIN * found.baseline if lower_is_better else MARGIN
    if found.seeds < FEWEST_SEEDS:
        return "undecided"
    if -margin < found.ci90_low and found.ci90_high < margin:
        return "equivalent"
    if p_holm < LEVEL and (found.ci95_low > 0 or found.ci95_high < 0):
        return "better" if (found.difference > 0) != lower_is_better else "worse"
    return "undecided"
