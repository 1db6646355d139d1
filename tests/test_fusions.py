"""The registry of fusions: what stands in the modules is what is read from their sources."""

import dataclasses
import importlib
import pkgutil

import pytest

import tfq_fusion
import tfq_fusion.circuits
import tfq_fusion.training
from tfq_fusion.fusions import FusionEntry, fusions, make_fusion


def without_make(entries):
    return {entry.name: dataclasses.replace(entry, make=bool(entry.make)) for entry in entries}


def test_the_entries_that_are_read_are_those_of_the_modules():
    modules = pkgutil.walk_packages(tfq_fusion.__path__, "tfq_fusion.")
    found = [
        entry
        for module in modules
        if not module.name.endswith("engines.pytorch")  # PyTorch may not be installed
        for entry in vars(importlib.import_module(module.name)).values()
        if isinstance(entry, FusionEntry)
    ]
    assert without_make(found) == without_make(fusions().values())
    assert len(found) == len(fusions())


def test_they_are_in_the_order_of_display():
    kinds = [entry.kind for entry in fusions().values()]
    assert kinds == sorted(kinds, key=["quantum", "control", "classical"].index)
    captions = [entry.caption.lower() for entry in fusions().values() if entry.kind == "classical"]
    assert captions == sorted(captions)
    assert {name for name, entry in fusions().items() if entry.has_degree} == {"qfl", "control"}


def test_they_cannot_be_changed():
    with pytest.raises(TypeError):
        fusions()["sum"] = fusions()["qfl"]


@pytest.mark.parametrize("name", ["sum", "persistence", None, ["qfl"]])
def test_what_is_no_layer_cannot_be_made(name):
    with pytest.raises(ValueError, match=r"Unknown fusion .*: expected one of \['qfl', 'control', 'attention'"):
        make_fusion(name, [4, 4])


@pytest.mark.parametrize("package", [tfq_fusion.circuits, tfq_fusion.training])
def test_a_lazy_package_has_all_that_it_names(package):
    assert dir(package) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert not hasattr(package, "another")
