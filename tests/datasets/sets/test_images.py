"""MNIST and CIFAR-10: files written here in their layouts, and the real ones where they are."""

import dataclasses
import gzip
import hashlib
import io
import re
import struct
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tfq_fusion.datasets import Dataset, MissingDataError, download, fetch, load, state
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.prepared import fingerprint
from tfq_fusion.datasets.registry import DOWNLOADS
from tfq_fusion.datasets.sets import images
from tfq_fusion.datasets.sets.descriptors import orientation_histograms

PARTS = ("train", "validation", "test")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """LeCun's format: magic number (type 8 is a byte), axes, sizes, values."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    """Where the data sets are looked for."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")
    return tmp_path / "data"


@pytest.fixture
def mnist(monkeypatch, server) -> dict[str, np.ndarray]:
    """A small MNIST, which a server has; 20 of each digit to train, 3 to test."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte.gz": rng.integers(0, 256, (200, 28, 28)),
        "train-labels-idx1-ubyte.gz": np.arange(200) % 10,
        "t10k-images-idx3-ubyte.gz": rng.integers(0, 256, (30, 28, 28)),
        "t10k-labels-idx1-ubyte.gz": np.arange(30) % 10,
    }
    files = []
    for name, array in arrays.items():
        server.files[f"/{name}"] = gzip.compress(idx(array))
        files.append(RemoteFile(name, sha256(server.files[f"/{name}"]), (f"{server.url}/{name}",)))
    monkeypatch.setitem(DOWNLOADS, "mnist", dataclasses.replace(images.MNIST, files=tuple(files)))
    monkeypatch.setattr(images, "MNIST_SHA256", tuple(sha256(idx(array)) for array in arrays.values()))
    card = read_card(DATA, "mnist")
    split = card.split.model_copy(update={"train": 180, "validation": 20, "test": 30})
    cards = {"mnist": card.model_copy(update={"split": split})}
    monkeypatch.setattr(images, "read_card", lambda folder, name: cards.get(name) or read_card(folder, name))
    return arrays


def test_mnist_is_fetched_verified_prepared_and_loaded(mnist):
    assert state("mnist") == "missing"
    dataset = fetch("mnist")
    assert state("mnist") == "ready"
    train, test = mnist["train-images-idx3-ubyte.gz"], mnist["t10k-images-idx3-ubyte.gz"]
    np.testing.assert_array_equal(dataset.test[0]["image"][..., 0], test)
    np.testing.assert_array_equal(dataset.test[1], mnist["t10k-labels-idx1-ubyte.gz"])
    found = {image.tobytes(): label for part in PARTS[:2] for image, label in samples(dataset, part)}
    assert found == {image.astype(np.float32).tobytes(): label % 10 for label, image in enumerate(train)}
    assert np.bincount(dataset.train[1]).tolist() == [18] * 10
    assert np.bincount(dataset.validation[1]).tolist() == [2] * 10


@pytest.mark.parametrize("name", ["mnist", "cifar-10"])
def test_the_second_modality_is_computed_from_the_image(name, mnist, cifar10):
    dataset = fetch(name)
    describe = {"mnist": orientation_histograms, "cifar-10": images._edges_and_colours}[name]
    assert dataset.modalities == ("image", "descriptors")
    for part in PARTS:
        inputs, labels = getattr(dataset, part)
        assert inputs["descriptors"].shape == (len(labels), *dataset.card.modalities[1].shape)
        np.testing.assert_array_equal(inputs["descriptors"], describe(inputs["image"]))
    assert load(name, views=["image"]).modalities == ("image",)


def test_fewer_training_samples_are_always_the_same_and_of_every_class(mnist):
    whole, some = fetch("mnist"), load("mnist", samples=100)
    assert [len(getattr(some, part)[1]) for part in PARTS] == [100, 11, 30]
    assert np.bincount(some.train[1]).tolist() == [10] * 10
    assert set(some.validation[1]) == set(range(10))
    for part in PARTS[:2]:
        pool = {image.tobytes() for image, _ in samples(whole, part)}
        assert {image.tobytes() for image, _ in samples(some, part)} <= pool
    np.testing.assert_array_equal(some.train[0]["image"], load("mnist", samples=100).train[0]["image"])
    assert some.card.split.train == 100
    assert some.card.notes[0].startswith("Of the training part 100 samples and of the validation part 11")
    assert len(load("mnist", samples=180).train[1]) == 180


@pytest.mark.parametrize("count", [99, 181])
def test_a_number_of_samples_out_of_range_names_the_range(mnist, count):
    fetch("mnist")
    with pytest.raises(ValueError, match=f"mnist: `samples` should be between 100 and 180, an integer; got {count}"):
        load("mnist", samples=count)


def samples(dataset: Dataset, part: str) -> zip:
    inputs, labels = getattr(dataset, part)
    return zip(inputs["image"], labels, strict=True)


def test_a_copy_of_mnist_that_was_compressed_anew_is_accepted(mnist, root):
    write_mnist(root, mnist, compresslevel=1)
    assert len(load("mnist").test[1]) == 30


def write_mnist(root: Path, mnist: dict[str, np.ndarray], **keywords: int) -> Path:
    (root / "mnist").mkdir(parents=True)
    for name, array in mnist.items():
        (root / "mnist" / name).write_bytes(gzip.compress(idx(array), **keywords))
    return root / "mnist"


def test_half_of_mnist_is_partial_and_the_rest_is_named_and_fetched(mnist, root, server):
    folder = write_mnist(root, mnist)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert state("mnist") == "partial"
    with pytest.raises(MissingDataError, match=r"1 of 4 files are not there(.|\n)*t10k-labels-idx1-ubyte.gz, SHA-256"):
        load("mnist")
    assert len(fetch("mnist").test[1]) == 30


@pytest.mark.parametrize("damage", [lambda gz: gz[:-20], lambda gz: b"", lambda gz: b"no gzip", lambda gz: flip(gz)])
def test_a_damaged_file_of_mnist_is_refused_by_load_and_replaced_by_fetch(mnist, root, damage):
    file = write_mnist(root, mnist) / "train-labels-idx1-ubyte.gz"
    file.write_bytes(damage(file.read_bytes()))
    expected = sha256(idx(mnist[file.name]))
    with pytest.raises(ValueError, match=rf"{re.escape(str(file))} is damaged: expected SHA-256 {expected}, found"):
        load("mnist")
    assert len(fetch("mnist").test[1]) == 30


def test_no_more_of_mnist_is_unpacked_than_its_largest_file_has(mnist, root):
    file = write_mnist(root, mnist) / "train-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(bytes(images.MNIST_LIMIT + 1), 1))
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte.gz is damaged: .*more than 47,040,016 bytes"):
        load("mnist")


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")])
@pytest.mark.parametrize("get", [load, fetch])
def test_a_prepared_array_that_is_damaged_is_prepared_again(mnist, root, damage, get):
    expected = fetch("mnist").train[1].copy()
    for file in (root.parent / "default").rglob("labels.npy"):
        damage(file)
    np.testing.assert_array_equal(get("mnist").train[1], expected)


def test_a_prepared_array_that_was_changed_is_never_used_under_the_same_hash(mnist, root):
    before = fetch("mnist")
    (file,) = (root.parent / "default").rglob("train/labels.npy")
    expected = before.train[1].copy()
    np.save(file, (expected + 1) % 10)
    after = load("mnist")
    assert after.card.sha256 == before.card.sha256
    np.testing.assert_array_equal(after.train[1], expected)


def flip(gz: bytes) -> bytes:
    content = bytearray(gzip.decompress(gz))
    content[-1] ^= 1
    return gzip.compress(bytes(content))


def planes(image: np.ndarray) -> bytes:
    """CIFAR-10's binary record of an image ``[32, 32, 3]``: all of red, then all of green, then all of blue."""
    return b"".join(image[:, :, channel].astype(np.uint8).tobytes() for channel in range(3))


@pytest.fixture
def cifar10(monkeypatch, server) -> tuple[np.ndarray, np.ndarray]:
    """A small CIFAR-10: 5 batches of 40 images and 20 test images. A server has it, with an entry that means ill."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (220, 32, 32, 3))
    labels = np.concatenate([rng.permutation(np.arange(100) % 10) for _ in range(2)] + [np.arange(20) % 10])
    records = [bytes([label]) + planes(image) for label, image in zip(labels, pictures, strict=True)]
    batches = {f"data_batch_{i + 1}": records[40 * i : 40 * i + 40] for i in range(5)} | {"test_batch": records[200:]}
    files = {f"cifar-10-batches-bin/{name}.bin": b"".join(batch) for name, batch in reversed(batches.items())}
    files |= {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n", "../evil.txt": b"evil"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (file,) = images.CIFAR10.files
    server.files["/cifar"] = buffer.getvalue()
    file = RemoteFile(file.path, sha256(buffer.getvalue()), (f"{server.url}/cifar",))
    monkeypatch.setitem(DOWNLOADS, "cifar-10", dataclasses.replace(images.CIFAR10, files=(file,)))
    return pictures, labels


def test_cifar10_is_fetched_and_read_without_extracting_anything(cifar10, root):
    pictures, labels = cifar10
    dataset = fetch("cifar-10")
    np.testing.assert_array_equal(dataset.test[0]["image"], pictures[200:])
    np.testing.assert_array_equal(dataset.test[1], labels[200:])
    found = {image.tobytes(): label for part in PARTS[:2] for image, label in samples(dataset, part)}
    assert found == {
        image.astype(np.float32).tobytes(): label for image, label in zip(pictures[:200], labels[:200], strict=True)
    }
    order = [image.tobytes() for image in pictures.astype(np.float32)]
    rows = [order.index(image.tobytes()) for image in dataset.train[0]["image"]]
    assert rows == sorted(rows)
    assert [len(getattr(dataset, part)[1]) for part in PARTS] == [180, 20, 20]
    assert [str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()] == [
        "cifar-10/cifar-10-binary.tar.gz"
    ]


def test_a_part_of_cifar10_in_png_is_loaded_and_said_to_be_one(cifar10, part):
    pictures, labels = cifar10
    hashes = [sha256((part / name).read_bytes()) for name in images.CIFAR10_PART]

    dataset = load("cifar-10")
    assert state("cifar-10") == "partial"
    assert dataset.card.split.model_dump(include=set(PARTS)) == {"train": 90, "validation": 10, "test": 20}
    assert dataset.card.notes[0].startswith("This is a part of CIFAR-10: the first 100 of its 50,000 training images")
    assert dataset.card.sha256 == fingerprint("cifar-10", images.VERSION, hashes)
    np.testing.assert_array_equal(dataset.test[0]["image"], pictures[200:])
    np.testing.assert_array_equal(dataset.test[1], labels[200:])
    found = {image.tobytes(): label for part in PARTS[:2] for image, label in samples(dataset, part)}
    assert found == {
        image.astype(np.float32).tobytes(): label for image, label in zip(pictures[:100], labels[:100], strict=True)
    }

    whole = fetch("cifar-10")
    assert state("cifar-10") == "ready"
    assert len(whole.train[1]) == 180
    assert whole.card.sha256 != dataset.card.sha256
    assert "part of" not in whole.card.notes[0]


@pytest.fixture
def part(cifar10, root) -> Path:
    """A folder with a part of CIFAR-10, which a test may damage."""
    pictures, labels = cifar10
    folder = root / "cifar10"
    folder.mkdir(parents=True)
    for name, chosen in (("train_first5000.png", pictures[:100]), ("test_first2000.png", pictures[200:])):
        Image.fromarray(chosen.reshape(-1, 1024, 3).astype(np.uint8), "RGB").save(folder / name)
    np.savez(folder / "labels_all.npz", train_labels=labels[:200], test_labels=labels[200:])
    return folder


def png(*shape: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros(shape, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def bmp() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((20, 1024, 3), np.uint8)).save(buffer, "BMP")
    return buffer.getvalue()


PNGS = {
    "empty": b"",
    "no picture": b"no picture",
    "half": png(20, 1024, 3)[:-30],
    "grey": png(20, 1024),
    "narrow": png(20, 512, 3),
    "another format": bmp(),
}


@pytest.mark.parametrize("content", PNGS.values(), ids=PNGS)
def test_a_picture_that_is_none_is_named_with_what_it_should_be(part, content):
    (part / "test_first2000.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"test_first2000.png is damaged: expected a PNG of RGB.*DATASET=cifar-10"):
        load("cifar-10")


@pytest.mark.parametrize("count", [1, 11])
def test_too_few_images_are_named(part, count):
    (part / "train_first5000.png").write_bytes(png(count, 1024, 3))
    with pytest.raises(ValueError, match=r"train_first5000.png is damaged: expected images of each class"):
        load("cifar-10")


def npz(labels: np.ndarray, compress: bool = False) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, train_labels=np.arange(200) % 10, test_labels=labels)
    return buffer.getvalue()


LABELS = {
    "empty": b"",
    "no archive": b"no archive",
    "half": npz(np.arange(20) % 10)[:600],
    "too large": npz(np.arange(20) % 10 + 990),
    "negative": npz(np.arange(20) % 10 - 1),
    "too few": npz(np.arange(10) % 10),
    "floats": npz(np.arange(20) % 10 / 2),
    "objects": npz(np.array([{}] * 20, dtype=object)),
    "a table": npz(np.zeros((20, 2), int)),
    "a bomb": npz(np.zeros(1 << 21, int), compress=True),
}


@pytest.mark.parametrize("content", LABELS.values(), ids=LABELS)
def test_labels_that_are_none_are_named_with_what_they_should_be(part, content):
    (part / "labels_all.npz").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"labels_all.npz is damaged: expected `t\w+_labels`, integers from 0 to 9.*DATASET=cifar-10"
    ):
        load("cifar-10")


@settings(max_examples=30)
@given(st.data())
def test_whatever_a_file_of_a_part_holds_it_is_loaded_or_refused_by_name(data):
    names = {"train_first5000.png": png(100, 1024, 3), "test_first2000.png": png(20, 1024, 3)}
    names["labels_all.npz"] = npz(np.arange(20) % 10)
    damaged = data.draw(st.sampled_from(sorted(names)))
    content = names[damaged]
    begin = data.draw(st.integers(0, len(content)))
    names[damaged] = (
        content[:begin] + data.draw(st.binary(max_size=9)) + content[begin + data.draw(st.integers(0, 9)) :]
    )
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFQ_FUSION_DATA_DIR", folder)
        patch.setattr(download, "default_folder", lambda: Path(folder))
        (Path(folder) / "cifar10").mkdir()
        for name, each in names.items():
            (Path(folder) / "cifar10" / name).write_bytes(each)
        try:
            dataset = load("cifar-10")
        except ValueError as error:
            assert str(error).startswith(f"{folder}/cifar10/{damaged} is damaged: expected")
        else:
            assert [len(getattr(dataset, part)[1]) for part in PARTS] == [90, 10, 20]


@pytest.mark.parametrize("name", ["mnist", "cifar-10"])
def test_what_is_missing_is_named_and_not_downloaded(name, mnist, cifar10, server):
    with pytest.raises(MissingDataError, match=f"make data DATASET={name}"):
        load(name)
    assert server.requests == []


def test_a_damaged_archive_of_cifar10_is_refused(cifar10, root):
    (root / "cifar-10").mkdir(parents=True)
    (root / "cifar-10" / "cifar-10-binary.tar.gz").write_bytes(b"half an archive")
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz is damaged: expected SHA-256 \w+, found"):
        load("cifar-10")
