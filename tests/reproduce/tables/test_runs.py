"""Which runs the cells of a table are made of."""

import pytest

from reproduce.claims.runs import parse_runs, runs_csv
from reproduce.sweep.runs import DIVERGED, FINISHED, RunResult, RunSpec
from reproduce.tables import table1, table6
from reproduce.tables.runs import runs_of_cells
from tfq_fusion.training import Protocol


def run(fusion, seed, accuracy, degree=None, dataset="japanese-vowels", params=100, **more):
    spec = RunSpec(fusion=fusion, seed=seed, degree=degree, dataset=dataset, protocol=Protocol(), **more)
    metrics = {} if accuracy is None else {"test": {"accuracy": accuracy, "roc_auc": accuracy}}
    status = DIVERGED if accuracy is None else FINISHED
    return RunResult(
        spec,
        status,
        modalities=12,
        fusion_params=params,
        metrics=metrics,
        history={"loss": [2.0 + seed, 1.0 + seed]},
        commit="c0ffee",
        machine="m",
    )


def test_a_cell_has_a_value_per_seed_and_its_runs():
    runs = [run("qfl", 0, 0.5, degree=1), run("qfl", 1, 0.7, degree=1), run("concat", 0, 0.9), run("concat", 1, None)]
    quantum, concat = runs_of_cells(runs, table1.fold)
    assert (quantum["fusion"], quantum["degree"], quantum["seeds"]) == ("qfl", 1, [0, 1])
    assert quantum["points"]["accuracy"] == [0.5, 0.7]
    assert quantum["runs"] == [one.spec.id[:12] for one in runs[:2]]
    assert quantum["losses"] == {"epoch": [1, 2], "losses": {"loss": [2.5, 1.5]}}
    assert quantum["circumstances"] == [{"commit": "c0ffee", "machine": "m", "versions": {}}]
    assert concat["points"] == {"accuracy": [0.9, None], "roc_auc": [0.9, None], "diverged": [0, 1]}


def test_draws_of_a_seed_are_one_value():
    runs = [
        run("concat", seed, (seed + draw) / 10, options={"samples": 10, "draw": draw})
        for seed in (1, 2)
        for draw in (0, 2)
    ]
    (cell,) = runs_of_cells(runs, table6.fold)
    assert cell["seeds"] == [1, 2]
    assert cell["points"]["accuracy"] == pytest.approx([0.2, 0.3])
    assert len(cell["runs"]) == 4


def test_a_run_belongs_to_every_cell_that_it_counts_in():
    runs = [
        run("concat", seed, 0.5 + seed / 10 + part / 100, options={"missing": part})
        for seed in (0, 1)
        for part in (0, 1)
    ]
    each, first, second = runs_of_cells(runs, table6.fold)
    assert each["options"] == '{"missing":"each in turn"}'
    assert each["points"]["accuracy"] == pytest.approx([0.505, 0.605])
    assert sorted(each["runs"]) == sorted([*first["runs"], *second["runs"]])


def test_a_mean_that_is_none_over_seeds_has_no_points():
    def halved(results):
        frame = table1.fold(results)
        return frame.assign(mean=frame["mean"] / len(results))

    (cell,) = runs_of_cells([run("concat", 0, 0.5), run("concat", 1, 0.7)], halved)
    assert "accuracy" not in cell["points"]


def test_the_file_gives_back_what_was_written():
    runs = [run("qfl", 0, 1 / 3, degree=1), run("qfl", 1, None, degree=1)]
    text = runs_csv(runs_of_cells(runs, table1.fold))
    ((cell, row),) = parse_runs(text, "table1-runs.csv").items()
    assert cell == ("training", "japanese-vowels", "{}", 12, "qfl", "{}", 1)
    assert row.points["accuracy"] == [0.333333, None]
    assert (row.losses.epoch, row.losses.losses) == ([1, 2], {"loss": [2.5, 1.5]})
    assert row.circumstances[0].commit == "c0ffee"


def test_a_broken_line_is_named():
    text = runs_csv(runs_of_cells([run("concat", 0, 0.5)], table1.fold)).replace("[0]", "[0")
    with pytest.raises(ValueError, match=r"table1-runs\.csv, line 2: column seeds, Invalid JSON"):
        parse_runs(text, "table1-runs.csv")
