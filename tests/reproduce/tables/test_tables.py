"""What holds of every table."""

import dataclasses

import pytest

from reproduce.sweep.runs import FINISHED, RunResult
from reproduce.tables import table1, table2, table3, table4, table5

TABLES = {"table1": table1, "table2": table2, "table3": table3, "table4": table4, "table5": table5}
CHOSEN = {  # data sets and fusions that are small and always there
    "table1": (["mfeat", "emoji"], ["qfl", "concat"]),
    "table2": (["japanese-vowels", "synthetic"], ["qfl", "lmf"]),
    "table3": (["spectrum", "polynomial"], ["qfl", "lmf"]),
    "table4": (["mfeat", "growth"], ["qmfnn", "mean"]),
    "table5": (["mfeat", "gradient-variance"], ["qfl", "lmf"]),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_name_that_is_given_twice_counts_once(name):
    table, (datasets, fusions) = TABLES[name], CHOSEN[name]
    plan = table.plan("smoke", 2, [*datasets, *datasets])
    assert plan == table.plan("smoke", 2, datasets)
    assert table.specs(plan, [*fusions, *fusions], "compiled") == table.specs(plan, fusions, "compiled")


@pytest.mark.parametrize("name", TABLES)
def test_every_run_of_a_plan_is_another_one(name):
    table = TABLES[name]
    plan = table.plan("smoke", 2, CHOSEN[name][0])
    sweeps = [(field.name, getattr(plan, field.name)) for field in dataclasses.fields(plan)]
    twice = {name: (*values, *values) for name, values in sweeps if isinstance(values, tuple) and name != "samples"}
    specs = table.specs(dataclasses.replace(plan, **twice), None, "compiled")
    assert len({spec.id for spec in specs}) == len(specs)
    assert {spec.id for spec in specs} == {spec.id for spec in table.specs(plan, None, "compiled")}


@pytest.mark.parametrize("name", TABLES)
def test_two_results_of_a_run_are_no_two_seeds(name):
    table = TABLES[name]
    spec, *_ = table.specs(table.plan("smoke", 1, CHOSEN[name][0]), CHOSEN[name][1], "compiled")
    result = RunResult(spec, FINISHED, 2, 10, 10, {"test": {"accuracy": 0.5}})
    with pytest.raises(ValueError, match=f"Run {spec.id} .* has 2 results, expected one"):
        table.fold([result, result])


@pytest.mark.parametrize("name", TABLES)
def test_what_no_page_or_figure_knows_is_refused_before_anything_runs(name, monkeypatch):
    table = TABLES[name]
    plan = table.plan("smoke", 1, CHOSEN[name][0])
    with monkeypatch.context() as patch:
        patch.setattr(table, "FUSIONS", (*table.FUSIONS, "sum"))
        with pytest.raises(ValueError, match=r"sum has no name in reproduce\.claims\.rows\.FUSIONS.*or no style"):
            table.specs(plan, None, "compiled")
    monkeypatch.setattr(table, "METRICS", {task: (*names, "beauty") for task, names in table.METRICS.items()})
    with pytest.raises(ValueError, match=r"beauty is not in reproduce\.claims\.rows\.METRICS"):
        table.specs(plan, None, "compiled")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("traffic-detectors", "traffic-detectors is about forecasting: .*expected among classification"),
        ("growth", "growth.*japanese-vowels"),  # an experiment is no data set
    ],
)
def test_what_a_table_does_not_report_is_refused_before_anything_runs(dataset, message, monkeypatch):
    monkeypatch.setattr(table1, "METRICS", {"classification": ("accuracy",)})
    plan = table1.plan("smoke", datasets=[dataset])
    with pytest.raises(ValueError, match=message):
        table1.specs(plan, None, "compiled")


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("engine", ["compiled", "tfq"])
def test_a_run_states_the_engine_and_the_precision_that_compute_it(name, engine):
    table = TABLES[name]
    double = {"polynomial", "discrimination", "spectrum", "feature-map-rank", "device-circuit"}
    nothing = {"growth", "parameters", "device-circuit"}  # weights and gates are counted
    compiled = {"spectrum", "feature-map-rank"}  # whatever engine trains models
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
    plan = table3.plan("smoke", datasets=[experiment])
    with pytest.raises(ValueError, match="TensorFlow Quantum computes in float32, and this needs float64: leave"):
        table3.specs(plan, None, "tfq")
    assert {spec.engine for spec in table3.specs(plan, ["lmf"], "tfq")} == {None}
