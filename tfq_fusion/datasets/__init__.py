"""Real multimodal data sets, each with a card and a fixed split.

Example::

    from tfq_fusion.datasets import available, load

    data = load("japanese-vowels")
    modalities, labels = data.train  # float32 [216, 16] by name, int64 [216]

Four sets travel with the package. The others are downloaded by :func:`fetch`, never by :func:`load`.
"""

from tfq_fusion.datasets.card import Card
from tfq_fusion.datasets.dataset import Dataset
from tfq_fusion.datasets.download import MissingDataError
from tfq_fusion.datasets.files import DamagedDataError
from tfq_fusion.datasets.registry import available, describe, fetch, load, state

__all__ = ["Card", "DamagedDataError", "Dataset", "MissingDataError", "available", "describe", "fetch", "load", "state"]
