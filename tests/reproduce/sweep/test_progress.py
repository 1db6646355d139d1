"""What is seen while runs run."""

import io

import pytest
from rich.console import Console

from reproduce.sweep import progress
from reproduce.sweep.estimate import Estimates
from reproduce.sweep.progress import SweepProgress, duration, last_line
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.training import Protocol

SPECS = [
    RunSpec(fusion="concat", seed=seed, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64)
    for seed in range(5)
]
DONE = RunResult(SPECS[0], FINISHED, 6, metrics={"test": {"accuracy": 0.875}}, seconds=10.0)


def watch(terminal, specs=SPECS):
    console = Console(markup=False, file=io.StringIO(), force_terminal=terminal, width=120, highlight=False)
    return SweepProgress(console, specs, Estimates([DONE])), console.file


def test_without_a_terminal_each_finished_run_is_one_line():
    watched, told = watch(terminal=False)
    with watched:
        watched.started(SPECS[0].id, "a")
        watched.finished(DONE)
        watched.retried(SPECS[1], "Traceback\n  line\nValueError: no", 1, 3)
    assert told.getvalue().splitlines() == [
        "[1/5] mfeat concat seed 0: accuracy 0.875, 10.0 s; about 40 s left",
        "mfeat concat seed 1: attempt 1 of 3 failed: ValueError: no",
    ]


def test_on_a_terminal_there_is_a_line_for_all_and_one_per_running_run_and_none_stays():
    watched, told = watch(terminal=True)
    with watched:
        watched.started(SPECS[0].id, "a")
        watched.started(SPECS[1].id, "b")
        watched.finished(DONE)
        watched._live.refresh()
        frame = told.getvalue().rsplit("all runs", 1)[1]
    assert "1 of 5" in frame
    assert "worker 2: mfeat concat seed 1" in frame
    assert "worker 1" not in frame
    assert "0 s of about 10 s" in frame
    assert told.getvalue().endswith("\x1b[2K")  # what was drawn is erased


def test_the_news_that_a_run_began_may_come_after_its_end():
    watched, _ = watch(terminal=False)
    with watched:
        watched.finished(DONE)
        watched.started(SPECS[0].id, "a")
        assert watched.seconds_left() == pytest.approx(40.0)


def test_the_time_left_is_shared_by_the_workers_and_no_less_than_that_of_the_longest_run(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    watched, _ = watch(terminal=False)
    assert watched.seconds_left() == pytest.approx(50.0)
    watched.started(SPECS[0].id, "a")
    watched.started(SPECS[1].id, "b")
    assert watched.seconds_left() == pytest.approx(25.0)
    now[0] += 4.0
    assert watched.seconds_left() == pytest.approx(21.0)
    alone, _ = watch(terminal=False, specs=SPECS[:1])
    alone.started(SPECS[0].id, "a")
    alone.started(SPECS[0].id, "b")
    assert alone.seconds_left() == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "under 10 s"),
        (44.0, "about 40 s"),
        (100.0, "about 2 min"),
        (3600.0, "about 60 min"),
        (3 * 3600 + 1150.0, "about 3 h 20 min"),
        (2.5 * 86400, "about 2.5 days"),
    ],
)
def test_duration_in_words(seconds, words):
    assert duration(seconds) == words


def test_last_line_of_an_error():
    assert last_line("Traceback\n  ...\nValueError: no\n") == "ValueError: no"
    assert last_line(None) == "no reason given"
