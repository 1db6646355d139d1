"""What loaders take, and say of what they do not take; no data are needed for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.datasets import fetch, load, state
from tfq_fusion.datasets.arguments import different_names, integer_between

NUMBERS = [("japanese-vowels", "channels"), ("los-loop", "sensors"), ("metr-la", "horizon"), ("ludb", "fold")]


@pytest.mark.parametrize(("dataset", "argument"), NUMBERS)
@pytest.mark.parametrize("value", [None, "3", 3.0, 2.5, float("nan"), True, [3], -1, 10**30])
def test_a_number_that_is_none_in_range_is_named_with_data_set_and_argument(dataset, argument, value):
    with pytest.raises(ValueError, match=rf"^{dataset}: `{argument}` should be between \d+ and \d+, an integer; got "):
        load(dataset, **{argument: value})


def test_numbers_of_numpy_are_integers():
    assert load("japanese-vowels", channels=np.int64(3)).card.modality_count == 3


@pytest.mark.parametrize("call", [load, fetch, state])
@pytest.mark.parametrize("name", [None, 3, ["emoji"], b"emoji", "Emoji"])
def test_a_name_that_is_none_is_named_beside_the_known(call, name):
    with pytest.raises(ValueError, match=r"Unknown data set .* the known ones are cifar-10"):
        call(name)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text('aB9 "\\/{[:,\n\r\0\x7fé\u0663\u2028\U0001f600')
    | st.sampled_from(["a", "b"]),
    lambda values: st.lists(values, max_size=3) | st.tuples(values, values),
)


@given(VALUES)
def test_whatever_is_given_is_taken_or_named(value):
    for check in (
        lambda: integer_between("set", "argument", value, 2, 5) in range(2, 6),
        lambda: set(different_names("set", "argument", value, ("a", "b"))) <= {"a", "b"},
    ):
        try:
            assert check()
        except ValueError as error:
            assert str(error).startswith("set: `argument` should be ")
