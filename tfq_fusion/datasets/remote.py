"""A data set that is downloaded: one description, from which it is found, fetched and opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from tfq_fusion.datasets import download
from tfq_fusion.datasets.dataset import Source
from tfq_fusion.datasets.download import RemoteFile


@dataclasses.dataclass(frozen=True)
class RemoteSet:
    """A data set that is downloaded.

    Attributes:
        name: Its name, that of its card, and of its folder in :func:`tfq_fusion.datasets.download.data_folder`.
        open: Opens it, and never downloads; takes this description, then the options of
            :func:`tfq_fusion.datasets.load`.
        files: All that it needs.
        aliases: Folder names, besides its own, under which it may lie.
        listed: Gives the files to fetch where a server lists them; takes whether to show progress. None for ``files``.
        has_all: Whether a folder has all that it needs, where that is not ``files`` alone.
    """

    name: str
    open: Callable[..., Source]
    files: tuple[RemoteFile, ...]
    aliases: tuple[str, ...] = ()
    listed: Callable[[bool], Sequence[RemoteFile]] | None = None
    has_all: Callable[[Path], bool] | None = None

    def folders(self) -> list[Path]:
        """The folders that have something of it, complete or not."""
        return download.folders(self.name, self.aliases)

    def is_complete(self, folder: Path) -> bool:
        """Whether a folder has all that it needs; the content is not checked."""
        return self.has_all(folder) if self.has_all else not download.absent(folder, self.files)

    def require(self) -> Path:
        """The first folder that is complete.

        Raises:
            MissingDataError: If there is none; the message says what is missing and how to get it.
        """
        complete = next(filter(self.is_complete, self.folders()), None)
        return complete or download.require(self.name, self.files, self.aliases)

    def fetch(self, progress: bool = False) -> Path:
        """Downloads what is missing or damaged; arguments and errors are :func:`tfq_fusion.datasets.download.fetch`'s.

        Raises:
            ValueError: If a server's list of files is none.
        """
        files = self.listed(progress) if self.listed else self.files
        return download.fetch(self.name, files, progress)
