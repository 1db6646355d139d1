"""Each check names the argument, what it should be, and what came."""

import json
import math
import random
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.arguments import flag, floating_point, integer, number, one_of, seed_or_draw, weight_seeds


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_become_python_integers(value):
    assert json.dumps(integer("units", value)) == "3"


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True, [3]])
def test_anything_else_names_the_argument_and_the_value(value):
    with pytest.raises(ValueError, match="units should be an integer of at least 1, got"):
        integer("units", value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2)])
def test_numbers_become_python_floats(value):
    assert json.dumps(number("scale", value)) == "2.0"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 10**400, "a", "1", None, True, np.True_, [1.0], np.ones(1), 1j, Decimal(1)]
)
def test_what_is_no_finite_number_names_the_argument_and_the_value(value):
    with pytest.raises(ValueError, match="scale should be a finite number, got"):
        number("scale", value)


def test_a_number_has_limits_of_which_the_lower_belongs_to_them():
    assert number("dropout", 0, minimum=0, below=1) == 0
    for value in (-0.1, 1, math.nan):
        with pytest.raises(ValueError, match=r"dropout should be at least 0 and below 1, got"):
            number("dropout", value, minimum=0, below=1)
    with pytest.raises(ValueError, match=r"weight should be at least 0 and finite, got -1"):
        number("weight", -1, minimum=0)


def test_a_flag_is_a_boolean():
    assert flag("shared", np.True_) is True
    for value in (1, "yes", None):
        with pytest.raises(ValueError, match=f"shared should be True or False, got {value!r}"):
            flag("shared", value)


@pytest.mark.parametrize("value", ["sum", None, True, ["mean"], {}, math.nan])
def test_a_choice_lists_the_known(value):
    assert one_of("rule", "mean", {"mean": 1, "product": 2}) == "mean"
    with pytest.raises(ValueError, match=r"rule should be one of \['mean', 'product'\], got"):
        one_of("rule", value, {"mean": 1, "product": 2})


def test_types_without_fractions_are_named():
    assert floating_point("dtype", "bfloat16") == "bfloat16"
    for dtype in ("int32", "bool", "complex64"):
        with pytest.raises(ValueError, match=f"dtype should be a floating-point type such as 'float32', got '{dtype}'"):
            floating_point("dtype", dtype)


def test_a_seed_is_a_non_negative_integer_of_32_bits():
    assert seed_or_draw(0) == 0
    assert seed_or_draw(np.int64(7)) == 7
    for value, expected in (
        (-1, "an integer of at least 0"),
        ("a", "an integer"),
        (True, "an integer"),
        (2**32, "below"),
    ):
        with pytest.raises(ValueError, match=f"seed should be {expected}.*got {value!r}"):
            seed_or_draw(value)


def test_in_place_of_none_a_seed_is_drawn_from_python_s_generator_as_keras_does():
    state = random.getstate()
    drawn = [seed_or_draw(None) for _ in range(20)]
    assert len(set(drawn)) == 20
    assert all(seed_or_draw(seed) == seed for seed in drawn)
    random.setstate(state)
    assert [seed_or_draw(None) for _ in range(20)] == drawn


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_weight_seeds_are_distinct_and_fixed_by_the_seed(seed, count):
    seeds = weight_seeds(seed, count)
    assert len(set(seeds)) == count
    assert weight_seeds(seed, count) == seeds
    assert weight_seeds(seed + 1, count) != seeds
