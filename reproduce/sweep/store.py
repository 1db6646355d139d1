"""Results on disk: append-only, one checksummed record per line.

Every line is a JSON object that begins with the CRC-32 of what follows, up to the closing brace: first a header with
the schema, then one record per result, with id and status ahead of the rest. Nothing is parsed to read the file: the
checksum says whether a line is whole, the place of id and status what it holds.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import shutil
import socket
import tempfile
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reproduce.sweep.errors import LaboratoryError
from reproduce.sweep.runs import FAILED, RunResult
from tfq_fusion.files import sync

SCHEMA = 2
"""Version of the file's format; 1 had neither header nor checksums."""

_PROBE_BYTES = 2**20
_RECORD = re.compile(rb'\{"crc32":"([0-9a-f]{8})",("id":"([0-9a-f]{64})","status":"([a-z]+)",.*\})\n')
_REPAIR = "Delete that line to run it again, or move the file away to start over."


class StoreError(LaboratoryError):
    """The results file is damaged, of another schema, in use, or cannot be written."""


def _line(content: dict[str, Any]) -> bytes:
    body = json.dumps(content, separators=(",", ":"), allow_nan=False)[1:].encode()
    return b'{"crc32":"%08x",%b\n' % (zlib.crc32(body), body)


_HEADER = _line({"schema": SCHEMA})


class Store:
    """Results by the id of their run; the file is the only state, so whatever was finished is never run again.

    Reading needs nothing else and sees what was there when the store was opened. Adding needs the lock of the file::

        with Store(path) as store:
            store.add(result)

    Entering takes the lock, writes for trial, and reads what others have added since. A failed run may be added again;
    the last result of a run counts.

    Args:
        path: A JSON-lines file; it and its folder are made on entering.

    Raises:
        StoreError: If a line is damaged or the file has another schema. A torn last line, as an interrupted write
            leaves it, is left out with a warning instead, and cut off on entering. On entering also if another process
            has the lock, by whatever links it found the file, if the file has hard links, or if the folder cannot be
            written or is full. On leaving, as :meth:`add`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: io.FileIO | None = None
        self._close = contextlib.ExitStack()
        self._read()

    def __enter__(self) -> Store:
        with contextlib.ExitStack() as stack:
            try:
                self._place = self.path.resolve()  # two folders may share a file by links: it has one lock
                stack.enter_context(_locked(self._place))
                if self._state != _state(self.path):
                    self._read()
                with tempfile.TemporaryFile(dir=self._place.parent, buffering=0) as probe:
                    _write(probe, bytes(_PROBE_BYTES))
                stack.callback(self._shut)
                self._file = self.path.open("a+b", buffering=0)
                names = os.fstat(self._file.fileno()).st_nlink
                if names > 1:
                    raise StoreError(
                        f"{self.path} has {names} names (hard links), and another command may write it by another "
                        "name. Copy the file and put the copy in its place."
                    )
                self._file.truncate(self._end)
                if self._end == 0:
                    self._append(_HEADER)
                    sync(self._place.parent)
            except OSError as error:
                raise StoreError(
                    f"{self.path}: cannot be written ({error}). Make room or give another folder with --results."
                ) from error
            self._close = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._close:
            if kind is None:
                self._check_place()

    def add(self, result: RunResult) -> None:
        """Append a result; it is on disk when this returns.

        Raises:
            RuntimeError: Outside ``with``.
            ValueError: If the store holds a result of that run that has not failed.
            StoreError: If it cannot be written; the store is as before. If the file was deleted, replaced or cut off
                since it was opened: all results are then kept, in a file that the message names.
        """
        if self._file is None:
            raise RuntimeError(f"{self.path} is open for reading: add results inside `with Store(path) as store:`.")
        run_id = result.spec.id
        if run_id in self._offsets and run_id not in self._failed:
            raise ValueError(f"{self.path} holds run {run_id} ({result.spec}) already; only a failed one is replaced.")
        offset = self._end
        line = _line(result.to_json())
        try:
            self._check_place(line)
            self._append(line)
        except OSError as error:
            raise StoreError(
                f"{self.path}: run {run_id} ({result.spec}) was not written ({error}). Make room and start the same "
                "command again: it continues from there."
            ) from error
        self._index(run_id, result.status, offset)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Drop the results of runs, all of them in one step: a kill leaves the file as it was or as it is to be.

        Raises:
            RuntimeError: Outside ``with``.
            StoreError: If the file cannot be written anew; it is as before.
        """
        if self._file is None:
            raise RuntimeError(f"{self.path} is open for reading: forget inside `with Store(path) as store:`.")
        gone = set(run_ids) & self._offsets.keys()
        if not gone:
            return
        self._check_place()
        new = self._place.with_name(f"{self._place.name}.new")
        try:
            new.unlink(missing_ok=True)  # a command that was killed may have left it
            with self._place.open("rb") as old, new.open("xb") as file:
                file.write(_HEADER)
                for run_id, offset in self._offsets.items():
                    if run_id not in gone:
                        old.seek(offset)
                        file.write(old.readline())
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(self._place, new)
            new.replace(self._place)
            sync(self._place.parent)
            self._shut()
            self._file = self.path.open("a+b", buffering=0)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise StoreError(f"{self.path}: runs could not be dropped ({error}). Make room.") from error
        self._read()

    def get(self, run_id: str) -> RunResult | None:
        """The last result of a run, failed ones included, or None if there is none."""
        return self[run_id] if run_id in self._offsets else None

    def __getitem__(self, run_id: str) -> RunResult:
        """The last result of a run, failed ones included."""
        offset = self._offsets[run_id]
        with self.path.open("rb") as file:
            return self._parse(file, run_id, offset)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[RunResult]:
        """The last result of every run, in the order they were added."""
        if self._offsets:
            with self.path.open("rb") as file:
                for run_id, offset in list(self._offsets.items()):
                    yield self._parse(file, run_id, offset)

    def find(self, prefix: str) -> RunResult:
        """The result whose id begins with ``prefix``.

        Raises:
            ValueError: If there is none, or more than one: the message then lists them.
        """
        found = [run_id for run_id in self._offsets if run_id.startswith(prefix)]
        if len(found) == 1:
            return self[found[0]]
        if not found:
            raise ValueError(f"No run in {self.path} has an id that begins with {prefix!r}; `runs` lists them.")
        listed = "".join(f"\n    {run_id}  {self[run_id].spec}" for run_id in found[:10])
        more = f"\n    and {len(found) - 10} more" if len(found) > 10 else ""
        raise ValueError(f"{len(found)} runs have an id that begins with {prefix!r}; give more of it:{listed}{more}")

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _check_place(self, line: bytes = b"") -> None:
        """Raise StoreError unless the file at the path is the one that is open; that and a further line are kept."""
        assert self._file is not None
        mine = os.fstat(self._file.fileno())
        try:
            found = os.path.samestat(mine, self.path.stat())
        except OSError:
            found = False
        if found and mine.st_size >= self._end:
            return
        there = os.pread(self._file.fileno(), self._end, 0)
        whole = there[: there.rfind(b"\n") + 1] or _HEADER
        names = itertools.chain([self.path.name], map("runs-{}.jsonl".format, itertools.count(1)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for kept in map(self.path.with_name, names):
            with contextlib.suppress(FileExistsError), kept.open("xb", buffering=0) as file:
                _write(file, whole + line)
                sync(kept.parent)
                break
        what = f"was cut off at {mine.st_size} bytes" if found else "was deleted or replaced"
        how = "" if kept == self.path else f" Put that file in the place of {self.path}."
        raise StoreError(
            f"{self.path} {what} while this command ran. The results that it has, the newest included, are in {kept}."
            f"{how} The same command continues from there."
        )

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        # What a failed write has left would otherwise stand between two whole records.
        self._file.truncate(self._end)
        _write(self._file, line)
        self._end += len(line)

    def _index(self, run_id: str, status: str, offset: int) -> None:
        # Anew at the end, so that the order is that of the file.
        self._offsets.pop(run_id, None)
        self._offsets[run_id] = offset
        if status == FAILED:
            self._failed.add(run_id)
        else:
            self._failed.discard(run_id)

    def _read(self) -> None:
        self._offsets: dict[str, int] = {}
        self._failed: set[str] = set()
        self._end = 0
        try:
            self._state = _state(self.path)
            if self._state is None:
                return
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if number == 1 and not _HEADER.startswith(line):
                        raise StoreError(f"{self.path}, line 1: {_no_header(line)}")
                    if not line.endswith(b"\n"):
                        warnings.warn(
                            f"{self.path}, line {number}: left out a torn last line; that run starts again.",
                            stacklevel=3,
                        )
                        break
                    if number > 1:
                        self._take(line, number)
                    self._end += len(line)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error}).") from error

    def _take(self, line: bytes, number: int) -> None:
        match = _RECORD.fullmatch(line)
        if match is None or int(match[1], 16) != zlib.crc32(match[2]):
            raise StoreError(
                f"{self.path}, line {number}: expected a record that fits its checksum, got {line[:60]!r}. {_REPAIR}"
            )
        run_id = match[3].decode()
        if run_id in self._offsets and run_id not in self._failed:
            first = self._number(self._offsets[run_id])
            raise StoreError(
                f"{self.path}, line {number}: run {run_id} is on line {first} already. Delete one of the two lines."
            )
        self._index(run_id, match[4].decode(), self._end)

    def _parse(self, file: io.BufferedReader, run_id: str, offset: int) -> RunResult:
        file.seek(offset)
        line = file.readline()
        try:
            record = json.loads(line)
            del record["crc32"]
            result = RunResult.from_json(record)
            if result.spec.id != run_id:
                raise ValueError(f"the id was {run_id} when the store was opened")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self.path}, line {self._number(offset)}: expected one run result, got {line[:60]!r} ({error}). "
                f"{_REPAIR}"
            ) from error
        return result

    def _number(self, offset: int) -> int:
        with self.path.open("rb") as file:
            number = 1
            while file.tell() < offset and file.readline():
                number += 1
        return number


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    marker = path.with_name(f"{path.name}.lock")
    lock = FileLock(marker, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        pid, _, host = marker.read_text().strip().partition("\n")
        holder = f"process {pid} on {host}" if pid else "another process"
        raise StoreError(
            f"{path} is in use by {holder}. Wait until that has ended, or give another folder with --results."
        ) from None
    try:
        # Two lines, as filelock itself writes them where a file system has no locks of its own.
        marker.write_text(f"{os.getpid()}\n{socket.gethostname()}\n")
        yield
    finally:
        lock.release()


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _write(file: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:  # the system may take a part, and says why only when it takes nothing
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def _no_header(line: bytes) -> str:
    """What is wrong with a first line that is not the header."""
    schema: object = None
    try:
        content = json.loads(line)
        if line == _line({"schema": content["schema"]}):
            schema = content["schema"]
    except (KeyError, TypeError, ValueError):
        schema = 1 if line.startswith(b'{"id":') else None
    if schema is None:
        header = _HEADER.decode().strip()
        return f"expected the header {header}, got {line[:60]!r}. Put it there, or move the file away to start over."
    return (
        f"the store has schema {schema}, and this version of tfq-fusion reads schema {SCHEMA}. Use the version that "
        "wrote it, or move the file away to start over."
    )
