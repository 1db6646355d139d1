"""Inputs for the tests of the fusion layers."""

from collections.abc import Callable

import numpy as np
import pytest

Features = Callable[..., list[np.ndarray]]


@pytest.fixture
def features() -> Features:
    """``features(4, 3, batch=5)``: one random float32 array ``[batch, width]`` in [-1, 1] per width."""

    def make(*widths: int, batch: int = 5, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.uniform(-1, 1, (batch, width)).astype(np.float32) for width in widths]

    return make
