"""Gradients at initialisation: against Haar-random unitaries, parameter shifts, and what the beginnings promise."""

import math

import cirq
import numpy as np
import pytest
from scipy.stats import unitary_group

from reproduce.experiments.gradients.trainability import (
    STRINGS,
    gradient_variance,
    initial_weights,
    two_design_variance,
)
from reproduce.sweep.runs import RunSpec
from tfq_fusion.circuits import ENTANGLERS, hardware_efficient_block, padded_symbols, qfl_circuit
from tfq_fusion.training import Protocol


def test_two_design_variance_is_that_of_haar_random_unitaries():
    before, after = unitary_group.rvs(4, size=20_000, random_state=0), unitary_group.rvs(4, size=20_000, random_state=1)
    generator = np.kron(cirq.unitary(cirq.Y), np.eye(2)) / 2
    observable = np.kron(cirq.unitary(cirq.X), cirq.unitary(cirq.Z))
    state = before[:, :, 0]
    seen = after.conj().transpose(0, 2, 1) @ observable @ after
    derivative = np.einsum("ba,bac,bc->b", state.conj(), 1j * (generator @ seen - seen @ generator), state).real
    assert derivative.var() == pytest.approx(two_design_variance(2), rel=0.03)
    assert derivative.mean() == pytest.approx(0, abs=0.01)


def test_two_design_variance_halves_with_every_qubit():
    assert two_design_variance(12) / two_design_variance(11) == pytest.approx(0.5, rel=1e-3)
    assert two_design_variance(12) == pytest.approx(2.0**-13, rel=1e-3)


@pytest.mark.parametrize("entangler", ENTANGLERS)
def test_identity_blocks_are_the_identity_after_the_first_unitary(entangler):
    weights = initial_weights("identity", 4, 2, 2, np.random.default_rng(0)).reshape(3, 2, 12)
    qubits, symbols = cirq.LineQubit.range(4), padded_symbols("w", 24)
    circuit = hardware_efficient_block(qubits, symbols[:12], entangler)
    circuit += hardware_efficient_block(qubits, symbols[12:], entangler)
    first, *others = (
        cirq.unitary(cirq.resolve_parameters(circuit, dict(zip(symbols, angles.ravel(), strict=True))))
        for angles in weights
    )
    for unitary in others:
        np.testing.assert_allclose(unitary, np.eye(16), atol=1e-6)
    assert abs(np.trace(first)) < 8
    assert np.ptp(weights[1:]) > 1  # the angles themselves are random


def test_other_beginnings_fill_their_range():
    for kind, limit in (("uniform", math.pi), ("small", 0.1 * math.pi)):
        weights = initial_weights(kind, 4, 1, 30, np.random.default_rng(0))
        assert weights.shape == (3 * 4 * 31,)
        assert 0.95 * limit < np.abs(weights).max() < limit


@pytest.mark.parametrize(("kind", "blocks", "message"), [("zero", 2, "initial should be one of"), ("identity", 3, "3")])
def test_beginnings_that_are_none_are_refused(kind, blocks, message):
    with pytest.raises(ValueError, match=message):
        initial_weights(kind, 4, blocks, 1, np.random.default_rng(0))


def test_variance_is_that_of_gradients_by_parameter_shift():
    spec = RunSpec(
        fusion="qfl",
        seed=3,
        protocol=Protocol(features=1),
        experiment="gradient-variance",
        options={"modalities": 3, "draws": 3},
        degree=1,
        engine="compiled",
        arguments={"initial": "uniform", "locality": 2},
    )
    found = gradient_variance(spec)

    circuit = qfl_circuit(3, 1, 1, observables=STRINGS, seed=3, locality=2)
    symbols = (*circuit.data_symbols, *circuit.weight_symbols)
    rng, simulator, gradients = np.random.default_rng(3), cirq.Simulator(dtype=np.complex128), []
    for draw in range(3):
        weights = initial_weights("uniform", 3, 1, 1, rng)
        data = rng.uniform(-math.pi / 2, math.pi / 2, (1, 3))[0]
        rows = [weights + shift * unit for unit in np.eye(len(weights)) for shift in (math.pi / 2, -math.pi / 2)]
        sweep = [dict(zip(symbols, (*data, *row), strict=True)) for row in rows]
        values = simulator.simulate_expectation_values_sweep(circuit.circuit, circuit.operators[draw], sweep)
        gradients.append(np.real(values).reshape(-1, 2) @ [0.5, -0.5])
    expected = math.log2(np.var(gradients, axis=0, ddof=1).mean())
    assert found.metrics["test"]["gradient_variance_log2"] == pytest.approx(expected, abs=1e-3)
    assert found.fusion_params == 18
