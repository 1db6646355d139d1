"""What is seen while data sets are fetched and prepared."""

import time

import pytest

from tfq_fusion.datasets.bars import Bars
from tfq_fusion.datasets.prepared import steps, watched


def test_without_a_terminal_every_tenth_is_a_line(capsys):
    with watched(True):
        assert [*steps("ecg, read", range(2000), "records")] == [*range(2000)]
    assert capsys.readouterr().err.splitlines() == [
        f"ecg, read: {done:,} of 2,000 records" for done in range(200, 2001, 200)
    ]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_are_a_line_each(count, capsys):
    with watched(True):
        assert len([*steps("ecg, read", range(count), "records")]) == count
    assert len(capsys.readouterr().err.splitlines()) == count


def test_nobody_is_told_who_does_not_watch(capsys):
    with watched(True), watched(False):
        assert [*steps("ecg, read", range(3), "records")] == [0, 1, 2]
    with Bars(shown=False) as bars:
        bars.advance(bars.add("set", 1, "files"))
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_terminal_shows_rate_and_time_left_and_keeps_nothing(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with Bars(shown=True) as bars:
        files = bars.add("set", 4, "files")
        transfer = bars.add("a.bin", 4_000_000, "bytes")
        for done in range(1, 4):
            time.sleep(0.05)
            bars.set(transfer, done * 1_000_000)
            bars.advance(files)
        time.sleep(0.3)  # until it is drawn again
    shown = capsys.readouterr().err
    assert "3 of 4 files" in shown
    assert "3.0 MB of 4.0 MB" in shown
    assert "MB/s" in shown and "0:00:0" in shown
    assert shown.endswith("\x1b[2K")  # what was drawn is erased
