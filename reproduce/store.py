"""Results on disk: append-only, one JSON record per line."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from reproduce.runs import RunResult


class StoreError(Exception):
    """The results file is damaged."""


class Store:
    """Finished runs by their id; the file is the only state, so whatever was finished is never run again.

    Args:
        path: A JSON-lines file; it and its folder are made when the first result is added.

    Raises:
        StoreError: If a line is broken. A torn last line, as an interrupted write leaves it, is dropped with a
            warning instead.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._results: dict[str, RunResult] = {}
        if path.exists():
            self._read()

    def get(self, run_id: str) -> RunResult | None:
        """The result of a run, or None if it has not finished yet."""
        return self._results.get(run_id)

    def __getitem__(self, run_id: str) -> RunResult:
        """The result of a run that has finished."""
        return self._results[run_id]

    def add(self, result: RunResult) -> None:
        """Append a result; it is on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result.to_json(), separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._results[result.spec.id] = result

    def _read(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        *lines, torn = text.split("\n")
        if torn:
            warnings.warn(f"{self.path}: dropped a torn last line; that run starts again.", stacklevel=3)
            self.path.write_text(text[: -len(torn)], encoding="utf-8")
        for number, line in enumerate(lines, start=1):
            try:
                result = RunResult.from_json(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"{self.path}, line {number}: expected one run result as JSON, got {line[:60]!r} ({error}). "
                    "Delete that line to run it again, or use --fresh to start over."
                ) from error
            self._results[result.spec.id] = result
