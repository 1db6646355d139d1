"""METR-LA and Los-loop: on small files of the same form, and Los-loop itself where it is."""

import dataclasses
import gzip
import hashlib
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import connected_components

from tfq_fusion.datasets import MissingDataError, download, fetch, load, state
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.registry import DOWNLOADS
from tfq_fusion.datasets.sets import metr_la
from tfq_fusion.training import evaluate, historical_average, persistence_forecast, prepare

STEPS, SENSORS = 400, 207
BOUNDS = {"train": (0, 280), "validation": (280, 320), "test": (320, 400)}
NAMES = read_card(DATA, "metr-la").outputs


@pytest.fixture(scope="module")
def speed() -> np.ndarray:
    """Every speed once, so that a value tells its step and its sensor; then some are missing."""
    rng = np.random.default_rng(0)
    values = rng.permutation(np.arange(1, STEPS * SENSORS + 1)).reshape(STEPS, SENSORS).astype(np.float32)
    values[rng.uniform(size=values.shape) < 0.1] = 0
    values[280:284, 3] = 0  # validation begins with a gap
    return values


@pytest.fixture(scope="module")
def distances() -> pd.DataFrame:
    """A long road with the sensors along it in any order, but one that lies elsewhere."""
    rng = np.random.default_rng(1)
    *along, _ = rng.permutation(NAMES)
    place = dict(zip(along, np.cumsum(rng.uniform(100, 900, SENSORS)), strict=False))
    rows = [(name, name, 0.0) for name in NAMES] + [("1", NAMES[0], 5.0), (NAMES[0], "1", 5.0)]
    for one in along:
        for other in along:
            if one != other and rng.uniform() < 0.8:
                rows.append((one, other, abs(place[one] - place[other]) * rng.uniform(1, 1.5)))
    return pd.DataFrame(rows, columns=["from", "to", "cost"]).sample(frac=1, random_state=0)


@pytest.fixture
def contents(speed, distances) -> dict[str, tuple[bytes, bytes]]:
    times = pd.date_range("2012-03-01 00:10", periods=STEPS, freq="5min")
    dated = pd.DataFrame(speed, index=times, columns=NAMES)
    weights = pd.DataFrame(metr_la.sensor_graph(distances, list(NAMES)) + np.eye(SENSORS, dtype=np.float32))
    return {
        "metr-la": (dated.to_csv().encode(), distances.to_csv(index=False).encode()),
        "los-loop": (dated.to_csv(index=False).encode(), weights.to_csv(index=False, header=False).encode()),
    }


@pytest.fixture
def folder(contents, tmp_path, monkeypatch):
    """A data folder with both sets, which the loaders take for the real ones."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    for name, files in contents.items():
        expect(monkeypatch, name, files)
        for remote, content in zip(DOWNLOADS[name].files, files, strict=True):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / remote.path).write_bytes(content)
    return tmp_path


def expect(monkeypatch, name, files, **changes):
    """Let the loader expect these contents instead of the real ones."""
    traffic = DOWNLOADS[name]
    remotes = tuple(
        dataclasses.replace(remote, sha256=hashlib.sha256(content).hexdigest(), limit=len(content), **changes)
        for remote, content in zip(traffic.files, files, strict=True)
    )
    monkeypatch.setitem(DOWNLOADS, name, dataclasses.replace(traffic, files=remotes))


@pytest.mark.parametrize("name", ["metr-la", "los-loop"])
@pytest.mark.parametrize("horizon", [3, 12])
def test_samples_are_an_hour_and_what_follows(folder, speed, name, horizon):
    dataset = load(name, horizon=horizon)
    usual = [column[column > 0].astype(float).mean() for column in speed[:280].T]
    for part, (begin, end) in BOUNDS.items():
        inputs, targets = getattr(dataset, part)
        count = end - begin - 12 - horizon + 1
        assert inputs["sensors"].shape == (count, SENSORS, 12)
        assert targets.shape == (count, horizon * SENSORS)
        for sample, sensor in [(0, 3), (count // 2, 0), (count - 1, 206)]:
            now = begin + sample + 12
            for back in range(12):
                seen = speed[begin : now - back, sensor]
                expected = seen[seen > 0][-1] if seen.any() else usual[sensor]
                assert inputs["sensors"][sample, sensor, 11 - back] == pytest.approx(expected)
            for step in range(horizon):
                expected = speed[now + step, sensor] or np.nan
                np.testing.assert_equal(targets[sample, step * SENSORS + sensor], np.float32(expected))


def test_no_speed_is_in_two_parts(folder, speed):
    dataset = load("metr-la")
    found = {}
    for part in BOUNDS:
        inputs, targets = getattr(dataset, part)
        found[part] = ({*inputs["sensors"].ravel()} | {*targets[~np.isnan(targets)]}) & {*speed.ravel()}
    assert sum(map(len, found.values())) == np.count_nonzero(speed)
    assert len(set.union(*found.values())) == np.count_nonzero(speed)


def test_the_card_says_what_was_loaded(folder):
    dataset = load("metr-la", sensors=12, horizon=6)
    card = dataset.card
    assert (card.modality_count, len(card.outputs), card.horizon) == (12, 12, 6)
    assert (card.split.train, card.split.validation, card.split.test) == (263, 23, 63)
    assert card.sha256 != load("los-loop").card.sha256
    assert dataset.train[0]["sensors"].dtype == dataset.train[1].dtype == dataset.adjacency.dtype == np.float32


def test_fewer_sensors_are_connected_and_part_of_more(folder, speed):
    whole = load("metr-la", horizon=1)
    assert whole.card.outputs == NAMES
    smaller: set[str] = set()
    for count in (2, 12, 48, 206):
        dataset = load("metr-la", sensors=count, horizon=1)
        columns = [NAMES.index(name) for name in dataset.card.outputs]
        assert columns == sorted(columns)
        assert smaller < set(columns)
        smaller = set(columns)
        np.testing.assert_array_equal(dataset.test[0]["sensors"], whole.test[0]["sensors"][:, columns])
        np.testing.assert_array_equal(dataset.test[1], whole.test[1][:, columns])
        np.testing.assert_array_equal(dataset.adjacency, whole.adjacency[np.ix_(columns, columns)])
        assert connected_components(dataset.adjacency)[0] == 1
    assert connected_components(whole.adjacency)[0] == 2


def test_the_graph_is_that_of_dcrnn_without_directions_and_loops(distances):
    size = 60
    place = {name: position for position, name in enumerate(NAMES[:size])}
    matrix = np.full((size, size), np.inf)
    for begin, end, cost in distances.itertuples(index=False):
        if begin in place and end in place:
            matrix[place[begin], place[end]] = cost
    weights = np.exp(-((matrix / matrix[matrix < np.inf].std()) ** 2))
    weights[weights < 0.1] = 0
    assert not np.allclose(weights, weights.T)  # some roads lead one way, or are longer back
    expected = np.array([[max(weights[i, j], weights[j, i]) * (i != j) for j in range(size)] for i in range(size)])
    np.testing.assert_allclose(metr_la.sensor_graph(distances, list(NAMES[:size])), expected, rtol=1e-6)


def test_los_loop_brings_its_graph_without_loops(folder):
    np.testing.assert_allclose(load("los-loop").adjacency, load("metr-la").adjacency, atol=1e-6)


def test_times_of_day_are_those_of_the_first_step_that_is_forecast(folder):
    for name, first in [("metr-la", 2), ("los-loop", 0)]:
        dataset = load(name)
        for part, (begin, end) in BOUNDS.items():
            assert dataset.time_of_day[part].tolist() == [(first + t) % 288 for t in range(begin + 12, end - 11)]


def test_the_way_to_metrics(folder):
    dataset = load("metr-la", sensors=5)
    data = prepare(dataset)
    assert data.train[0]["sensors"].shape == (257, 5, 12)
    assert (data.outputs, data.horizon, data.adjacency.shape) == (60, 12, (5, 5))
    truth = data.target_scaler.inverse_transform(data.test[1])
    np.testing.assert_allclose(truth, dataset.test[1], rtol=1e-4)
    for forecast in (persistence_forecast(dataset.test[0], 12), historical_average(dataset)["test"]):
        assert forecast.shape == truth.shape
        assert np.isfinite(list(evaluate("forecasting", truth, forecast, 12).values())).all()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sensors": 1}, "`sensors` should be between 2 and 207, an integer; got 1"),
        ({"sensors": 208}, "`sensors` should be between 2 and 207, an integer; got 208"),
        ({"horizon": 0}, "`horizon` should be between 1 and 12, an integer; got 0"),
        ({"horizon": 13}, "`horizon` should be between 1 and 12, an integer; got 13"),
        ({"leads": ("I",)}, "metr-la has no option leads; it takes sensors, horizon"),
    ],
)
def test_options_out_of_range_are_named(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        load("metr-la", **options)


def test_files_may_be_compressed_and_lie_under_another_name(folder):
    expected = load("los-loop").test[1]
    (folder / "los-loop").rename(folder / "traffic_tgcn")
    for file in (folder / "traffic_tgcn").iterdir():
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert state("los-loop") == "ready"
    np.testing.assert_array_equal(load("los-loop").test[1], expected)


def test_what_is_missing_is_named(folder):
    (folder / "metr-la" / "distances_la_2012.csv").unlink()
    assert state("metr-la") == "partial"
    with pytest.raises(MissingDataError, match=r"(?s)1 of 2 files.*DATASET=metr-la.*distances_la_2012.csv.*https"):
        load("metr-la")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_file_is_named(folder, monkeypatch, compressed):
    expect(monkeypatch, "metr-la", (b"another table", b"another graph"))  # which no prepared arrays exist of
    file = folder / "metr-la" / "METR-LA.csv"
    if compressed:
        file.with_name("METR-LA.csv.gz").write_bytes(gzip.compress(file.read_bytes())[:-20])
    with pytest.raises(ValueError, match=r"METR-LA.csv.* is damaged: expected SHA-256"):
        load("metr-la")


def test_what_was_fetched_counts_before_a_damaged_copy(folder):
    expected = load("los-loop").test[1]
    (folder / "los-loop" / "los_speed.csv.gz").write_bytes(b"damaged")
    shutil.rmtree(download.default_folder() / "prepared")
    np.testing.assert_array_equal(load("los-loop").test[1], expected)


def test_no_more_is_unpacked_than_the_file_is_known_to_have(folder, monkeypatch):
    expect(monkeypatch, "los-loop", (b"known", b"known too"))
    (folder / "los-loop" / "los_speed.csv").unlink()
    (folder / "los-loop" / "los_speed.csv.gz").write_bytes(gzip.compress(bytes(1 << 22)))
    with pytest.raises(ValueError, match=r"los_speed.csv.gz is damaged: expected SHA-256 .*more than 5 bytes"):
        load("los-loop")


def test_another_table_is_refused(folder, contents, monkeypatch):
    table, graph = contents["metr-la"]
    lines = table.split(b"\n")
    others = {
        "be the 207 sensors of the card, in its order": table.replace(NAMES[0].encode(), b"1", 1),
        "should be five minutes apart": b"\n".join([*lines[:9], *lines[10:]]),
    }
    for complaint, content in others.items():
        expect(monkeypatch, "metr-la", (content, graph))
        (folder / "metr-la" / "METR-LA.csv").write_bytes(content)
        with pytest.raises(ValueError, match=complaint):
            load("metr-la")


def test_fetching_gets_both_files(contents, tmp_path, monkeypatch, server):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    expect(monkeypatch, "metr-la", contents["metr-la"], urls=(f"{server.url}/table",))
    table, graph = DOWNLOADS["metr-la"].files
    graph = dataclasses.replace(graph, urls=(f"{server.url}/graph",))
    monkeypatch.setitem(DOWNLOADS, "metr-la", dataclasses.replace(DOWNLOADS["metr-la"], files=(table, graph)))
    server.files = dict(zip(("/table", "/graph"), contents["metr-la"], strict=True))
    assert state("metr-la") == "missing"
    assert fetch("metr-la").card.split.train == 257
    assert state("metr-la") == "ready"


@pytest.mark.data("los-loop")
def test_los_loop_is_a_week_of_207_sensors():
    dataset = load("los-loop", horizon=1)
    last = {part: getattr(dataset, part)[0]["sensors"][:, :, -1] for part in BOUNDS}
    assert {part: len(values) for part, values in last.items()} == {"train": 1399, "validation": 190, "test": 391}
    assert sum(len(values) for values in last.values()) + 3 * 12 == 2016
    assert not any(np.isnan(getattr(dataset, part)[1]).any() for part in BOUNDS)
    assert np.count_nonzero(dataset.adjacency) + 207 == 2833
    assert min(values.min() for values in last.values()) > 0


@pytest.mark.data("los-loop")
def test_forecasts_without_a_model_have_the_errors_that_the_card_states():
    dataset = load("los-loop")
    average = historical_average(dataset)
    found = {}
    for part in ("test", "validation"):
        inputs, targets = getattr(dataset, part)
        now, future = inputs["sensors"][:, :, -1], targets.reshape(len(targets), 12, 207)
        error = np.abs(now[:, None] - future).mean(axis=(0, 2))
        found[part] = [*error[[2, 5, 11]], error.mean(), np.abs(average[part] - targets).mean()]
    rounded = [f"{value:.3f}" for part in found.values() for value in part]
    assert rounded == ["3.577", "4.383", "5.797", "4.429", "5.370", "3.345", "3.899", "4.905", "3.955", "4.578"]
    (stated,) = [note for note in dataset.card.notes if "persistence" in note]
    assert all(value in stated for value in rounded)


@pytest.mark.data("los-loop")
def test_both_cards_name_the_same_sensors():
    assert load("los-loop").card.outputs == NAMES
    assert hashlib.sha256(",".join(NAMES).encode()).hexdigest().startswith("3ba026caa2e6263a")  # DCRNN's own list
