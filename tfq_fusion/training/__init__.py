"""The protocol: preprocessing, losses, optimiser, early stopping, metrics; the same for every fusion."""

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
