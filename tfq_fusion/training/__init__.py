"""The protocol: preprocessing, losses, optimiser, early stopping, metrics; the same for every fusion."""

from tfq_fusion.training.metrics import evaluate, persistence_forecast, t_interval
from tfq_fusion.training.preprocessing import Prepared, prepare
from tfq_fusion.training.protocol import Protocol

__all__ = ["Prepared", "Protocol", "evaluate", "persistence_forecast", "prepare", "t_interval"]
