"""What the two electrocardiogram sets of PhysioNet share: downloads by their list of hashes, records, leads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import IntegerArray
from tfq_fusion.datasets.card import Card
from tfq_fusion.datasets.dataset import Dataset, sized
from tfq_fusion.datasets.download import RemoteFile, fetch
from tfq_fusion.datasets.files import DamagedDataError, expecting

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
RATE = 100  # samples per second that the loaders give
SECONDS = 10
MIRRORS = ("https://physionet.org/files/", "https://physionet-open.s3.amazonaws.com/")  # the second one is PhysioNet's
SUMS = "SHA256SUMS.txt"
LIMIT = 1 << 26  # bytes of a file; the largest are the lists of hashes and the tables
NO_VALUE = -32768  # in WFDB's format 16; other formats, which have other values for it, are not accepted


def listed_files(name: str, version: str, wanted: Callable[[str], bool], progress: bool) -> list[RemoteFile]:
    """The wanted files of a PhysioNet project, each with the hash in the list that the project publishes.

    The list itself is downloaded, and trusted as it comes from PhysioNet.

    Args:
        name: The data set, and the project's name at PhysioNet.
        version: Version of the project.
        wanted: Tells by its path whether a file is wanted; only files that the project lists are asked about.
        progress: As for :func:`tfq_fusion.datasets.download.fetch`.

    Raises:
        MissingDataError: If the list cannot be downloaded.
        ValueError: If it is none.
    """
    listed = listed_hashes(fetch(name, [remote_file(name, version, SUMS)], progress) / SUMS)
    return [remote_file(name, version, path, sha256) for path, sha256 in listed.items() if wanted(path)]


def listed_hashes(file: Path) -> dict[str, str]:
    """The SHA-256 of each path that a project's list of hashes has.

    Raises:
        ValueError: If the file is no such list.
    """
    hashes = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if not (entry := re.fullmatch(r"([0-9a-f]{64}) [ *]?(\S+)", line)):
            raise ValueError(f"{file}: expected a SHA-256 and a path in each line, got {line[:80]!r}. Delete the file.")
        hashes[entry[2]] = entry[1]
    return hashes


def remote_file(name: str, version: str, path: str, sha256: str | None = None) -> RemoteFile:
    """A file of a PhysioNet project, from PhysioNet or its open bucket."""
    return RemoteFile(path, sha256, tuple(f"{mirror}{name}/{version}/{path}" for mirror in MIRRORS), limit=LIMIT)


def read_record(name: str, record: Path, rate: int, gain: int | None = None) -> npt.NDArray[np.int16]:
    """The digital values of a record in WFDB format.

    Args:
        name: The data set.
        record: Its path, without the suffixes ``.hea`` and ``.dat``.
        rate: Samples per second that it should have.
        gain: Digital values per millivolt that each lead should have, counted from 0; None for whatever it has.

    Returns:
        int16 ``[leads, samples]``, in the order of :data:`LEADS`.

    Raises:
        FileNotFoundError: If one of its two files is missing.
        DamagedDataError: If it is no ten seconds of the twelve leads at this rate and gain in 16 bits, a lead's
            checksum is wrong, or a sample is marked as having no value.
    """
    import wfdb

    header_file, file = record.with_name(f"{record.name}.hea"), record.with_name(f"{record.name}.dat")
    expected = [lead.upper() for lead in LEADS]
    form = f"{SECONDS} seconds at {rate} samples per second of {', '.join(LEADS)}"
    with expecting(name, header_file, f"a WFDB header of {form}"):
        header = wfdb.rdheader(str(record))
        names = [lead.upper() for lead in header.sig_name]
        if (sorted(names), header.fs, header.sig_len) != (sorted(expected), rate, rate * SECONDS):
            leads = ", ".join(header.sig_name)
            raise DamagedDataError(name, header_file, form, f"{header.sig_len} samples at {header.fs} of {leads}")
        stored = {*zip(header.file_name, header.fmt, header.samps_per_frame, strict=True)}
        if stored != {(file.name, "16", 1)} or any(header.skew) or any(header.byte_offset):
            raise ValueError(f"other storage than samples of 16 bits in {file.name}: {sorted(stored)}")
        if gain is not None and ({*header.adc_gain}, {*header.baseline}, {*header.units}) != ({gain}, {0}, {"mV"}):
            raise DamagedDataError(
                name,
                header_file,
                f"{gain} units per mV from 0 for every lead",
                f"{header.adc_gain} per {header.units} from {header.baseline}",
            )
        checksums = [int(checksum) for checksum in header.checksum]

    size = 2 * len(LEADS) * rate * SECONDS
    with expecting(name, file, f"{size:,} bytes of samples"):
        if (found := file.stat().st_size) != size:
            raise ValueError(f"{found:,} bytes")
        content = wfdb.rdrecord(str(record), physical=False)
    for lead, stated, found in zip(names, checksums, content.calc_checksum(), strict=True):
        if (stated - found) % 2**16:
            raise DamagedDataError(name, file, f"checksum {stated % 2**16} of lead {lead}", str(found))
    signals: IntegerArray = content.d_signal[:, [names.index(lead) for lead in expected]].T
    if len(gaps := np.argwhere(signals == NO_VALUE)):
        lead, sample = gaps[0]
        raise DamagedDataError(
            name,
            file,
            "a value in every sample",
            f"{len(gaps)} that WFDB marks as having none ({NO_VALUE}), the first one in lead {LEADS[lead]} at {sample}",
        )
    return signals.astype(np.int16)


def lead_dataset(
    card: Card, signals: npt.NDArray[Any], labels: npt.NDArray[Any], rows: Mapping[str, IntegerArray]
) -> Dataset:
    """A data set with one modality per lead.

    Args:
        card: Its card, with the leads to take.
        signals: ``[records, 12, samples]``.
        labels: One per record.
        rows: Part -> records, by row: "train", "validation" and "test".
    """
    leads = [modality.name for modality in card.modalities]
    train, validation, test = (
        ({lead: signals[rows[part], LEADS.index(lead)].astype(np.float32) for lead in leads}, labels[rows[part]])
        for part in ("train", "validation", "test")
    )
    return Dataset(train, validation, test, sized(card, train, validation, test))
