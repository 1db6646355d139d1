"""Traffic speeds of 207 sensors on the highways of Los Angeles: METR-LA, and the week of it that T-GCN cut out."""

from __future__ import annotations

import functools
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray, IntegerArray
from tfq_fusion.datasets.arguments import integer_between
from tfq_fusion.datasets.card import DATA, Card, read_card
from tfq_fusion.datasets.dataset import SLOTS_PER_DAY, Dataset, Source, sized
from tfq_fusion.datasets.download import RemoteFile
from tfq_fusion.datasets.files import expecting, read_verified
from tfq_fusion.datasets.prepared import fingerprint, prepared
from tfq_fusion.datasets.remote import RemoteSet

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
WINDOW = 12  # steps that a forecast sees
TRAIN_SHARE, TEST_SHARE = 0.7, 0.2
WEAKEST_EDGE = 0.1  # of the sensor graph, as in DCRNN

DCRNN = "https://raw.githubusercontent.com/liyaguang/DCRNN/602afd9d767d3aa1c9b3eac51710d6aeee12c227/data/sensor_graph/"
T_GCN = "https://raw.githubusercontent.com/lehaifeng/T-GCN/219a2346f5bf68d54d91a948e7a41a08f9edc46b/data/"
ZENODO = "https://zenodo.org/records/5724362/files/"

Arrays = dict[str, npt.NDArray[Any]]
Read = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], int]


def open_traffic(remote: RemoteSet, sensors: int = 207, horizon: int = 12) -> Source:
    """The data set "metr-la" or "los-loop".

    A sample is an hour of all sensors and what follows. Its one array ``"sensors"`` stacks the modalities: speeds
    float32 ``[samples, sensors, 12]``, the gaps filled with the last speed before them. The targets are float32
    ``[samples, horizon * sensors]``, NaN where there was no measurement.

    Args:
        remote: Its description.
        sensors: How many, at least two. They are connected in the sensor graph: breadth first from its strongest
            node, so a smaller choice is part of every larger one.
        horizon: Steps of five minutes to forecast, at most 12.

    Raises:
        MissingDataError: If a file is missing.
        ValueError: If an argument is out of range or a file is damaged.
    """
    name = remote.name
    card = read_card(DATA, name)
    sensors = integer_between(name, "sensors", sensors, 2, len(card.outputs))
    horizon = integer_between(name, "horizon", horizon, 1, WINDOW)
    folder = remote.require()
    hashes = [str(file.sha256) for file in remote.files]

    def arrays() -> Arrays:
        return prepared(name, VERSION, hashes, lambda: _build(remote, folder, card))

    every = len(card.outputs)
    # Which sensors are fewer than all, the graph says.
    chosen = np.arange(every) if sensors == every else np.sort(arrays()["order"][:sensors])
    # Each step less to forecast is a window more in each part.
    more = card.horizon - horizon
    split = card.split
    sizes = {"train": split.train + more, "validation": split.validation + more, "test": split.test + more}
    changes = {
        "modalities": tuple(modality.model_copy(update={"count": sensors}) for modality in card.modalities),
        "outputs": tuple(card.outputs[sensor] for sensor in chosen),
        "horizon": horizon,
        "split": split.model_copy(update=sizes),
        "sha256": fingerprint(name, VERSION, hashes),
    }
    described = card.model_copy(update=changes)
    return Source(described, lambda: _read(described, arrays(), chosen))


def _read(card: Card, arrays: Arrays, chosen: IntegerArray) -> Dataset:
    series = arrays["speed"][:, chosen]
    train, test = round(TRAIN_SHARE * len(series)), round(TEST_SHARE * len(series))
    bounds = {"train": (0, train), "validation": (train, -test), "test": (-test, len(series))}
    usual = np.nanmean(series[:train], axis=0)
    slots = (arrays["first_slot"] + np.arange(len(series))) % SLOTS_PER_DAY
    parts, time_of_day = {}, {}
    for part, (begin, end) in bounds.items():
        windows, targets = _windows(series[begin:end], usual, card.horizon)
        parts[part] = ({"sensors": windows}, targets)
        time_of_day[part] = slots[begin:end][WINDOW:][: len(targets)]

    adjacency = arrays["adjacency"][np.ix_(chosen, chosen)]
    return Dataset(**parts, card=sized(card, **parts), adjacency=adjacency, time_of_day=time_of_day)


def _windows(
    series: npt.NDArray[np.float32], usual: npt.NDArray[np.float32], horizon: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Inputs ``[n, sensors, 12]``, which are a view, and targets ``[n, horizon * sensors]`` of one part.

    Gaps in the inputs are filled with the last speed before them in the same part, or the usual one.
    """
    import pandas as pd

    filled = pd.DataFrame(series).ffill().fillna(pd.Series(usual)).to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(filled, WINDOW, axis=0)[:-horizon]
    targets = np.lib.stride_tricks.sliding_window_view(series[WINDOW:], horizon, axis=0)
    return windows, targets.transpose(0, 2, 1).reshape(len(targets), -1)


def _as_stored(folder: Path, file: RemoteFile) -> Path:
    """The file or, where that is not there, the compressed one: what was fetched anew replaces what was damaged."""
    plain, compressed = folder / file.path, folder / f"{file.path}.gz"
    return compressed if compressed.is_file() and not plain.is_file() else plain


def _content(name: str, folder: Path, remote: RemoteFile) -> bytes:
    file = _as_stored(folder, remote)
    return read_verified(name, file, str(remote.sha256), remote.limit, gzip.open if file.suffix == ".gz" else open)


def _build(remote: RemoteSet, folder: Path, card: Card) -> Arrays:
    """The prepared arrays.

    Returns:
        ``speed`` float32 ``[steps, 207]``, NaN where there was no measurement; ``adjacency`` float32 ``[207, 207]``;
        ``order`` int64 ``[207]``, in which sensors are chosen; ``first_slot``, the slot of the day of the first step.
    """
    from scipy.sparse import csgraph, csr_matrix

    table, graph = (_content(card.name, folder, file) for file in remote.files)
    with expecting(card.name, folder, f"five-minute speeds of {len(card.outputs)} sensors and their graph"):
        speed, adjacency, first_slot = READERS[card.name](table, graph, list(card.outputs))
    strongest = int(adjacency.sum(axis=0).argmax())
    reached = csgraph.breadth_first_order(csr_matrix(adjacency), strongest, return_predecessors=False)
    return {
        "speed": np.where(speed == 0, np.float32(np.nan), speed),
        "adjacency": adjacency,
        "order": np.concatenate([reached, np.setdiff1d(np.arange(len(adjacency)), reached)]),
        "first_slot": np.array(first_slot),
    }


def _read_los_loop(speed: bytes, adjacency: bytes, sensors: list[str]) -> Read:
    import pandas as pd

    table = pd.read_csv(io.BytesIO(speed), dtype=np.float32)
    weights = pd.read_csv(io.BytesIO(adjacency), header=None, dtype=np.float32).to_numpy()
    np.fill_diagonal(weights, 0)
    return _columns(table, sensors), weights, 0


def _read_metr_la(speed: bytes, distances: bytes, sensors: list[str]) -> Read:
    import pandas as pd

    table = pd.read_csv(io.BytesIO(speed), index_col=0, parse_dates=[0])
    if (np.diff(table.index) != np.timedelta64(5, "m")).any():
        raise ValueError("The speeds should be five minutes apart, and some are not.")
    begin = table.index[0]
    roads = pd.read_csv(io.BytesIO(distances), dtype={"from": str, "to": str})
    return _columns(table, sensors), sensor_graph(roads, sensors), (begin.hour * 60 + begin.minute) // 5


def _columns(table: pd.DataFrame, sensors: list[str]) -> npt.NDArray[np.float32]:
    if list(table.columns) != sensors:
        raise ValueError(
            f"The columns of the speeds should be the {len(sensors)} sensors of the card, in its order; "
            f"got {len(table.columns)}, beginning with {list(table.columns[:3])}."
        )
    return table.to_numpy(np.float32)


def sensor_graph(distances: pd.DataFrame, sensors: list[str]) -> npt.NDArray[np.float32]:
    """The graph of DCRNN (Li et al., arXiv 1707.01926), made undirected.

    The weight of a road from one sensor to another is ``exp(-(distance / deviation)^2)`` with the deviation of all
    distances that are listed between the sensors, and 0 where it is under 0.1 or no distance is listed. Of the two
    directions the stronger counts.

    Args:
        distances: Columns "from" and "to" with names of sensors and "cost" with the distance by road, in metres.
        sensors: The sensors of the graph.

    Returns:
        float32 ``[sensors, sensors]``: symmetric, zero on the diagonal.
    """
    listed = distances[distances["from"].isin(sensors) & distances["to"].isin(sensors)]
    matrix = listed.pivot(index="from", columns="to", values="cost").reindex(index=sensors, columns=sensors).to_numpy()
    weights: FloatArray = np.nan_to_num(np.exp(-((matrix / np.nanstd(matrix)) ** 2)))
    weights[weights < WEAKEST_EDGE] = 0
    weights = np.maximum(weights, weights.T)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def _has_all(files: tuple[RemoteFile, RemoteFile], folder: Path) -> bool:
    """Whether a folder has both files; each may be compressed by gzip."""
    return all(_as_stored(folder, file).is_file() for file in files)


READERS: dict[str, Callable[[bytes, bytes, list[str]], Read]] = {"los-loop": _read_los_loop, "metr-la": _read_metr_la}
"""What makes, out of the contents of both files and the names of the sensors, the speeds float32 ``[steps, sensors]``,
the sensor graph and the slot of the day of the first step."""

_LOS_LOOP_FILES = (
    RemoteFile(
        "los_speed.csv",
        "7b732d86ae32b2930595becba28aff39dacbfb2197e250fc0332e1744ce2cbf4",
        (f"{T_GCN}los_speed.csv",),
        limit=3_402_125,
    ),
    RemoteFile(
        "los_adj.csv",
        "7a6eb41e10677992b5af50f5ab187c6c05c5c3a92cb973950cfddbf857361e76",
        (f"{T_GCN}los_adj.csv",),
        limit=111_686,
    ),
)
_METR_LA_FILES = (
    RemoteFile(
        "METR-LA.csv",
        "8d67a35472db1719d7d4be851f2bf64cb21d9c52577c8a6b4b873d43205af381",
        (f"{ZENODO}METR-LA.csv",),
        limit=1 << 27,
    ),
    RemoteFile(
        "distances_la_2012.csv",
        "a576a2a3e28dbb959be6da22688e24dd1b246b81264595e129147c256cd53de5",
        (f"{DCRNN}distances_la_2012.csv",),
        limit=1 << 27,
    ),
)
LOS_LOOP = RemoteSet(
    "los-loop",
    open_traffic,
    _LOS_LOOP_FILES,
    aliases=("traffic_tgcn",),
    has_all=functools.partial(_has_all, _LOS_LOOP_FILES),
)
METR_LA = RemoteSet("metr-la", open_traffic, _METR_LA_FILES, has_all=functools.partial(_has_all, _METR_LA_FILES))
