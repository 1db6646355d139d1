"""Downloads, against a local server that truncates, stalls, lies and redirects."""

import dataclasses
import hashlib
import importlib.util
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pooch
import pytest

from tfq_fusion.datasets import MissingDataError, download, load
from tfq_fusion.datasets.download import RemoteFile, data_folder, fetch, folders, locate, require

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Where the data set "set" belongs."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(download, "BACKOFF_SECONDS", 0.01)
    return tmp_path / "set"


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A client that gives a server up after half a second."""
    monkeypatch.setattr(download, "SLOW_SECONDS", 0.5)


@pytest.fixture
def one(server) -> RemoteFile:
    """A file that the server has."""
    server.files["/a.bin"] = CONTENT
    return RemoteFile("a.bin", SHA256, (f"{server.url}/a.bin",))


@pytest.fixture
def two(server, one) -> RemoteFile:
    """The same with a second mirror."""
    server.files["/mirror/a.bin"] = CONTENT
    return RemoteFile("a.bin", SHA256, (*one.urls, f"{server.url}/mirror/a.bin"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_file_is_downloaded_once(server, one, folder):
    assert fetch("set", [one]) == folder
    assert contents(folder) == {"a.bin": CONTENT}
    fetch("set", [one])
    assert server.requests == [("/a.bin", None)]


def test_a_file_keeps_its_place_in_the_folder(server, folder):
    server.files["/x"] = b"x"
    fetch("set", [RemoteFile("records/00000/1.hea", hashlib.sha256(b"x").hexdigest(), (f"{server.url}/x",))])
    assert contents(folder) == {"records/00000/1.hea": b"x"}


def test_a_transfer_that_breaks_off_goes_on_where_it_ended(server, one, folder):
    server.answers["/a.bin"] = [server.cut_off(100_000)]
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}
    assert server.requests == [("/a.bin", None), ("/a.bin", "bytes=100000-")]


def test_a_server_without_ranges_sends_everything_again(server, one, folder):
    server.answers["/a.bin"] = [server.cut_off(100_000), server.whole]
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}
    assert len(server.requests) == 2


def test_half_a_file_never_looks_whole_and_a_later_call_completes_it(server, one, folder):
    server.answers["/a.bin"] = [server.cut_off(100_000), server.status(404)]
    with pytest.raises(MissingDataError):
        fetch("set", [one])
    assert contents(folder) == {"a.bin.part": CONTENT[:100_000]}
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}
    assert server.requests[-1] == ("/a.bin", "bytes=100000-")


def test_another_mirror_goes_on_where_the_first_ended(server, two, folder):
    server.answers["/a.bin"] = [server.cut_off(100_000), server.status(404)]
    fetch("set", [two])
    assert contents(folder) == {"a.bin": CONTENT}
    assert server.requests[-1] == ("/mirror/a.bin", "bytes=100000-")


@pytest.mark.parametrize("part", [b"something else", CONTENT, CONTENT + b"and more"])
def test_a_part_that_is_no_beginning_of_the_file_is_begun_anew(server, one, folder, part):
    folder.mkdir()
    (folder / "a.bin.part").write_bytes(part)
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}


def test_wrong_bytes_are_thrown_away_and_the_next_mirror_asked(server, two, folder):
    server.files["/a.bin"] = CONTENT[:-1] + b"!"
    fetch("set", [two])
    assert contents(folder) == {"a.bin": CONTENT}


def test_wrong_bytes_everywhere_leave_nothing_and_name_both_hashes(server, one, folder):
    server.files["/a.bin"] = b"a login page"
    with pytest.raises(MissingDataError) as error:
        fetch("set", [one])
    assert SHA256 in str(error.value)
    assert hashlib.sha256(b"a login page").hexdigest() in str(error.value)
    assert contents(folder) == {}


def test_a_damaged_file_is_replaced_and_one_that_is_right_stays(server, one, folder):
    server.files["/b.bin"] = b"b"
    other = RemoteFile("b.bin", hashlib.sha256(b"b").hexdigest(), (f"{server.url}/b.bin",))
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"damaged")
    (folder / "b.bin").write_bytes(b"b")
    fetch("set", [one, other])
    assert contents(folder) == {"a.bin": CONTENT, "b.bin": b"b"}
    assert server.requests == [("/a.bin", None)]


def test_what_cannot_be_downloaded_is_named_with_all_that_helps(server, folder):
    urls = (f"{server.url}/gone", f"{server.url}/gone/too")
    with pytest.raises(MissingDataError) as error:
        fetch("set", [RemoteFile("a.bin", SHA256, urls)])
    for help_ in (*urls, "404", str(folder), "a.bin", SHA256, "make data DATASET=set", "tfq-fusion data fetch set"):
        assert help_ in str(error.value)


def test_the_error_survives_the_way_from_a_worker_process():
    error = download.missing_data("set", Path("folder"), [RemoteFile("a", None, ("http://x/a",))], "not there")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_busy_server_is_asked_again(server, one, folder):
    server.answers["/a.bin"] = [server.status(503, **{"Retry-After": "3600"}), server.status(429)]
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_left_for_the_next(server, two, folder):
    server.answers["/a.bin"] = [server.status(503)] * 10
    fetch("set", [two])
    assert contents(folder) == {"a.bin": CONTENT}
    assert [path for path, _ in server.requests] == ["/a.bin"] * 4 + ["/mirror/a.bin"]


def test_a_server_that_is_not_there_is_left_for_the_next(one, folder):
    fetch("set", [RemoteFile("a.bin", SHA256, ("http://127.0.0.1:9/a.bin", *one.urls))])
    assert contents(folder) == {"a.bin": CONTENT}


@pytest.mark.parametrize(
    ("pause", "at"),
    [
        pytest.param(60, 100_000, id="silent in the middle"),
        pytest.param(0.02, 1_000, id="a slow drip"),
    ],
)
def test_a_server_that_stalls_is_left_for_the_next(server, two, folder, impatient, pause, at):
    server.answers["/a.bin"] = [server.drip(pause, at)]
    start = time.monotonic()
    fetch("set", [two])
    assert time.monotonic() - start < 10  # the drip would take 100 minutes
    assert contents(folder) == {"a.bin": CONTENT}


def drip_headers(handler) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 60_000:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [lambda handler: time.sleep(60), drip_headers], ids=["silence", "dripping headers"])
def test_a_server_that_does_not_answer_is_left_for_the_next(server, two, folder, impatient, answer):
    server.answers["/a.bin"] = [answer] * 9
    start = time.monotonic()
    fetch("set", [two])
    assert time.monotonic() - start < 10
    assert contents(folder) == {"a.bin": CONTENT}


def endless(handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    for _ in range(1000):
        handler.wfile.write(bytes(1 << 20))


def announced(handler) -> None:
    handler.head(200, 1000 << 20)
    endless(handler)


@pytest.mark.parametrize("answer", [endless, announced])
def test_a_server_that_sends_more_than_the_file_can_have_is_left_for_the_next(server, two, folder, answer):
    largest = []
    two = dataclasses.replace(two, limit=len(CONTENT))

    def watched(handler) -> None:
        try:
            answer(handler)
        finally:
            largest.extend(file.stat().st_size for file in folder.iterdir())

    server.answers["/a.bin"] = [watched]
    fetch("set", [two])
    assert contents(folder) == {"a.bin": CONTENT}
    assert all(size <= len(CONTENT) for size in largest)


def test_what_is_endless_everywhere_leaves_nothing_and_names_the_limit(server, one, folder):
    server.answers["/a.bin"] = [endless]
    with pytest.raises(MissingDataError, match=r"a.bin: expected at most 300,000 bytes, got more"):
        fetch("set", [dataclasses.replace(one, limit=len(CONTENT))])
    assert contents(folder) == {}


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_part_that_is_a_link_is_not_written_through(server, one, folder, tmp_path, link):
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    link(precious, folder / "a.bin.part")
    fetch("set", [one])
    assert precious.read_bytes() == b"precious"
    assert contents(folder) == {"a.bin": CONTENT}
    assert not (folder / "a.bin").is_symlink()


def test_a_part_that_is_no_file_is_begun_anew(server, one, folder):
    folder.mkdir()
    os.mkfifo(folder / "a.bin.part")
    fetch("set", [one])
    assert contents(folder) == {"a.bin": CONTENT}


def test_a_redirect_is_followed(server, one, folder):
    server.answers["/old"] = [server.status(302, Location="/a.bin")]
    fetch("set", [RemoteFile("a.bin", SHA256, (f"{server.url}/old",))])
    assert contents(folder) == {"a.bin": CONTENT}


def test_a_redirect_loop_ends_at_the_next_mirror(server, two, folder):
    server.answers["/a.bin"] = [server.status(302, Location="/a.bin")] * 100
    fetch("set", [two])
    assert contents(folder) == {"a.bin": CONTENT}
    assert len(server.requests) < 40


def test_many_files_are_downloaded_at_once_but_no_more_than_eight(server, folder):
    files = []
    for i in range(60):
        content = f"record {i}".encode()
        server.files[f"/{i}"] = content
        server.answers[f"/{i}"] = [lambda handler: (time.sleep(0.05), handler.serve())]
        files.append(RemoteFile(f"{i // 10}/{i}", hashlib.sha256(content).hexdigest(), (f"{server.url}/{i}",)))
    fetch("set", files)
    assert contents(folder) == {f"{i // 10}/{i}": f"record {i}".encode() for i in range(60)}
    assert 1 < server.busiest <= 8


def test_one_file_that_fails_ends_the_rest_and_keeps_what_is_there(server, one, folder):
    gone = RemoteFile("gone", SHA256, (f"{server.url}/gone",))
    later = []
    for i in range(500):
        server.files[f"/{i}"] = b"x"
        later.append(RemoteFile(str(i), hashlib.sha256(b"x").hexdigest(), (f"{server.url}/{i}",)))
    fetch("set", [one])
    with pytest.raises(MissingDataError, match="gone could not be downloaded"):
        fetch("set", [one, gone, *later])
    assert contents(folder)["a.bin"] == CONTENT
    assert len(server.requests) < 500


def test_a_file_whose_hash_nobody_states_is_never_put_together_from_two_halves(server, folder):
    server.files["/SHA256SUMS"] = CONTENT
    folder.mkdir()
    (folder / "SHA256SUMS.part").write_bytes(b"an older edition")
    server.answers["/SHA256SUMS"] = [server.cut_off(1000)]
    fetch("set", [RemoteFile("SHA256SUMS", None, (f"{server.url}/SHA256SUMS",))])
    assert contents(folder) == {"SHA256SUMS": CONTENT}
    assert server.requests == [("/SHA256SUMS", None)] * 2


def test_the_proxy_of_the_environment_is_used(server, folder, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    server.files["http://data.invalid/a.bin"] = CONTENT
    fetch("set", [RemoteFile("a.bin", SHA256, ("http://data.invalid/a.bin",))])
    assert contents(folder) == {"a.bin": CONTENT}


def test_progress_is_shown_on_standard_error(one, capsys):
    fetch("set", [one], progress=True)
    captured = capsys.readouterr()
    assert captured.err == "set: 1 of 1 files\n"
    assert captured.out == ""


def program(one: RemoteFile) -> list[str]:
    """A process of its own that fetches a file, and heeds Ctrl-C even where its parent's shell has it ignore that."""
    return [
        sys.executable,
        "-c",
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tfq_fusion.datasets.download import RemoteFile, fetch\n"
        f"fetch('set', [{one!r}])",
    ]


def test_without_progress_nothing_is_printed(one):
    found = subprocess.run(program(one), capture_output=True, check=True)
    assert found.stdout + found.stderr == b""


def test_a_disk_that_is_full_is_named_with_the_file(one, folder):
    *python, text = program(one)
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n{text}"
    found = subprocess.run([*python, limited], capture_output=True, text=True)
    assert found.returncode == 1
    assert re.search(rf"OSError: .*{re.escape(str(folder))}/a.bin.part", found.stderr)


@pytest.mark.parametrize("answer", [lambda handler: time.sleep(60), drip_headers], ids=["silence", "dripping headers"])
def test_ctrl_c_does_not_wait_for_a_server(server, one, answer):
    server.answers["/a.bin"] = [answer]
    process = subprocess.Popen(program(one), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=5)
    assert b"KeyboardInterrupt" in error


def test_ctrl_c_ends_a_slow_download_at_once_and_keeps_its_part(server, one, folder):
    server.answers["/a.bin"] = [server.drip(0.02, at=100_000)]
    process = subprocess.Popen(program(one), stderr=subprocess.PIPE)
    part = folder / "a.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert b"KeyboardInterrupt" in error
    assert list(contents(folder)) == ["a.bin.part"]


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/a", "a//b", "./a", "", "a\\..\\b", "C:a", "a/"])
def test_a_path_that_could_leave_the_folder_is_refused(path):
    with pytest.raises(ValueError, match="relative POSIX path"):
        RemoteFile(path, SHA256, ("http://x",))


@pytest.mark.parametrize("sha256", ["", SHA256[1:], SHA256.upper(), f"md5:{SHA256[:32]}"])
def test_another_hash_than_sha256_is_refused(sha256):
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        RemoteFile("a", sha256, ("http://x",))


def test_a_file_without_a_url_is_refused():
    with pytest.raises(ValueError, match="at least one URL"):
        RemoteFile("a", SHA256, ())


def test_the_folder_of_the_environment_comes_before_the_default(tmp_path, monkeypatch):
    assert data_folder() == tmp_path
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", "relative")
    assert data_folder() == Path.cwd() / "relative"
    monkeypatch.delenv("TFQ_FUSION_DATA_DIR")
    assert data_folder() == download.default_folder()


def test_a_folder_of_a_user_who_is_not_there_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", "~nobody-of-this-name/data")
    for call in (data_folder, lambda: locate("set"), lambda: load("mnist")):
        with pytest.raises(ValueError, match=r"TFQ_FUSION_DATA_DIR.*~nobody-of-this-name/data"):
            call()


@pytest.mark.parametrize("checkout", [True, False])
def test_the_default_folder_is_in_the_checkout_or_else_in_the_users_cache(tmp_path, monkeypatch, checkout):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "tfq_fusion" / "datasets" / "download.py"
    file.parent.mkdir(parents=True)
    shutil.copy(download.__file__, file)
    if checkout:
        (tmp_path / "setup.cfg").touch()
    spec = importlib.util.spec_from_file_location("copy_of_download", file)
    copy = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "copy_of_download", copy)
    spec.loader.exec_module(copy)
    expected = tmp_path / "data" / "downloads" if checkout else pooch.os_cache("tfq-fusion")
    assert copy.default_folder() == expected


def test_a_set_is_found_under_its_name_or_an_alias_unless_the_folder_is_empty(tmp_path):
    assert locate("set", ["alias"]) is None
    (tmp_path / "set").mkdir()
    assert locate("set", ["alias"]) is None
    (tmp_path / "alias").mkdir()
    (tmp_path / "alias" / "file").touch()
    assert locate("set", ["alias"]) == tmp_path / "alias"
    (tmp_path / "set" / "file").touch()
    assert folders("set", ["alias"]) == [tmp_path / "set", tmp_path / "alias"]
    assert locate("set", ["alias"]) == tmp_path / "set"


def test_a_complete_alias_is_preferred_to_a_half_download(tmp_path):
    file = RemoteFile("a", SHA256, ("http://x/a",))
    for name in ("set/a.part", "alias/a"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert require("set", [file], ["alias"]) == tmp_path / "alias"


def test_files_that_are_required_and_missing_are_named(folder):
    files = [RemoteFile(f"{i}.bin", SHA256, (f"http://x/{i}",)) for i in range(9)]
    folder.mkdir()
    (folder / "0.bin").touch()
    with pytest.raises(MissingDataError) as error:
        require("set", files)
    summary, *lines = str(error.value).splitlines()
    assert "set: 8 of 9 files are not there" in summary
    assert "make data DATASET=set" in summary
    assert str(folder) in summary
    assert lines == [*(f"{i}.bin, SHA-256 {SHA256}, http://x/{i}" for i in range(1, 5)), "and 4 more"]
