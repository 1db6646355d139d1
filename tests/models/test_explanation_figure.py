"""One decision in words and as a figure."""

import numpy as np
import pandas as pd
import pytest

from tfq_fusion.models.explanation_figure import explanation_figure, reason

CLASSES = ("cat", "dog", "owl")


def explanation(sight, sound, network, contributions, conflict=0.25):
    """The rows of one sample, as :func:`tfq_fusion.models.explain.explain` makes them."""
    columns = [*(("belief", name) for name in CLASSES), ("conflict", ""), ("contribution", ""), ("influence", "")]
    nan = np.nan
    rows = [
        [*sight, conflict, contributions[0], 0.3],
        [*sound, conflict, contributions[1], 0.2],
        [0.4, 0.3, 0.3, conflict, nan, nan],
        [*network, nan, nan, nan],
    ]
    return pd.DataFrame(
        rows, pd.Index(["sight", "sound", "block", "network"], name="source"), pd.MultiIndex.from_tuples(columns)
    )


DISPUTED = explanation((0.9, 0.1, 0), (0.2, 0.8, 0), (0.75, 0.25, 0), (0.5, -0.2))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            DISPUTED,
            "Decision cat, probability 0.75: 0.50 less without sight, 0.20 more without sound. "
            "sound alone says dog (0.80). Conflict 0.25.",
        ),
        (
            explanation((0.9, 0.1, 0), (0.8, 0.2, 0), (0.95, 0.05, 0), (0.04, 0.12), conflict=0),
            "Decision cat, probability 0.95: 0.12 less without sound. Each modality alone says so too. Conflict 0.00.",
        ),
        (
            explanation((0.9, 0.1, 0), (0, 0.4, 0.6), (0.2, 0.7, 0.1), (0.01, -0.02), conflict=0.5),
            "Decision dog, probability 0.70: no modality alone makes a difference. "
            "sight alone says cat (0.90); sound alone says owl (0.60). Conflict 0.50.",
        ),
    ],
)
def test_a_decision_in_words(rows, words):
    assert reason(rows) == words


def test_a_decision_as_a_figure(tmp_path):
    figure = explanation_figure(DISPUTED)
    beliefs, measures = figure.axes
    assert " ".join(figure.get_suptitle().split()) == reason(DISPUTED)
    np.testing.assert_array_equal(beliefs.images[0].get_array(), DISPUTED["belief"])
    assert [text.get_text() for text in beliefs.get_xticklabels()] == list(CLASSES)
    assert [text.get_text() for text in beliefs.get_yticklabels()] == ["sight", "sound", "block", "network"]
    assert [bar.get_width() for bar in measures.patches] == [0.5, -0.2, 0.3, 0.2]
    places = [bar.get_y() + bar.get_height() / 2 for bar in measures.patches]
    np.testing.assert_array_equal(np.round(places), [0, 1, 0, 1])
    assert all(axis.get_xlabel() for axis in figure.axes)
    figure.savefig(tmp_path / "why.png", dpi=50)
    assert (tmp_path / "why.png").stat().st_size > 5000
