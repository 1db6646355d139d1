"""What tests of several folders need: skips without the real data, and a server that misbehaves on demand."""

import contextlib
import http.server
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from tfq_fusion.datasets import download, state

# How fast an example runs depends on what else the machine does, and a test that fails should fail again.
settings.register_profile("repeatable", deadline=None, derandomize=True)
# Every night others, and as many as 10,000 random circuits take.
settings.register_profile("nightly", deadline=None, max_examples=3_334, print_blob=True)
settings.load_profile("repeatable")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("data"):
        if not os.environ.get("TFQ_FUSION_DATA_DIR"):
            pytest.skip("TFQ_FUSION_DATA_DIR names no folder of real data sets")
        for name in marker.args:
            if state(name) == "missing":
                pytest.skip(f"{name} is not in TFQ_FUSION_DATA_DIR")


@pytest.fixture(autouse=True)
def _drawn_seeds_repeat() -> None:
    """Layers without a seed draw it from Python's generator."""
    random.seed(0)


@pytest.fixture
def uncompiled() -> Iterator[None]:
    """Runs functions operation by operation, for what proves nothing of compilation: it takes seconds a circuit."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared arrays of tests stay out of the checkout."""
    folder = tmp_path_factory.mktemp("default")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download, "default_folder", lambda: folder)
        yield
    shutil.rmtree(folder)  # hundreds of megabytes where the real sets are


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``server.files``, with ranges, unless an answer of ``server.answers`` is due for the path."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        with self.server.in_flight():
            self.server.requests.append((self.path, self.headers.get("Range")))
            due = self.server.answers.get(self.path, [])
            if not due:
                self.serve()
            elif answer := due.pop(0):
                with contextlib.suppress(ConnectionError):  # a client that gave up is what some tests want
                    answer(self)
            else:
                self.serve()

    def serve(self, ranges: bool = True) -> None:
        content, begin = self.server.files.get(self.path), 0
        if content is None:
            return self.status(404)
        if ranges and (asked := self.headers.get("Range")):
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                return self.status(416)
        self.head(206 if begin else 200, len(content) - begin)
        self.wfile.write(content[begin:])

    def status(self, code: int, **headers: str) -> None:
        self.head(code, 0, **headers)

    def head(self, code: int, length: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """A local HTTP server.

    Attributes:
        files: Content by path.
        answers: Answers by path, each given once; then (and in place of None) the file is served.
        requests: Path and range of every request so far.
        busiest: The largest number of requests that were answered at one time.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, list[Callable[[Handler], None] | None]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.busiest = self.busy = 0
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def in_flight(self) -> Iterator[None]:
        with self.lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
        try:
            yield
        finally:
            with self.lock:
                self.busy -= 1

    def status(self, code: int, **headers: str) -> Callable[[Handler], None]:
        """An empty answer."""
        return lambda handler: handler.status(code, **headers)

    def whole(self, handler: Handler) -> None:
        """The whole file, whatever range was asked for."""
        handler.serve(ranges=False)

    def cut_off(self, at: int) -> Callable[[Handler], None]:
        """The beginning of the whole file; then the connection closes."""

        def answer(handler: Handler) -> None:
            content = self.files[handler.path]
            handler.head(200, len(content))
            handler.wfile.write(content[:at])
            handler.close_connection = True

        return answer

    def drip(self, seconds: float, at: int = 0) -> Callable[[Handler], None]:
        """The beginning of the whole file at once, then a byte after each pause."""

        def answer(handler: Handler) -> None:
            content = self.files[handler.path]
            handler.head(200, len(content))
            handler.wfile.write(content[:at])
            for byte in content[at:]:
                time.sleep(seconds)
                handler.wfile.write(bytes([byte]))

        return answer


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
