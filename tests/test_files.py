"""Files of a set are the old ones or the new ones, whatever happens while they are written."""

import subprocess
import sys

import pytest

from tfq_fusion.files import write_files

OLD, NEW = b"old\n", b"new\n" * 30_000


@pytest.fixture
def paths(tmp_path):
    """The files of a set, there already."""
    paths = [tmp_path / "results" / name for name in ("table1.csv", "table1.md", "table1.png")]
    paths[0].parent.mkdir()
    write_files(dict.fromkeys(paths, OLD))
    return paths


def write_in_a_process(paths, before):
    """Write the new set in another process, after some code, to which ``os``, ``resource`` and ``signal`` are known."""
    code = f"""
import os, resource, signal
from pathlib import Path
from tfq_fusion.files import write_files
{before}
write_files(dict.fromkeys(map(Path, {[str(path) for path in paths]}), b"new\\n" * 30_000))
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_all_are_replaced_and_nothing_else_is_left(paths):
    mode = paths[0].stat().st_mode
    write_files(dict.fromkeys(paths, NEW))
    assert [path.read_bytes() for path in paths] == [NEW] * 3
    assert sorted(paths[0].parent.iterdir()) == paths
    assert paths[0].stat().st_mode == mode & ~0o111


@pytest.mark.parametrize("call", range(1, 8))
def test_a_kill_at_any_moment_leaves_whole_files(paths, call):
    # One call for each file and its folder to sync, and one for each file to rename.
    before = f"""
calls = 0
def killed(function):
    def call(*arguments, **keywords):
        global calls
        calls += 1
        if calls == {call}:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **keywords)
    return call
os.fsync, Path.replace = killed(os.fsync), killed(Path.replace)
"""
    assert write_in_a_process(paths, before).returncode == -9
    found = [path.read_bytes() for path in paths]
    assert set(found) <= {OLD, NEW}
    if call <= 4:  # before the first rename
        assert found == [OLD] * 3
    write_files(dict.fromkeys(paths, NEW))
    assert sorted(paths[0].parent.iterdir()) == paths


def test_a_full_disk_is_named_and_changes_nothing(paths):
    done = write_in_a_process(paths, "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))")
    assert f"OSError: {paths[0]}: cannot be written (File too large), so nothing was changed" in done.stderr
    assert [path.read_bytes() for path in paths] == [OLD] * 3
    assert sorted(paths[0].parent.iterdir()) == paths


def test_a_folder_of_that_name_is_named_and_changes_nothing(paths):
    paths[2].unlink()
    paths[2].mkdir()
    with pytest.raises(OSError, match=r"table1\.png: cannot be written \(a folder has that name\)"):
        write_files(dict.fromkeys(paths, NEW))
    assert [path.read_bytes() for path in paths[:2]] == [OLD] * 2
    assert sorted(paths[0].parent.iterdir()) == paths


def test_a_folder_that_is_not_there_is_named_and_not_made(tmp_path):
    with pytest.raises(OSError, match=r"runs\.csv: cannot be written \(No such file or directory\)"):
        write_files({tmp_path / "no" / "runs.csv": NEW})
    assert list(tmp_path.iterdir()) == []


def test_what_a_link_points_to_stays(paths, tmp_path):
    other = tmp_path / "other.csv"
    other.write_bytes(OLD)
    for link in (paths[0], paths[1].with_name(f".{paths[1].name}.new")):
        link.unlink(missing_ok=True)
        link.symlink_to(other)
    write_files(dict.fromkeys(paths, NEW))
    assert other.read_bytes() == OLD
    assert [path.read_bytes() for path in paths] == [NEW] * 3
