"""The figure of ranks."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from reproduce.claims.cells import Series
from reproduce.report.ranks import rank_figure
from tfq_fusion.files import png
from tfq_fusion.training import rank_fusions

SERIES = [
    Series(fusion="qfl", degree=1),
    Series(fusion="control", degree=1),
    Series(fusion="concat"),
    Series(fusion="gcn"),
]
SCORES = pd.DataFrame([[0.9, 0.8, 0.7, 0.6]] * 8 + [[0.9, 0.7, 0.8, 0.6]] * 2, columns=[str(one) for one in SERIES])
RANKING = rank_fusions(SCORES, [False] * len(SCORES))


@pytest.fixture(scope="module")
def figure():
    return rank_figure(RANKING, SERIES, "Table 1", "paper")


def test_the_figure_names_every_fusion_with_its_mean_rank(figure):
    (axis,) = figure.axes
    texts = {text.get_text().strip() for text in axis.texts}
    assert {"QFL (P = 1)  1.0", "Control (P = 1)  2.2", "2.8  Concat", "4.0  GCN"} <= texts
    assert "mean ranks over 10 data sets, 1 is best" in figure.get_suptitle()
    assert f"critical difference {RANKING.critical_difference:.2f}" in texts


def test_bars_join_the_fusions_that_cannot_be_told_apart(figure):
    (axis,) = figure.axes
    bars = {(min(line.get_xdata()), max(line.get_xdata())) for line in axis.lines
            if len(set(line.get_ydata())) == 1 and line.get_ydata()[0] < 0}  # fmt: skip
    assert RANKING.critical_difference == pytest.approx(1.483, abs=1e-3)
    assert bars == {(1.0, 2.2), (2.2, 2.8), (2.8, 4.0)}


def test_groups_have_the_colours_of_the_other_figures(figure):
    image = imread(io.BytesIO(png(figure)))[..., :3]
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x00, 0x9E, 0x73)):
        assert np.isclose(image * 255, color, atol=1).all(axis=-1).sum() > 100
