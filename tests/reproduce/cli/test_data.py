"""``python -m reproduce data``, as a user types it."""

import dataclasses
import gzip
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reproduce.__main__ import app
from reproduce.cli.terminal import console
from tfq_fusion.datasets import available, download, load, registry
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.sets import images, wikipedia


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["data", *arguments])
    return result.exit_code, result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Where the data sets are looked for."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(download, "default_folder", lambda: tmp_path / "default")
    monkeypatch.setattr(console, "width", 200)
    return tmp_path


def row(output: str, name: str) -> str:
    (line,) = re.findall(rf"^ *{name} .*$", output, re.MULTILINE)
    return line


def test_the_list_has_every_set_with_licence_size_and_state(folder):
    (folder / "wikipedia_image_text").mkdir()
    (folder / "wikipedia_image_text" / "Wikipedia.mat").write_bytes(bytes(12_300))
    (folder / "mnist").mkdir()
    (folder / "mnist" / "t10k-labels-idx1-ubyte.gz.part").touch()
    code, output = run()
    assert code == 0
    assert re.search(r"classification +12 +CC BY 4.0 +\d+\.\d kB +embedded", row(output, "japanese-vowels"))
    assert re.search(r"classification +2 +none stated +12\.3 kB +ready", row(output, "wikipedia"))
    assert re.search(r"classification +2 +none stated +11\.6 MB to download +partial", row(output, "mnist"))
    assert re.search(r"classification +2 +none stated +170\.1 MB to download +missing", row(output, "cifar-10"))
    assert all(row(output, name) for name in available())
    assert str(folder) in output


def test_a_folder_is_shown_as_it_is_called(folder, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(folder / "[bold]sets[/red]"))
    code, output = run()
    assert code == 0
    assert f"Downloads: {folder}/[bold]sets[/red]" in output


@pytest.fixture
def small(server, folder, monkeypatch):
    """A server with an MNIST of 100 images and 10 to test; Wikipedia is gone from it, and there are no others."""
    arrays = {"a": np.zeros((100, 28, 28)), "b": np.arange(100) % 10, "c": np.zeros((10, 28, 28)), "d": np.arange(10)}
    contents = {
        name: struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
        for name, array in arrays.items()
    }
    server.files |= {f"/{name}": gzip.compress(content) for name, content in contents.items()}
    files = tuple(remote(server, name) for name in arrays)
    monkeypatch.setitem(registry.DOWNLOADS, "mnist", dataclasses.replace(images.MNIST, files=files))
    monkeypatch.setattr(images, "MNIST_SHA256", tuple(hashlib.sha256(each).hexdigest() for each in contents.values()))
    gone = dataclasses.replace(wikipedia.WIKIPEDIA, files=(remote(server, "gone"),))
    monkeypatch.setitem(registry.DOWNLOADS, "wikipedia", gone)
    for name in set(registry.DOWNLOADS) - {"mnist", "wikipedia"}:
        monkeypatch.delitem(registry.DOWNLOADS, name)


def remote(server, name: str) -> RemoteFile:
    content = server.files.get(f"/{name}", b"")
    return RemoteFile(name, hashlib.sha256(content).hexdigest(), (f"{server.url}/{name}",))


def test_fetch_downloads_checks_and_prepares(small, folder):
    code, output = run("fetch", "mnist")
    assert (code, output) == (0, "mnist: ready, 90 / 10 / 10 samples to train, validate and test\n")
    assert sorted(file.name for file in (folder / "mnist").iterdir()) == ["a", "b", "c", "d"]
    assert "ready" in row(run()[1], "mnist")
    assert len(load("mnist").test[1]) == 10


def test_fetch_all_gets_what_it_can_and_names_what_it_cannot(small, server):
    code, output = run("fetch", "all")
    assert code == 2
    assert "mnist: ready, 90 / 10 / 10 samples" in output
    assert "japanese-vowels: ready, 216 / 54 / 370 samples" in output
    assert "Error: wikipedia: gone could not be downloaded" in output
    assert "make data DATASET=wikipedia" in output


def test_an_unknown_name_is_one_clear_line():
    code, output = run("fetch", "imagenet")
    assert code == 2
    assert "Unknown data set 'imagenet'; the known ones are" in output


@pytest.mark.parametrize("arguments", [(), ("fetch", "mnist"), ("fetch", "all")])
def test_a_folder_of_a_user_who_is_not_there_is_one_clear_line(monkeypatch, arguments):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", "~nobody-of-this-name")
    code, output = run(*arguments)
    assert code == 2
    assert re.search("^Error: .*TFQ_FUSION_DATA_DIR.*~nobody-of-this-name", output, re.MULTILINE)


def test_a_folder_that_cannot_be_written_is_one_clear_line(small, folder, monkeypatch):
    (folder / "file").touch()
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(folder / "file"))
    code, output = run("fetch", "mnist")
    assert code == 2
    assert re.search(rf"Error: .*{re.escape(str(folder / 'file'))}", output)


def test_quiet_commands_tell_errors_alone(small):
    found = CliRunner().invoke(app, ["data", "fetch", "all", "--quiet"])
    assert found.exit_code == 2
    assert found.stdout.startswith("Error: wikipedia: gone could not be downloaded")
    assert "ready" not in found.stdout
    assert found.stderr == ""
