"""The metrics of results files: how each is written, and which way it improves."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """How a metric is written, to how many digits after the point, and which way it improves.

    A cost depends on the machine and its load more than on the seed: it is written without its interval. ``missing``
    is what a cell without a mean says; a mean lies from ``low`` to ``high``.
    """

    label: str
    lower_is_better: bool = False
    digits: int = 3
    is_cost: bool = False
    missing: str = "diverged"
    low: float = 0.0
    high: float = math.inf


METRICS = {
    "accuracy": Metric("Accuracy", high=1),
    "roc_auc": Metric("ROC AUC", high=1),
    "mae": Metric("MAE", lower_is_better=True),
    "rmse": Metric("RMSE", lower_is_better=True),
    "mape": Metric("MAPE, %", lower_is_better=True),
    "gradient_norm_log10": Metric("Gradient norm, log10", low=-math.inf),
    "r2": Metric("R²", low=-math.inf, high=1),
    "r2_bound": Metric("R², at most", low=-math.inf, high=1),
    "largest_frequency": Metric("Largest frequency in one input", digits=1),
    "total_degree": Metric("Degree in all inputs", digits=1),
    "error": Metric("Error", lower_is_better=True, digits=6),
    "error_bound": Metric("Error, at least", lower_is_better=True, digits=6),
    "error_explicit": Metric("Error, explicit angles", lower_is_better=True, digits=6),
    "parameters": Metric("Parameters", lower_is_better=True, digits=0),
    "growth_exponent": Metric("Growth exponent", lower_is_better=True, low=-math.inf),
    "rank_outputs": Metric("Rank of outputs", digits=1),
    "rank_states": Metric("Rank of states", digits=1),
    "reconstruction_error": Metric("Reconstruction error", lower_is_better=True),
    "reconstruction_error_untrained": Metric("Reconstruction error, untrained", lower_is_better=True),
    "saturation": Metric("Saturated", lower_is_better=True, high=1),
    "gradient_variance_log2": Metric("Gradient variance, log2", digits=2, low=-math.inf),
    "decay_per_qubit": Metric("Decay per qubit, bits", digits=2, low=-math.inf),
    "decay_per_degree": Metric("Decay per P, bits", digits=2, low=-math.inf),
    "exponent_in_modalities": Metric("Exponent in M", digits=2, low=-math.inf),
    "break_even_lmf": Metric("Break-even with LMF, log10", digits=2, low=-math.inf),
    "break_even_gcn": Metric("Break-even with GCN, log10", digits=2, low=-math.inf),
    "two_qubit_gates": Metric("Two-qubit gates", lower_is_better=True, digits=0),
    "depth": Metric("Depth", lower_is_better=True, digits=0),
    "contraction": Metric("Contraction", low=-math.inf),
    "diverged": Metric("Diverged", lower_is_better=True, high=1),
    "parameter_ratio": Metric("Parameters, classical / QMFNN, at equal accuracy", digits=2, missing="not reached"),
    "own_accuracy": Metric("Accuracy of one modality's own decision", high=1),
    "conflict": Metric("Conflict", high=1),
    "conflict_with_noise": Metric("Conflict, one modality noise", high=1),
    "fusion_growth": Metric("Fusion parameters / with 2 modalities", lower_is_better=True, digits=2),
    "parameters_over_lmf": Metric("Parameters / LMF's", lower_is_better=True),
    "seconds_per_epoch": Metric("s per epoch", lower_is_better=True, digits=2, is_cost=True),
    "peak_memory_mb": Metric("Peak memory, MB", lower_is_better=True, digits=0, is_cost=True),
}
"""The metrics of a results file, in the order of display; "diverged" is the share of seeds whose loss became NaN."""
