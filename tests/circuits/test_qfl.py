"""The circuit of the Quantum Fusion Layer, against state vectors in NumPy, and as a trigonometric polynomial."""

import itertools
import math
import subprocess
import sys

import cirq
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import ModelCircuit, hardware_mix, padded_symbols, qfl_circuit

PAULI = {"rx": cirq.unitary(cirq.X), "ry": cirq.unitary(cirq.Y), "rz": cirq.unitary(cirq.Z)}


def rotation(name, angle):
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * PAULI[name]


def qfl_state(qubits, degree, blocks, signal, data, theta):
    """U(theta_P) S(x) ... S(x) U(theta_0) |0>, with CZ between all pairs, written with tensors."""
    bits = np.array(list(itertools.product((0, 1), repeat=qubits)))
    ones = bits.sum(axis=1)
    signs = (-1.0) ** (ones * (ones - 1) / 2)  # a CZ for each pair of ones
    angles = iter(theta.reshape(-1, qubits, 3))
    encoding = np.zeros(2 ** (qubits - 1))
    encoding[1 : 1 + len(data)] = data
    state = np.zeros(2**qubits, complex)
    state[0] = 1
    for repetition in range(degree + 1):
        if repetition:
            gates = np.array([rotation(signal, angle) for angle in encoding])
            state = np.einsum("jab,jb->ja", gates, state.reshape(-1, 2)).ravel()
        for _ in range(blocks):
            tensor = state.reshape((2,) * qubits)
            for qubit, (a, b, c) in enumerate(next(angles)):
                gate = rotation("rz", c) @ rotation("ry", b) @ rotation("rx", a)
                tensor = np.moveaxis(np.tensordot(gate, tensor, axes=(1, qubit)), 0, qubit)
            state = signs * tensor.ravel()
    return state


@settings(max_examples=25, deadline=None)
@given(
    modalities=st.integers(1, 4),
    features=st.integers(1, 3),
    degree=st.integers(1, 3),
    blocks=st.integers(1, 2),
    signal=st.sampled_from(["rx", "ry", "rz"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_expectations_are_those_of_the_formula(modalities, features, degree, blocks, signal, seed):
    spec = qfl_circuit(modalities, features, degree, blocks, signal=signal, observables=3, seed=seed)
    rng = np.random.default_rng(seed)
    data = rng.uniform(-np.pi, np.pi, len(spec.data_symbols))
    theta = rng.uniform(-np.pi, np.pi, len(spec.weight_symbols))
    qubits = math.ceil(math.log2(modalities * features + 1)) + 1

    state = qfl_state(qubits, degree, blocks, signal, data, theta)
    expected = [
        np.vdot(state, operator.matrix(cirq.LineQubit.range(qubits)) @ state).real for operator in spec.operators
    ]

    values = dict(zip((*spec.data_symbols, *spec.weight_symbols), (*data, *theta), strict=True))
    found = cirq.Simulator(dtype=np.complex128).simulate_expectation_values(
        spec.circuit,
        list(spec.operators),
        param_resolver=values,
        qubit_order=cirq.LineQubit.range(qubits),
    )
    np.testing.assert_allclose(np.real(found), expected, atol=1e-6)


@pytest.mark.parametrize("signal", ["rx", "ry", "rz"])
def test_hardware_form_has_small_gates_and_the_same_values(signal):
    rng = np.random.default_rng(0)
    angles = rng.uniform(-np.pi, np.pi, 6)
    values = []
    for hardware, data in ((False, angles), (True, angles @ hardware_mix(6))):
        spec = qfl_circuit(3, 2, degree=2, signal=signal, observables=9, hardware=hardware)
        theta = np.random.default_rng(1).uniform(-np.pi, np.pi, len(spec.weight_symbols))
        bound = dict(zip((*spec.data_symbols, *spec.weight_symbols), (*data, *theta), strict=True))
        values.append(
            cirq.Simulator(dtype=np.complex128).simulate_expectation_values(spec.circuit, list(spec.operators), bound)
        )
    np.testing.assert_allclose(values[0], values[1], atol=1e-7)
    widths = [len(operation.qubits) for operation in spec.circuit.all_operations()]
    # Per repetition 8 rotations and 8 CNOTs; per unitary 3 rotations on each of 4 qubits and 6 CZs.
    assert (widths.count(1), widths.count(2), len(widths)) == (2 * 8 + 3 * 12, 2 * 8 + 3 * 6, 86)


@given(st.integers(1, 16), st.integers(1, 8), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_number_of_weights_follows_the_formula(modalities, features, degree, blocks):
    spec = qfl_circuit(modalities, features, degree, blocks, observables=1)
    qubits = math.ceil(math.log2(modalities * features + 1)) + 1
    assert len(spec.data_symbols) == modalities * features
    assert len(spec.weight_symbols) == 3 * qubits * blocks * (degree + 1)


@settings(max_examples=15, deadline=None)
@given(
    modalities=st.integers(1, 4),
    features=st.integers(1, 2),
    degree=st.integers(1, 3),
    blocks=st.integers(1, 2),
    entangler=st.sampled_from(["all_to_all", "ring", "brick"]),
    signal=st.sampled_from(["rx", "ry", "rz"]),
    measurement=st.sampled_from(["random_pauli", "pauli_plane"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_output_is_a_trigonometric_polynomial_of_the_degree(
    modalities, features, degree, blocks, entangler, signal, measurement, seed
):
    spec = qfl_circuit(modalities, features, degree, blocks, entangler, signal, measurement, observables=8, seed=seed)
    rng = np.random.default_rng(seed)
    values = {symbol: rng.uniform(-3, 3) for symbol in (*spec.data_symbols, *spec.weight_symbols)}
    one = np.eye(len(spec.data_symbols))[0]
    signs = rng.choice([-1, 1], len(spec.data_symbols))
    simulator = cirq.Simulator(dtype=np.complex128)
    # Along one input, the frequencies in it; along a diagonal, the sums of those in all inputs, up to their signs.
    for direction in (one, signs):
        # The period is 4 pi: branches that the constant term leaves alone interfere with those that turn by x / 2.
        steps = 4 * np.pi * np.arange(4 * degree + 4) / (4 * degree + 4)
        samples = [
            simulator.simulate_expectation_values(
                spec.circuit,
                list(spec.operators),
                param_resolver=values
                | {x: values[x] + step * d for x, d in zip(spec.data_symbols, direction, strict=True)},
                qubit_order=sorted(spec.circuit.all_qubits()),
            )
            for step in steps
        ]
        spectrum = np.abs(np.fft.rfft(np.real(samples), axis=0)).max(axis=1)
        np.testing.assert_allclose(spectrum[2 * degree + 1 :], 0, atol=1e-5)
        assert spectrum[2 * degree] > 1e-9


def test_sorted_symbols_are_in_natural_order():
    spec = qfl_circuit(modalities=12, features=4, degree=3)
    for symbols in (spec.data_symbols, spec.weight_symbols):
        assert sorted(symbols, key=str) == list(symbols)


def test_modalities_of_different_widths_follow_one_another():
    ragged, flat = (qfl_circuit(m, f, degree=2, observables=4) for m, f in ((3, (1, 4, 2)), (1, 7)))
    assert ragged == flat


def test_same_arguments_same_circuit_and_hash():
    first, second = (qfl_circuit(2, 2, 1, measurement="pauli_plane", seed=5) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != qfl_circuit(2, 2, 1, measurement="pauli_plane", seed=6)


@pytest.mark.parametrize("measurement", ["random_pauli", "pauli_plane", "computational"])
def test_every_measurement_gives_the_number_of_observables(measurement):
    assert len(qfl_circuit(3, 4, 1, measurement=measurement, observables=20).operators) == 20


def test_locality_is_the_weight_of_random_strings_and_of_planes():
    for measurement, weights in (("random_pauli", {1}), ("pauli_plane", {1}), ("computational", {1, 2})):
        spec = qfl_circuit(3, 4, 1, measurement=measurement, observables=8, locality=1)
        assert {len(operator.qubits) for operator in spec.operators} == weights


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"degree": 0}, "degree should be at least 1, got 0"),
        ({"modalities": 0}, "modalities should be at least 1"),
        ({"blocks": 0}, "blocks should be at least 1"),
        ({"features": 0}, "at least one feature"),
        ({"signal": "rw"}, "signal should be one of"),
        ({"measurement": "all"}, r"measurement should be one of \['random_pauli', 'pauli_plane', 'computational'\]"),
        ({"entangler": "star"}, "entangler should be one of"),
        ({"observables": 0}, "observables should be between"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        qfl_circuit(**{"modalities": 2, "features": 2, "degree": 1, **arguments})


def test_model_circuit_binds_every_symbol_once():
    a, b = padded_symbols("a", 2)
    circuit = cirq.Circuit(cirq.rx(a).on(cirq.LineQubit(0)), cirq.ry(b).on(cirq.LineQubit(0)))
    operators = (cirq.PauliSum.from_pauli_strings(cirq.Z(cirq.LineQubit(0))),)
    with pytest.raises(ValueError, match=r"nobody binds: \['a_1'\]"):
        ModelCircuit(circuit, (a,), (), operators)
    with pytest.raises(ValueError, match=r"listed again: \['a_0'\]"):
        ModelCircuit(circuit, (a,), (a, b), operators)


def test_padded_symbols_sort_naturally():
    assert padded_symbols("w", 11)[2] == sympy.Symbol("w_02")
    assert padded_symbols("w", 10)[2] == sympy.Symbol("w_2")


def test_using_circuits_imports_no_tensorflow():
    code = """
import sys, tfq_fusion.circuits
assert "cirq" not in sys.modules, "importing the package alone should be quick"
for name in tfq_fusion.circuits.__all__:
    assert getattr(tfq_fusion.circuits, name) is not None
sys.exit("tensorflow" in sys.modules or "keras" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_what_a_layer_gives_one_with_more_encodings_or_two_more_blocks_can_give(modalities, degree, blocks, seed):
    """Weights of zero do nothing before the first address is left, and in two blocks whose entanglers cancel."""

    def state(spec, weights):
        values = {
            **dict(zip(spec.data_symbols, data, strict=True)),
            **dict(zip(spec.weight_symbols, weights, strict=True)),
        }
        return cirq.resolve_parameters(spec.circuit, values).final_state_vector(dtype=np.complex128)

    rng = np.random.default_rng(seed)
    data = rng.uniform(-7, 7, modalities)
    layer = qfl_circuit(modalities, 1, degree, blocks)
    weights = rng.uniform(-np.pi, np.pi, (degree + 1, len(layer.weight_symbols) // (degree + 1)))
    expected = state(layer, weights.ravel())
    idle = np.concatenate([np.zeros_like(weights[:1]), weights])
    np.testing.assert_allclose(state(qfl_circuit(modalities, 1, degree + 1, blocks), idle.ravel()), expected, atol=1e-9)
    padding = np.zeros((degree + 1, 2 * weights.shape[1] // blocks))
    more = np.concatenate([weights, padding], axis=1)
    np.testing.assert_allclose(state(qfl_circuit(modalities, 1, degree, blocks + 2), more.ravel()), expected, atol=1e-9)
