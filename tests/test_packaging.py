"""What an installation holds."""

from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[1]


def test_every_module_lies_in_a_package_that_is_found():
    found = set(find_packages(ROOT, include=["tfq_fusion*", "reproduce*"]))
    files = (file.relative_to(ROOT) for top in ("tfq_fusion", "reproduce") for file in (ROOT / top).rglob("*.py"))
    assert {".".join(file.parent.parts) for file in files} == found
