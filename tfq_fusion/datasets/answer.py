"""A server's answer with a deadline for all of it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

STOP_SECONDS = 0.1  # a stop is noticed in so long


class Answer:
    """What a server answers, received in a thread that nobody has to wait for.

    A server, a proxy or a resolver of names can keep a thread for ever, each of its bytes in time. Such a thread is
    left alone; it writes nothing, and ends with the program.

    Args:
        ask: Asks the server.
        stop: Set when nobody wants the answer any more.
        seconds: Time for each ``least`` bytes of the body, the first of them counted from the question.
        least: How many bytes.
    """

    def __init__(self, ask: Callable[[], requests.Response], stop: threading.Event, seconds: float, least: int) -> None:
        self._stop, self._seconds, self._least = stop, seconds, least
        self._left = threading.Event()
        self._received: queue.Queue[Any] = queue.Queue(maxsize=16)
        self._allow_more_time()
        threading.Thread(target=self._receive, args=(ask,), daemon=True).start()

    def _receive(self, ask: Callable[[], requests.Response]) -> None:
        try:
            with ask() as response:
                self._received.put(response)
                # read1 returns what has come. What requests offers waits for a whole chunk, for ever if it drips.
                while not self._left.is_set():
                    self._received.put(chunk := response.raw.read1(1 << 16))
                    if not chunk:
                        break
        except Exception as error:
            self._received.put(error)

    def _allow_more_time(self) -> None:
        self._deadline, self._due = time.monotonic() + self._seconds, self._least

    def _next(self) -> Any:
        import requests

        while time.monotonic() < self._deadline:
            if self._stop.is_set():
                raise concurrent.futures.CancelledError
            with contextlib.suppress(queue.Empty):
                received = self._received.get(timeout=STOP_SECONDS)
                if isinstance(received, Exception):
                    raise received
                return received
        raise requests.Timeout(f"less than {self._least:,} bytes in {self._seconds:g} seconds")

    def response(self) -> requests.Response:
        """Status and headers; to be called first.

        Raises:
            requests.RequestException: If there are none, or not in time.
            concurrent.futures.CancelledError: If ``stop`` is set.
        """
        response: requests.Response = self._next()
        return response

    def chunks(self) -> Iterator[bytes]:
        """The body, as it comes.

        Raises:
            requests.Timeout: If it comes too slowly.
            urllib3.exceptions.HTTPError: If it breaks off.
            concurrent.futures.CancelledError: If ``stop`` is set.
        """
        while chunk := self._next():
            self._due -= len(chunk)
            if self._due <= 0:
                self._allow_more_time()
            yield chunk

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        with contextlib.suppress(queue.Empty):  # or the thread would wait for room
            while True:
                self._received.get_nowait()
