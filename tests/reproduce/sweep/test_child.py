"""The process that runs: what goes in, what comes out, and when it ends."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from reproduce.sweep.runs import RunResult


@pytest.fixture
def start(tiny):
    """Start a process that runs tiny runs; it is killed in the end."""
    started = []

    def start(code="child.main('tiny_runs:run')"):
        process = subprocess.Popen(
            [sys.executable, "-c", f"from reproduce.sweep.processes import child; {code}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def ask(process, *specs):
    process.stdin.write(json.dumps({"specs": [dataclasses.asdict(spec) for spec in specs], "backup": None}) + "\n")
    process.stdin.flush()


def test_one_answer_per_request_and_what_a_run_prints_is_none(tiny, start):
    process = start()
    for does in ("finish", "raise", "finish"):
        ask(process, tiny.spec(does))
        answer = json.loads(process.stdout.readline())
        if does == "raise":
            assert set(answer) == {"error"}
            assert answer["error"].endswith("ValueError: this run raises\n")
        else:
            assert set(answer) == {"results"}
            assert [RunResult.from_json(text).spec for text in answer["results"]] == [tiny.spec(does)]
    process.kill()
    assert process.communicate()[1].count("a word on standard output") == 3


def test_seeds_of_a_training_are_run_together_and_answered_in_order_or_with_one_error(tiny, start):
    process = start()
    for does in ("finish", "falter"):
        ask(process, *(tiny.spec(does, seed=seed) for seed in (1, 0, 2)))
    finished, faltered = (json.loads(process.stdout.readline()) for _ in range(2))
    results = [RunResult.from_json(text) for text in finished["results"]]
    assert [(result.spec.seed, result.program) for result in results] == [(seed, (1, 0, 2)) for seed in (1, 0, 2)]
    assert set(faltered) == {"error"}
    assert faltered["error"].endswith("ValueError: this seed raises\n")


def test_it_ends_in_the_middle_of_a_run_when_nobody_listens_any_more_and_leaves_nothing(tiny, start, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = start(f"child.main('tiny_runs:run', {str(temporary)!r})")
    ask(process, tiny.spec("hang"))
    tiny.wait_until(lambda: tiny.attempts(tiny.spec("hang")))
    process.stdin.close()
    assert process.wait(10) == 0
    assert not temporary.exists()


def test_it_ends_when_it_is_not_asked_for_long(start):
    assert start("child.IDLE_SECONDS = 0.1; child.main('tiny_runs:run')").wait(30) == 0
