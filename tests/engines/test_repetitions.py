"""Sequences are split into runs, and what repeats itself is told once."""

from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.engines.compiled.repetitions import SAVED, runs


@given(st.text("abc", max_size=60), st.text("abcd", min_size=1, max_size=5), st.integers(1, 12))
def test_runs_are_the_sequence(before, period, passes):
    text = before + period * passes
    found = list(runs(text))
    assert "".join(text[start : start + length] * times for start, length, times in found) == text
    assert all(times == 1 or length * (times - 1) >= SAVED for _, length, times in found)


def test_the_longest_repetition_is_found_inside():
    assert list(runs("xy" + "aaab" * 5 + "z")) == [(0, 2, 1), (2, 4, 5), (22, 1, 1)]


def test_what_saves_little_is_no_loop():
    assert list(runs("aabb")) == [(0, 4, 1)]


def test_nothing_has_no_runs():
    assert list(runs("")) == []
