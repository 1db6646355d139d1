"""What holds of every table."""

import dataclasses

import pytest

from reproduce.sweep.runs import FINISHED, RunResult
from reproduce.tables.table import find
from tfq_fusion.datasets import download

CHOSEN = {  # data sets and fusions that are small and always there
    "table1": (["mfeat", "emoji"], ["qfl", "concat"]),
    "table2": (["japanese-vowels", "synthetic"], ["qfl", "lmf"]),
    "table3": (["spectrum", "polynomial"], ["qfl", "lmf"]),
    "table4": (["mfeat", "growth"], ["qmfnn", "mean"]),
    "table5": (["mfeat", "gradient-variance"], ["qfl", "lmf"]),
    "table6": (["mfeat"], ["qfl", "concat"]),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_name_that_is_given_twice_counts_once(name):
    table, (datasets, fusions) = find(name), CHOSEN[name]
    plan = table.plan("smoke", 2, [*datasets, *datasets])
    assert plan == table.plan("smoke", 2, datasets)
    assert table.specs(plan, [*fusions, *fusions], "compiled") == table.specs(plan, fusions, "compiled")


@pytest.mark.parametrize("name", CHOSEN)
def test_every_run_of_a_plan_is_another_one(name):
    table = find(name)
    plan = table.plan("smoke", 2, CHOSEN[name][0])
    sweeps = [(field.name, getattr(plan, field.name)) for field in dataclasses.fields(plan)]
    twice = {name: (*values, *values) for name, values in sweeps if isinstance(values, tuple) and name != "samples"}
    specs = table.specs(dataclasses.replace(plan, **twice), None, "compiled")
    assert len({spec.id for spec in specs}) == len(specs)
    assert {spec.id for spec in specs} == {spec.id for spec in table.specs(plan, None, "compiled")}


@pytest.mark.parametrize("name", CHOSEN)
def test_two_results_of_a_run_are_no_two_seeds(name):
    table = find(name)
    spec, *_ = table.specs(table.plan("smoke", 1, CHOSEN[name][0]), CHOSEN[name][1], "compiled")
    result = RunResult(spec, FINISHED, 2, 10, 10, {"test": {"accuracy": 0.5}})
    with pytest.raises(ValueError, match=f"Run {spec.id} .* has 2 results, expected one"):
        table.fold([result, result])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fusions": ("qfl", "sum")}, "Unknown fusion sum of 'Table 1.*expected among qfl"),
        ({"metrics": {"classification": ("accuracy", "beauty")}}, "Unknown metric beauty of .*expected among accuracy"),
        ({"choices": ("emoji", "imagenet")}, "Unknown data set or experiment imagenet of .*emoji.*noise"),
    ],
)
def test_what_no_page_or_figure_knows_is_refused_when_a_table_is_made(changed, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(find("table1"), **changed)


def test_a_profile_of_what_is_no_data_set_is_refused_when_a_table_is_made():
    table = find("table1")
    profile = dataclasses.replace(table.profiles["smoke"], datasets=("imagenet",))
    with pytest.raises(ValueError, match="imagenet"):
        dataclasses.replace(table, profiles={"smoke": profile})


def test_what_a_table_does_not_report_is_refused_before_anything_runs():
    table = dataclasses.replace(find("table1"), metrics={"classification": ("accuracy",)})
    plan = table.plan("smoke", datasets=["traffic-detectors"])
    with pytest.raises(ValueError, match=r"traffic-detectors is about forecasting: .*expected among classification"):
        table.specs(plan)
    with pytest.raises(ValueError, match=r"Unknown data set or experiment growth.*japanese-vowels"):
        table.plan("smoke", datasets=["growth"])


def test_a_selection_without_a_run_lists_what_would_have_one():
    table = find("table1")
    with pytest.raises(ValueError, match="Unknown fusion persistence of these data sets: expected among qfl"):
        table.specs(table.plan("smoke", datasets=["emoji"]), ["persistence"])


def test_data_sets_that_are_missing_are_named_at_once_with_the_commands_that_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")
    table = find("table4")
    assert table.plan("default").missing == ("mnist", "cifar-10")
    with pytest.raises(FileNotFoundError, match="make data DATASET=cifar-10`, `make data DATASET=mnist") as caught:
        table.specs(table.plan("smoke", datasets=["cifar-10", "mfeat", "mnist", "cifar-10"]))
    assert "Data sets that are not there: cifar-10, mnist. Get them with" in str(caught.value)


@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("engine", ["compiled", "tfq"])
def test_a_run_states_the_engine_and_the_precision_that_compute_it(name, engine):
    table = find(name)
    double = {"polynomial", "discrimination", "spectrum", "feature-map-rank", "device-circuit"}
    nothing = {"growth", "parameters", "device-circuit"}  # weights and gates are counted
    compiled = {"spectrum", "feature-map-rank", "noise"}  # whatever engine trains models
    plan = table.plan("smoke", 1)
    if engine == "tfq" and name == "table3":
        plan = dataclasses.replace(plan, datasets=("spectrum", "parameters"))
    for spec in table.specs(plan, None, engine):
        quantum = spec.fusion in ("qfl", "qmfnn")
        runs = "compiled" if spec.experiment in compiled else None if spec.experiment in nothing else engine
        assert spec.engine == (runs if quantum else None)
        exact = spec.experiment in double or (spec.experiment == "synthetic" and not quantum)
        assert spec.precision == ("float64" if exact else "float32")


@pytest.mark.parametrize("experiment", ["polynomial", "discrimination"])
def test_double_precision_is_not_stated_of_an_engine_that_has_none(experiment):
    plan = find("table3").plan("smoke", datasets=[experiment])
    with pytest.raises(ValueError, match="TensorFlow Quantum computes in float32, and this needs float64: leave"):
        find("table3").specs(plan, None, "tfq")
    assert {spec.engine for spec in find("table3").specs(plan, ["lmf"], "tfq")} == {None}
