"""The protocol: preprocessing, losses, optimiser, early stopping, metrics; the same for every fusion.

Also what its results say: comparisons of two fusions, and ranks of many. SciPy, scikit-learn and statsmodels take
seconds to import, so a module is loaded when one of its names is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfq_fusion._lazy import lazy_names

if TYPE_CHECKING:
    from tfq_fusion.training.backup import DamagedBackupError as DamagedBackupError
    from tfq_fusion.training.baselines import historical_average as historical_average
    from tfq_fusion.training.baselines import persistence_forecast as persistence_forecast
    from tfq_fusion.training.fitted import Fitted as Fitted
    from tfq_fusion.training.fitted import Program as Program
    from tfq_fusion.training.many import fit_many as fit_many
    from tfq_fusion.training.metrics import REPORTED_STEPS as REPORTED_STEPS
    from tfq_fusion.training.metrics import evaluate as evaluate
    from tfq_fusion.training.metrics import t_interval as t_interval
    from tfq_fusion.training.preprocessing import Prepared as Prepared
    from tfq_fusion.training.preprocessing import prepare as prepare
    from tfq_fusion.training.protocol import Protocol as Protocol
    from tfq_fusion.training.ranks import Ranking as Ranking
    from tfq_fusion.training.ranks import rank_fusions as rank_fusions
    from tfq_fusion.training.statistics import Comparison as Comparison
    from tfq_fusion.training.statistics import Decision as Decision
    from tfq_fusion.training.statistics import ResampledScores as ResampledScores
    from tfq_fusion.training.statistics import Stratum as Stratum
    from tfq_fusion.training.statistics import compare as compare
    from tfq_fusion.training.statistics import decide as decide
    from tfq_fusion.training.statistics import resample_scores as resample_scores
    from tfq_fusion.training.vectorized import StructureError as StructureError
    from tfq_fusion.training.weighted_scores import weighted_accuracy as weighted_accuracy
    from tfq_fusion.training.weighted_scores import weighted_mae as weighted_mae
    from tfq_fusion.training.weighted_scores import weighted_roc_auc as weighted_roc_auc

__getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
