"""Table 6: which runs it is made of, how they fold into rows, and its maps; on invented results."""

import dataclasses
import itertools
import statistics

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from reproduce.claims.comparisons import NO_COMPARISONS
from reproduce.claims.rows import decode, encode
from reproduce.report.page import write_table
from reproduce.sweep.runs import FINISHED, RunResult, by_training, in_blocks
from reproduce.tables import table6
from reproduce.tables.comparisons import compare_fusions
from reproduce.tables.table import card_of
from reproduce.tables.table6.figures import comparison_maps
from tfq_fusion.datasets import download
from tfq_fusion.layers.fusion.tensor import MAX_PARAMETERS
from tfq_fusion.training import Protocol

EMBEDDED = ("japanese-vowels", "mfeat", "emoji", "traffic-detectors")


@pytest.fixture
def fresh_clone(monkeypatch, tmp_path):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")


def runs(profile="default", fusions=None, **arguments):
    return table6.TABLE.specs(table6.TABLE.plan(profile, **arguments), fusions)


def options(specs):
    return {tuple(dict(spec.options).items()) for spec in specs}


def test_a_fresh_clone_runs_the_embedded_sets_and_names_the_command_for_the_others(fresh_clone):
    plan = table6.TABLE.plan("default")
    assert plan.datasets == EMBEDDED
    notes = "\n".join(table6.notes(plan))
    for name in ("mnist", "cifar-10"):
        assert f"**{name}** is not here, so it has no rows: `make data DATASET={name}` fetches it." in notes
    assert "Not in this profile, since their encoders take hours on two cores: ludb, los-loop." in notes
    assert f"draws of so many samples,\n  {plan.draws} here" in notes


def test_the_forecast_that_nothing_changes_is_made_where_it_sees_all_that_is_forecast(fresh_clone):
    specs = runs(fusions=["persistence"])
    assert [(spec.dataset, dict(spec.dataset_options), dict(spec.options)) for spec in specs] == [
        ("traffic-detectors", {}, {})
    ]


def test_every_size_has_every_draw_and_only_sizes_up_to_half_of_the_samples_are_drawn(fresh_clone):
    for name, most in (("mfeat", 80), ("emoji", 320), ("traffic-detectors", 640)):
        specs = runs("paper", ["concat"], datasets=[name], seeds=1)
        drawn = [(dict(s.options)["samples"], dict(s.options)["draw"]) for s in specs if "samples" in dict(s.options)]
        sizes = sorted({size for size, _ in drawn})
        assert (sizes[0], sizes[-1]) == (10, most)
        assert all(2 * one == other for one, other in itertools.pairwise(sizes))
        assert sorted(drawn) == [(size, draw) for size in sizes for draw in range(5)]


def test_every_modality_is_missing_and_noise_once_and_that_costs_no_training(fresh_clone):
    specs = runs(fusions=["concat"], datasets=["mfeat"], seeds=2)
    disturbed = [{"missing": modality} for modality in range(6)] + [{"noise": modality} for modality in range(6)]
    for change in disturbed:
        assert sum(dict(spec.options) == change for spec in specs) == 2
    trained_on_all = [by_training(block)[()] for block in in_blocks(specs)]
    (whole,) = [alike for alike in trained_on_all if not dict(alike[0].dataset_options)]
    assert len(whole) == 2 * (1 + len(disturbed))


@pytest.mark.parametrize(
    ("name", "found"),
    [("japanese-vowels", {12, 3, 6}), ("mfeat", {6, 2, 3}), ("emoji", {3, 2}), ("traffic-detectors", {22, 6})],
)
def test_other_numbers_of_modalities_are_trained_on_all_samples(fresh_clone, name, found):
    specs = runs(fusions=["concat"], datasets=[name], seeds=1)
    assert {card_of(spec).modality_count for spec in specs} == found
    assert options(spec for spec in specs if card_of(spec).modality_count < max(found)) == {()}


def test_every_fusion_is_run_but_tfn_where_it_cannot_be_built(fresh_clone):
    for modalities, is_there in ((table6.TFN_MODALITIES, True), (table6.TFN_MODALITIES + 1, False)):
        protocol = Protocol()
        weights = (protocol.features + 1) ** modalities * protocol.units + protocol.units
        assert (weights <= MAX_PARAMETERS) == is_there
    for name in EMBEDDED:
        for block in in_blocks(runs(datasets=[name], seeds=1)):
            assert block[0].fusion != "tfn" or card_of(block[0]).modality_count <= table6.TFN_MODALITIES
    on_mfeat = runs(datasets=["mfeat"], seeds=1)
    assert {spec.fusion for spec in on_mfeat} == {*table6.TABLE.fusions} - {"persistence"}
    assert {spec.degree for spec in on_mfeat} == {3, None}


def test_what_is_trained_on_everything_are_the_runs_of_table_1(fresh_clone):
    from reproduce.tables import table1

    theirs = {spec.id for spec in table1.TABLE.specs(table1.TABLE.plan("default", 1), ["qfl", "control", "lmf"])}
    ours = {spec.id for spec in runs(fusions=["qfl", "control", "lmf"], seeds=1)}
    assert len(ours & theirs) == 3 * len(EMBEDDED)


@pytest.mark.data("ludb")
def test_on_ludb_the_folds_are_the_draws():
    specs = runs(datasets=["ludb"], seeds=1, fusions=["qfl"])
    assert {dict(spec.options).get("draw", 0) for spec in specs} == {0}
    assert {dict(spec.dataset_options)["fold"] for spec in specs} == set(range(5))
    assert {card_of(spec).modality_count for spec in specs} == {3, 12}


@pytest.mark.data("los-loop")
def test_on_a_road_twelve_sensors_are_disturbed_and_more_are_trained():
    specs = runs(datasets=["los-loop"], seeds=1, fusions=["concat"])
    assert {dict(s.dataset_options)["sensors"] for s in specs if s.options} == {12}
    assert {dict(s.dataset_options)["sensors"] for s in specs} == {12, 48, 207}


@pytest.mark.data("mnist", "cifar-10")
def test_pictures_are_flattened_and_few():
    for spec in runs(datasets=["mnist", "cifar-10"], seeds=1, fusions=["concat"]):
        assert spec.protocol.flatten
        assert dict(spec.dataset_options) == {"samples": 1000}


def test_the_smoke_has_two_sizes_and_every_disturbance_of_one_choice_of_modalities(fresh_clone):
    specs = runs("smoke")
    assert {dict(spec.options).get("samples") for spec in specs} == {10, None}
    assert {name for spec in specs for name in dict(spec.options)} == {"samples", "draw", "missing", "noise"}
    assert {card_of(spec).modality_count for spec in specs} == {6}
    assert {spec.seed for spec in specs} == {0, 1}
    assert {spec.protocol.learning_rates for spec in specs} == {(5e-3,)}


PARAMETERS = {"qfl": 72, "control": 72, "concat": 0, "lmf": 3876}


def invented(spec, accuracy):
    scores = {"accuracy": accuracy, "roc_auc": 0.9, "mae": 4.0, "rmse": 5.0}
    modalities = card_of(spec).modality_count
    return RunResult(spec, FINISHED, modalities, PARAMETERS[spec.fusion], 1000, {"test": scores}, seconds=1.0)


@pytest.fixture(scope="module")
def results():
    """On mfeat, each run has another accuracy: of its seed, draw and modality."""
    plan = dataclasses.replace(table6.TABLE.plan("default", 3, ["mfeat"]), draws=2)
    specs = table6.TABLE.specs(plan, [*PARAMETERS])
    return [invented(spec, 0.5 + 0.001 * number / len(specs)) for number, spec in enumerate(specs)]


def cell(frame, fusion, modalities=6, metric="accuracy", **settings):
    chosen = (frame["fusion"] == fusion) & (frame["metric"] == metric) & (frame["options"] == encode(settings))
    (found,) = frame[chosen & (frame["modalities"] == modalities)].to_dict("records")
    return found


def accuracies(results, fusion, wanted):
    """Seed -> the accuracies of the runs with such options and all modalities."""
    found = {}
    for result in results:
        if result.spec.fusion == fusion and not result.spec.dataset_options and wanted(dict(result.spec.options)):
            found.setdefault(result.spec.seed, []).append(result.metrics["test"]["accuracy"])
    return found


def test_a_row_is_the_mean_of_each_seed_over_draws(results):
    row = cell(table6.fold(results), "lmf", samples=80)
    by_seed = [statistics.fmean(s) for s in accuracies(results, "lmf", lambda o: o.get("samples") == 80).values()]
    assert row["seeds"] == 3
    assert row["mean"] == pytest.approx(statistics.fmean(by_seed))
    assert row["std"] == pytest.approx(statistics.stdev(by_seed))


@pytest.mark.parametrize("change", ["missing", "noise"])
def test_a_modality_has_a_row_and_so_has_the_mean_over_modalities(results, change):
    frame = table6.fold(results)
    each = [cell(frame, "qfl", **{change: modality}) for modality in range(6)]
    mean = cell(frame, "qfl", **{change: table6.EACH})
    assert mean["mean"] == pytest.approx(statistics.fmean(row["mean"] for row in each))
    by_seed = [statistics.fmean(scores) for scores in accuracies(results, "qfl", lambda o: change in o).values()]
    assert mean["std"] == pytest.approx(statistics.stdev(by_seed))
    assert {row["seeds"] for row in (*each, mean)} == {3}


def test_rows_without_a_setting_are_those_of_every_number_of_modalities(results):
    frame = table6.fold(results)
    assert {*frame.loc[frame["options"] == "{}", "modalities"]} == {2, 3, 6}


def test_without_disturbances_there_is_no_mean_over_them(results):
    frame = table6.fold([result for result in results if not result.spec.options])
    assert set(frame["options"]) == {"{}"}


def test_the_page_has_a_table_of_settings_and_one_per_number_of_modalities(results, tmp_path):
    table = table6.TABLE
    write_table(table6.fold(results), tmp_path / "table6", "T", "p", table.figures, ["A note."], {}, {}, {})
    page = (tmp_path / "table6.md").read_text()
    assert "missing = each in turn" in page
    assert "samples = 80" in page
    for modalities in (2, 3, 6):
        assert f"{modalities} modalities, 3 seeds." in page


def comparison(baseline, difference, word, baseline_mean=0.5, metric="accuracy", dataset="mfeat", **place):
    return {
        "dataset": dataset,
        "options": encode(place.get("settings", {})),
        "modalities": place.get("modalities", 6),
        "fusion": "qfl",
        "degree": 3,
        "arguments": "{}",
        "baseline": baseline,
        "baseline_degree": 3 if baseline == "control" else None,
        "baseline_arguments": "{}",
        "metric": metric,
        "seeds": 20,
        "baseline_mean": baseline_mean,
        "difference": difference,
        "word": word,
    }


def maps(results, *rows):
    whole = dict.fromkeys(("modalities", "degree", "baseline_degree", "seeds"), "Int64")
    return comparison_maps(table6.fold(results), pd.DataFrame(rows).astype(whole), "p")


def drawn(figure):
    """Setting and data set -> the text of a cell, its colour, and whether it is hatched."""
    axis = figure.axes[0]
    lines, columns = (
        [label.get_text() for label in labels] for labels in (axis.get_yticklabels(), axis.get_xticklabels())
    )
    looks = {}
    for patch in axis.patches:
        assert isinstance(patch, Rectangle)
        looks[round(patch.get_x() + 0.5), round(patch.get_y() + 0.5)] = (
            to_rgb(patch.get_facecolor()),
            patch.get_hatch() is not None,
        )
    found = {}
    for text in axis.texts:
        place = tuple(map(round, text.get_position()))
        name = columns[place[0]].partition("\n")[0]
        found[lines[place[1]], name] = (text.get_text(), *looks.get(place, (None, None)))
    return found


def is_blue(color):
    return color[2] > color[0]


def test_a_map_shows_the_best_baseline_of_at_most_its_size_and_another_the_best_of_all(results):
    figures = maps(
        results,
        comparison("concat", 0.02, "better", 0.5),
        comparison("control", 0.04, "better", 0.48),
        comparison("lmf", -0.03, "worse", 0.55),
    )
    (same, same_color, _), (best, best_color, _) = (
        drawn(figures[name])["all samples", "mfeat"] for name in ("-same-size", "-any-size")
    )
    assert same == "+2.0\nConcat" and is_blue(same_color)
    assert best == "-3.0\nLMF" and not is_blue(best_color)


def test_a_map_has_a_line_per_setting_in_order(results):
    rows = [
        comparison("concat", 0.01, "better", settings={"missing": table6.EACH}),
        comparison("concat", 0.01, "better", settings={"samples": 80}),
        comparison("concat", 0.01, "better", settings={"noise": table6.EACH}),
        comparison("concat", 0.01, "better", modalities=3),
        comparison("concat", 0.01, "better"),
        comparison("concat", 0.01, "better", settings={"samples": 10}),
    ]
    lines = [label.get_text() for label in maps(results, *rows)["-any-size"].axes[0].get_yticklabels()]
    assert lines == [
        "10 samples", "80 samples", "all samples", "one modality missing", "one modality noise", "3 modalities",
    ]  # fmt: skip


def test_what_is_equivalent_is_white_and_what_is_undecided_is_hatched(results):
    rows = [
        comparison("concat", 0.008, "equivalent"),
        comparison("concat", 0.008, "undecided", settings={"samples": 10}),
        comparison("concat", 0.008, "better", settings={"samples": 80}),
    ]
    found = {line: looks for (line, _), (_, *looks) in drawn(maps(results, *rows)["-same-size"]).items()}
    assert found["all samples"] == [(1, 1, 1), False]
    color, hatched = found["10 samples"]
    assert hatched and color == found["80 samples"][0] != (1, 1, 1)
    assert not found["80 samples"][1]


def test_a_lower_error_is_an_advantage_in_percent_of_the_baseline(results):
    name, every = "traffic-detectors", runs(fusions=["qfl", "concat", "lmf"], datasets=["traffic-detectors"], seeds=1)
    on_traffic = [invented(spec, 0.5) for spec in every]
    rows = [
        comparison("concat", -0.2, "better", 5.0, "mae", name, modalities=22),
        comparison("lmf", -0.5, "better", 4.0, "mae", name, modalities=22),
    ]
    figures = maps(on_traffic, *rows)
    text, color, _ = drawn(figures["-same-size"])["all samples", name]
    assert text == "+4.0\nConcat" and is_blue(color)
    assert drawn(figures["-any-size"])["all samples", name][0] == "+12.5\nLMF"  # the lower error


def test_draws_and_modalities_are_compared_as_one_setting_by_the_means_of_the_table():
    plan = dataclasses.replace(table6.TABLE.plan("default", 2, ["traffic-detectors"]), draws=2)
    changes = [{}, *({"samples": 10, "draw": draw} for draw in (0, 1)), {"missing": 0}, {"missing": 1}]
    rng, on_traffic = np.random.default_rng(0), []
    for spec in table6.TABLE.specs(plan, ["qfl", "concat"]):
        if dict(spec.options) in changes and not spec.dataset_options:
            errors = rng.uniform(3, 5, size=472).astype(np.float32)
            outcomes = np.stack([errors, np.full(472, 22, np.float32)], axis=1)
            scores = {"mae": float(errors.mean()), "rmse": 5.0}
            result = dataclasses.replace(invented(spec, 0.5), metrics={"test": scores}, outcomes=outcomes)
            on_traffic.append(result)
    frame = table6.fold(on_traffic)
    compared = compare_fusions(on_traffic, table6.METRICS, table6.TABLE.settings)
    assert set(compared["options"]) == {"{}", encode({"samples": 10}), encode({"missing": table6.EACH})}
    for row in compared.to_dict("records"):
        qfl, concat = (cell(frame, fusion, 22, "mae", **decode(row["options"])) for fusion in ("qfl", "concat"))
        assert row["difference"] == pytest.approx(qfl["mean"] - concat["mean"], abs=1e-6)
    shown = drawn(table6.TABLE.comparison_figures(frame, compared, "p")["-same-size"])
    assert {setting for setting, _ in shown} == {"10 samples", "all samples", "one modality missing"}


def test_the_first_metric_of_a_data_set_is_drawn(results):
    rows = [comparison("concat", 0.01, "better", metric="roc_auc"), comparison("concat", 0.03, "better")]
    assert drawn(maps(results, *rows)["-any-size"])["all samples", "mfeat"][0] == "+3.0\nConcat"


def test_where_no_baseline_is_so_small_the_map_says_so(results):
    figures = maps(results, comparison("lmf", 0.03, "better"))
    assert drawn(figures["-same-size"])["all samples", "mfeat"] == ("none so small", None, None)
    assert drawn(figures["-any-size"])["all samples", "mfeat"][0] == "+3.0\nLMF"


def test_the_colour_is_full_at_ten_times_the_margin_and_the_figure_says_what_it_shows(results):
    full = matplotlib.colormaps["RdBu"](1.0)[:3]
    rows = [comparison("concat", 0.1, "better"), comparison("concat", 0.3, "better", settings={"samples": 10})]
    figure = maps(results, *rows)["-any-size"]
    for _, color, _ in drawn(figure).values():
        assert color == pytest.approx(full)
    assert figure.get_suptitle().endswith("mean difference over 20 seeds; profile p")


def test_without_comparisons_there_are_no_maps(results):
    assert comparison_maps(table6.fold(results), NO_COMPARISONS, "p") == {}
