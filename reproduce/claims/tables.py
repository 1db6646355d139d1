"""The tables that claims are held against, by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import resources


def _found() -> Iterator[tuple[str, str]]:
    """Each module or folder of ``reproduce.tables`` that holds a ``TABLE``, and the first line of its docstring.

    They are read, not imported: a command line that lists its commands need not wait for pandas.
    """
    for path in sorted(resources.files("reproduce").joinpath("tables").iterdir(), key=lambda path: path.name):
        source = path.joinpath("__init__.py") if path.is_dir() else path
        if not source.name.endswith(".py") or not source.is_file():
            continue
        module = ast.parse(source.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TABLE" for node in module.body):
            yield path.name.removesuffix(".py"), (ast.get_docstring(module) or "").partition("\n")[0]


TABLES = dict(_found())
"""Every table and what it is about. ``<name>.csv`` in a results folder is its results file; no other file is one."""
