"""A table for people: its files from one frame, and the page of claims."""

import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from reproduce.claims.comparisons import COLUMNS as COMPARED
from reproduce.claims.comparisons import comparisons_path, read_comparisons, typed
from reproduce.claims.papers import PUBLISHED, load_papers
from reproduce.claims.rows import COLUMNS, read_table, read_tables, write_csv
from reproduce.report.page import write_table
from reproduce.report.scores import score_figure

CURVE = '{"0.001":0.9,"0.01":0.5,"0.02":null}'
TUNED = {
    ("qfl", 1): {"learning_rate": 0.02, "tuning": CURVE, "stopped_early": 0.85},
    ("qfl", 2): {"learning_rate": 0.01, "tuning": CURVE, "stopped_early": 0.9},
    ("concat", None): {"tuning": CURVE},
}


def _rows(dataset, modalities, metric, scores):
    return [
        dict.fromkeys(COLUMNS)
        | {"experiment": "training", "options": "{}", "arguments": "{}"}
        | {"dataset": dataset, "modalities": modalities, "fusion": fusion, "degree": degree, "metric": metric}
        | {
            "mean": mean,
            "ci95_low": low,
            "ci95_high": high,
            "seeds": seeds,
            "fusion_params": 1234,
            "total_params": 5678,
        }
        | {"train_seconds": 12.34}
        | TUNED.get((fusion, degree), {})
        for fusion, degree, mean, low, high, seeds in scores
    ]


FRAME = pd.DataFrame(
    _rows(
        "vowels",
        12,
        "accuracy",
        [
            ("lmf", None, None, None, None, 3),
            ("tfn", None, None, None, None, 0),
            ("concat", None, 0.95, None, None, 1),
            ("qfl", 2, 0.926, 0.914, 0.938, 3),
            ("qfl", 1, 0.9, 0.89, 0.91, 3),
            ("control", 2, 0.91, 0.9, 0.92, 3),
        ],
    )
    + _rows("vowels", 12, "diverged", [("lmf", None, 1, None, None, 3), ("qfl", 1, 1 / 3, None, None, 3)])
    + _rows("road", 22, "mae", [("qfl", 1, 11.5, 11, 12, 3), ("persistence", None, 13.4, None, None, 1)])
)


def write(
    frame, stem, title="Table 1", profile="smoke", figures=None, units=None, published=PUBLISHED, comparisons=None
):
    """Write a table with the figure of Table 1, beside the tables that are there."""

    def scores(frame, profile, units):
        return {"": score_figure(frame, title, profile, units, {"vowels": 0.12})}

    others = read_tables(stem.parent, but=stem.name)
    write_table(frame, stem, title, profile, figures or scores, [], units or {}, others, comparisons or {}, published)


@pytest.fixture(scope="module")
def stem(tmp_path_factory):
    stem = tmp_path_factory.mktemp("results") / "table1"
    write(FRAME, stem, "Table 1", "smoke (2 epochs)", units={"road": "vehicles"})
    return stem


def _line(markdown, start):
    """The cells of the first table row that begins with ``start``."""
    (line, *_) = [line for line in markdown.splitlines() if line.startswith(f"| {start} ")]
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_csv_holds_the_frame(stem):
    table = read_table(stem.with_suffix(".csv"))
    assert len(table) == len(FRAME)
    assert table["mean"].tolist() == pytest.approx(FRAME["mean"].tolist(), rel=1e-5, nan_ok=True)


def test_scores_are_written_with_their_interval_or_why_there_is_none(stem):
    text = stem.with_suffix(".md").read_text(encoding="utf-8")
    assert _line(text, "QFL (P = 2)")[1] == "0.926 ± 0.012"
    assert _line(text, "Concat")[1] == "0.950"
    assert _line(text, "LMF")[1:3] == ["diverged", "100 %"]
    assert _line(text, "TFN")[1:3] == ["intractable", "-"]
    assert _line(text, "QFL (P = 1)")[1:] == [
        "0.900 ± 0.010", "33 %", "1,234", "5,678", "12.3", "0.02 (edge)", "85 % (too few epochs?)", "not stated",
    ]  # fmt: skip
    assert _line(text, "QFL (P = 2)")[6:8] == ["0.01", "90 %"]
    assert _line(text, "Concat")[6:8] == ["several", "-"]
    assert _line(text, "Persistence")[1] == "13.400"


def test_fusions_are_ordered_whatever_the_order_of_the_rows(stem):
    text = stem.with_suffix(".md").read_text(encoding="utf-8")
    places = [
        text.index(f"| {name} ") for name in ("QFL (P = 1)", "QFL (P = 2)", "Control (P = 2)", "Concat", "LMF", "TFN")
    ]
    assert places == sorted(places)


def test_the_page_says_what_made_it_and_in_which_unit(stem):
    text = stem.with_suffix(".md").read_text(encoding="utf-8")
    assert text.startswith("# Table 1\n\nProfile: smoke (2 epochs).")
    assert "12 modalities, 1 to 3 seeds." in text
    assert "22 modalities, 3 seeds, errors in vehicles." in text


def test_the_page_of_claims_has_a_verdict_and_a_reason_per_claim_and_a_table_links_to_it(stem):
    text = stem.with_name("claims.md").read_text(encoding="utf-8")
    for claim in [claim.id for paper in load_papers() for claim in paper.claims]:
        verdict = _line(text, claim)[-1].strip("*")
        assert f"- **{claim}**, {verdict}: " in text
    assert "0.504" in text
    assert "learning rate, batch size" in text
    page = stem.with_suffix(".md").read_text(encoding="utf-8")
    assert "(claims.md)" in page
    assert "not comparable" not in page


def test_a_published_cell_stands_beside_the_reproduced_one(tmp_path):
    published = tmp_path / "published"
    shutil.copytree(PUBLISHED, published)
    paper = published / "qfl_2510_06938.yaml"
    cell = "  - {table: table1, dataset: vowels, fusion: qfl, degree: 2, metric: accuracy, value: 0.91}\n"
    paper.write_text(paper.read_text(encoding="utf-8") + cell, encoding="utf-8")
    write(FRAME, tmp_path / "table1", published=published)
    text = (tmp_path / "table1.md").read_text(encoding="utf-8")
    assert _line(text, "QFL (P = 2)")[-1] == "Accuracy 0.91"
    assert _line(text, "QFL (P = 1)")[-1] == "not stated"
    assert "- **vowels, QFL (P = 2), Accuracy**, not reproduced: " in (tmp_path / "claims.md").read_text()

    write(FRAME, tmp_path / "table2", "Table 2", "smoke", published=published)
    assert _line((tmp_path / "table2.md").read_text(encoding="utf-8"), "QFL (P = 2)")[-1] == "not stated"


def test_the_page_and_the_csv_are_of_one_frame_even_if_another_command_writes_meanwhile(tmp_path):
    other = FRAME.assign(fusion_params=4321)

    def interfere(frame, profile, units):
        write_csv(other, tmp_path / "table1.csv")
        return {}

    write(FRAME, tmp_path / "table1", figures=interfere)
    assert set(read_table(tmp_path / "table1.csv")["fusion_params"]) == {1234}
    assert "1,234" in (tmp_path / "table1.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("broken", ["figure", "table2.csv"])
def test_a_set_of_files_changes_together_or_not_at_all(tmp_path, broken):
    def fails(frame, profile, units):
        raise KeyError("no style")

    write(FRAME, tmp_path / "table1")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    figures = fails if broken == "figure" else None
    if broken != "figure":
        (tmp_path / broken).write_bytes(b"")
    with pytest.raises((KeyError, ValueError)):
        write(FRAME.iloc[3:], tmp_path / "table1", "Table 1", "other", figures=figures)
    assert {path: path.read_bytes() for path in before} == before


def test_a_damaged_table_does_not_keep_its_own_command_from_writing_it(tmp_path):
    (tmp_path / "table1.csv").write_bytes(b"")
    write(FRAME, tmp_path / "table1")
    assert len(read_table(tmp_path / "table1.csv")) == len(FRAME)


def _comparison(dataset, metric, degree, baseline, word, difference, baseline_degree=None):
    values = {"difference": difference, "ci95_low": difference - 0.02, "ci95_high": difference + 0.02}
    return (
        dict.fromkeys(COMPARED, 0.01)
        | {"dataset": dataset, "options": "{}", "modalities": 12, "metric": metric, "seeds": 20, "word": word}
        | {"fusion": "qfl", "degree": degree, "arguments": "{}"}
        | {"baseline": baseline, "baseline_degree": baseline_degree, "baseline_arguments": "{}"}
        | values
    )


COMPARISONS = typed(
    pd.DataFrame(
        [
            _comparison("vowels", "roc_auc", 1, "concat", "worse", -0.5),
            _comparison("vowels", "accuracy", 1, "concat", "better", 0.0214),
            _comparison("vowels", "accuracy", 2, "concat", "undecided", -0.01),
            _comparison("vowels", "accuracy", 2, "control", "equivalent", 0.0, 2),
            _comparison("road", "mae", 1, "lmf", "better", -1.5),
        ]
    )
)


def test_comparisons_are_written_beside_the_table_and_shown_on_its_page(tmp_path):
    write(FRAME, tmp_path / "table1", comparisons={"table1": COMPARISONS})
    assert len(read_comparisons(tmp_path)["table1"]) == 5
    text = (tmp_path / "table1.md").read_text(encoding="utf-8")
    section = text[text.index("## Which differences count") :]
    assert "over all comparisons of this table (5)" in section
    assert "[table1-comparisons.csv](table1-comparisons.csv)" in section
    assert "### vowels, 12 modalities\n\nAccuracy, 20 seeds." in section
    assert _line(section, "Baseline") == ["Baseline", "QFL (P = 1)", "QFL (P = 2)"]
    assert _line(section, "Concat")[1:] == [
        "better, +0.021 [+0.001, +0.041]",
        "undecided, -0.010 [-0.030, +0.010]",
    ]
    assert _line(section, "Control of the same P")[1:] == ["-", "equivalent, +0.000 [-0.020, +0.020]"]
    assert (
        section.index("| Control") < section.index("| Concat") < section.index("### road, 12 modalities\n\nMAE, 20 s")
    )
    assert "-0.500" not in section


def test_a_table_without_comparisons_has_nothing_of_them_and_leaves_none_of_another(tmp_path):
    write(FRAME, tmp_path / "table1", comparisons={"table2": COMPARISONS})
    assert not comparisons_path(tmp_path / "table1").exists()
    assert "differences" not in (tmp_path / "table1.md").read_text(encoding="utf-8")
    before = (tmp_path / "table1.md").read_bytes()
    write(FRAME, tmp_path / "table1", comparisons={"table1": COMPARISONS})
    write(FRAME, tmp_path / "table1")
    assert (tmp_path / "table1.md").read_bytes() == before
    assert read_comparisons(tmp_path)["table1"].empty


RANKED = pd.DataFrame(
    [
        row
        for dataset, metric, sign in (("vowels", "accuracy", 1), ("digits", "accuracy", 1), ("road", "mae", -1))
        for row in _rows(
            dataset,
            6,
            metric,
            [
                ("qfl", 1, 0.5 + 0.3 * sign, None, None, 3),
                ("concat", None, 0.5 + 0.2 * sign, None, None, 3),
                ("gcn", None, 0.5 + 0.1 * sign, None, None, 3),
                ("tfn", None, None if dataset == "digits" else 1.0, None, None, 0 if dataset == "digits" else 3),
            ],
        )
    ]
)


@pytest.mark.parametrize(
    ("frame", "comparisons", "there"),
    [
        (RANKED, COMPARISONS, True),
        (RANKED, None, False),
        (RANKED[RANKED["dataset"] != "road"], COMPARISONS, False),
        (RANKED[RANKED["fusion"] != "gcn"], COMPARISONS, False),  # two fusions have a score everywhere
    ],
)
def test_a_table_with_comparisons_on_three_data_sets_has_a_figure_of_ranks(tmp_path, frame, comparisons, there):
    write(frame, tmp_path / "table1", comparisons=None if comparisons is None else {"table1": comparisons})
    assert (tmp_path / "table1-ranks.png").exists() == there
    assert ("![Table 1 ranks](table1-ranks.png)" in (tmp_path / "table1.md").read_text(encoding="utf-8")) == there


def test_a_figure_that_a_table_no_longer_has_goes_and_no_other_file_does(tmp_path):
    mine = tmp_path / "table1-mine.png"
    mine.write_bytes(b"")
    write(RANKED, tmp_path / "table1", comparisons={"table1": COMPARISONS})
    assert (tmp_path / "table1-ranks.png").exists()
    write(RANKED, tmp_path / "table1")
    assert {path.name for path in tmp_path.glob("*.png")} == {"table1.png", mine.name}


def test_the_figure_is_wide_enough_to_read_and_shows_every_kind_of_mark(stem):
    image = imread(stem.with_suffix(".png"))[..., :3]
    height, width, _ = image.shape
    assert width == 2 * 3.7 * 200 and height > 400

    def pixels(red, green, blue):
        return np.isclose(image * 255, (red, green, blue), atol=1).all(axis=-1).sum()

    assert pixels(0x00, 0x72, 0xB2) > 100  # QFL
    assert pixels(0xD5, 0x5E, 0x00) > 100  # baselines
    assert pixels(0x00, 0x9E, 0x73) > 100  # control
    assert pixels(0xCC, 0x79, 0xA7) == 0  # a colour of the palette that means nothing here
