"""LUDB: electrocardiograms of 200 people, with diagnoses by cardiologists."""

from __future__ import annotations

import contextlib
import functools
import io
import lzma
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.datasets.arguments import different_names, integer_between
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.dataset import Dataset, Source, view_card
from tfq_fusion.datasets.files import DamagedDataError, expecting
from tfq_fusion.datasets.prepared import fingerprint, prepared, steps
from tfq_fusion.datasets.remote import RemoteSet
from tfq_fusion.datasets.sets.ecg import LEADS, RATE, SECONDS, lead_dataset, listed_files, read_record, remote_file

VERSION = 1
PROJECT = ("ludb", "1.0.1")
TABLE, ARCHIVE = "ludb.csv", "ludb_1.0.1.tar.xz"
RECORDS = tuple(f"data/{subject}.{suffix}" for subject in range(1, 201) for suffix in ("hea", "dat"))
ARCHIVE_LIMIT = 1 << 26  # bytes once unpacked; the published files are 25 MB
RECORDED_RATE = 500
FOLDS = 5
TARGETS = {
    "hypertrophy": ("no left ventricular hypertrophy", "left ventricular hypertrophy"),
    "rhythm": ("another rhythm", "sinus rhythm"),
}


def _has_all(folder: Path) -> bool:
    """Whether ``folder`` has the table and all records, or an archive of them."""
    return all((folder / name).is_file() for name in _sources(folder))


def _sources(folder: Path) -> tuple[str, ...]:
    """What is read: the archive where there is one, unless all records are there, which fetching brings."""
    if (folder / ARCHIVE).is_file() and not all((folder / name).is_file() for name in RECORDS):
        return TABLE, ARCHIVE
    return TABLE, *RECORDS


def open_ludb(remote: RemoteSet, leads: Sequence[str] = LEADS, target: str = "hypertrophy", fold: int = 0) -> Source:
    """The data set "ludb".

    Each lead is a modality, float32 ``[samples, 1000]``: ten seconds at 100 samples per second in the units of the
    converter, which seem to be microvolts. The labels are int64 ``[samples]``.

    Args:
        remote: Its description.
        leads: Names of the leads, at least two of :data:`tfq_fusion.datasets.sets.ecg.LEADS`.
        target: "hypertrophy" of the left ventricle, or (sinus) "rhythm".
        fold: Which of the five folds, 0 to 4, is the test part; the next one is for validation. The folds are the same
            for both targets.

    Raises:
        MissingDataError: If a file is missing.
        DamagedDataError: If a file is not what it should be.
        ValueError: If an argument is out of range.
    """
    import pooch

    leads = different_names("ludb", "leads", leads, LEADS, fewest=2)
    if target not in tuple(TARGETS):
        raise ValueError(f"ludb: `target` should be one of {', '.join(TARGETS)}, got {target!r}.")
    fold = integer_between("ludb", "fold", fold, 0, FOLDS - 1)
    folder = remote.require()
    hashes = [pooch.file_hash(str(folder / name)) for name in _sources(folder)]
    changes = {"classes": TARGETS[target], "sha256": fingerprint("ludb", VERSION, hashes)}
    # The folds are of one size: the card's parts are those of each.
    card = view_card(read_card(DATA, "ludb").model_copy(update=changes), leads)

    def read() -> Dataset:
        arrays = prepared("ludb", VERSION, hashes, lambda: _build(folder))
        test, validation = (arrays["fold"] == number % FOLDS for number in (fold, fold + 1))
        parts = {"train": ~(test | validation), "validation": validation, "test": test}
        rows = {part: np.flatnonzero(chosen) for part, chosen in parts.items()}
        return lead_dataset(card, arrays["signals"], arrays[target], rows)

    return Source(card, read)


def _build(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Signals float32 ``[200, 12, 1000]``, and for each record the label of each target and the fold, int64."""
    import pandas as pd
    from scipy.signal import resample_poly
    from sklearn.model_selection import StratifiedKFold

    file, subjects = folder / TABLE, len(RECORDS) // 2
    columns = {"hypertrophy": "Hypertrophies", "rhythm": "Rhythms"}
    diagnoses = {"hypertrophy": "Left ventricular hypertrophy", "rhythm": "Sinus rhythm"}
    expected = f"a table of ID, from 1 to {subjects}, Hypertrophies and Rhythms, with and without each diagnosis"
    with expecting("ludb", file, expected):
        table = pd.read_csv(file, index_col="ID")
        if sorted(table.index) != list(range(1, subjects + 1)):
            raise ValueError(f"{len(table)} rows, beginning with {table.index[:3].tolist()}")
        labels = {
            target: np.array(
                [diagnoses[target] in map(str.strip, cell.split("\n")) for cell in table[column].fillna("")], np.int64
            )
            for target, column in columns.items()
        }
        for target, values in labels.items():
            if not 0 < values.sum() < subjects:
                raise ValueError(f"{values.sum()} of {diagnoses[target]!r}")
    both = 2 * labels["hypertrophy"] + labels["rhythm"]
    fold = np.empty(len(table), dtype=np.int64)
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for number, (_, rows) in enumerate(splitter.split(both, both)):
        fold[rows] = number
    signals = np.empty((len(table), len(LEADS), RATE * SECONDS), dtype=np.float32)
    with _records(folder) as records:
        for row, subject in enumerate(steps("ludb, prepared", [*table.index], "records")):
            recorded = read_record("ludb", records / str(subject), RECORDED_RATE).astype(np.float64)
            signals[row] = resample_poly(recorded, RATE, RECORDED_RATE, axis=1, padtype="line")
    return {"signals": signals, "fold": fold, **labels}


@contextlib.contextmanager
def _records(folder: Path) -> Iterator[Path]:
    """The folder of the records, which are taken out of the archive if they are in one."""
    if ARCHIVE not in _sources(folder):
        yield folder / "data"
        return

    file = folder / ARCHIVE
    with tempfile.TemporaryDirectory() as temporary:
        with expecting("ludb", file, f"a tar.xz of {len(RECORDS)} files in one folder `data`"):
            with lzma.open(file) as stream:
                content = stream.read(ARCHIVE_LIMIT + 1)
            if len(content) > ARCHIVE_LIMIT:
                raise ValueError(f"more than {ARCHIVE_LIMIT:,} bytes")
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
                members = {member.name.partition("/")[2]: member for member in archive if member.isfile()}
                if absent := [name for name in RECORDS if name not in members]:
                    raise ValueError(f"{len(absent)} of them missing, the first one {absent[0]}")
                records = Path(temporary, "data")
                records.mkdir()
                for name in RECORDS:  # by the names that are known: nothing in the archive says where a file goes
                    content = archive.extractfile(members[name]).read()  # type: ignore[union-attr]
                    (records.parent / name).write_bytes(content)
        try:
            yield records
        except DamagedDataError as error:  # its path ends here
            _, record_file, expected, found = error.args
            raise DamagedDataError("ludb", file / "data" / record_file.name, expected, found) from None


LUDB = RemoteSet(
    "ludb",
    open_ludb,
    files=tuple(remote_file(*PROJECT, path) for path in (TABLE, *RECORDS)),
    aliases=("ludb_12lead", "lobachevsky-university-electrocardiography-database-1.0.1"),
    # Without the marks of the waves.
    listed=functools.partial(listed_files, *PROJECT, lambda path: path in (TABLE, *RECORDS, "LICENSE.txt")),
    has_all=_has_all,
)
