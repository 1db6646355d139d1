"""Random circuits of TensorFlow Quantum's gate set, of every structure, against cirq.Simulator and finite differences.

Their operations run one by one: XLA would compile each circuit anew, for a second. `make test-nightly` runs more.
"""

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import ModelCircuit, MultiplexedRotation
from tfq_fusion.engines import expectation

pytestmark = pytest.mark.usefixtures("uncompiled")

# Sorted by name, x10 comes before x2; the last of each is in no circuit.
DATA, WEIGHTS = sympy.symbols("x2 x10 unused_data"), sympy.symbols("w1 a unused_weight")
QUBITS = [
    *cirq.LineQubit.range(-1, 12, 3), *cirq.GridQubit.rect(2, 2), *map(cirq.NamedQubit, ["b", "a10", "a9"]),
]  # fmt: skip

numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0]) | st.floats(-2, 2).map(lambda value: round(value, 3))
factors = st.sampled_from([1, -1, 2, 0.5, -1.7, sympy.Rational(1, 3), 1 / sympy.pi])
symbols = st.sampled_from([*DATA[:2], *WEIGHTS[:2]])
exponents = st.one_of(
    numbers,
    symbols,
    st.builds(lambda factor, symbol: factor * symbol, factors, symbols),
    st.builds(lambda factor, symbol, number: factor * symbol + number, factors, symbols, numbers),
    st.builds(lambda factor, symbol: symbol + factor * symbol / 4, factors, symbols),
)
shifts = st.sampled_from([0.0, -0.5, 0.3])


def power(kind):
    return st.builds(kind, exponent=exponents, global_shift=shifts)


GATES = {
    1: st.one_of(
        *(st.builds(kind, exponents) for kind in (cirq.rx, cirq.ry, cirq.rz)),
        *map(power, (cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate)),
        st.builds(cirq.PhasedXPowGate, phase_exponent=exponents, exponent=exponents, global_shift=shifts),
        st.just(cirq.I),
    ),
    2: st.one_of(
        *map(power, (cirq.CZPowGate, cirq.CNotPowGate, cirq.SwapPowGate, cirq.ISwapPowGate)),
        *map(power, (cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate)),
        st.builds(cirq.PhasedISwapPowGate, phase_exponent=exponents, exponent=exponents),
        st.builds(cirq.FSimGate, theta=exponents, phi=exponents),
        st.builds(MultiplexedRotation, st.tuples(exponents, exponents), st.sampled_from("xyz")),
    ),
}  # fmt: skip


@st.composite
def operations(draw, qubits):
    """A gate on some of the qubits, with others as its controls, on 0 or on 1, all at once or one within another."""
    order = draw(st.permutations(qubits))
    size = draw(st.integers(1, min(2, len(qubits))))
    operation, free = draw(GATES[size]).on(*order[:size]), order[size:]
    while free and not isinstance(operation.gate, cirq.IdentityGate) and draw(st.integers(0, 2)) == 2:
        count = draw(st.integers(1, len(free)))
        values = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
        # Not controlled_by: it may choose a gate of three qubits in its place.
        operation, free = cirq.ControlledOperation(free[:count], operation, values), free[count:]
    return operation


@st.composite
def sums(draw, qubits):
    """A Pauli sum, which may be zero, a constant, or hold a string more than once."""
    total = cirq.PauliSum()
    for _ in range(draw(st.sampled_from([3, 2, 1, 3, 2, 1, 2, 0]))):
        letters = draw(st.lists(st.integers(0, 3), min_size=len(qubits), max_size=len(qubits)))
        total += draw(st.sampled_from([1.0, -0.3, 0.0, 0.7])) * cirq.DensePauliString(letters)(*qubits)
    return total


@st.composite
def model_circuits(draw, count):
    """Up to eight random gates on as many qubits, of one kind or of several, and up to three operators."""
    qubits = draw(st.lists(st.sampled_from(QUBITS), min_size=count, max_size=count, unique=True))
    # Lists of any length would be short ones mostly.
    gates = [draw(operations(qubits)) for _ in range(draw(st.sampled_from(range(9))))] if qubits else []
    if draw(st.integers(0, 3)):
        # In and out of states in which no gate, no phase and no operator is idle.
        turns = [[cirq.ry(0.5 + 0.3 * place)(qubit), cirq.rx(0.9)(qubit)] for place, qubit in enumerate(qubits)]
        gates = [turns, gates, turns]
    operators = [draw(sums(qubits)) for _ in range(draw(st.sampled_from([3, 2, 1, 3, 2, 1, 2, 0])))]
    return ModelCircuit(cirq.Circuit(map(cirq.I, qubits), gates), DATA, WEIGHTS, operators)


def simulated(spec, data, weights):
    """The expectation values of each sample ``[batch, operators]``, by Cirq in double precision."""
    simulator, names = cirq.Simulator(dtype=np.complex128), [*spec.data_symbols, *spec.weight_symbols]
    rows = [
        simulator.simulate_expectation_values(
            spec.circuit, list(spec.operators), dict(zip(names, (*row, *weights), strict=True))
        )
        for row in data
    ]
    return np.real(rows).reshape(len(data), len(spec.operators))


def hold_against_cirq(spec, seed, batch):
    rng = np.random.default_rng(seed)
    arrays = rng.uniform(-2, 2, (batch, 3)), rng.uniform(-2, 2, 3)
    single = expectation(spec, *(array.astype(np.float32) for array in arrays))
    assert (single.dtype, single.shape) == (tf.float32, (batch, len(spec.operators)))
    # What single precision makes of the numbers is what it computes with.
    expected = simulated(spec, *(array.astype(np.float32).astype(float) for array in arrays))
    np.testing.assert_allclose(single, expected, atol=2e-5)

    upstream = rng.normal(size=single.shape)
    tensors = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        found = tf.reduce_sum(upstream * expectation(spec, *tensors))
    gradients = tape.gradient(found, tensors)
    # One random direction tells a wrong gradient as surely as every coordinate would.
    directions = [rng.normal(size=array.shape) for array in arrays]
    ends = [
        np.sum(upstream * simulated(spec, *(a + step * d for a, d in zip(arrays, directions, strict=True))))
        for step in (1e-5, -1e-5)
    ]
    slope = sum(np.sum(gradient * direction) for gradient, direction in zip(gradients, directions, strict=True))
    assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 4])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), batch=st.integers(1, 2))
def test_circuits_have_cirq_s_values_and_finite_differences(count, data, seed, batch):
    hold_against_cirq(data.draw(model_circuits(count)), seed, batch)


@pytest.mark.parametrize("count", [0, 1])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_circuits_of_one_qubit_or_none(count, data, seed):
    hold_against_cirq(data.draw(model_circuits(count)), seed, 1)
