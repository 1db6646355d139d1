"""Electrocardiograms in WFDB format."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb

NAMES = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")  # as LUDB writes them


@pytest.fixture(scope="session")
def write_record() -> Callable[..., None]:
    """Writes digital values ``[12, samples]`` as a record of WFDB."""

    def write(
        record: Path, values: np.ndarray, rate: int, gains: float | list[float] = 1000, names=NAMES, fmt="16"
    ) -> None:
        record.parent.mkdir(parents=True, exist_ok=True)
        wfdb.wrsamp(
            record.name,
            fs=rate,
            units=["mV"] * len(names),
            sig_name=list(names),
            d_signal=np.ascontiguousarray(values.T.astype(np.int64)),
            fmt=[fmt] * len(names),
            adc_gain=list(np.broadcast_to(gains, len(names)).astype(float)),
            baseline=[0] * len(names),
            write_dir=str(record.parent),
        )

    return write
