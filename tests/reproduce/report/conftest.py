"""A report of the committed results, and a folder whose runs are there."""

from pathlib import Path

import pytest

from reproduce.claims.rows import write_csv
from reproduce.claims.runs import runs_csv, runs_path
from reproduce.report.html.contents import read_contents
from reproduce.report.html.write import render, write_report
from reproduce.sweep.runs import DIVERGED, FINISHED, RunResult, RunSpec
from reproduce.sweep.store import FILE, Store
from reproduce.tables import table1
from reproduce.tables.runs import runs_of_cells
from tfq_fusion.training import Protocol

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture(scope="session")
def contents():
    """What the report of the committed results shows."""
    return read_contents(RESULTS)


@pytest.fixture(scope="session")
def report(contents, tmp_path_factory):
    """The report of the committed results, as a file."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(contents, "results"), encoding="utf-8")
    return path


def run(fusion, seed, accuracy, degree=None):
    """A run with losses; a diverged one without an accuracy."""
    spec = RunSpec(fusion=fusion, seed=seed, degree=degree, dataset="japanese-vowels", protocol=Protocol())
    return RunResult(
        spec,
        DIVERGED if accuracy is None else FINISHED,
        modalities=12,
        fusion_params=84,
        total_params=5000,
        metrics={} if accuracy is None else {"test": {"accuracy": accuracy, "roc_auc": 0.9 + accuracy / 100}},
        learning_rate=0.005,
        tuning={0.002: 0.7, 0.005: 0.5},
        epochs=40,
        seconds=1.5,
        history={"loss": [1 / epoch for epoch in range(1, 41)], "val_loss": [1.1 / epoch for epoch in range(1, 41)]},
        versions={"python": "3.11.9"},
        commit="c0ffee",
        machine="A processor, 2 cores",
    )


RUNS = [
    *(run("qfl", seed, accuracy, degree=3) for seed, accuracy in enumerate((0.9, 0.92, 0.94))),
    *(run("concat", seed, accuracy) for seed, accuracy in enumerate((0.95, 0.97, None))),
]


@pytest.fixture(scope="session")
def folder_with_runs(tmp_path_factory):
    """A folder with a small Table 1, the runs beside it and the raw runs, and its report."""
    folder = tmp_path_factory.mktemp("results")
    write_csv(table1.fold(RUNS), folder / "table1.csv")
    runs_path(folder / "table1").write_text(runs_csv(runs_of_cells(RUNS, table1.fold)), encoding="utf-8")
    with Store(folder / FILE) as store:
        store.add([result.to_json() for result in RUNS], table="table1")
    write_report(folder)
    return folder
