"""PTB-XL: 21,799 clinical electrocardiograms with diagnoses in the terms of SCP-ECG."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfq_fusion.datasets.arguments import different_names
from tfq_fusion.datasets.card import DATA, read_card
from tfq_fusion.datasets.dataset import Dataset, Source, view_card
from tfq_fusion.datasets.download import RemoteFile, absent, missing_data
from tfq_fusion.datasets.files import DamagedDataError, expecting, read_verified
from tfq_fusion.datasets.prepared import fingerprint, prepared, steps
from tfq_fusion.datasets.remote import RemoteSet
from tfq_fusion.datasets.sets.ecg import (
    LEADS,
    RATE,
    SECONDS,
    SUMS,
    lead_dataset,
    listed_files,
    listed_hashes,
    read_record,
    remote_file,
)

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
PROJECT = ("ptb-xl", "1.0.3")
TABLE, STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"
FILES = tuple(remote_file(*PROJECT, path) for path in (TABLE, STATEMENTS))
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
TARGETS = ("superclasses", "norm")
UNITS_PER_MV = 1000
TEST_FOLD, VALIDATION_FOLD = 10, 9


def _has_all(folder: Path) -> bool:
    """Whether ``folder`` has the tables and the records at 100 samples per second that they name."""
    try:
        return not absent(folder, FILES) and not absent(folder, _record_files(folder))
    except DamagedDataError:
        return False


def open_ptb_xl(remote: RemoteSet, leads: Sequence[str] = LEADS, target: str = "superclasses") -> Source:
    """The data set "ptb-xl".

    Each lead is a modality, float32 ``[samples, 1000]``: ten seconds at 100 samples per second, in microvolts. Records
    without any diagnostic statement are left out, as in the benchmark of its authors (arXiv 2004.13701).

    Args:
        remote: Its description.
        leads: Names of the leads, at least two of :data:`tfq_fusion.datasets.sets.ecg.LEADS`.
        target: "superclasses", whose labels are float32 zeros and ones ``[samples, 5]``, or "norm", int64
            ``[samples]``: 1 where a normal ECG is among the statements.

    Raises:
        MissingDataError: If a file is missing.
        DamagedDataError: If a file is not what it should be.
        ValueError: If an argument is out of range.
    """
    leads = different_names("ptb-xl", "leads", leads, LEADS, fewest=2)
    if target not in TARGETS:
        raise ValueError(f"ptb-xl: `target` should be one of {', '.join(TARGETS)}, got {target!r}.")
    folder = remote.require()
    # Where the records were downloaded, the list of their hashes stands for them; they are held against it when they
    # are prepared. Checksums of leads would not do: another order of the samples has the same.
    sources = [TABLE, STATEMENTS, SUMS]
    if not (folder / SUMS).is_file():
        sources[2:] = [file.path for file in _require_records(folder)]
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sources]
    changes: dict[str, object] = {"sha256": fingerprint("ptb-xl", VERSION, hashes)}
    if target == "norm":
        changes |= {"task": "classification", "classes": ("not normal", "normal")}
    card = view_card(read_card(DATA, "ptb-xl").model_copy(update=changes), leads)

    def read() -> Dataset:
        arrays = prepared("ptb-xl", VERSION, hashes, lambda: _build(folder))
        labels = arrays["superclasses"].astype(np.float32)
        if target == "norm":
            labels = arrays["superclasses"][:, SUPERCLASSES.index("NORM")].astype(np.int64)
        test, validation = arrays["fold"] == TEST_FOLD, arrays["fold"] == VALIDATION_FOLD
        parts = {"train": ~(test | validation), "validation": validation, "test": test}
        rows = {part: np.flatnonzero(chosen) for part, chosen in parts.items()}
        return lead_dataset(card, arrays["signals"], labels, rows)

    return Source(card, read)


def _record_files(folder: Path) -> list[RemoteFile]:
    import pandas as pd

    with expecting("ptb-xl", folder / TABLE, "a table with the paths of records in filename_lr"):
        records = pd.read_csv(folder / TABLE, usecols=["filename_lr"], dtype=str)["filename_lr"]
        return [remote_file(*PROJECT, f"{record}.{suffix}") for record in records for suffix in ("hea", "dat")]


def _require_records(folder: Path) -> list[RemoteFile]:
    """The files of the records, which are all there."""
    files = _record_files(folder)
    if missing := absent(folder, files):
        raise missing_data("ptb-xl", folder, missing, f"{len(missing)} of {len(files)} files of records are not there")
    return files


def _build(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """The prepared arrays.

    Returns:
        ``signals`` int16 ``[records, 12, 1000]`` in microvolts, ``superclasses`` bool ``[records, 5]`` and ``fold``
        int64 ``[records]``.
    """
    import pandas as pd

    records = _require_records(folder)
    if (folder / SUMS).is_file():
        listed = listed_hashes(folder / SUMS)
        with expecting("ptb-xl", folder / SUMS, "the hash of each record"):
            hashes = [listed[file.path] for file in records]
        pairs = [*zip(records, hashes, strict=True)]
        for file, sha256 in steps("ptb-xl, verified", pairs, "files"):
            read_verified("ptb-xl", folder / file.path, sha256, file.limit)
    expected = f"a table of statements with diagnostic and diagnostic_class, one of {', '.join(SUPERCLASSES)}"
    with expecting("ptb-xl", folder / STATEMENTS, expected):
        statements = pd.read_csv(folder / STATEMENTS, index_col=0)
        if unknown := {*statements["diagnostic_class"][statements["diagnostic"] == 1]} - {*SUPERCLASSES}:
            raise ValueError(f"diagnostic_class {', '.join(map(str, unknown))}")
    expected = "a table with ecg_id, strat_fold from 1 to 10, and scp_codes such as {'NORM': 100.0}"
    with expecting("ptb-xl", folder / TABLE, f"{expected} of {STATEMENTS}"):
        table = pd.read_csv(folder / TABLE, index_col="ecg_id")
        if outside := sorted({*table["strat_fold"]} - {*range(1, 11)}):
            raise ValueError(f"a fold {outside[0]!r}")
        if not table["filename_lr"].is_unique:
            raise ValueError("a record twice in filename_lr")
        labels = superclasses(table, statements)
        diagnosed = labels.any(axis=1)
        if {TEST_FOLD, VALIDATION_FOLD} - (filled := {*table["strat_fold"][diagnosed]}) or len(filled) < 3:
            raise ValueError("a part without any diagnosis")
    signals = np.empty((diagnosed.sum(), len(LEADS), RATE * SECONDS), dtype=np.int16)
    for row, record in enumerate(steps("ptb-xl, prepared", [*table["filename_lr"][diagnosed]], "records")):
        signals[row] = read_record("ptb-xl", folder / record, RATE, UNITS_PER_MV)
    return {
        "signals": signals,
        "superclasses": labels[diagnosed],
        "fold": table["strat_fold"][diagnosed].to_numpy(np.int64),
    }


def superclasses(table: pd.DataFrame, statements: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The superclasses of each record: those of its diagnostic statements, as in the authors' example.

    A statement counts whatever its likelihood, for 0 means that it is unknown.

    Args:
        table: The table of the records, with a dictionary of statements and likelihoods in "scp_codes".
        statements: The table of the statements, with "diagnostic" and "diagnostic_class".

    Returns:
        bool ``[records, 5]``, in the order of :data:`SUPERCLASSES`.

    Raises:
        ValueError: If a record's statements are no dictionary, or one is not in the table of statements.
    """
    from pydantic import TypeAdapter

    dictionary = TypeAdapter(dict[str, float])
    diagnostic = statements["diagnostic_class"].where(statements["diagnostic"] == 1).to_dict()
    found = []
    for number, codes in table["scp_codes"].items():
        try:
            likelihoods = dictionary.validate_json(str(codes).replace("'", '"'))
            found.append({diagnostic[code] for code in likelihoods})
        except (KeyError, ValueError):
            raise ValueError(f"the scp_codes {str(codes)[:80]!r} of record {number}") from None
    rows = [[name in classes for name in SUPERCLASSES] for classes in found]
    return np.array(rows, dtype=bool).reshape(-1, len(SUPERCLASSES))


# The records at 100 samples per second alone.
_WANTED = re.compile(rf"{TABLE}|{STATEMENTS}|LICENSE\.txt|records100/\d{{5}}/\d{{5}}_lr\.(hea|dat)")
PTB_XL = RemoteSet(
    "ptb-xl",
    open_ptb_xl,
    files=FILES,
    aliases=("ptb-xl-a-large-publicly-available-electrocardiography-dataset-1.0.3",),
    listed=functools.partial(listed_files, *PROJECT, lambda path: bool(_WANTED.fullmatch(path))),
    has_all=_has_all,
)
