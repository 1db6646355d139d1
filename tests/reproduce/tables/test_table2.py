"""Table 2: which runs it is made of, what it says is missing, and what its rows add to those of Table 1."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from reproduce.experiments.gradients.initialisation import gradient_at_initialisation
from reproduce.report.page import write_table
from reproduce.sweep.runs import FINISHED, INTRACTABLE, RunResult
from reproduce.tables import table2
from tfq_fusion.datasets import download


@pytest.fixture
def fresh_clone(monkeypatch, tmp_path):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")


def runs(profile="default", fusions=None, **arguments):
    return table2.TABLE.specs(table2.TABLE.plan(profile, **arguments), fusions, "tfq")


def test_a_fresh_clone_runs_the_stand_in_and_the_synthetic_sweep(fresh_clone):
    plan = table2.TABLE.plan("default")
    assert plan.datasets == ("japanese-vowels", table2.SYNTHETIC)
    assert plan.missing == ("ptb-xl", "ludb", "metr-la", "los-loop")
    options = {dict(spec.dataset_options).get("channels") for spec in runs() if spec.experiment == "training"}
    assert options == {3, 6, 12}


def test_the_notes_name_the_command_for_what_is_missing_and_say_what_stands_in(fresh_clone):
    notes = "\n".join(table2.notes(table2.TABLE.plan("default")))
    for name in ("ptb-xl", "ludb", "metr-la", "los-loop"):
        assert f"**{name}** is not here, so it has no rows: `make data DATASET={name}`" in notes
    assert "**japanese-vowels** stands in" in notes
    assert "Nothing else was trained here." in notes


def test_with_real_sets_the_stand_in_is_not_all(fresh_clone):
    plan = dataclasses.replace(table2.TABLE.plan("default"), datasets=tuple(table2.SIZES), missing=())
    assert "Nothing else was trained here." not in "\n".join(table2.notes(plan))


@pytest.mark.data("ludb")
def test_ecg_has_three_and_twelve_leads_all_degrees_and_every_fold_for_each_seed():
    specs = runs(datasets=["ludb"], seeds=2, fusions=["qfl", "lmf"])
    leads = [dict(spec.dataset_options)["leads"] for spec in specs]
    assert set(leads) == {("I", "II", "V2"), table2.LEADS}
    assert {spec.degree for spec in specs if spec.fusion == "qfl"} == {1, 2, 3}
    tested = {(spec.seed, dict(spec.dataset_options)["fold"]) for spec in specs}
    assert tested == set(itertools.product(range(2), range(5)))


@pytest.mark.data("ludb")
def test_by_default_runs_that_are_long_have_as_many_seeds_as_the_others():
    seeds = {name: {spec.seed for spec in runs(datasets=[name])} for name in ("japanese-vowels", "ludb")}
    assert seeds["ludb"] == seeds["japanese-vowels"] == set(range(20))


@pytest.mark.data("los-loop")
def test_traffic_goes_up_to_207_sensors_beside_two_forecasts_without_a_model():
    specs = runs(datasets=["los-loop"], seeds=2)
    assert {dict(spec.dataset_options)["sensors"] for spec in specs} == {12, 48, 207}
    for baseline in ("persistence", "historical-average"):
        assert sum(spec.fusion == baseline for spec in specs) == 3
    assert {spec.protocol for spec in specs} == {table2.PROFILES["default"].forecasts}


def test_the_sweep_has_every_fusion_and_no_baseline(fresh_clone):
    specs = runs(datasets=[table2.SYNTHETIC], seeds=1)
    assert {dict(spec.options)["modalities"] for spec in specs} == {2, 4, 8, 16, 32, 64}
    assert {spec.fusion for spec in specs} == {
        "qfl", "control", "attention", "concat", "gated", "gcn", "lmf", "lmf-unit", "mfb", "tfn",
    }  # fmt: skip
    assert {spec.precision for spec in specs if spec.fusion != "qfl"} == {"float64"}


def test_the_sweep_does_not_depend_on_the_profile(fresh_clone):
    smoke, paper = ({s.id for s in runs(name, datasets=[table2.SYNTHETIC], seeds=1)} for name in ("smoke", "paper"))
    assert smoke == paper


@pytest.mark.parametrize(
    ("arguments", "fusions", "message"),
    [
        ({"profile": "quick"}, None, "Unknown profile quick.*smoke, default, paper"),
        ({"datasets": ["mfeat"]}, None, "Unknown data set or experiment mfeat.*ptb-xl.*synthetic"),
        ({"datasets": ["japanese-vowels"]}, ["sum"], "Unknown fusion sum.*qfl.*tfn"),
    ],
)
def test_unknown_names_list_the_known(arguments, fusions, message):
    with pytest.raises(ValueError, match=message):
        runs(**arguments, fusions=fusions)


def finished(spec, parameters, roc_auc=0.9, seconds=0.5):
    return RunResult(
        spec,
        FINISHED,
        modalities=dict(spec.dataset_options)["channels"],
        fusion_params=parameters,
        total_params=parameters + 100,
        metrics={"test": {"accuracy": 0.8, "roc_auc": roc_auc}},
        seconds_per_epoch=seconds,
        peak_memory_mb=900.0,
    )


def cell(frame, fusion, metric, modalities):
    chosen = (frame["fusion"] == fusion) & (frame["metric"] == metric) & (frame["modalities"] == modalities)
    (found,) = frame[chosen].to_dict("records")
    return found


@pytest.fixture
def frame():
    parameters = {"lmf": 1000, "gcn": 250, "concat": 0}
    specs = runs("default", datasets=["japanese-vowels"], fusions=list(parameters), seeds=5)
    return table2.fold([finished(s, parameters[s.fusion], seconds=0.1 * (1 + s.seed)) for s in specs])


def test_sizes_of_one_data_set_are_rows_of_their_own(frame):
    assert set(frame["modalities"]) == {3, 6, 12}
    assert cell(frame, "gcn", "roc_auc", 12)["seeds"] == 5


def test_costs_are_rows(frame):
    assert cell(frame, "gcn", "seconds_per_epoch", 3)["mean"] == pytest.approx(0.3)
    assert cell(frame, "gcn", "peak_memory_mb", 3)["mean"] == 900


def test_parameters_are_held_against_those_of_lmf_beside_them(frame):
    found = cell(frame, "gcn", "parameters_over_lmf", 6)
    assert found["mean"] == 0.25
    assert math.isnan(found["std"]) and math.isnan(found["ci95_low"])
    assert "concat" not in set(frame.loc[frame["metric"] == "parameters_over_lmf", "fusion"])


def test_the_page_has_a_table_per_size_and_the_figures(frame, tmp_path):
    written, _ = write_table(frame, tmp_path / "table2", "T", "p", table2.TABLE.figures, ["A note."], {}, {}, {})
    assert [path.name for path in written] == ["table2.csv", "table2.md", "table2-japanese-vowels.png", "claims.md"]
    page = (tmp_path / "table2.md").read_text()
    assert "A note." in page
    for modalities in (3, 6, 12):
        assert f"{modalities} modalities, 5 seeds." in page
    assert page.count("## japanese-vowels") == 1


def test_a_data_set_without_a_title_has_its_name(frame):
    figures = table2.TABLE.figures(frame.assign(dataset="unheard-of"), "p", {})
    assert figures["-unheard-of"].get_suptitle().startswith("unheard-of")


def sweep(fusion, modalities, seed=0):
    (spec,) = [
        spec
        for spec in runs(datasets=[table2.SYNTHETIC], seeds=seed + 1, fusions=[fusion])
        if dict(spec.options)["modalities"] == modalities and spec.seed == seed
    ]
    return gradient_at_initialisation(spec)


def gradient(result):
    return 10 ** result.metrics["test"]["gradient_norm_log10"]


def test_the_gradient_of_a_concatenation_is_the_random_direction_itself():
    """Its squared norm is the mean of as many squared normal numbers: near one."""
    norms = [gradient(sweep("concat", 64, seed)) for seed in range(2)]
    assert norms == pytest.approx([1, 1], abs=0.15)
    assert norms[0] != norms[1]


def test_the_product_of_lmf_vanishes_as_published_and_not_with_unit_scale():
    for modalities in (8, 32):
        spread = math.sqrt(2 * (1 + 4 / 3) / (32 * 9))  # of one factor, for four features uniform in [-1, 1)
        assert np.log10(gradient(sweep("lmf", modalities))) == pytest.approx(modalities * math.log10(spread), abs=1.5)
        assert 0.1 < gradient(sweep("lmf-unit", modalities)) < 10


def test_a_fusion_too_large_for_the_sweep_has_its_number_of_weights():
    result = sweep("tfn", 32)
    assert (result.status, result.metrics, result.fusion_params) == (INTRACTABLE, {}, 32 * 5**32 + 32)


@pytest.mark.slow
def test_the_sweep_of_qfl_needs_more_weights_by_qubit_not_by_modality():
    few, many = sweep("qfl", 2), sweep("qfl", 16)
    assert (few.fusion_params, many.fusion_params) == (5 * 3 * 4, 8 * 3 * 4)
    assert 0.01 < gradient(many) < 1
