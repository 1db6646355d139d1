"""Reading what others wrote: verified, of bounded size, and with one error for all that can be wrong with it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class DamagedDataError(ValueError):
    """A file of a data set is not what it should be.

    Example:
        >>> from pathlib import Path
        >>> from tfq_fusion.datasets import DamagedDataError
        >>> print(DamagedDataError("mnist", Path("images.gz"), "60,000 images", "59,999"))
        images.gz is damaged: expected 60,000 images, found 59,999. Fetch it anew with `make data DATASET=mnist`.

    Args:
        name: The data set.
        file: The file.
        expected: What should be in it.
        found: What is.
    """

    def __init__(self, name: str, file: Path, expected: str, found: str) -> None:
        super().__init__(name, file, expected, found)
        self._message = (
            f"{file} is damaged: expected {expected}, found {found}. Fetch it anew with `make data DATASET={name}`."
        )

    def __str__(self) -> str:
        return self._message


@contextlib.contextmanager
def expecting(name: str, file: Path, expected: str) -> Iterator[None]:
    """Makes a :class:`DamagedDataError` of whatever a parser raises inside.

    What the system says of a file, such as that it may not be read, stays as it is: that names the file, and no
    download would mend it.
    """
    try:
        yield
    except DamagedDataError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedDataError(name, file, expected, f"{type(error).__name__} ({error})") from error


@contextlib.contextmanager
def naming(file: Path) -> Iterator[None]:
    """Lets the system's errors inside, such as that a disk is full, say of which file they are."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(file)) from error


def read_verified(name: str, file: Path, sha256: str, limit: int, open_file: Callable[..., Any] = open) -> bytes:
    """The content of a file of a data set.

    Args:
        name: The data set.
        file: The file.
        sha256: SHA-256 of its content.
        limit: The most bytes that its content may have; nothing beyond is read or unpacked.
        open_file: Opens it; ``gzip.open`` for the content of a compressed file.

    Raises:
        DamagedDataError: If it is larger, has another SHA-256 or cannot be unpacked.
        OSError: If it cannot be read.
    """
    expected = f"SHA-256 {sha256}"
    with expecting(name, file, expected), open_file(file, "rb") as stream:
        content: bytes = stream.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"more than {limit:,} bytes")
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise DamagedDataError(name, file, expected, found)
    return content
