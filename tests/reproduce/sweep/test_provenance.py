"""What a run records of where it was computed."""

import importlib.metadata
import os
import platform
import subprocess

import pytest

from reproduce.sweep.run import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout whose ``reproduce/provenance.py`` is the one that asks."""

    def git(*arguments):
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    for name in ("reproduce/provenance.py", "tfq_fusion/layers.py", "results/table1.csv"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1\n")
    git("init", "--quiet")
    git("add", "reproduce", "tfq_fusion", "results")
    git("commit", "--quiet", "--message", "Start")
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "reproduce" / "provenance.py"))
    provenance.commit.cache_clear()
    yield git
    provenance.commit.cache_clear()


def test_commit_is_that_of_the_code(checkout, tmp_path):
    (tmp_path / "results" / "table1.csv").write_text("the table, made again\n")
    assert provenance.commit() == checkout("rev-parse", "HEAD")


@pytest.mark.parametrize("name", ["tfq_fusion/layers.py", "reproduce/new.py"])
def test_commit_says_that_the_code_has_changes(checkout, tmp_path, name):
    (tmp_path / name).write_text("2\n")
    assert provenance.commit() == checkout("rev-parse", "HEAD") + "+changes"


def test_there_is_no_commit_for_code_that_a_checkout_only_surrounds(checkout):
    checkout("rm", "--cached", "--quiet", "reproduce/provenance.py")
    assert provenance.commit() is None


def test_there_is_no_commit_without_git(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit() is None


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    for name in ("tensorflow-quantum", "jax", "jaxlib"):  # with which circuits and models are trained
        assert found[name] == importlib.metadata.version(name)


def test_what_is_not_installed_has_no_version(monkeypatch):
    def version(name):
        if name == "tensorflow-quantum":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert provenance.versions()["tensorflow-quantum"] == "none"


def test_machine_has_a_processor_and_its_cores():
    processor, _, cores = provenance.machine().rpartition(", ")
    assert processor
    assert cores == f"{os.cpu_count()} cores"


def test_peak_memory_is_in_megabytes_and_sees_an_array_come_and_go():
    before = provenance.peak_memory_mb()
    held = bytearray(int(before * 1e6))  # as much as ever: all of it at once must show
    held[::4096] = b"1" * len(held[::4096])
    del held
    assert before < provenance.peak_memory_mb() < 3 * before
