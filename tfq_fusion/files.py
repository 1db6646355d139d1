"""Writing files so that nobody ever finds half of one, or a part of a set."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_files(contents: Mapping[Path, bytes | Iterable[bytes]]) -> None:
    """Write a set of files; each is, at any moment, as it was before or as it is to be.

    All of them are on disk under other names before the first takes its own: an error leaves the whole set as it was.
    So does a kill, unless it falls between two renames. What that leaves, ``.<name>.new``, is overwritten the next
    time.

    Args:
        contents: Path -> content, whole or in pieces; the folders are there. One process at a time may write to a
            path.

    Raises:
        OSError: If a file cannot be written; the message names it.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            try:
                staged[path] = _stage(path, content)
            except OSError as error:
                raise OSError(
                    f"{path}: cannot be written ({error.strerror or error}), so nothing was changed. Make room or "
                    "write to another folder."
                ) from error
        for path, new in staged.items():
            new.replace(path)
    finally:
        for new in staged.values():
            new.unlink(missing_ok=True)
    for folder in {path.parent for path in contents}:
        sync(folder)


def png(figure: Figure) -> bytes:
    """A figure as the content of a PNG file."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=200)
    return content.getvalue()


def _stage(path: Path, content: bytes | Iterable[bytes]) -> Path:
    if path.is_dir():
        raise IsADirectoryError("a folder has that name")
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)  # it could be a link to another file
    try:
        with new.open("xb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return new


def sync(path: Path) -> None:
    """Put a file on disk, or the names in a folder: to sync a file does not sync its name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
