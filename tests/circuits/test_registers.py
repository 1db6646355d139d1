"""Who addresses what."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.circuits import FusionRegisters


@given(st.integers(1, 64), st.integers(1, 16))
def test_size_follows_the_formula(modalities, features):
    registers = FusionRegisters.of(modalities, features)
    assert len(registers.index) == math.ceil(math.log2(modalities * features + 1))
    assert len(registers.qubits) == len(registers.index) + 1
    assert registers.qubits[-1] == registers.value


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_addresses_count_all_features_from_one(widths):
    registers = FusionRegisters(tuple(widths))
    addresses = [registers.address(m, f) for m, width in enumerate(widths) for f in range(width)]
    assert addresses == list(range(1, sum(widths) + 1))
    assert max(addresses) < 2 ** len(registers.index)


@pytest.mark.parametrize(("modality", "feature"), [(2, 0), (0, 3), (-1, 0), (0, -1)])
def test_unknown_address(modality, feature):
    with pytest.raises(IndexError, match="registers hold widths"):
        FusionRegisters((3, 2)).address(modality, feature)


@pytest.mark.parametrize("widths", [(), (3, 0)])
def test_empty_registers(widths):
    with pytest.raises(ValueError, match="at least one"):
        FusionRegisters(widths)


def test_number_of_widths_is_checked():
    with pytest.raises(ValueError, match="expected 3"):
        FusionRegisters.of(3, [4, 4])
