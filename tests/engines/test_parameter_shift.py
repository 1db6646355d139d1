"""Gradients from shifted circuits: exact for every gate, and with shots without bias, of a device's variance."""

import itertools

import cirq
import keras as keras3
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import ModelCircuit, MultiplexedRotation, qfl_circuit, with_noise
from tfq_fusion.engines import expectation, parameter_shift
from tfq_fusion.engines.compiled import LoweringError

X, A = sympy.symbols("x a")
QUBITS = cirq.LineQubit.range(4)
PHASED = {"global_shift": 0.3}

# By how many pairs of shifted circuits they take: one for each distance of eigenphases, in each part with a symbol.
GATES = {
    1: [
        lambda t: cirq.rx(t), lambda t: cirq.ry(t), lambda t: cirq.rz(t), lambda t: cirq.X**t,
        lambda t: cirq.YPowGate(exponent=t, **PHASED), lambda t: cirq.Z**t, lambda t: cirq.H**t, lambda t: cirq.CZ**t,
        lambda t: cirq.CNOT**t, lambda t: cirq.SWAP**t, lambda t: cirq.XX**t, lambda t: cirq.YY**t,
        lambda t: cirq.ZZ**t, lambda t: cirq.CCX**t, lambda t: cirq.ControlledGate(cirq.Z**t, 2, [0, 1]),
        lambda t: MultiplexedRotation([t]),
    ],
    2: [
        lambda t: cirq.ISWAP**t, lambda t: cirq.ControlledGate(cirq.rx(t)),
        lambda t: cirq.ControlledGate(cirq.ry(t), 3, [1, 0, 0]), lambda t: cirq.ControlledGate(cirq.ISWAP**t, 1, [0]),
        lambda t: MultiplexedRotation([0.2, t, 0.7], "x"), lambda t: cirq.PhasedISwapPowGate(exponent=t),
        lambda t: cirq.PhasedXPowGate(phase_exponent=t, exponent=0.3), lambda t: cirq.FSimGate(t, 0.2),
    ],
    3: [
        lambda t: cirq.ControlledGate(cirq.XPowGate(exponent=t, **PHASED), 1, [0]), lambda t: cirq.FSimGate(t, t),
        lambda t: cirq.PhasedXPowGate(phase_exponent=t, exponent=t),
    ],
    4: [lambda t: MultiplexedRotation([t, t + 0.1]), lambda t: cirq.PhasedISwapPowGate(phase_exponent=t, exponent=0.3)],
}  # fmt: skip
ALL = [gate for gates in GATES.values() for gate in gates]


def scrambled(rng):
    """Fixed gates that leave no qubit as it was."""
    yield from (rotation(rng.uniform(-2, 2))(qubit) for rotation in (cirq.rx, cirq.rz) for qubit in QUBITS)
    yield from (cirq.CZ(one, other) ** 0.4 for one, other in itertools.pairwise(QUBITS))


def circuit_of(gates, seed=0):
    """The gates on random qubits, others between them, and two random sums."""
    rng = np.random.RandomState(seed)
    operations = [*scrambled(rng)]
    for gate in gates:
        operations += [gate.on(*rng.permutation(QUBITS)[: cirq.num_qubits(gate)]), *scrambled(rng)]
    sums = [
        sum((rng.normal() * cirq.DensePauliString(rng.randint(4, size=4))(*QUBITS) for _ in range(3)), 0.5)
        for _ in range(2)
    ]
    return ModelCircuit(cirq.Circuit(operations), (X,), (A,), sums)


def simulated(spec, data, weights):
    simulator = cirq.Simulator(dtype=np.complex128)
    bound = (dict(zip((X, A), (*row, *weights), strict=True)) for row in data)
    return np.real(
        [simulator.simulate_expectation_values(spec.circuit, list(spec.operators), values) for values in bound]
    )


def gradients(spec, data, weights, upstream=None, **arguments):
    """The values, and the gradients of the sum of their products with ``upstream`` by the parameter-shift rule."""
    arrays = tf.convert_to_tensor(data), tf.convert_to_tensor(weights)
    arguments = {"differentiator": "parameter_shift", **arguments}
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        found = expectation(spec, *arrays, **arguments)
    return found, *tape.gradient(found, arrays, None if upstream is None else tf.constant(upstream, found.dtype))


def check(spec, seed=0, tolerance=1e-8):
    """Hold values and gradients against Cirq's simulator and its central differences of fourth order."""
    rng = np.random.default_rng(seed)
    data, weights, upstream = rng.uniform(-2, 2, (2, 1)), rng.uniform(-2, 2, 1), rng.normal(size=(2, 2))
    found, of_data, of_weights = gradients(spec, data, weights, upstream)
    np.testing.assert_allclose(found, simulated(spec, data, weights), atol=1e-10)

    def slope(*directions):
        def at(step):
            moved = (each + step * direction for each, direction in zip((data, weights), directions, strict=True))
            return (upstream * simulated(spec, *moved)).sum()

        return (8 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3

    expected = [slope(direction[:, None], 0) for direction in np.eye(2)]
    np.testing.assert_allclose(np.ravel(of_data), expected, atol=tolerance)
    np.testing.assert_allclose(of_weights, [slope(0, 1)], atol=tolerance)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("number", range(len(ALL)))
def test_every_gate_has_the_gradient_of_finite_differences(number):
    make = ALL[number]
    check(circuit_of([make(0.7 * X), make(A), make(X + 0.4), make(-1.2 * A - 0.1)]))


@pytest.mark.usefixtures("uncompiled")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gates=st.lists(
        st.tuples(st.sampled_from(ALL), st.sampled_from([X, A, 2 * X - 0.3, -0.5 * A, 0.8])), min_size=1, max_size=6
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_circuits_have_the_gradient_of_finite_differences(gates, seed):
    check(circuit_of([make(exponent) for make, exponent in gates], seed), seed, 1e-7)


@pytest.mark.parametrize("pairs", GATES)
def test_a_gate_takes_as_few_circuits_as_its_eigenphases_allow(pairs):
    sizes = []

    def exact(spec, data, weights, states):
        sizes.append(data.shape[0])
        return tf.zeros((data.shape[0], len(spec.operators)))

    data = tf.zeros((5, 1))
    for make in GATES[pairs]:
        del sizes[:]
        with tf.GradientTape() as tape:
            tape.watch(data)
            arguments = circuit_of([make(X)]), data, tf.zeros(1), None, None
            found = parameter_shift.values(exact, lambda exact, spec, seed: exact(spec), *arguments)
        tape.gradient(found, data)
        assert sizes == [5, 2 * pairs * 5], make(X)


@pytest.mark.parametrize("traced", [False, True])
def test_wide_registers_take_shifted_circuits_in_groups_of_equal_size(monkeypatch, traced):
    monkeypatch.setattr(parameter_shift, "AMPLITUDES", 3 * 2**4)
    spec = circuit_of([cirq.rx(X), cirq.ry(A), cirq.rz(X), cirq.ISWAP**A], seed=3)  # 10 circuits: 4 groups of 3
    arguments = np.array([[0.3], [1.2]]), np.array([-0.4])

    def both():
        return [gradients(spec, *arguments, differentiator=by) for by in ("parameter_shift", "adjoint")]

    tf.config.run_functions_eagerly(not traced)
    for one, other in zip(*(tf.function(both)() if traced else both()), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)
    found = gradients(spec, *arguments, shots=200_000, seed=0)
    tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(found[2], gradients(spec, *arguments, differentiator="adjoint")[2], atol=0.05)


TURN = ModelCircuit(cirq.Circuit(cirq.ry(X)(QUBITS[0])), (X,), (), cirq.Z(QUBITS[0]))  # cos(x)


def turned(angle, count, shots, **arguments):
    arrays = np.full((count, 1), angle), np.zeros(0)
    return [each.numpy()[:, 0] for each in gradients(TURN, *arrays, shots=shots, **arguments)[:2]]


@pytest.mark.parametrize(("angle", "shots"), [(0.4, 10), (1.5, 3), (2.5, 100)])
def test_mean_and_variance_are_those_of_two_measured_values(angle, shots):
    _, found = turned(angle, 20_000, shots, seed=0)
    counts = shots * found  # half the difference of two means, each 2 / shots times a count
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    variance = np.cos(angle) ** 2 / (2 * shots)
    assert found.mean() == pytest.approx(-np.sin(angle), abs=4 * np.sqrt(variance / 20_000))
    assert found.var() == pytest.approx(variance, rel=0.05)


def test_the_mean_over_many_seeds_is_the_exact_gradient():
    spec = qfl_circuit(2, 1, degree=1, observables=3)
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-1, 1, (2, 2)), rng.uniform(-2, 2, len(spec.weight_symbols))
    upstream = rng.normal(size=(2, 3))

    def joined(**arguments):
        return np.concatenate([np.ravel(each) for each in gradients(spec, data, weights, upstream, **arguments)[1:]])

    found = np.array([joined(shots=20, seed=seed) for seed in range(80)])
    error = found.std(axis=0) / np.sqrt(80)
    assert (error > 1e-3).all()
    assert (np.abs(found.mean(axis=0) - joined(differentiator="adjoint")) < 4 * error).all()


def test_a_seed_repeats_and_a_generator_goes_on():
    first, again, other = (turned(0.5, 50, 10, seed=seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    generator, same = (keras3.random.SeedGenerator(5) for _ in range(2))
    one, two, repeated = (turned(0.5, 50, 10, seed=each)[1] for each in (generator, generator, same))
    assert (one != two).any()
    np.testing.assert_array_equal(one, repeated)


def test_one_gradient_asked_for_twice_is_one_measurement():
    with tf.GradientTape(persistent=True) as tape:
        data = tf.ones((20, 1))
        tape.watch(data)
        found = expectation(
            TURN, data, [], shots=10, seed=keras3.random.SeedGenerator(0), differentiator="parameter_shift"
        )
    np.testing.assert_array_equal(*(tape.gradient(found, data) for _ in range(2)))


@pytest.mark.parametrize("seed", [0, keras3.random.SeedGenerator(0)], ids=["a number", "a generator"])
def test_values_and_gradients_are_measured_apart(seed):
    """The gradient of a loss is a product of both: drawn together, its mean would not be the product of the means."""
    values, slopes = turned(0.7, 5000, 10, seed=seed)
    assert abs(np.corrcoef(values, slopes)[0, 1]) < 0.06


@pytest.mark.usefixtures("uncompiled")
def test_the_reference_has_it_too():
    spec = circuit_of([cirq.rx(X), cirq.ControlledGate(cirq.rx(A)), cirq.ISWAP**X])
    data, weights = np.array([[0.3], [-1.0]], np.float32), np.array([0.9], np.float32)
    expected = gradients(spec, data.astype(float), weights.astype(float), differentiator="adjoint")
    for one, other in zip(gradients(spec, data, weights, engine="tfq"), expected, strict=True):
        assert one.dtype == tf.float32
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_noise_is_part_of_what_is_measured():
    rate = 0.15
    noisy = with_noise(cirq.Circuit(cirq.ry(X)(QUBITS[0]), cirq.ry(A)(QUBITS[0])), cirq.depolarize(rate))
    spec = ModelCircuit(noisy, (X,), (A,), cirq.Z(QUBITS[0]))
    _, of_data, of_weights = gradients(spec, np.array([[0.3]]), np.array([0.5]))
    expected = -((1 - 4 / 3 * rate) ** 2) * np.sin(0.8)  # each gate's channel shortens the Bloch vector
    np.testing.assert_allclose([*np.ravel(of_data), *of_weights], expected, atol=1e-12)


def test_circuits_start_from_states():
    data, states = np.array([[0.3], [0.4]]), np.eye(2)
    _, slopes, _ = gradients(TURN, data, np.zeros(0), states=states)
    np.testing.assert_allclose(slopes, [[-np.sin(0.3)], [np.sin(0.4)]], atol=1e-12)


def test_symbols_that_no_gate_holds_have_no_gradient():
    spec = ModelCircuit(TURN.circuit, (A, X), sympy.symbols("b c"), cirq.Z(QUBITS[0]))
    _, of_data, of_weights = gradients(spec, np.array([[9.0, 0.3]]), np.ones(2))
    np.testing.assert_allclose(of_data, [[0, -np.sin(0.3)]], atol=1e-12)
    np.testing.assert_array_equal(of_weights, [0, 0])
    fixed = ModelCircuit(cirq.Circuit(cirq.H(QUBITS[0])), (X,), (A,), cirq.X(QUBITS[0]))
    found, of_data, of_weights = gradients(fixed, np.ones((3, 1)), np.ones(1), shots=5, seed=0)
    np.testing.assert_allclose(found, np.ones((3, 1)))
    assert (of_data.numpy().tolist(), of_weights.numpy().tolist()) == ([[0]] * 3, [0])


def test_a_graph_of_unknown_batch_leaves_bad_samples_to_themselves():
    spec = ModelCircuit(TURN.circuit + cirq.ry(A)(QUBITS[0]), (X,), (A,), cirq.Z(QUBITS[0]))
    graph = tf.function(
        lambda data: gradients(spec, data, tf.zeros(1, data.dtype)), input_signature=[tf.TensorSpec([None, 1])]
    )
    found, of_data, of_weights = graph(tf.constant([[0.0], [np.nan], [1.0]]))
    np.testing.assert_allclose(found, np.cos([[0], [np.nan], [1]]), atol=1e-6)
    np.testing.assert_allclose(of_data, -np.sin([[0], [np.nan], [1]]), atol=1e-6)
    assert np.isnan(of_weights).all()
    found, of_data, of_weights = graph(tf.zeros((0, 1)))
    assert (found.shape, of_data.shape, of_weights.numpy().tolist()) == ((0, 1), (0, 1), [0])


def test_rates_of_channels_are_refused():
    circuit = cirq.Circuit(cirq.ry(X)(QUBITS[0]), cirq.X.with_probability(A)(QUBITS[0]))
    spec = ModelCircuit(circuit, (X,), (A,), cirq.Z(QUBITS[0]))
    with pytest.raises(LoweringError, match=r"shifts angles of gates, and .* Give its rate a number, or use diff"):
        expectation(spec, [[0.1]], [0.2], differentiator="parameter_shift")


def test_another_differentiator_is_refused():
    with pytest.raises(ValueError, match=r"differentiator should be one of \['adjoint', 'parameter_shift'\], got 'sh"):
        expectation(TURN, [[0.1]], [], differentiator="shift")


def test_shifted_circuits_without_room_are_refused_when_they_are_needed(monkeypatch):
    from tfq_fusion.engines import memory

    class Memory:
        available = 3 * 2 * 4 * 2 * 64  # three states of 64 samples

    spec = ModelCircuit(cirq.Circuit([cirq.ry(X)(QUBITS[0])] * 2), (X,), (), cirq.Z(QUBITS[0]))
    monkeypatch.setattr(memory.psutil, "virtual_memory", Memory)
    data = tf.zeros((32, 1))
    with tf.GradientTape() as tape:
        tape.watch(data)
        found = expectation(spec, data, tf.zeros(0), differentiator="parameter_shift")
    with pytest.raises(MemoryError, match=r"1 qubits needs .* for 128 samples.*smaller batches"):
        tape.gradient(found, data)
