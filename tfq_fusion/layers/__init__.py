"""Keras layers: the quantum ones, and the classical baselines beside them, all called the same way.

Every public class of a module in here can be imported from here.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def _public_classes() -> dict[str, type]:
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }


_CLASSES = _public_classes()
__all__ = sorted(_CLASSES)


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return _CLASSES[name]


def __dir__() -> list[str]:
    return __all__
