"""Wide registers: blocks of which each sample has its own, phases and light cones, held against cirq.Simulator."""

import contextlib

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines.support import hold_against_the_simulator, random_spec, simulated, uncompiled, values_and_gradients
from tfq_fusion.circuits import ModelCircuit, padded_symbols
from tfq_fusion.engines import compiled, expectation
from tfq_fusion.engines.compiled import lowering
from tfq_fusion.engines.compiled.cone import light_cone
from tfq_fusion.engines.compiled.gates import eigen_gates
from tfq_fusion.engines.compiled.program import PhaseStep, WideStructure

some = settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextlib.contextmanager
def wide():
    """All registers count as wide, which no simulator could check in numbers otherwise."""
    with pytest.MonkeyPatch.context() as patch, uncompiled():
        patch.setattr(lowering, "WIDE", 1)
        yield


@some
@given(seed=st.integers(0, 2**32 - 1), qubits=st.integers(2, 5), gates=st.integers(1, 14), batch=st.integers(1, 4))
def test_random_circuits_have_the_simulator_s_values_and_finite_differences(seed, qubits, gates, batch):
    spec, rng = random_spec(seed, qubits, gates)
    with wide():
        assert isinstance(lowering.lower(spec).structure, WideStructure)
    hold_against_the_simulator(spec, rng, batch, wide)


@settings(some, max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), qubits=st.integers(2, 4), batch=st.integers(1, 3))
def test_initial_states(seed, qubits, batch):
    spec, rng = random_spec(seed, qubits, gates=8)
    states = rng.normal(size=(batch, 2**qubits)) + 1j * rng.normal(size=(batch, 2**qubits))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    data, weights = rng.uniform(-2, 2, (batch, 3)), rng.uniform(-2, 2, 3)
    with wide():
        found = expectation(spec, data, weights, states=states)
    np.testing.assert_allclose(found, simulated(spec, data, weights, states), atol=1e-6)


def mixer(qubits):
    """Data and weights in rotations and in commuting interactions, as in the tutorial on MNIST, read out by one Z."""
    line, readout = cirq.LineQubit.range(1, qubits), cirq.LineQubit(0)
    data, weights = padded_symbols("x", qubits - 1), padded_symbols("w", 2 * (qubits - 1))
    circuit = cirq.Circuit(cirq.H(readout), map(lambda symbol, qubit: cirq.ry(symbol)(qubit), data, line))
    circuit += [cirq.XX(qubit, readout) ** weight for qubit, weight in zip(line, weights, strict=False)]
    circuit += [cirq.ZZ(qubit, readout) ** weight for qubit, weight in zip(line, weights[qubits - 1 :], strict=True)]
    circuit += cirq.H(readout)
    return ModelCircuit(circuit, data, weights, (cirq.PauliSum() + cirq.Z(readout),))


def test_a_wide_register_compiled():
    spec, batch = mixer(13), 3
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-1, 1, (batch, 12)), rng.uniform(-1, 1, 24)
    values, *gradients = values_and_gradients(spec, data, weights, np.ones((batch, 1)), tf.float32)
    np.testing.assert_allclose(values, simulated(spec, data, weights), atol=1e-5)
    for gradient, place in zip(gradients, (0, 1), strict=True):
        direction = rng.choice([-1, 1], (data, weights)[place].shape)
        shifted = [[data, weights], [data, weights]]
        shifted[0][place], shifted[1][place] = ((data, weights)[place] + s * 1e-5 * direction for s in (1, -1))
        slope = np.subtract(*(simulated(spec, *each).sum() for each in shifted)) / 2e-5
        np.testing.assert_allclose(np.sum(gradient * direction), slope, atol=1e-4)


def test_a_sample_that_is_not_finite_spoils_no_other():
    spec, rng = random_spec(5, 3, 8)
    data, weights = rng.uniform(-1, 1, (3, 3)), tf.constant(rng.uniform(-1, 1, 3))
    with wide():
        expected = expectation(spec, data, weights)
        data[1] = np.nan
        found = compiled.expectation(spec, tf.constant(data), weights)  # as in a graph, where nobody sees values
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(np.delete(found, 1, axis=0), np.delete(expected, 1, axis=0), atol=1e-12)


def test_gates_that_no_observable_sees_are_left_out():
    a, b = sympy.symbols("a b")
    first, second, third = cirq.LineQubit.range(3)
    circuit = cirq.Circuit(cirq.rx(a)(first), cirq.CNOT(first, second), cirq.rz(b)(second), cirq.ry(b)(third))
    columns = {"a": ("data", 0), "b": ("data", 1)}
    gates = list(eigen_gates(circuit, {first: 0, second: 1, third: 2}, columns))
    kept, measured = light_cone(gates, [((1, "Z"),)])
    # Z after a CNOT is ZZ before it; rotations about z, and those of other qubits, change nothing.
    assert [gate.qubits for gate in kept] == [{0}]
    assert measured == [(1, ((0, "Z"), (1, "Z")))]


def test_circuits_of_which_nothing_is_left_have_values_and_no_gradient():
    a = sympy.Symbol("a")
    first, second = cirq.LineQubit.range(2)
    spec = ModelCircuit(cirq.Circuit(cirq.rx(a)(first), cirq.X(second)), (), (a,), (cirq.PauliSum() + cirq.Z(second),))
    with wide():
        assert not lowering.lower(spec).structure.steps
    hold_against_the_simulator(spec, np.random.default_rng(0), 2, wide)


@pytest.mark.parametrize(
    "gate",
    [
        cirq.CZ**0.0,
        cirq.TwoQubitDiagonalGate([0.3, 0.2, 1.1, 0.9]),
        cirq.ThreeQubitDiagonalGate([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.8]),
        cirq.MatrixGate(np.diag([1, 1j])).controlled(),
    ],
    ids=str,
)
def test_phases_of_fixed_gates(gate, monkeypatch):
    """Some have no eigenvalue phases but are one matrix; some turn nothing."""
    a, b = sympy.symbols("a b")
    line = cirq.LineQubit.range(3)
    turned = gate.on(*line[: cirq.num_qubits(gate)])
    circuit = cirq.Circuit(cirq.ry(a).on_each(*line), turned, cirq.S(line[0]), cirq.rx(b).on_each(*line))
    spec = ModelCircuit(circuit, (a,), (b,), tuple(cirq.PauliSum() + cirq.Y(qubit) for qubit in line))
    monkeypatch.setattr(lowering, "WIDE_BLOCK", 1)
    with wide():
        assert PhaseStep in map(type, lowering.lower(spec).structure.steps)
    hold_against_the_simulator(spec, np.random.default_rng(0), 2, wide)
