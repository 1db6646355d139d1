"""Images in ten classes, and descriptors of them: MNIST and CIFAR-10, with their official test parts."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import math
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray, IntegerArray
from tfq_fusion.datasets.arguments import integer_between
from tfq_fusion.datasets.card import DATA, Card, read_card
from tfq_fusion.datasets.dataset import Dataset, Part, Source, choose_views, view_card
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.files import DamagedDataError, expecting, read_verified
from tfq_fusion.datasets.prepared import prepared_source, steps
from tfq_fusion.datasets.remote import RemoteSet
from tfq_fusion.datasets.sets.descriptors import Describe, colour_histograms, orientation_histograms
from tfq_fusion.datasets.splits import draw, hold_out

ImagesAndLabels = tuple[npt.NDArray[np.uint8], IntegerArray]

VERSION = 2
FEWEST = 100
"""Training samples that a subset has at least: 10 of each class, and one of each class to validate."""
VALIDATION_SHARE = 0.1  # of the official training part
BLOCK = 1_000  # images that are described at once, so that tens of thousands need no memory to speak of

# Of the content, in the order of the files: a copy that was compressed by another program is as good.
MNIST_SHA256 = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)

MNIST_LIMIT = 16 + 60_000 * 28 * 28  # bytes of the largest content

# A part of CIFAR-10 in lossless PNG, one image a row, with all labels of the whole.
CIFAR10_PART = ("train_first5000.png", "test_first2000.png", "labels_all.npz")
CIFAR10_PART_LIMITS = (3072 * 50_000 + 2**20, 3072 * 10_000 + 2**20, 2**20)  # bytes


def open_mnist(remote: RemoteSet, views: Sequence[str] | None = None, samples: int | None = None) -> Source:
    """The data set ``mnist``.

    Args:
        remote: Its description.
        views: Names of the modalities, "image" and "descriptors"; None for both. The descriptors,
            :func:`~tfq_fusion.datasets.sets.descriptors.orientation_histograms`, are constructed out of the image.
        samples: How many training samples, at least 100, drawn with seed 0 in the classes' shares; the validation part
            shrinks as much, the test part stays whole. None for all.

    Raises:
        MissingDataError: If a file is missing.
        ValueError: If a file is damaged or an argument is out of range.
    """
    folder = remote.require()

    def build() -> dict[str, npt.NDArray[Any]]:
        files = (folder / file.path for file in remote.files)
        images, labels, test_images, test_labels = map(_idx, files, MNIST_SHA256)
        train, test = (images[..., None], labels), (test_images[..., None], test_labels)
        return _arrays("mnist", train, test, orientation_histograms)

    return _chosen(prepared_source(read_card(DATA, "mnist"), VERSION, MNIST_SHA256, build), views, samples)


def _idx(file: Path, sha256: str) -> npt.NDArray[np.uint8]:
    """The array in a compressed IDX file of bytes: two zeros, the type, the number of axes, the big-endian shape."""
    content = read_verified("mnist", file, sha256, MNIST_LIMIT, gzip.open)
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def open_cifar10(remote: RemoteSet, views: Sequence[str] | None = None, samples: int | None = None) -> Source:
    """The data set ``cifar-10``, or the part of it that is there; the card says which.

    Args:
        remote: Its description.
        views: As in :func:`open_mnist`; the descriptors are orientation histograms, then
            :func:`~tfq_fusion.datasets.sets.descriptors.colour_histograms`.
        samples: As in :func:`open_mnist`.

    Raises:
        MissingDataError: If neither is there.
        ValueError: If the archive is damaged or an argument is out of range.
    """
    return _chosen(_cifar10(remote), views, samples)


def _cifar10(remote: RemoteSet) -> Source:
    card = read_card(DATA, "cifar-10")
    found = remote.folders()
    if not any(map(remote.is_complete, found)):
        for folder in found:
            if all((folder / name).is_file() for name in CIFAR10_PART):
                return _cifar10_part(card, folder)
    (source,) = remote.files
    file = remote.require() / source.path

    def build() -> dict[str, npt.NDArray[Any]]:
        content = read_verified("cifar-10", file, str(source.sha256), source.limit)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:  # read in memory, so nothing can be misplaced
            batches = {
                Path(member.name).stem: _batch(archive.extractfile(member).read())  # type: ignore[union-attr]
                for member in archive
                if member.name.endswith(".bin")
            }
        images, labels = map(np.concatenate, zip(*(batches[f"data_batch_{i}"] for i in range(1, 6)), strict=True))
        return _arrays("cifar-10", (images, labels), batches["test_batch"], _edges_and_colours)

    return prepared_source(card, VERSION, [str(source.sha256)], build)


def _batch(content: bytes) -> ImagesAndLabels:
    """Images ``[n, 32, 32, 3]`` and labels ``[n]``, each a byte for the label and a red, a green and a blue plane."""
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]


def _cifar10_part(card: Card, folder: Path) -> Source:
    files = [folder / name for name in CIFAR10_PART]
    for file, limit in zip(files, CIFAR10_PART_LIMITS, strict=True):
        if (size := file.stat().st_size) > limit:
            raise DamagedDataError("cifar-10", file, f"at most {limit:,} bytes", f"{size:,}")
    train_png, test_png, npz = (file.read_bytes() for file in files)
    hashes = [hashlib.sha256(content).hexdigest() for content in (train_png, test_png, npz)]

    def build() -> dict[str, npt.NDArray[Any]]:
        parts = {}
        for part, file, content in (("train", files[0], train_png), ("test", files[1], test_png)):
            images = _rows_of_png(file, content)
            parts[part] = images, _labels_of_npz(files[2], npz, f"{part}_labels", len(images), len(card.classes))
        with expecting("cifar-10", files[0], "images of each class, enough to hold some out"):
            return _arrays("cifar-10", parts["train"], parts["test"], _edges_and_colours)

    # How many images a part has, its arrays say.
    dataset = prepared_source(card, VERSION, hashes, build).read()
    split = dataset.card.split
    note = (
        f"This is a part of CIFAR-10: the first {split.train + split.validation:,} of its 50,000 training images and "
        f"the first {split.test:,} of its 10,000 test images. `make data DATASET=cifar-10` fetches the whole."
    )
    changes = {"notes": (note, *card.notes), "title": f"{card.title} (a part)"}
    part = dataclasses.replace(dataset, card=dataset.card.model_copy(update=changes))
    return Source(part.card, lambda: part)


def _rows_of_png(file: Path, content: bytes) -> npt.NDArray[np.uint8]:
    """Images uint8 ``[n, 32, 32, 3]`` out of a picture that has one in each row of pixels."""
    from PIL import Image

    with expecting("cifar-10", file, "a PNG of RGB pixels, 1,024 in each row"), Image.open(io.BytesIO(content)) as png:
        if (png.format, png.mode, png.width) != ("PNG", "RGB", 1024):
            raise ValueError(f"{png.format}, {png.mode}, {png.width:,} in each row")
        return np.asarray(png).reshape(-1, 32, 32, 3)


def _labels_of_npz(file: Path, content: bytes, key: str, count: int, classes: int) -> IntegerArray:
    """The first labels ``[count]`` of an array in an ``.npz`` file."""
    expected = f"`{key}`, integers from 0 to {classes - 1}, at least {count:,}"
    with expecting("cifar-10", file, expected), zipfile.ZipFile(io.BytesIO(content)) as archive:
        if (size := sum(member.file_size for member in archive.infolist())) > CIFAR10_PART_LIMITS[2]:
            raise ValueError(f"{size:,} bytes once unpacked")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            labels: npt.NDArray[Any] = arrays[key]
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or len(labels) < count:
            raise ValueError(f"{labels.dtype} {list(labels.shape)}")
        labels = labels[:count]
        if outside := sorted({*labels[(labels < 0) | (labels >= classes)].tolist()}):
            raise ValueError(f"labels {', '.join(map(str, outside[:3]))}")
        return labels


def _edges_and_colours(images: FloatArray) -> npt.NDArray[np.float32]:
    return np.concatenate([orientation_histograms(images), colour_histograms(images)], axis=1)


def _arrays(
    name: str, train: ImagesAndLabels, test: ImagesAndLabels, describe: Describe
) -> dict[str, npt.NDArray[Any]]:
    """The prepared arrays of uint8 images ``[n, height, width, channels]`` and labels ``[n]``."""
    rows, validation = hold_out(train[1], VALIDATION_SHARE)
    parts = {"train": (train, rows), "validation": (train, validation), "test": (test, np.arange(len(test[1])))}
    arrays = {}
    for part, ((images, labels), chosen) in parts.items():
        arrays[f"{part}/image"] = images[chosen].astype(np.float32)
        blocks = np.array_split(arrays[f"{part}/image"], math.ceil(len(chosen) / BLOCK))
        described = [describe(block) for block in steps(f"{name}, {part}: describe images", blocks, "blocks")]
        arrays[f"{part}/descriptors"] = np.concatenate(described)
        arrays[f"{part}/labels"] = labels[chosen].astype(np.int64)
    return arrays


def _chosen(source: Source, views: Sequence[str] | None, samples: int | None) -> Source:
    """Some of the modalities, of so many training samples."""
    card = view_card(_subset_card(source.card, samples), views)
    return Source(card, lambda: choose_views(_subset(source.read(), samples), views))


def _subset_card(card: Card, samples: int | None) -> Card:
    """The card of the data set with so many training samples, and as large a share of the validation part."""
    every = card.split.train
    if samples is None or integer_between(card.name, "samples", samples, FEWEST, every) == every:
        return card
    held_out = round(card.split.validation * samples / every)
    split = card.split.model_copy(update={"train": samples, "validation": held_out})
    note = f"Of the training part {samples:,} samples and of the validation part {held_out:,} were drawn, with seed 0."
    return card.model_copy(update={"split": split, "notes": (note, *card.notes)})


def _subset(dataset: Dataset, samples: int | None) -> Dataset:
    card = _subset_card(dataset.card, samples)
    if card is dataset.card:
        return dataset

    def drawn(part: Part, count: int) -> Part:
        inputs, labels = part
        rows = draw(labels, count)
        return {name: array[rows] for name, array in inputs.items()}, labels[rows]

    return dataclasses.replace(
        dataset,
        train=drawn(dataset.train, card.split.train),
        validation=drawn(dataset.validation, card.split.validation),
        card=card,
    )


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST = RemoteSet(
    "mnist",
    open_mnist,
    files=tuple(
        RemoteFile(path, sha256, tuple(mirror + path for mirror in MNIST_MIRRORS), size)
        for path, sha256, size in (
            (
                "train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                9_912_422,
            ),
            ("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            (
                "t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                1_648_877,
            ),
            ("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        )
    ),
)
CIFAR10 = RemoteSet(
    "cifar-10",
    open_cifar10,
    files=(
        RemoteFile(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            limit=170_052_171,
        ),
    ),
    aliases=("cifar10",),
)
