"""Table 4: which runs it is made of, what it says is missing, and what its pages and figures show."""

import pandas as pd
import pytest

from reproduce.claims.papers import load_papers, verdicts
from reproduce.claims.rows import encode, read_tables, write_csv
from reproduce.report.page import write_table
from reproduce.sweep.runs import FINISHED, RunResult
from reproduce.tables import table4
from reproduce.tables.table4 import GROWTH
from tfq_fusion.datasets import describe, download


@pytest.fixture
def fresh_clone(monkeypatch, tmp_path):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")


def runs(profile="default", fusions=None, **arguments):
    return table4.TABLE.specs(table4.TABLE.plan(profile, **arguments), fusions, "tfq")


def options(spec):
    return dict(spec.dataset_options) | dict(spec.options)


def test_a_fresh_clone_runs_the_embedded_sets_and_names_the_command_for_the_others(fresh_clone):
    plan = table4.TABLE.plan("default")
    assert plan.datasets == ("emoji", "mfeat", GROWTH)
    notes = "\n".join(table4.notes(plan))
    for name in ("mnist", "cifar-10"):
        assert f"**{name}** is not here, so it has no rows: `make data DATASET={name}` fetches it." in notes
    assert "**emoji**: natural modalities" in notes
    assert plan.extent == "at most 30 epochs, 60 on mfeat"


@pytest.mark.data("mnist", "cifar-10")
def test_the_sets_that_are_here_are_run_on_some_of_their_samples_with_modalities_that_are_constructed():
    plan = table4.TABLE.plan("default")
    assert plan.missing == ()
    specs = table4.TABLE.specs(plan, ["concat", "cnn"], "tfq")
    found = {(s.dataset, options(s)["views"], options(s)["samples"]) for s in specs if s.dataset in table4.DOWNLOADED}
    assert found == {(name, ("image", "descriptors"), 1000) for name in ("mnist", "cifar-10")}
    assert plan.extent == "at most 30 epochs, 60 on mfeat, 1,000 training samples of mnist and cifar-10"
    assert "constructed modalities" in "\n".join(table4.notes(plan))


@pytest.mark.parametrize(("part", "said"), [(" (a part)", True), ("", False)])
def test_a_data_set_of_which_a_part_is_there_says_so(monkeypatch, part, said):
    def changed(name):
        return describe(name).model_copy(update={"title": f"Title{part}", "notes": ("This is a part of it.",)})

    monkeypatch.setattr(table4, "describe", changed)
    notes = "\n".join(table4.notes(table4.TABLE.plan("default", datasets=["emoji"])))
    assert ("This is a part of it." in notes) == said


def test_every_fusion_is_run_in_several_sizes_and_the_cnn_where_there_are_pictures(fresh_clone):
    specs = runs(seeds=1)
    sizes = {}
    for spec in specs:
        if spec.experiment != GROWTH:
            place = spec.dataset, len(options(spec)["views"]), spec.fusion
            sizes.setdefault(place, set()).add(spec.protocol.hidden)
    for fusion in ("qmfnn", "mean", "product", "dempster", "concat", "tfn", "lmf"):
        assert sizes["emoji", 2, fusion] == sizes["mfeat", 2, fusion] == {2, 8, 32, 128}
    assert sizes["emoji", 2, "cnn"] == {2, 4, 8}
    assert ("mfeat", 2, "cnn") not in sizes


def test_more_than_two_modalities_are_run_in_one_size_and_every_number_is_counted(fresh_clone):
    specs = runs(seeds=1, datasets=["mfeat", GROWTH])
    trained = [(len(options(s)["views"]), s.protocol.hidden) for s in specs if s.dataset == "mfeat"]
    assert {hidden for modalities, hidden in trained if modalities > 2} == {8}
    assert {modalities for modalities, _ in trained} == {2, 3, 6}
    assert {options(s)["modalities"] for s in specs if s.experiment == GROWTH} == {2, 3, 4, 5, 6}
    assert {s.fusion for s in specs if s.experiment == GROWTH} == {"qmfnn", "dempster", "tfn", "lmf"}


def test_pictures_are_flattened_for_all_but_the_cnn_and_only_the_quantum_network_has_an_engine(fresh_clone):
    for spec in runs(seeds=1, datasets=["emoji"]):
        assert spec.protocol.flatten == (spec.fusion != "cnn")
        assert spec.engine == ("tfq" if spec.fusion == "qmfnn" else None)
        assert dict(spec.arguments) == ({"method": "mixture"} if spec.fusion == "qmfnn" else {})


def test_the_counting_does_not_depend_on_the_profile(fresh_clone):
    smoke, paper = ({s.id for s in runs(name, datasets=[GROWTH], seeds=1)} for name in ("smoke", "paper"))
    assert smoke == paper


@pytest.mark.parametrize(
    ("arguments", "fusions", "message"),
    [
        ({"profile": "quick"}, None, "Unknown profile quick.*smoke, default, paper"),
        ({"datasets": ["wikipedia"]}, None, "Unknown data set or experiment wikipedia.*emoji, mfeat, mnist"),
        ({"datasets": ["mfeat"]}, ["qfl"], "Unknown fusion qfl.*qmfnn.*cnn"),
    ],
)
def test_unknown_names_list_the_known(arguments, fusions, message):
    with pytest.raises(ValueError, match=message):
        runs(**arguments, fusions=fusions)


def finished(spec):
    """Accuracy grows with the size, and QMFNN takes a tenth of the parameters; the largest LMF is the best."""
    if spec.experiment == GROWTH:
        modalities = options(spec)["modalities"]
        weights = 5**modalities if spec.fusion == "tfn" else 10 * modalities
        metrics = {"fusion_growth": weights / (25 if spec.fusion == "tfn" else 20)}
        return RunResult(spec, FINISHED, modalities, fusion_params=weights, metrics={"test": metrics})
    hidden = spec.protocol.hidden
    best = 0.1 * ((spec.fusion, hidden) == ("lmf", 128))
    metrics = {"accuracy": 0.5 + hidden / 1000 + 0.001 * spec.seed + best, "roc_auc": 0.9}
    if spec.fusion in (*table4.DECISIONS, "qmfnn"):
        metrics |= {"own_accuracy": 0.5, "conflict": 0.1, "conflict_with_noise": 0.3}
    modalities = len(options(spec)["views"])
    total = hidden * (10 if spec.fusion == "qmfnn" else 100)
    return RunResult(spec, FINISHED, modalities, 7, total, metrics={"test": metrics}, seconds=1.0)


@pytest.fixture
def frame(fresh_clone):
    return table4.fold([finished(spec) for spec in runs(seeds=3)])


def cell(frame, fusion, metric, modalities=2, dataset="", **size):
    chosen = (frame["dataset"] == dataset) & (frame["fusion"] == fusion) & (frame["metric"] == metric)
    chosen &= frame["arguments"] == encode(size)
    (found,) = frame[chosen & (frame["modalities"] == modalities)].to_dict("records")
    return found


def test_sizes_are_rows_with_their_deviation_and_ratio_of_parameters(frame):
    accuracy = cell(frame, "concat", "accuracy", dataset="emoji", hidden=8)
    assert (accuracy["mean"], accuracy["std"]) == (pytest.approx(0.509), pytest.approx(0.001))
    assert accuracy["total_params"] == 800
    assert cell(frame, "concat", "parameter_ratio", dataset="emoji", hidden=8)["mean"] == pytest.approx(10)
    assert pd.isna(cell(frame, "lmf", "parameter_ratio", dataset="emoji", hidden=128)["mean"])
    assert cell(frame, "qmfnn", "parameter_ratio", dataset="emoji", hidden=32)["mean"] == pytest.approx(10)


def test_only_fusions_of_decisions_have_decisions_to_report(frame):
    reported = frame[frame["metric"] == "conflict_with_noise"]
    assert set(reported["fusion"]) == {"mean", "product", "dempster", "qmfnn"}
    assert reported["mean"].notna().all()


def test_growth_is_a_row_per_number_of_modalities(frame):
    assert cell(frame, "tfn", "fusion_growth", 6)["mean"] == 625
    assert cell(frame, "qmfnn", "fusion_growth", 6)["mean"] == 3


def test_the_page_and_the_figures(frame, tmp_path):
    written, _ = write_table(frame, tmp_path / "table4", "T", "p", table4.TABLE.figures, ["A note."], {}, {}, {})
    names = ["table4.csv", "table4.md", "table4-accuracy.png", "table4-growth.png"]
    assert [path.name for path in written] == [*names, "claims.md"]
    page = (tmp_path / "table4.md").read_text()
    assert "Concat (hidden = 8)" in page
    assert "not reached" in page
    assert "diverged |" not in page


def test_the_claims_are_judged_by_the_table(frame, tmp_path):
    write_csv(frame, tmp_path / "table4.csv")
    found = {verdict.claim: verdict for verdict in verdicts(read_tables(tmp_path), load_papers(), {})}
    assert found["F1"].verdict == "not reproduced"
    assert "the leanest classical network of that accuracy 4.93 times as many" in found["F1"].reason
    assert found["F2"].verdict == "not comparable"  # neither set is on a fresh clone
    assert "For information: emoji: QMFNN (hidden = 128)" in found["F2"].reason
    assert found["F3"].verdict == "reproduced"
    assert found["F4"].verdict == "not comparable"
    assert found["F5"].verdict == "reproduced"


def test_one_size_alone_makes_no_curve(frame):
    three = frame[frame["modalities"] == 3]
    assert list(table4.TABLE.figures(three[three["dataset"] == "mfeat"], "p", {})) == []
