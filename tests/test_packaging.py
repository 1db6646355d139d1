"""What an installation holds."""

import configparser
from pathlib import Path

import yaml
from setuptools import find_packages

ROOT = Path(__file__).parents[1]


def test_every_module_lies_in_a_package_that_is_found():
    found = set(find_packages(ROOT, include=["tfq_fusion*", "reproduce*"]))
    files = (file.relative_to(ROOT) for top in ("tfq_fusion", "reproduce") for file in (ROOT / top).rglob("*.py"))
    assert {".".join(file.parent.parts) for file in files} == found


def test_changelog_and_citation_have_the_version():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    version = settings["metadata"]["version"]
    assert f"## [{version}] - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == version
