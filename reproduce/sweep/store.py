"""Results on disk: one SQLite file per results folder, one row per run.

The result is kept as the text that the process which computed it wrote, with its checksum. What runs are chosen by
stands beside it, and what a list or a CSV file shows of a run as the line that it is there: to write out a million of
them is to copy them. The write-ahead log lets the file be read while a command writes.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import operator
import os
import socket
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reproduce.sweep.errors import LaboratoryError
from reproduce.sweep.runs import FAILED, RunResult, stated, strict

FILE = "runs.sqlite"
"""The name of a store in its folder of results."""

SCHEMA = 5
"""Version of the format; 1 and 2 were files of lines, 3 had experiments in the place of data sets, 4 no outcomes."""

CHOICES = ("table", "experiment", "dataset", "fusion", "status")
"""What runs can be chosen by."""

COLUMNS = (
    "id", "table", "status", "experiment", "dataset", "dataset_options", "options", "fusion", "arguments", "degree",
    "engine", "precision", "seed", "protocol", "modalities", "fusion_params", "total_params", "learning_rate", "epochs",
    "seconds", "peak_memory_mb", "test", "commit",
)  # fmt: skip
"""What a line has of a run. Options, arguments, what the protocol changes and the scores on the test part are JSON."""

_APPLICATION = 0x7466716C  # "tfql": tells a store from any other SQLite file
_CREATE = (
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, [table] TEXT NOT NULL, experiment TEXT NOT NULL,
        dataset TEXT, fusion TEXT NOT NULL, status TEXT NOT NULL, line TEXT NOT NULL)""",
    "CREATE INDEX chosen ON runs (status, fusion, dataset, experiment, [table])",
    # Of its own, so that whoever lists runs need not read past their histories.
    """CREATE TABLE records (
        number INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, crc32 INTEGER NOT NULL, record TEXT NOT NULL)""",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {SCHEMA}",
)
_LISTED = 10
_MAGIC = b"SQLite format 3\0"
_START_OVER = "Restore it, or move it away to start over."
_CONTINUE = "Make room or the folder writable, or give another with --results; the same command then continues."


class StoreError(LaboratoryError):
    """The store is damaged, of another version, in use, or cannot be read or written."""


class Store:
    """Results by the id of their run; the file is the only state, so whatever was finished is never run again.

    Reading needs nothing else. Adding and removing need the lock of the file::

        with Store(path) as store:
            store.add([record], table="table1")

    Args:
        path: The SQLite file; links are followed. Entering makes it and its folder.

    Raises:
        StoreError: If the file is damaged, is no store, or is one of another version. On entering also if another
            process has the lock, if the file has a second name, or if it cannot be written. On leaving if the file was
            deleted or replaced, as :meth:`add`.
    """

    def __init__(self, path: Path) -> None:
        # One file has one lock and one log, whatever links lead to it.
        self.path = path.resolve()
        self._writer: sqlite3.Connection | None = None
        self._close = contextlib.ExitStack()
        with self._open():
            pass

    def __enter__(self) -> Store:
        with contextlib.ExitStack() as stack, self._named("cannot be written"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(self.path))
            writer = stack.enter_context(contextlib.closing(_connect(self.path)))
            self._file = self.path.stat()
            if self._file.st_nlink > 1:
                raise StoreError(f"{self.path} has a second name (a hard link), and its log has not. Put a copy there.")
            writer.execute("PRAGMA journal_mode = WAL")
            if _is_empty(writer):
                with _transaction(writer):
                    for statement in _CREATE:
                        writer.execute(statement)
            self._check(writer)
            # Nothing new, but written: whether that can be done has to be known before anything runs.
            writer.execute(f"PRAGMA user_version = {SCHEMA}")
            self._writer = writer
            stack.callback(setattr, self, "_writer", None)
            self._close = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._close:
            if kind is None:
                with self._change("it cannot be said whether all is there"):
                    pass

    def add(self, records: Sequence[str], table: str) -> list[RunResult]:
        """Store results, all or none of them; they are on disk when this returns.

        Args:
            records: What :meth:`RunResult.to_json` gave, at least one.
            table: The table that they were made for.

        Returns:
            The results.

        Raises:
            RuntimeError: Outside ``with``.
            ValueError: If a record is no result, or the store holds a result of that run that has not failed.
            StoreError: If they cannot be written; the store is then as before. If the file was deleted or replaced
                since it was opened; all that it held and these results are then in the file that the message names.
        """
        results = [RunResult.from_json(record) for record in records]
        first = results[0].spec
        with self._change(f"run {first.id} ({first}) was not written") as writer:
            for record, result in zip(records, results, strict=True):
                self._insert(writer, record, result, table)
        return results

    def _insert(self, writer: sqlite3.Connection, record: str, result: RunResult, table: str) -> None:
        spec = result.spec
        found = writer.execute("SELECT status FROM runs WHERE id = ?", (spec.id,)).fetchone()
        if found and found[0] != FAILED:
            raise ValueError(f"{self.path} holds run {spec.id} ({spec}) already; only a failed one is replaced.")
        writer.execute("DELETE FROM runs WHERE id = ?", (spec.id,))
        columns = "id, [table], experiment, dataset, fusion, status, line"
        row = spec.id, table, spec.experiment, spec.dataset, spec.fusion, result.status, _line(result, table)
        added = writer.execute(f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        writer.execute("INSERT INTO records VALUES (?, ?, ?)", (added.lastrowid, _crc32(record), record))

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these runs; those that are not there need no forgetting.

        Raises:
            RuntimeError: Outside ``with``.
            StoreError: As :meth:`add`.
        """
        with self._change("no run was forgotten") as writer:
            writer.executemany("DELETE FROM runs WHERE id = ?", ((each,) for each in ids))

    def results(self, ids: Iterable[str] | None = None) -> Iterator[RunResult]:
        """Results, failed ones included, in the order in which they were added.

        Args:
            ids: Of these runs, as far as they are there; None for all.

        Raises:
            StoreError: If a record is damaged.
        """
        query = "SELECT id, crc32, record FROM runs JOIN records USING (number)"
        if ids is None:
            rows = self._rows(f"{query} ORDER BY number")
        else:
            rows = self._rows(
                f"{query} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY number", json.dumps([*ids])
            )
        for run_id, crc32, record in rows:
            try:
                result = RunResult.from_json(record)
                if result.spec.id != run_id or _crc32(record) != crc32:
                    raise ValueError("it does not fit its id and its checksum")
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"{self.path}: the record of run {run_id} is damaged ({error}). {_START_OVER}"
                ) from error
            yield result

    def find(self, prefix: str) -> RunResult:
        """The result whose id begins with ``prefix``.

        Raises:
            ValueError: If there is none, or more than one: the message then lists some.
        """
        begins = "SELECT id FROM runs WHERE substr(id, 1, ?) = ? ORDER BY number"
        found = [run_id for (run_id,) in self._rows(begins, len(prefix), prefix)]
        if not found:
            raise ValueError(f"No run in {self.path} has an id that begins with {prefix!r}; `runs` lists them.")
        results = list(self.results(found[:_LISTED]))
        if len(found) == 1:
            return results[0]
        listed = "".join(f"\n    {result.spec.id}  {result.spec}" for result in results)
        more = f"\n    and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise ValueError(f"{len(found)} runs have an id that begins with {prefix!r}; give more of it:{listed}{more}")

    def counts(self, **chosen: str) -> dict[str, int]:
        """Status -> number of runs, of those that have the given values of :data:`CHOICES`.

        Raises:
            ValueError: If no run has such a value; the message lists those that there are.
        """
        for column, value in chosen.items():
            if not any(self._rows(f"SELECT 1 FROM runs WHERE [{column}] = ? LIMIT 1", value)):
                known = sorted(each for (each,) in self._rows(f"SELECT DISTINCT [{column}] FROM runs") if each)
                raise ValueError(f"No run has the {column} {value!r}: expected one of {', '.join(known)}.")
        where = _where(chosen)
        return dict(self._rows(f"SELECT status, count(*) FROM runs{where} GROUP BY status", *chosen.values()))

    def rows(self, last: int | None = None, **chosen: str) -> Iterator[str]:
        """The runs that :meth:`counts` counts as lines of CSV, with :data:`COLUMNS`, in the order added.

        Args:
            last: Only the last ones, so many; None for all.
            chosen: As for :meth:`counts`.
        """
        newest = "" if last is None else f" DESC LIMIT {last}"
        query = f"SELECT line, number FROM runs{_where(chosen)} ORDER BY number{newest}"
        rows = self._rows(f"SELECT line FROM ({query}) ORDER BY number", *chosen.values())
        return map(operator.itemgetter(0), rows)

    def records(self, **chosen: str) -> Iterator[str]:
        """The records of the runs that :meth:`counts` counts, in the order added."""
        query = f"SELECT record FROM runs JOIN records USING (number){_where(chosen)} ORDER BY number"
        return map(operator.itemgetter(0), self._rows(query, *chosen.values()))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """The connection that writes, or one to read with; None where nothing has been written yet."""
        if self._writer is not None:
            yield self._writer
        elif not self.path.exists():
            yield None
        else:
            with self._named("cannot be read"):
                with self.path.open("rb") as file:  # SQLite itself takes a short file of any content for an empty one
                    head = file.read(len(_MAGIC))
                if head not in (b"", _MAGIC):
                    raise StoreError(f"{self.path}: expected an SQLite file, got {head!r}. {_START_OVER}")
                with contextlib.closing(_connect(self.path, "ro")) as reader:
                    empty = _is_empty(reader)
                    if not empty:
                        self._check(reader)
                    yield None if empty else reader

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with self._open() as connection, self._named("cannot be read"):
            if connection is not None:
                yield from connection.execute(query, values)

    @contextlib.contextmanager
    def _change(self, failure: str) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            raise RuntimeError(f"{self.path} is open for reading: change it inside `with Store(path) as store:`.")
        if self.path.exists() and os.path.samestat(self.path.stat(), self._file):
            with self._named(failure), _transaction(self._writer):
                yield self._writer
            # The file alone has all then, wherever it is copied or moved; a reader or a full disk may put that off.
            with contextlib.suppress(sqlite3.OperationalError):
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return
        # SQLite writes no file that has lost its name, but still reads it.
        names = (f"{self.path.stem}-{number}{self.path.suffix}" for number in itertools.count(1))
        copy = next(path for path in map(self.path.with_name, names) if not path.exists())
        with self._named(f"was deleted or replaced while this command ran, and {failure}"):
            copy.parent.mkdir(parents=True, exist_ok=True)
            self._writer.execute("VACUUM INTO ?", (copy.as_uri(),))
            with contextlib.closing(_connect(copy)) as writer, _transaction(writer):
                yield writer
        raise StoreError(
            f"{self.path} was deleted or replaced while this command ran. The results that it has, the newest "
            f"included, are in {copy}. Put that file in its place; the same command continues from there."
        )

    def _check(self, connection: sqlite3.Connection) -> None:
        """Raise a StoreError unless the file is a store of this version."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise StoreError(f"{self.path} is an SQLite file, but no store of runs. Move it away.")
        if version != SCHEMA:
            raise StoreError(
                f"{self.path} has schema {version}, and this version of tfq-fusion reads schema {SCHEMA}. Use the "
                "version that wrote it, or move the file away to start over."
            )

    @contextlib.contextmanager
    def _named(self, failure: str) -> Iterator[None]:
        """Turns errors of SQLite and of the system into StoreErrors."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            # SQLite tells what the system refused by its own kind of error.
            remedy = _CONTINUE if isinstance(error, OSError | sqlite3.OperationalError) else _START_OVER
            raise StoreError(f"{self.path}: {failure} ({error}). {remedy}") from error


def _connect(path: Path, mode: str = "rwc") -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=1.0)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _line(result: RunResult, table: str) -> str:
    spec = result.spec
    values = {
        **vars(spec),
        **vars(result),
        "id": spec.id,
        "table": table,
        **{name: json.dumps(dict(getattr(spec, name))) for name in ("dataset_options", "options", "arguments")},
        "protocol": json.dumps(strict(stated(spec.protocol))),
        "test": json.dumps(strict(result.metrics.get("test", {}))),
    }
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([values[column] for column in COLUMNS])
    return text.getvalue()


def _crc32(record: str) -> int:
    return zlib.crc32(record.encode())


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing has been written yet: a kill can leave a file without content."""
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk can have ended it
            connection.execute("ROLLBACK")
        raise


def _where(chosen: Mapping[str, str]) -> str:
    assert set(chosen) <= set(CHOICES)
    return " WHERE " + " AND ".join(f"[{column}] = ?" for column in chosen) if chosen else ""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
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
