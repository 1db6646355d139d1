"""Encoded features are the states that their formulas say."""

import functools

import cirq
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tfq_fusion.circuits import amplitude_angles, encode_features, qcnn_circuit


def encoded(encoding, qubits, values):
    line = cirq.LineQubit.range(qubits)
    circuit, symbols = encode_features(line, encoding)
    resolver = dict(zip(symbols, values, strict=True))
    return cirq.Simulator(dtype=np.complex128).simulate(circuit, resolver, line).final_state_vector


def product_state(qubits):
    return functools.reduce(np.kron, qubits)


def test_angle_puts_one_feature_in_each_qubit():
    x = np.array([0.3, -1.2, 2.5])
    expected = product_state([[np.cos(a / 2), np.sin(a / 2)] for a in x])
    np.testing.assert_allclose(encoded("angle", 3, x), expected, atol=1e-7)


def test_dense_angle_puts_two_features_in_each_qubit():
    x = np.array([0.3, -1.2, 2.5, 0.7])
    expected = product_state(
        [[np.exp(-0.5j * b) * np.cos(a / 2), np.exp(0.5j * b) * np.sin(a / 2)] for a, b in x.reshape(2, 2)]
    )
    np.testing.assert_allclose(encoded("dense_angle", 2, x), expected, atol=1e-7)


@given(st.integers(1, 4).flatmap(lambda n: arrays(np.float64, (2, 2**n), elements=st.floats(-1e3, 1e3, width=32))))
def test_amplitudes_are_the_features_with_their_signs(features):
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    features = np.where(norms == 0, 1.0, features)  # zeros have no direction
    angles = amplitude_angles(features)
    assert angles.shape == (2, features.shape[1] - 1) and angles.dtype == np.float32
    for sample, row in zip(features, angles, strict=True):
        found = encoded("amplitude", features.shape[1].bit_length() - 1, row)
        np.testing.assert_allclose(found, sample / np.linalg.norm(sample), atol=1e-6)


@pytest.mark.parametrize(("encoding", "symbols"), [("angle", 5), ("dense_angle", 10), ("amplitude", 31)])
def test_encoded_networks_have_a_data_symbol_for_each_angle(encoding, symbols):
    spec = qcnn_circuit(5, encoding=encoding)
    assert len(spec.data_symbols) == symbols
    assert sorted(spec.data_symbols, key=str) == list(spec.data_symbols)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((2, 6)), r"shape \[batch, 2\*\*n\].*got \[2, 6\]"),
        (np.ones((2, 1)), r"n at least 1, got \[2, 1\]"),
        (np.ones(4), r"got \[4\]"),
        ([[1.0, 0.0], [0.0, 0.0]], r"not all zero in any sample, got \[0. 0.\] as sample 1"),
        ([[1.0, np.nan]], r"should be finite.*got \[ 1. nan\] as sample 0"),
        ([[np.inf, 1.0]], "should be finite"),
    ],
)
def test_features_without_amplitudes_are_named(features, message):
    with pytest.raises(ValueError, match=message):
        amplitude_angles(features)


@pytest.mark.parametrize(
    ("encoding", "qubits", "message"),
    [
        ("angle", 0, "at least one qubit, got none"),
        ("amplitude", 40, "at most 12 qubits.*got 40"),
        ("phase", 2, r"one of \['angle', 'dense_angle', 'amplitude'\], got 'phase'"),
    ],
)
def test_what_cannot_be_encoded_is_named(encoding, qubits, message):
    with pytest.raises(ValueError, match=message):
        encode_features(cirq.LineQubit.range(qubits), encoding)
