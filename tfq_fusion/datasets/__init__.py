"""Real multimodal data sets, each with a card and a fixed split.

Example:
    >>> from tfq_fusion.datasets import load
    >>> modalities, labels = load("japanese-vowels").train  # float32 [216, 16] by name, int64 [216]
    >>> len(modalities), labels.shape
    (12, (216,))

Four sets travel with the package. The others are downloaded by :func:`fetch`, never by :func:`load`.
"""

from tfq_fusion.datasets.card import Card, Modality, PackageSource, Split, WebSource
from tfq_fusion.datasets.dataset import Dataset
from tfq_fusion.datasets.download import MissingDataError
from tfq_fusion.datasets.files import DamagedDataError
from tfq_fusion.datasets.registry import available, describe, fetch, load, state

__all__ = [
    "Card",
    "DamagedDataError",
    "Dataset",
    "MissingDataError",
    "Modality",
    "PackageSource",
    "Split",
    "WebSource",
    "available",
    "describe",
    "fetch",
    "load",
    "state",
]
