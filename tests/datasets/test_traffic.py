"""The windows of traffic-detectors, against the series put together again from them."""

import numpy as np
import pytest

from tfq_fusion.datasets import load
from tfq_fusion.datasets.sets.embedded import DATA

STEP = 15 * 60
LENGTH = 8


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(str(DATA / "traffic-detectors.npz"), allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def windows(arrays) -> np.ndarray:
    """All windows: ``[n, 8, 22]``."""
    names = load("traffic-detectors").modalities
    return np.stack([arrays[f"features/{name}"] for name in names], axis=2)


@pytest.fixture(scope="module")
def series(arrays, windows) -> dict[int, set[tuple[int, ...]]]:
    """Time in seconds -> every value of the 22 counts that a window or a target claims for it."""
    series: dict[int, set[tuple[int, ...]]] = {}
    due, targets = arrays["timestamp"].tolist(), arrays["labels"].tolist()
    for time, window, target in zip(due, windows.tolist(), targets, strict=True):
        for back, counts in enumerate([target, *reversed(window)]):
            series.setdefault(time - back * STEP, set()).add(tuple(counts))
    return series


def test_windows_and_targets_agree_on_every_count(series):
    assert all(len(claims) == 1 for claims in series.values())


def test_the_four_absent_steps_are_those_of_the_card(series):
    begin, end = np.array(["2024-04-18T00:00", "2024-05-13T23:45"], "datetime64[s]").astype(int)
    absent = sorted(set(range(begin, end + 1, STEP)) - set(series))
    stated = ["2024-04-18T04:30", "2024-04-18T04:45", "2024-04-18T05:00", "2024-05-07T04:45"]
    assert absent == np.array(stated, "datetime64[s]").astype(int).tolist()
    assert len(series) == 2492


def test_every_window_without_a_gap_is_there_once_and_no_other(arrays, series):
    whole = [time for time in sorted(series) if all(time - back * STEP in series for back in range(1, LENGTH + 1))]
    assert arrays["timestamp"].tolist() == whole


def test_parts_follow_each_other_and_share_no_count(arrays):
    due = arrays["timestamp"]
    parts = [due[arrays[part]] for part in ("train", "validation", "test")]
    spans = [(part.min() - LENGTH * STEP, part.max()) for part in parts]
    days = [tuple(str(np.datetime64(int(time), "s"))[:10] for time in span) for span in spans]
    assert days == [("2024-04-18", "2024-05-05"), ("2024-05-06", "2024-05-08"), ("2024-05-09", "2024-05-13")]


def test_persistence_has_the_errors_that_the_card_states():
    dataset = load("traffic-detectors")
    inputs, targets = dataset.test
    assert dataset.modalities == dataset.card.outputs
    error = np.column_stack([inputs[name][:, -1] for name in dataset.card.outputs]) - targets
    stated = f"MAE {np.abs(error).mean():.3f} and RMSE {np.sqrt((error**2).mean()):.3f}"
    assert any(stated in note for note in dataset.card.notes)
