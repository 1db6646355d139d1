"""Every public class shows how it is used, and the examples of the reference give what they say."""

import doctest
import importlib
import inspect
import os
import pkgutil
import re
from pathlib import Path

import pytest

import tfq_fusion

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "index.md"
MODULES = re.findall(r"^   (tfq_fusion[\w.]*)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)


def documented():
    """What has a docstring and is shown by the reference, by name."""
    for module in map(importlib.import_module, MODULES):
        yield module.__name__, module
        for name in module.__all__:
            if callable(getattr(module, name)):
                yield f"{module.__name__}.{name}", getattr(module, name)


PUBLIC = dict(documented())
EXAMPLES = {
    name: doctest.DocTestParser().get_doctest(shown.__doc__, {"__name__": "__main__"}, name, None, None)
    for name, shown in PUBLIC.items()
}


def test_the_reference_shows_every_package():
    found = {f"tfq_fusion.{found.name}" for found in pkgutil.iter_modules(tfq_fusion.__path__) if found.ispkg}
    assert found <= {*MODULES}


@pytest.mark.parametrize("name", [name for name, shown in PUBLIC.items() if inspect.isclass(shown)])
def test_a_public_class_shows_how_it_is_used(name):
    assert EXAMPLES[name].examples


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.examples])
def test_an_example_gives_what_it_says(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {**os.environ})
    said = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE).run(EXAMPLES[name], out=said.append)
    assert not said, "".join(said)
