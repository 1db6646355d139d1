"""How often the intervals of ``tfq_fusion.training.compare`` cover the truth: the table of ``docs/statistics.md``.

Differences are normal around zero, over 50 test samples. Run ``python scripts/measure_coverage.py``: some ten minutes.
"""

from __future__ import annotations

import numpy as np

from tfq_fusion.training import Stratum, compare, resample_scores

SAMPLES, REPETITIONS = 50, 1000


def cover(seeds: int, of_seeds: float, of_samples: float, of_both: float) -> tuple[float, float]:
    """Share of repetitions whose 95 % and whose 90 % interval covers zero.

    The standard deviations are of what varies with the seed, with the sample, and with both.
    """
    rng = np.random.default_rng(0)
    covered = np.zeros(2)
    for repetition in range(REPETITIONS):
        differences = (
            of_seeds * rng.normal(size=(seeds, 1))
            + of_samples * rng.normal(size=(1, SAMPLES))
            + of_both * rng.normal(size=(seeds, SAMPLES))
        )
        baseline = np.full(differences.shape, 100.0)  # errors are positive
        first, second = (
            resample_scores("mae", range(seeds), [Stratum(errors, np.ones(SAMPLES))], seed=repetition)
            for errors in (baseline + differences, baseline)
        )
        found = compare(first, second)
        covered += found.ci95_low <= 0 <= found.ci95_high, found.ci90_low <= 0 <= found.ci90_high
    share95, share90 = covered / REPETITIONS
    return float(share95), float(share90)


def parts(seeds: int) -> list[tuple[float, float, float]]:
    """What makes the difference vary, column by column of the table, as :func:`cover` takes it."""
    alike = float(np.sqrt(SAMPLES / seeds))  # so that both means vary equally
    return [(1.0, 0.0, 0.0), (1.0, alike, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]


def main() -> None:
    """Prints the table, 95 % / 90 % in each cell."""
    print("| seeds | seeds alone | seeds and samples alike | samples alone | only both together |")
    print("|---|---|---|---|---|")
    for seeds in (3, 6, 10, 20):
        cells = [" / ".join(f"{100 * share:.0f}" for share in cover(seeds, *part)) for part in parts(seeds)]
        print(f"| {seeds} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
