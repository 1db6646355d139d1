import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.report import Report
from bench.roofline import operations
from bench.run import Cell
from bench.workloads import Workload, qcnn, qfl

FULL = functools.partial(Cell, status="ok", deviation=1e-6, steps=30, versions={"numpy": "2.0.2"})


def measured(workload: str, engine: str, median_ms: float, first_call_s: float = 1.0, **figures: float) -> Cell:
    return FULL(workload, engine, median_ms=median_ms, first_call_s=first_call_s, peak_mb=100.0, **figures)


@pytest.fixture
def report() -> Report:
    workloads = {
        "a": Workload(
            "Circuit A", lambda: qfl(1, 3, 1, 4), 1, over_tfq=50, over_peers=5, over_roofline=4, first_call=5
        ),
        "b": Workload("Circuit B", lambda: qcnn(4, 2), over_tfq=50, over_peers=5),
    }
    cells = [
        measured("a", "compiled", 2.0, 6.0),
        measured("a", "compiled-jax", 1.0),
        measured("a", "tfq", 200.0),
        measured("a", "tensorcircuit", 12.0),
        measured("a", "tensorcircuit-diagonal", 8.0),
        Cell("a", "pennylane", "time-out", "no first step within 180 s"),
        measured("b", "compiled", 1.0),
        Cell("b", "tfq", "disagrees", "off by 2.0e-03, where 1e-04 is allowed", 2e-3),
        measured("b", "lightning", 6.0),
        measured("memory-p5", "compiled", 9.0, step_mb=10.0),
        measured("memory-p50", "compiled", 90.0, step_mb=12.0),
        measured("first-process", "compiled-jax", 9.0, 3.0),
        measured("second-process", "compiled-jax", 9.0, 0.9),
    ]
    problems = {name: workload.build() for name, workload in workloads.items()}
    return Report(workloads, problems, cells, rate=1e9, machine="A machine, 2 cores")


def row(page: str, start: str) -> list[str]:
    """The cells of the first table row that starts so."""
    line = next(line for line in page.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratios_stand_beside_their_targets(report: Report) -> None:
    assert row(report.markdown(), "Circuit A")[1:] == [
        "2",
        "1",
        "200",
        "100x (50x) **reached**",
        "TensorCircuit-NG, rewritten 8",
        "4x (5x) **missed**",
        "TensorCircuit-NG 12",
        "6x (5x) **reached**",
    ]


def test_an_engine_that_disagrees_gives_no_ratio(report: Report) -> None:
    page = report.markdown()
    assert row(page, "Circuit B")[1:5] == ["1", "-", "-", "- (50x) not measured"]
    assert "disagrees: off by 2.0e-03, where 1e-04 is allowed" in page


def test_a_time_out_is_reported(report: Report) -> None:
    assert row(report.markdown(), "PennyLane default.qubit ")[1:] == [
        *["-"] * 6,
        "time-out: no first step within 180 s",
    ]


def test_other_figures_have_verdicts(report: Report) -> None:
    page = report.markdown()
    assert row(page, "Circuit A: first call")[1:] == ["6.0 s", "5 s", "**missed**"]
    assert row(page, "Memory that a warm step adds, QFL n=8 P=50")[1:] == ["1.2x", "1.5x", "**reached**"]
    assert "(12.0 MB over 10.0 MB)" in page
    second = row(page, "First call of a second process on JAX, QFL n=8 P=5 B=256 (3.0 s in the first)")
    assert second[1:] == ["0.9 s", "1 s", "**reached**"]


def test_unmeasured_figures_say_so(report: Report) -> None:
    none = Report(report.workloads, report.problems, [], report.rate, report.machine).markdown()
    assert row(none, "Circuit A: first call")[1:] == ["-", "5 s", "not measured"]
    assert "not measured" in none and "reached" not in none and "missed" not in none


def test_the_roofline_is_operations_over_rate(report: Report) -> None:
    # 4 samples of 8 amplitudes. U, for one state and for all samples: one block of 3 qubits, 8 complex multiply-adds of
    # 8 operations in 4 passes, and a sign in 3 passes of 2; the rotation 6 in 3 passes and 4; 32 strings of 4 and 4.
    expected = 8 * (4 * 64 + 6) + 4 * 8 * (4 * 64 + 6 + 22 + 32 * 8)
    assert operations(report.problems["a"], 1) == expected
    assert report.frame().query("workload == 'a' and engine == 'compiled'")["roofline_ms"].item() == expected / 1e6
    assert row(report.markdown(), "Circuit A: time over")[1:] == [f"{2 / (expected / 1e6):.1f}x", "4x", "**missed**"]


@pytest.mark.parametrize(("qubits", "features", "widths"), [(5, 12, [3, 2]), (8, 88, [4, 4]), (11, 828, [4, 4, 3])])
def test_unitaries_are_counted_as_blocks_of_at_most_four_qubits(qubits: int, features: int, widths: list[int]) -> None:
    problem = qfl(1, features, 1, 1)
    assert problem.qubits == qubits
    unitary = 32 * sum(2**width for width in widths) + 6
    assert operations(problem, 1) == 2**qubits * (2 * unitary + 22 + 256)


def test_files_are_written(report: Report, tmp_path: Path) -> None:
    report.write(tmp_path)
    frame = pd.read_csv(tmp_path / "bench.csv")
    assert list(frame["engine"][:3]) == ["compiled", "compiled-jax", "tfq"] and len(frame) == len(report.cells)
    np.testing.assert_allclose(frame["ratio_to_compiled"][:5], [1, 0.5, 100, 6, 4])
    assert frame["median_ms"].isna().sum() == 2
    assert (tmp_path / "bench.md").read_text(encoding="utf-8") == report.markdown()
    with Image.open(tmp_path / "bench.png") as image:
        image.verify()
