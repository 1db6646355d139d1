"""What docs/expressivity.md says of searches is what Table 3 says."""

import pandas as pd

from reproduce.experiments.expressivity.descent import STEPS, TOGETHER
from reproduce.experiments.expressivity.optimise import SHORT
from reproduce.experiments.expressivity.polynomials import EXACT, FINALISTS, HELD_OUT, ITERATIONS, SAMPLES
from reproduce.tables import table3
from tests.documents.support import filled, holds, lines, one_digit, rows

PAGE = "docs/expressivity.md"
SEARCHES = rows("table3", "polynomial.*", r"qfl(\[blocks=\d\])?", "r2").assign(
    blocks=lambda frame: frame["fusion"].str.extract(r"blocks=(\d)", expand=False).fillna("1").astype(int),
    target=lambda frame: frame["option_degree"].astype(int),
)
AT_THE_DEGREE = SEARCHES[SEARCHES["degree"] == SEARCHES["target"]]
REACHED = 0.999
PHRASES = [
    "over three modalities (P = 3: {3/polynomial[degree=5;form=sum]#3/qfl@3/r2/.3f} of "
    "{3/polynomial[degree=5;form=sum]#3/qfl@3/r2_bound/.3f}) and over four (P = 3: "
    "{3/polynomial[degree=5;form=sum]#4/qfl@3/r2/.3f} of {3/polynomial[degree=5;form=sum]#4/qfl@3/r2_bound/.3f})",
    "four blocks the table's ends at {3/polynomial[degree=3;form=sum]#4/qfl[blocks=4]@3/r2/.3f}",
    "less than the part of degree 3, {3/polynomial[degree=5;form=sum]#4/qfl@3/r2_bound/.3f}, which",
]


def test_the_searches_end_as_the_table_of_the_page_says():
    said = lines(PAGE, "| modalities and target | 1 block | 2 blocks | 4 blocks |")
    missed = {}
    for (modalities, degree, form), found in AT_THE_DEGREE.groupby(["modalities", "target", "option_form"]):
        by_blocks = found.set_index("blocks")["mean"][[1, 2, 4]]
        if (by_blocks < REACHED).any():
            cells = ["reached" if score >= REACHED else f"{score:.3f}" for score in by_blocks]
            missed[f"{modalities}, degree {degree}, {form}"] = cells
    assert said == missed


def test_one_block_comes_near_the_bound_with_fewer_encodings_than_the_degree():
    bounds = rows("table3", "polynomial.*", "qfl", "r2_bound")
    fits = rows("table3", "polynomial.*", "qfl", "r2")
    keys = ["modalities", "degree", "option_degree", "option_form"]
    both = pd.merge(fits, bounds, on=keys, suffixes=("", "_bound"))
    fewer = both[both["degree"] < both["option_degree"].astype(int)]
    far = fewer[fewer["mean"] < fewer["mean_bound"] - 0.002]
    assert {(row.modalities, row.option_degree, row.option_form) for row in far.itertuples()} == {
        (3, 5, "sum"),
        (4, 5, "sum"),
    }
    assert set(far["degree"]) == {3}


def test_the_undecided_target_is_followed_better_with_more_blocks():
    sums = AT_THE_DEGREE.query("modalities == 3 and target == 5 and option_form == 'sum'")
    assert sums.sort_values("blocks")["mean"].is_monotonic_increasing


@holds(PAGE)
def test_sentences_have_the_figures_of_their_rows():
    return map(filled, PHRASES)


@holds(PAGE)
def test_the_search_has_the_settings_of_its_code():
    starts = table3.PROFILES["default"].qfl_starts
    assert (starts // 16, FINALISTS) == (TOGETHER, 4)
    rounds = (
        f"{STEPS} steps of Adam from each, {2 * STEPS} from the best quarter, {4 * STEPS} from the best quarter of that"
    )
    long = f"{SHORT} iterations from each of the best four and up to {ITERATIONS} from the best"
    yield f"from {starts} starts in one JAX program: {rounds}, then L-BFGS on {SAMPLES} samples, {long}"
    yield f"A search ends as soon as it explains all but {one_digit(EXACT)} of what can be explained"
    yield f"on {HELD_OUT} points of a Sobol sequence"
    yield f"each of {starts} starts"
