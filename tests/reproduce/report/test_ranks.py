"""The figure of ranks."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from reproduce.claims.cells import Series
from reproduce.claims.rows import COLUMNS, typed
from reproduce.report.ranks import rank_figure, table_ranks
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


def test_a_bar_is_drawn_from_its_first_fusion_to_its_last():
    series = [Series(fusion="qfl", degree=degree) for degree in range(1, 9)]
    scores = pd.DataFrame([np.arange(8), np.roll(np.arange(8), 1)] * 2, columns=[str(one) for one in series])
    (axis,) = rank_figure(rank_fusions(scores, [False] * 4), series, "Table 1", "paper").axes
    bars = [line.get_xdata() for line in axis.lines if len(set(line.get_ydata())) == 1 and line.get_ydata()[0] < 0]
    assert max(map(len, bars)) > 3
    assert all(list(bar) == sorted(bar) for bar in bars)


def cell(dataset, fusion, mean, metric="accuracy", modalities=6, degree=None, experiment="training", options="{}"):
    where = {"dataset": dataset, "modalities": modalities, "experiment": experiment, "options": options}
    what = {"fusion": fusion, "degree": degree, "arguments": "{}", "metric": metric, "mean": mean}
    return dict.fromkeys(COLUMNS) | where | what


def test_a_table_is_ranked_by_the_first_metric_of_each_data_set_with_the_most_modalities():
    rows = [
        *(cell(name, "qfl", 0.9, degree=1) for name in ("vowels", "digits")),
        *(cell(name, "concat", 0.8) for name in ("vowels", "digits")),
        *(cell(name, "gcn", 0.7) for name in ("vowels", "digits")),
        *(cell("vowels", fusion, score, "roc_auc") for fusion, score in (("concat", 0.6), ("gcn", 0.9))),
        *(cell("digits", fusion, 0.1, modalities=2) for fusion in ("concat", "lmf")),
        *(cell("road", fusion, error, "mae") for fusion, error in (("concat", 4), ("gcn", 5), ("persistence", 3))),
        cell("road", "qfl", 2, "mae", degree=1),
        *(cell("vowels", fusion, 0.1, experiment="noise") for fusion in ("concat", "gcn")),
        *(cell(name, "tfn", None if name == "road" else 1.0, "mae" if name == "road" else "accuracy")
          for name in ("vowels", "digits", "road")),
    ]  # fmt: skip
    (axis,) = table_ranks(typed(pd.DataFrame(rows)), "Table 1", "paper").axes
    texts = {text.get_text().strip() for text in axis.texts}
    assert {"QFL (P = 1)  1.0", "Concat  2.0", "3.0  GCN"} <= texts
    assert not any("TFN" in text or "Persistence" in text or "LMF" in text for text in texts)


def test_settings_of_a_data_set_are_no_further_data_sets():
    fusions = ("qfl", 1), ("concat", None), ("gcn", None)
    few = [
        cell("vowels", fusion, 0.1 * place, degree=degree, options=f'{{"samples":{samples}}}')
        for samples in (10, 20, 40)
        for place, (fusion, degree) in enumerate(fusions)
    ]
    whole = [cell("vowels", fusion, 0.1 * place, degree=degree) for place, (fusion, degree) in enumerate(fusions)]
    assert table_ranks(typed(pd.DataFrame(few + whole)), "Table 6", "paper") is None


def test_groups_have_the_colours_of_the_other_figures(figure):
    image = imread(io.BytesIO(png(figure)))[..., :3]
    for color in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x00, 0x9E, 0x73)):
        assert np.isclose(image * 255, color, atol=1).all(axis=-1).sum() > 100
