"""What is seen while runs run."""

import dataclasses
import io

import pytest
from rich.console import Console

from reproduce.sweep import progress
from reproduce.sweep.estimate import Estimates
from reproduce.sweep.progress import SweepProgress, duration, last_line, preview
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec, block_id, in_blocks
from tfq_fusion.training import Protocol

SPEC = RunSpec(fusion="control", seed=0, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64, degree=1)
BLOCKS = in_blocks(dataclasses.replace(SPEC, degree=degree) for degree in range(1, 6))
IDS = [block_id(block) for block in BLOCKS]
SEEDS = tuple(dataclasses.replace(SPEC, seed=seed) for seed in range(3))
DONE = RunResult(SPEC, FINISHED, 6, metrics={"test": {"accuracy": 0.875}}, seconds=10.0)


def watch(terminal, blocks=BLOCKS):
    console = Console(markup=False, file=io.StringIO(), force_terminal=terminal, width=120, highlight=False)
    return SweepProgress(console, blocks, Estimates([DONE])), console.file


def test_without_a_terminal_each_finished_run_is_one_line():
    watched, told = watch(terminal=False)
    with watched:
        watched.started(IDS[0], "a")
        watched.finished([DONE])
        watched.retried(BLOCKS[1], "Traceback\n  line\nValueError: no", 1, 3)
    assert told.getvalue().splitlines() == [
        "[1/5] mfeat control P=1 seed 0: accuracy 0.875, 10.0 s; about 40 s left",
        "mfeat control P=2 seed 0: attempt 1 of 3 failed: ValueError: no",
    ]


def test_a_block_is_retried_as_one_and_each_of_its_seeds_has_a_line():
    watched, told = watch(terminal=False, blocks=[SEEDS, *BLOCKS[1:]])
    with watched:
        watched.started(block_id(SEEDS), "a")
        watched.retried(SEEDS, "ValueError: no", 1, 3)
        assert watched.seconds_left() == pytest.approx(70.0)
        watched.finished([dataclasses.replace(DONE, spec=spec) for spec in SEEDS])
    assert told.getvalue().splitlines() == [
        "mfeat control P=1, 3 seeds: attempt 1 of 3 failed: ValueError: no",
        *(
            f"[{seed + 1}/7] mfeat control P=1 seed {seed}: accuracy 0.875, 10.0 s; about 40 s left"
            for seed in (0, 1, 2)
        ),
    ]


def test_a_terminal_shows_how_many_runs_end_in_a_minute(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    watched, told = watch(terminal=True)
    with watched:
        now[0] += 30.0
        watched.finished([DONE])
    assert "1 of 5, 2.0 a minute, about 40 s left" in told.getvalue()


def test_a_running_block_has_one_line_on_a_terminal():
    watched, told = watch(terminal=True, blocks=[SEEDS])
    with watched:
        watched.started(block_id(SEEDS), "a")
    assert "0 of 3" in told.getvalue()
    assert "worker 1: mfeat control P=1, 3 seeds" in told.getvalue()
    assert "0 s of about 30 s" in told.getvalue()


def test_on_a_terminal_there_is_a_line_for_all_and_one_per_running_run_and_none_stays():
    watched, told = watch(terminal=True)
    with watched:
        watched.started(IDS[0], "a")
        watched.started(IDS[1], "b")
        watched.finished([DONE])
        watched._live.refresh()
        frame = told.getvalue().rsplit("all runs", 1)[1]
    assert "1 of 5" in frame
    assert "worker 2: mfeat control P=2 seed 0" in frame
    assert "worker 1" not in frame
    assert "0 s of about 10 s" in frame
    assert told.getvalue().endswith("\x1b[2K")  # what was drawn is erased


def test_the_news_that_a_run_began_may_come_after_its_end():
    watched, _ = watch(terminal=False)
    with watched:
        watched.finished([DONE])
        watched.started(IDS[0], "a")
        assert watched.seconds_left() == pytest.approx(40.0)


def test_what_is_ahead_is_estimated_once_for_a_block_that_ends_however_many_runs_it_has(monkeypatch):
    watched, _ = watch(terminal=False, blocks=[SEEDS, *BLOCKS[1:]])
    asked = []
    monkeypatch.setattr(Estimates, "seconds", lambda self, block: asked.append(block) or 1.0)
    with watched:
        watched.finished([dataclasses.replace(DONE, spec=spec) for spec in SEEDS])
    assert asked == BLOCKS[1:]


def test_the_time_left_is_shared_by_the_workers_and_no_less_than_that_of_the_longest_run(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    watched, _ = watch(terminal=False)
    assert watched.seconds_left() == pytest.approx(50.0)
    watched.started(IDS[0], "a")
    watched.started(IDS[1], "b")
    assert watched.seconds_left() == pytest.approx(25.0)
    now[0] += 4.0
    assert watched.seconds_left() == pytest.approx(21.0)
    alone, _ = watch(terminal=False, blocks=BLOCKS[:1])
    alone.started(IDS[0], "a")
    alone.started(IDS[0], "b")
    assert alone.seconds_left() == pytest.approx(10.0)


def test_what_is_ahead_takes_as_long_as_its_blocks_and_no_less_than_the_longest():
    seeds = tuple(dataclasses.replace(SPEC, seed=seed) for seed in range(20))
    other = dataclasses.replace(SPEC, dataset="emoji")
    estimates = Estimates()
    longest = estimates.seconds(seeds)
    assert longest < 10 * estimates.seconds(seeds[:1])
    lines = preview([*seeds, other], [], workers=1).splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == [f"{longest:.0f}", f"{estimates.seconds((other,)):.0f}"]
    assert lines[3] == (
        f"21 runs: 0 are there, 21 would run, which takes {duration(longest + estimates.seconds((other,)))} "
        "with --workers 1."
    )
    assert f"which takes {duration(longest)} with --workers 20." in preview([*seeds, other], [], workers=20)


def test_only_what_is_not_there_is_ahead():
    told = preview(SEEDS, [DONE], workers=1).splitlines()
    assert told[1].split()[-3:] == ["1", "2", "20"]
    assert told[2] == "3 runs: 1 are there, 2 would run, which takes about 20 s with --workers 1."
    done = [dataclasses.replace(DONE, spec=spec) for spec in SEEDS]
    assert preview(SEEDS, done, workers=1).splitlines()[2] == "3 runs: 3 are there, 0 would run."


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
