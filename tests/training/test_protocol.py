"""Values of a protocol are checked where they are written."""

import dataclasses

import numpy as np
import pytest

from tfq_fusion.training import Protocol


def test_a_list_of_rates_is_copied_and_numbers_become_python_s():
    rates = [1e-3, np.float64(5e-3)]
    protocol = Protocol(learning_rates=rates, epochs=np.int64(3))
    rates.append(1.0)
    assert protocol == Protocol(learning_rates=(1e-3, 5e-3), epochs=3)
    assert hash(protocol) == hash(dataclasses.replace(protocol))
    assert type(protocol.epochs) is int


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"features": 0}, "features should be an integer of at least 1, got 0"),
        ({"epochs": 2.5}, "epochs should be an integer of at least 1, got 2.5"),
        ({"batch_size": True}, "batch_size should be an integer of at least 1, got True"),
        ({"patience": -1}, "patience should be an integer of at least 0, got -1"),
        ({"learning_rates": ()}, r"learning_rates should be a list of at least one rate, got \(\)"),
        ({"learning_rates": 5e-3}, "learning_rates should be a list of at least one rate, got 0.005"),
        ({"learning_rates": (0.0,)}, r"learning_rates should be different and above 0, got \(0.0,\)"),
        ({"learning_rates": (0.1, 0.1)}, "learning_rates should be different and above 0"),
        ({"tuning_seeds": 0}, "tuning_seeds should be an integer of at least 1, got 0"),
        ({"learning_rates": (float("nan"),)}, "learning_rates should be at least 0 and finite, got nan"),
        ({"learning_rates": ("a",)}, "learning_rates should be at least 0 and finite, got 'a'"),
        ({"shared_encoders": "no"}, "shared_encoders should be True or False, got 'no'"),
        ({"flatten": None}, "flatten should be True or False, got None"),
    ],
)
def test_wrong_values_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        Protocol(**values)
