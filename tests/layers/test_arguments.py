import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.layers.arguments import integer, optional_seed, weight_seeds


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_become_python_integers(value):
    assert json.dumps(integer("units", value)) == "3"


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True, [3]])
def test_anything_else_names_the_argument_and_the_value(value):
    with pytest.raises(ValueError, match="units should be an integer of at least 1, got"):
        integer("units", value)


def test_a_seed_is_none_or_non_negative():
    assert optional_seed(None) is None
    assert optional_seed(0) == 0
    with pytest.raises(ValueError, match="seed should be an integer of at least 0, got -1"):
        optional_seed(-1)


@given(st.integers(0, 2**64), st.integers(1, 300))
def test_weight_seeds_are_distinct_and_fixed_by_the_seed(seed, count):
    seeds = weight_seeds(seed, count)
    assert len(set(seeds)) == count
    assert weight_seeds(seed, count) == seeds
    assert weight_seeds(seed + 1, count) != seeds


def test_no_seed_leaves_every_weight_to_keras():
    assert weight_seeds(None, 3) == [None, None, None]
