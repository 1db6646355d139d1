"""Wikipedia's images and texts, in a file written here in the layout of the real one."""

import dataclasses
import hashlib
import io

import numpy as np
import pytest
import scipy.io

from tfq_fusion.datasets import MissingDataError, download, fetch, load, state
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.registry import DOWNLOADS
from tfq_fusion.datasets.sets import wikipedia


@pytest.fixture(autouse=True)
def views(tmp_path, monkeypatch, server) -> dict[str, np.ndarray]:
    """100 documents of the training part and 20 of the test part, which a server has."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")
    rng = np.random.default_rng(0)
    image, text = rng.random((120, 128)), rng.random((120, 10))
    labels = np.arange(120) % 10 + 1
    cell = np.empty((2, 1), dtype=object)
    cell[:, 0] = [image, text]
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"X": cell, "y": labels[:, None].astype(np.uint8)})
    server.files["/Wikipedia.mat"] = buffer.getvalue()
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    file = RemoteFile("Wikipedia.mat", sha256, (f"{server.url}/Wikipedia.mat",))
    monkeypatch.setitem(DOWNLOADS, "wikipedia", dataclasses.replace(wikipedia.WIKIPEDIA, files=(file,)))
    monkeypatch.setattr(wikipedia, "TRAIN", 100)
    return {"image": image.astype(np.float32), "text": text.astype(np.float32), "labels": labels - 1}


def test_wikipedia_is_fetched_and_has_the_official_test_part(views):
    assert state("wikipedia") == "missing"
    dataset = fetch("wikipedia")
    assert state("wikipedia") == "ready"
    inputs, labels = dataset.test
    np.testing.assert_array_equal(inputs["image"], views["image"][100:])
    np.testing.assert_array_equal(inputs["text"], views["text"][100:])
    np.testing.assert_array_equal(labels, views["labels"][100:])


def test_a_fifth_of_each_category_of_the_official_training_part_validates(views):
    dataset = fetch("wikipedia")
    assert np.bincount(dataset.train[1]).tolist() == [8] * 10
    assert np.bincount(dataset.validation[1]).tolist() == [2] * 10
    rows = {row.tobytes(): number for number, row in enumerate(views["text"])}
    used = []
    for inputs, labels in (dataset.train, dataset.validation):
        numbers = [rows[row.tobytes()] for row in inputs["text"]]
        np.testing.assert_array_equal(inputs["image"], views["image"][numbers])
        np.testing.assert_array_equal(labels, views["labels"][numbers])
        used += numbers
    assert sorted(used) == list(range(100))


def test_the_folder_may_have_another_name(tmp_path, server):
    (tmp_path / "wikipedia_image_text").mkdir()
    (tmp_path / "wikipedia_image_text" / "Wikipedia.mat").write_bytes(server.files["/Wikipedia.mat"])
    assert len(load("wikipedia").test[1]) == 20


def test_what_is_missing_is_named_and_not_downloaded(server):
    with pytest.raises(MissingDataError, match="make data DATASET=wikipedia"):
        load("wikipedia")
    assert server.requests == []


def test_a_damaged_file_is_refused(tmp_path, server):
    (tmp_path / "wikipedia").mkdir()
    (tmp_path / "wikipedia" / "Wikipedia.mat").write_bytes(server.files["/Wikipedia.mat"][:-1])
    with pytest.raises(ValueError, match=r"Wikipedia.mat is damaged: expected SHA-256 \w+, found \w+. Fetch it anew"):
        load("wikipedia")
