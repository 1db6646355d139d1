"""The compiled engine against cirq.Simulator, TensorFlow Quantum and finite differences, on random circuits."""

import contextlib
import itertools

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines.support import (
    hold_against_the_simulator,
    random_operators,
    random_spec,
    simulated,
    uncompiled,
    values_and_gradients,
)
from tfq_fusion.circuits import ModelCircuit, padded_symbols, qfl_circuit
from tfq_fusion.engines import ENGINES, compiled, expectation
from tfq_fusion.engines.compiled import run

random_cases = given(
    seed=st.integers(0, 2**32 - 1), qubits=st.integers(2, 4), gates=st.integers(1, 8), batch=st.integers(1, 9)
)
# The same every time.
some = settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def hold_a_random_circuit(seed, qubits, gates, batch, how):
    hold_against_the_simulator(*random_spec(seed, qubits, gates), batch, how)


@settings(some, max_examples=6)
@random_cases
def test_a_few_random_circuits_have_the_simulator_s_values_and_finite_differences(**case):
    hold_a_random_circuit(**case, how=uncompiled)


@pytest.mark.slow
@settings(some, max_examples=15)
@random_cases
def test_random_circuits_have_the_simulator_s_values_and_finite_differences(**case):
    """Compiled: operation by operation, TensorFlow has no products of arrays of that many axes."""
    hold_a_random_circuit(**case, how=contextlib.nullcontext)


@pytest.mark.slow
@settings(some, max_examples=10)
@random_cases
def test_random_circuits_agree_with_tensorflow_quantum(seed, qubits, gates, batch):
    spec, rng = random_spec(seed, qubits, gates)
    data, weights = rng.uniform(-1, 1, (batch, 3)), rng.uniform(-1, 1, 3)
    upstream = rng.normal(size=(batch, 2)) / batch
    with uncompiled():
        ours, double = (
            values_and_gradients(spec, data, weights, upstream, dtype) for dtype in (tf.float32, tf.float64)
        )
    theirs = values_and_gradients(spec, data, weights, upstream, tf.float32, "tfq")
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    for single, precise, other in zip(ours[1:], double[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(single, precise, rtol=1e-5, atol=1e-5)
        # TensorFlow Quantum's own gradients miss finite differences by up to two in ten thousand here.
        np.testing.assert_allclose(precise, other, rtol=1e-3, atol=1e-4)


@settings(some, max_examples=10)
@random_cases
def test_initial_states(seed, qubits, gates, batch):
    spec, rng = random_spec(seed, qubits, gates)
    states = rng.normal(size=(batch, 2**qubits)) + 1j * rng.normal(size=(batch, 2**qubits))
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    data, weights = rng.uniform(-2, 2, (batch, 3)), rng.uniform(-2, 2, 3)
    with uncompiled():
        found = expectation(
            spec, tf.constant(data, tf.float64), tf.constant(weights, tf.float64), states=tf.constant(states)
        )
    np.testing.assert_allclose(found, simulated(spec, data, weights, states), atol=1e-6)


def layered_spec(seed, qubits, gates, layers):
    """One random circuit again and again, each time with other weights, and with other data or the same."""
    spec, rng = random_spec(seed, qubits, gates)
    weights = padded_symbols("w", len(spec.weight_symbols) * layers)
    data = padded_symbols("x", len(spec.data_symbols) * layers) if rng.random() < 0.5 else spec.data_symbols
    renamed = [
        {
            symbol: symbols[(number * len(own) + place) % len(symbols)]
            for own, symbols in ((spec.data_symbols, data), (spec.weight_symbols, weights))
            for place, symbol in enumerate(own)
        }
        for number in range(layers)
    ]
    circuit = cirq.Circuit(cirq.resolve_parameters(spec.circuit, names, recursive=False) for names in renamed)
    return ModelCircuit(circuit, data, weights, spec.operators), rng


LAYERED = layered_spec(seed=9, qubits=5, gates=9, layers=4)


def test_layers_have_the_simulator_s_values_and_finite_differences():
    spec, rng = LAYERED
    assert max(part.passes for part in lowered(spec).parts) >= 3
    hold_against_the_simulator(spec, rng, 3, contextlib.nullcontext)


@settings(some, max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), qubits=st.integers(2, 5), gates=st.integers(4, 12), layers=st.integers(3, 9))
def test_random_layers_have_the_simulator_s_values_and_finite_differences(seed, qubits, gates, layers):
    hold_against_the_simulator(*layered_spec(seed, qubits, gates, layers), 3, uncompiled)


def every_kind_of_step():
    (a, b, c), weights, qubits = padded_symbols("x", 3), padded_symbols("w", 2), cirq.LineQubit.range(3)
    circuit = cirq.Circuit(
        cirq.rx(weights[0]).on_each(*qubits),
        cirq.CZ(*qubits[:2]),
        cirq.ry(a).on(qubits[0]),
        cirq.rx(b).on(qubits[1]),
        cirq.ry(weights[1]).on_each(*qubits),
        cirq.CNOT(*qubits[1:]) ** c,
        cirq.H(qubits[2]) ** a,
    )
    return ModelCircuit(circuit, (a, b, c), weights, tuple(cirq.PauliSum.wrap(cirq.Z(qubit)) for qubit in qubits))


@pytest.mark.parametrize(
    ("spec", "precision"),
    [(every_kind_of_step(), tf.float64), pytest.param(random_spec(8, 4, 5)[0], tf.float32, marks=pytest.mark.slow)],
    ids=["every kind of step", "a random circuit"],
)
def test_what_is_compiled_is_what_its_operations_give(spec, precision):
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-2, 2, (9, 3)), rng.uniform(-2, 2, len(spec.weight_symbols))
    arguments = spec, data, weights, rng.normal(size=(9, len(spec.operators))), precision
    found = values_and_gradients(*arguments)
    with uncompiled():
        expected = values_and_gradients(*arguments)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol={"float32": 1e-5, "float64": 1e-12}[precision.name])
    np.testing.assert_allclose(found[0], simulated(spec, data, weights), atol=1e-5)


@pytest.mark.parametrize(
    ("signal", "measurement"),
    [
        ("rx", "random_pauli"),
        pytest.param("ry", "pauli_plane", marks=pytest.mark.slow),
        pytest.param("rz", "computational", marks=pytest.mark.slow),
    ],
)
def test_fusion_circuits_agree_with_tensorflow_quantum(signal, measurement):
    spec = qfl_circuit(3, 4, degree=2, signal=signal, measurement=measurement, observables=7, seed=2)
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-2, 2, (5, 12)), rng.uniform(-2, 2, len(spec.weight_symbols))
    upstream = rng.normal(size=(5, 7))
    ours, theirs = (
        values_and_gradients(spec, data, weights, upstream, tf.float32, engine) for engine in ("compiled", "tfq")
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
    # Float32 gradients: ours in double precision are those of finite differences, see above.
    for one, other in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def lowered(spec):
    from tfq_fusion.engines.compiled.lowering import lower

    return lower(spec).structure


def steps_of(spec):
    return [step for part in lowered(spec).parts for step in part.steps]


def test_multiplexed_rotations_are_one_step_each():
    from tfq_fusion.engines.compiled.program import BlockStep, DiagonalStep, RotationStep

    kinds = [type(step) for step in steps_of(qfl_circuit(12, 4, degree=1))]
    assert kinds == [BlockStep, BlockStep, DiagonalStep, RotationStep, BlockStep, BlockStep, DiagonalStep]


def test_equal_layers_are_a_loop_however_many_they_are():
    shallow, deep = (qfl_circuit(12, 4, degree=degree) for degree in (5, 50))
    assert len(steps_of(deep)) == len(steps_of(shallow))
    (loop,) = [part for part in lowered(deep).parts if part.passes > 1]
    assert loop.passes == 50
    # Features enter again and again: all passes take the same table of angles.
    assert any(len(members) == 50 and len(set(members)) == 1 for members in loop.members)


@pytest.mark.parametrize("controls", [0, 1, 2])
def test_rotations_of_a_qubit_about_several_axes_are_one_step(controls):
    rng, qubits, symbols = np.random.default_rng(controls), cirq.LineQubit.range(3), padded_symbols("x", 7)
    turns = zip([cirq.rx, cirq.rz, cirq.rz, cirq.ry, cirq.rx, cirq.ry, cirq.rz], symbols, strict=True)
    # Of each angle another multiple for every value of the controls.
    run = [
        gate(rng.normal() * symbol)(qubits[2]).controlled_by(*qubits[:controls], control_values=values)
        for gate, symbol in turns
        for values in itertools.product((0, 1), repeat=controls)
    ]
    spec = ModelCircuit(
        cirq.Circuit(cirq.H.on_each(*qubits[:2]), cirq.CNOT(*qubits[1:]), run),
        symbols,
        (),
        random_operators(rng, qubits, 2),
    )
    assert len(steps_of(spec)) == 2  # the block before it, and the run
    hold_against_the_simulator(spec, rng, 3, uncompiled)


def test_a_small_register_becomes_one_matrix():
    circuit = cirq.Circuit(
        cirq.rx(sympy.Symbol("a")).on_each(*cirq.LineQubit.range(3)),
        cirq.CNOT(cirq.LineQubit(0), cirq.LineQubit(2)),
        cirq.rz(sympy.Symbol("a")).on_each(*cirq.LineQubit.range(3)),
    )
    spec = ModelCircuit(circuit, (), (sympy.Symbol("a"),), ())
    assert len(steps_of(spec)) == 1


@pytest.mark.slow
def test_a_layer_of_rotations_by_data():
    """One rotation after the other: where XLA fuses them, each computes the one before it twice, for minutes."""
    qubits, symbols = cirq.LineQubit.range(12), padded_symbols("x", 12)
    circuit = cirq.Circuit(cirq.ry(symbol).on(qubit) for symbol, qubit in zip(symbols, qubits, strict=True))
    spec = ModelCircuit(circuit, symbols, (), tuple(cirq.PauliSum.wrap(cirq.Z(qubit)) for qubit in qubits))
    data = tf.constant(np.random.default_rng(0).uniform(-3, 3, (5, 12)))
    with tf.GradientTape() as tape:
        tape.watch(data)
        values = expectation(spec, data, tf.zeros(0, tf.float64))
    np.testing.assert_allclose(values, np.cos(data), atol=1e-9)
    np.testing.assert_allclose(tape.gradient(values, data), -np.sin(data), atol=1e-9)


def test_another_seed_and_another_batch_trace_nothing_new(monkeypatch):
    traced = []
    for name in ("forward", "backward"):
        function = getattr(run, name)
        monkeypatch.setattr(run, name, lambda *given, function=function: traced.append(function) or function(*given))
    for seed, batch in ((0, 1), (1, 1), (1, 33), (1, 200)):
        spec = qfl_circuit(2, 2, degree=1, blocks=2, observables=7, seed=seed)
        data = tf.zeros((batch, 4))
        with tf.GradientTape() as tape:
            tape.watch(data)
            values = expectation(spec, data, np.zeros(len(spec.weight_symbols)))
        assert tape.gradient(values, data).shape == data.shape
    assert len(traced) == 2  # the values and their gradient


@pytest.mark.parametrize(
    "batch", [pytest.param(1, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow), 11]
)
def test_batch_sizes_in_tf_function_with_unknown_batch(batch):
    spec = qfl_circuit(2, 2, degree=1, observables=3)
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-2, 2, (batch, 4)), rng.uniform(-2, 2, len(spec.weight_symbols))
    signature = [tf.TensorSpec([None, 4]), tf.TensorSpec([len(weights)])]

    def run(data, weights):
        with tf.GradientTape() as tape:
            tape.watch((data, weights))
            values = expectation(spec, data, weights)
        return values, *tape.gradient(values, (data, weights))

    arguments = tf.constant(data, tf.float32), tf.constant(weights, tf.float32)
    found = tf.function(run, input_signature=signature)(*arguments)
    np.testing.assert_allclose(found[0], simulated(spec, data, weights), atol=1e-5)
    for own, eager in zip(found, run(*arguments), strict=True):
        np.testing.assert_allclose(own, eager, atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_leaves_the_others_alone(value):
    """In a graph no value is looked at beforehand."""
    spec = every_kind_of_step()
    run = tf.function(lambda *arguments: values_and_gradients(spec, *arguments, np.ones(3), tf.float64))
    data, trained = np.random.default_rng(0).uniform(-2, 2, (9, 3)), tf.constant([0.4, -0.7], tf.float64)
    expected = run(tf.constant(data), trained)
    for sample in (0, 5):
        spoilt = data.copy()
        spoilt[sample, 0] = value
        found = run(tf.constant(spoilt), trained)
        for one, other in zip(found[:2], expected[:2], strict=True):
            np.testing.assert_array_equal(np.isnan(one).any(axis=1), np.arange(9) == sample)
            np.testing.assert_allclose(np.delete(one, sample, 0), np.delete(other, sample, 0), atol=1e-6)


def test_gradients_and_states_that_are_not_finite_leave_other_samples_alone():
    spec = qfl_circuit(2, 1, degree=1, observables=3)
    rng = np.random.default_rng(0)
    data, weights = tf.constant(rng.uniform(-1, 1, (3, 2))), tf.constant(rng.uniform(-2, 2, 18))

    @tf.function
    def run(states, upstream):
        with tf.GradientTape() as tape:
            tape.watch(data)
            values = expectation(spec, data, weights, states=states)
        return values, tape.gradient(values, data, upstream)

    states, upstream = np.eye(8)[:3] + 0j, np.ones((3, 3))
    bad_states, bad_upstream = states.copy(), upstream.copy()
    bad_states[1, 0], bad_upstream[1, 0] = np.nan, np.inf
    for start, gradient, of_values in ((bad_states, upstream, True), (states, bad_upstream, False)):
        values, found = run(tf.constant(start), tf.constant(gradient))
        assert np.isnan(values).any(axis=1).tolist() == [False, of_values, False]
        assert np.isnan(found).any(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_batch_has_values_and_gradients(engine):
    """The last shard of a distributed batch may be empty."""
    spec = qfl_circuit(2, 2, degree=1, observables=3)
    weights = tf.ones(len(spec.weight_symbols))

    def run(data):
        return values_and_gradients(spec, data, weights, np.zeros((1, 3)), tf.float32, engine)

    data = tf.zeros((0, 4))
    for each in (run, tf.function(run, input_signature=[tf.TensorSpec([None, 4])])):
        values, data_gradient, weight_gradient = each(data)
        assert values.shape == (0, 3)
        assert data_gradient.shape == (0, 4)
        np.testing.assert_array_equal(weight_gradient, np.zeros(len(spec.weight_symbols)))


def test_a_gradient_prints_no_warning(caplog):
    spec = qfl_circuit(2, 1, degree=1, observables=3, seed=3)
    with caplog.at_level("WARNING"):
        values_and_gradients(spec, np.zeros((1, 2)), np.zeros(18), np.ones((1, 3)), tf.float32)
    assert not caplog.records


def test_variables_are_data_and_weights_too():
    spec = qfl_circuit(2, 2, degree=1, observables=3)
    rng = np.random.default_rng(0)
    data = tf.Variable(rng.uniform(-2, 2, (8, 4)), dtype=tf.float32)
    weights = tf.Variable(rng.uniform(-2, 2, len(spec.weight_symbols)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(expectation(spec, data, weights))
    for gradient in tape.gradient(loss, (data, weights)):
        assert np.abs(gradient).max() > 0.01


def test_a_gate_that_cannot_be_compiled_is_named():
    classical = cirq.X(cirq.LineQubit(0)).with_classical_controls("m")
    circuit = cirq.Circuit(cirq.Moment(cirq.X(cirq.LineQubit(0))), cirq.Moment(classical))
    spec = ModelCircuit(circuit, (), (), (cirq.PauliSum() + cirq.Z(cirq.LineQubit(0)),))
    with pytest.raises(compiled.LoweringError, match=r"Cannot compile cirq.Classically.* in moment 1"):
        expectation(spec, np.zeros((1, 0)), np.zeros(0))


@pytest.fixture
def evaluated(tmp_path):
    """Text that makes a file if SymPy parses it, and whether the file is there."""
    trace = tmp_path / "trace"
    return f"symbols.__globals__['__builtins__']['open']('{trace}', 'w')", trace.exists


@pytest.mark.parametrize(
    "make",
    [
        lambda text: cirq.XPowGate(exponent=text),
        lambda text: cirq.CCXPowGate(exponent=text),
        lambda text: cirq.BooleanHamiltonianGate(["x"], [text], 0.1),
        lambda text: cirq.ControlledGate(cirq.BooleanHamiltonianGate(["x"], [text], 0.1)),
        lambda text: cirq.ParallelGate(cirq.BooleanHamiltonianGate(["x"], [text], 0.1), 2),
    ],
)
def test_text_in_a_gate_is_never_evaluated(make, evaluated):
    text, happened = evaluated
    gate = make(text)
    circuit = cirq.Circuit(cirq.GateOperation(gate, cirq.LineQubit.range(cirq.num_qubits(gate))))
    with pytest.raises(ValueError, match=r"moment 0: (expected gates of numbers|its conditions are text)"):
        expectation(ModelCircuit(circuit, (), (), cirq.Z(cirq.LineQubit(0))), np.zeros((1, 0)), np.zeros(0))
    assert not happened()


def test_an_exponent_of_two_symbols_is_named():
    a, b = sympy.symbols("a b")
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(0)) ** (a * b))
    spec = ModelCircuit(circuit, (), (a, b), (cirq.PauliSum() + cirq.Z(cirq.LineQubit(0)),))
    with pytest.raises(compiled.LoweringError, match=r"moment 0.*a\*b is not a number times one symbol"):
        expectation(spec, np.zeros((1, 0)), np.zeros(2))


def test_programs_that_take_minutes_to_compile_are_refused():
    qubits, x, rng = cirq.LineQubit.range(2), sympy.Symbol("x"), np.random.default_rng(0)
    operators = (cirq.PauliSum() + cirq.Z(qubits[0]),)
    many = cirq.Circuit([cirq.rx(x).on(qubits[rng.integers(2)]), cirq.CNOT(*qubits)] for _ in range(1_500))
    with pytest.raises(compiled.LoweringError, match=r"more than 2,000 steps.* engine='tfq'"):
        expectation(ModelCircuit(many, (x,), (), operators), np.zeros((1, 1)), np.zeros(0))


def test_a_thousand_layers_take_no_longer_to_compile_than_a_few():
    qubits, x = cirq.LineQubit.range(2), sympy.Symbol("x")
    deep = cirq.Circuit([cirq.rx(x).on(qubits[0]), cirq.CNOT(*qubits)] * 1_100)
    spec = ModelCircuit(deep, (x,), (), (cirq.PauliSum() + cirq.Z(qubits[0]),))
    data = np.array([[0.1], [2.0]])
    np.testing.assert_allclose(expectation(spec, data, np.zeros(0)), simulated(spec, data, []), atol=1e-9)


def test_an_operator_on_a_missing_qubit_is_named():
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(0)))
    spec = ModelCircuit(circuit, (), (), (cirq.PauliSum() + cirq.Z(cirq.LineQubit(3)),))
    with pytest.raises(ValueError, match=r"operator acts on .*LineQubit\(3\)"):
        expectation(spec, np.zeros((1, 0)), np.zeros(0))
