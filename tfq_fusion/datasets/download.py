"""Where downloaded data sets lie, and how their files get there: verified, resumed, from a list of mirrors."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
import re
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfq_fusion.datasets.answer import Answer
from tfq_fusion.datasets.files import naming

if TYPE_CHECKING:
    import requests

    from tfq_fusion.datasets.bars import Bars

WORKERS = 8  # files at once
CONNECT_SECONDS = 10.0
SLOW_SECONDS = 30.0  # a server that sends less than SLOW_BYTES in so long is given up, whatever it is doing
SLOW_BYTES = 65536
RETRIES = 3  # of a request that could not connect, or that the server was too busy for
BACKOFF_SECONDS = 0.5  # they wait 0, 2 and 4 times as long
ATTEMPTS = 5  # at a transfer that breaks off; each goes on where the last one ended
BAR_BYTES = 1_000_000  # smaller files have no progress bar of their own


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file of a data set that is downloaded.

    Attributes:
        path: Its place inside the data set's folder, a relative POSIX path.
        sha256: SHA-256 of its content in lower-case hexadecimal; None only where nothing states it.
        urls: The mirrors, tried in order.
        limit: The most bytes that it can have: its size, where that is known.

    Raises:
        ValueError: If the path could leave the folder, the hash is none, or there is no URL.
    """

    path: str
    sha256: str | None
    urls: tuple[str, ...]
    limit: int = 1 << 30

    def __post_init__(self) -> None:
        if re.search(r"[\\:\0]", self.path) or any(part in ("", ".", "..") for part in self.path.split("/")):
            raise ValueError(f"Expected a relative POSIX path without '.' and '..', got {self.path!r}.")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(
                f"{self.path}: expected a SHA-256 of 64 lower-case hexadecimal digits, got {self.sha256!r}."
            )
        if not self.urls:
            raise ValueError(f"{self.path}: expected at least one URL, got none.")


class MissingDataError(FileNotFoundError):
    """A data set is not there, or could not be downloaded; the message says how to get it.

    Example:
        >>> import os
        >>> from tfq_fusion.datasets import MissingDataError, load
        >>> os.environ["TFQ_FUSION_DATA_DIR"] = "an empty folder"
        >>> try:
        ...     load("metr-la")
        ... except MissingDataError as error:
        ...     print(str(error).split(". ")[0])
        metr-la: 2 of 2 files are not there
    """


def default_folder() -> Path:
    """``data/downloads`` of a checkout; for an installed package, the user's cache folder."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "setup.cfg").is_file():
        return checkout / "data" / "downloads"
    import pooch  # with what it imports, half as slow as all of tfq_fusion.datasets

    return Path(pooch.os_cache("tfq-fusion"))


def data_folder() -> Path:
    """The folder that holds one folder per downloaded data set: ``TFQ_FUSION_DATA_DIR``, or :func:`default_folder`.

    Raises:
        ValueError: If the variable begins with the home of a user who is not known.
    """
    given = os.environ.get("TFQ_FUSION_DATA_DIR")
    if not given:
        return default_folder()
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"TFQ_FUSION_DATA_DIR should be the path of a folder, got {given!r}: {error}") from None


def folders(name: str, aliases: Sequence[str] = ()) -> list[Path]:
    """The folders in :func:`data_folder` that have something of a data set, complete or not.

    Args:
        name: The data set, and the first folder name to look for.
        aliases: Other folder names, in the order of preference.
    """
    candidates = (data_folder() / each for each in (name, *aliases))
    return [folder for folder in candidates if folder.is_dir() and any(folder.iterdir())]


def locate(name: str, aliases: Sequence[str] = ()) -> Path | None:
    """The first of :func:`folders`, or None if there is none."""
    return next(iter(folders(name, aliases)), None)


def absent(folder: Path, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Those of ``files`` that ``folder`` has not; what is in the others is not checked."""
    return [file for file in files if not (folder / file.path).is_file()]


def require(name: str, files: Sequence[RemoteFile], aliases: Sequence[str] = ()) -> Path:
    """The first of :func:`folders` that has all of ``files``.

    Raises:
        MissingDataError: If none has.
    """
    found = folders(name, aliases)
    for folder in found:
        if not absent(folder, files):
            return folder
    folder = found[0] if found else data_folder() / name
    missing = absent(folder, files)
    raise missing_data(name, folder, missing, f"{len(missing)} of {len(files)} files are not there")


def missing_data(name: str, folder: Path, files: Sequence[RemoteFile], reason: str) -> MissingDataError:
    """The error to raise where a data set is not complete.

    Args:
        name: The data set.
        folder: Where its files can be put by hand.
        files: What is missing; the message has a line for each of the first four.
        reason: What happened, without a full stop.
    """
    wanted = [f"{file.path}, SHA-256 {file.sha256 or 'not stated'}, {' or '.join(file.urls)}" for file in files[:4]]
    more = [f"and {len(files) - 4} more"] if len(files) > 4 else []
    summary = (
        f"{name}: {reason}. Get it with `make data DATASET={name}`, without a checkout `tfq-fusion data fetch {name}`, "
        f"or put by hand into {folder}:"
    )
    return MissingDataError("\n".join([summary, *wanted, *more]))


def fetch(name: str, files: Sequence[RemoteFile], progress: bool = False) -> Path:
    """Downloads the files of a data set that are missing or damaged, several at once, and verifies all.

    A file appears under its name only when it is whole and has its SHA-256. Until then it is ``<name>.part``, and a
    later call goes on there if the server can. Proxies are taken from the environment. A server that cannot be reached
    in 10 seconds or is busy (status 429, 500, 502, 503 or 504) is asked four times in all. One that sends less than
    64 KiB in 30 seconds, from the question to the end of the file, is given up, and so is one that sends more than the
    file can have. Then the next mirror is tried. Ctrl-C ends all at once, whatever the servers do.

    Args:
        name: The data set, and the name of its folder in :func:`data_folder`.
        files: All its files; what is there and has the right hash is kept.
        progress: Whether to show progress on standard error.

    Returns:
        The folder, which has all the files.

    Raises:
        MissingDataError: If all mirrors of a file fail; what was downloaded is kept.
        OSError: If the folder cannot be written.
    """
    from tfq_fusion.datasets.bars import Bars

    folder = data_folder() / name
    stop = threading.Event()
    with (
        _session() as session,
        Bars(progress) as bars,
        concurrent.futures.ThreadPoolExecutor(WORKERS) as executor,
    ):
        done = bars.add(name, len(files), "files")
        worker = _Worker(name, folder, session, bars, stop)
        futures = [executor.submit(worker, file) for file in files]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
                bars.advance(done)
        except BaseException:
            stop.set()
            executor.shutdown(cancel_futures=True)
            raise
    return folder


def _session() -> requests.Session:
    import requests
    import urllib3

    # A server's Retry-After may ask for hours, so it is not heeded.
    retry = urllib3.Retry(
        total=RETRIES,
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=(429, 500, 502, 503, 504),
        respect_retry_after_header=False,
    )
    adapter = requests.adapters.HTTPAdapter(max_retries=retry, pool_maxsize=WORKERS)
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


@dataclasses.dataclass(frozen=True)
class _Worker:
    """Downloads one file after the other; each call runs in a thread of its own."""

    name: str
    folder: Path
    session: requests.Session
    bars: Bars
    stop: threading.Event

    def __call__(self, file: RemoteFile) -> None:
        import pooch
        import requests
        import urllib3

        target = self.folder / file.path
        if target.is_file() and file.sha256 in (None, pooch.file_hash(str(target))):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        failures: dict[str, Exception] = {}
        for url in file.urls:
            for _ in range(ATTEMPTS):
                begin = _resumable_bytes(part, file)
                try:
                    self._transfer(url, file, part, begin)
                    if file.sha256 not in (None, found := pooch.file_hash(str(part))):
                        raise ValueError(f"expected SHA-256 {file.sha256}, got {found}")
                    part.replace(target)
                    return
                except urllib3.exceptions.ProtocolError as error:  # broken off in the middle: the next attempt goes on
                    failures[url] = error
                except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                    failures[url] = error
                    break
                except ValueError as error:
                    failures[url] = error
                    part.unlink(missing_ok=True)
                    if not begin:
                        break
        # Where requests gave up after several attempts, its text is long; urllib3's reason inside is the point.
        reasons = [f"{url}: {getattr((*error.args, None)[0], 'reason', error)}" for url, error in failures.items()]
        reason = f"{file.path} could not be downloaded ({'; '.join(reasons)})"
        raise missing_data(self.name, self.folder, [file], reason)

    def _transfer(self, url: str, file: RemoteFile, part: Path, begin: int) -> None:
        """Appends to ``part``, which has ``begin`` bytes, what it lacks; or begins it anew if the server can only that.

        Raises:
            ValueError: If these cannot become the bytes of the file.
        """
        import requests

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
        ask = functools.partial(
            self.session.get, url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, SLOW_SECONDS)
        )
        with Answer(ask, self.stop, SLOW_SECONDS, SLOW_BYTES) as answer:
            response = answer.response()
            if begin and response.status_code == requests.codes.requested_range_not_satisfiable:
                raise ValueError(f"{part} has {begin} bytes, which is no beginning of the file. It is begun anew.")
            response.raise_for_status()
            resumed = response.status_code == requests.codes.partial_content
            received = begin if resumed else 0
            size = received + (response.raw.length_remaining or 0)
            bar = self.bars.add(part.stem, size, "bytes", received, visible=size > BAR_BYTES)
            try:
                with naming(part), part.open("ab" if resumed else "wb") as output:
                    for chunk in answer.chunks():
                        received += len(chunk)
                        if max(received, size) > file.limit:
                            raise ValueError(f"expected at most {file.limit:,} bytes, got more")
                        output.write(chunk)
                        self.bars.set(bar, received)
            finally:
                self.bars.remove(bar)


def _resumable_bytes(part: Path, file: RemoteFile) -> int:
    """How much of a file is there; what nothing can be appended to, such as a link to another file, is removed."""
    try:
        found = part.lstat()
    except FileNotFoundError:
        return 0
    # Without a hash, nothing would tell that two halves do not belong together.
    ours = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    if ours and file.sha256 is not None and found.st_size <= file.limit:
        return found.st_size
    part.unlink()
    return 0
