"""An installation outside of the checkout does what a user expects; `make test-wheel` runs this there.

The working directory holds ``dist``, with the wheel that was installed and the source distribution.
"""

import configparser
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import tfq_fusion
from tfq_fusion.datasets import available, load, state

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COMMAND = str(Path(sys.executable).with_name("tfq-fusion"))


def run(*command, **environment):
    """What a command prints; it has nothing to complain about."""
    ran = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    return ran.stdout


def test_this_is_the_installation_and_has_the_version_of_the_checkout():
    assert not Path(tfq_fusion.__file__).is_relative_to(ROOT)
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert tfq_fusion.__version__ == settings["metadata"]["version"]
    assert run(COMMAND, "--version") == f"tfq-fusion {tfq_fusion.__version__}\n"


def test_the_embedded_data_sets_are_there():
    embedded = [name for name in available() if state(name) == "embedded"]
    assert len(embedded) >= 4
    for name in embedded:
        assert len(load(name).train[1]) > 0


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_first_model_trains(backend):
    assert run(sys.executable, str(HERE / "first_model.py"), KERAS_BACKEND=backend) == "trained\n"


def test_a_strict_type_checker_knows_the_types(tmp_path):
    program = shutil.copy(HERE / "first_model.py", tmp_path)
    told = run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), program)
    assert told == "Success: no issues found in 1 source file\n"


def test_a_table_is_made_and_reported(tmp_path):
    results = str(tmp_path / "results")
    smoke = ("table1", "--profile", "smoke", "--datasets", "emoji", "--fusions", "concat,qfl", "--results", results)
    assert run(COMMAND, *smoke, "--quiet") == ""
    assert "| Concat" in (tmp_path / "results" / "table1.md").read_text()
    for command, page in (("compare", "claims.md"), ("report", "report.html")):
        assert "Wrote" in run(COMMAND, command, "--results", results)
        assert (tmp_path / "results" / page).is_file()


def test_the_source_distribution_has_what_its_tests_need():
    (file,) = Path("dist").glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("tests/conftest.py", "results/table1.csv", "docs/findings.md", "bench/run.py", "data/emoji.npz"):
        assert needed in names
    assert not [name for name in names if name.startswith(("data/downloads", "results/runs")) or "__pycache__" in name]
