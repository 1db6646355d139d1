"""The protocol: preprocessing, losses, optimiser, early stopping, metrics; the same for every fusion.

SciPy and scikit-learn take a second or two to import, so a module is loaded when one of its names is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfq_fusion.training.baselines import historical_average, persistence_forecast
    from tfq_fusion.training.metrics import evaluate, t_interval
    from tfq_fusion.training.preprocessing import Prepared, prepare
    from tfq_fusion.training.protocol import Protocol

__all__ = [
    "Prepared",
    "Protocol",
    "evaluate",
    "historical_average",
    "persistence_forecast",
    "prepare",
    "t_interval",
]

_MODULES = {
    "Prepared": "preprocessing",
    "Protocol": "protocol",
    "evaluate": "metrics",
    "historical_average": "baselines",
    "persistence_forecast": "baselines",
    "prepare": "preprocessing",
    "t_interval": "metrics",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
