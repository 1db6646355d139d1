"""The Quantum Fusion Layer: what it has of its own."""

import math

import cirq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.layers import QuantumFusionLayer

pytestmark = pytest.mark.keras


def test_output_is_the_circuit_s_expectation_at_scaled_angles(features):
    layer = QuantumFusionLayer(2, observables=5, scale=0.7, measurement="pauli_plane", seed=1)
    inputs = features(3, 1, batch=2)
    found = np.asarray(layer(inputs))
    symbols = (*layer.spec.data_symbols, *layer.spec.weight_symbols)
    for sample in range(2):
        angles = 0.7 * np.concatenate([modality[sample] for modality in inputs])
        values = dict(zip(symbols, (*angles, *layer.get_weights()[0]), strict=True))
        expected = cirq.Simulator().simulate_expectation_values(
            layer.spec.circuit, list(layer.spec.operators), param_resolver=values
        )
        np.testing.assert_allclose(found[sample], np.real(expected), atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    degree=st.integers(1, 4),
    blocks=st.integers(1, 2),
)
def test_number_of_weights_follows_the_formula(widths, degree, blocks):
    layer = QuantumFusionLayer(degree, blocks=blocks, observables=1)
    layer.build([(None, width) for width in widths])
    qubits = math.ceil(math.log2(sum(widths) + 1)) + 1
    assert layer.count_params() == 3 * qubits * blocks * (degree + 1)


def test_default_scale_keeps_features_within_a_quarter_turn():
    assert QuantumFusionLayer(1).scale == math.pi / 2


def test_another_seed_measures_other_observables():
    first, second = (QuantumFusionLayer(1, observables=4, seed=seed) for seed in (0, 1))
    for layer in (first, second):
        layer.build((None, 2, 2))
    assert first.spec.operators != second.spec.operators
    assert first.spec.circuit == second.spec.circuit


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"degree": 0}, "degree should be an integer of at least 1, got 0"),
        ({"degree": 1.5}, "degree should be an integer"),
        ({"blocks": 0}, "blocks should be"),
        ({"entangler": "star"}, "entangler should be one of"),
        ({"signal": "rw"}, "signal should be one of"),
        ({"measurement": "all"}, "measurement should be one of"),
        ({"engine": "qsim"}, "engine should be one of"),
    ],
)
def test_bad_arguments_fail_where_they_are_written(arguments, message):
    with pytest.raises(ValueError, match=message):
        QuantumFusionLayer(**{"degree": 1, **arguments})


def test_more_observables_than_there_are_fail_at_build():
    with pytest.raises(ValueError, match="between 1 and 63"):
        QuantumFusionLayer(1, observables=64).build((None, 2, 1))
