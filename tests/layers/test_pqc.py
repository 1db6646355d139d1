"""PQC and ControlledPQC against TensorFlow Quantum's."""

import functools
import json
import zipfile

import cirq
import numpy as np
import psutil
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.layers import PQC, ControlledPQC

pytestmark = pytest.mark.keras

# As strings, "10" sorts before "2"; amplitudes must not follow.
QUBITS = cirq.LineQubit(2), cirq.LineQubit(10), cirq.LineQubit(11)
ANOTHER = cirq.LineQubit(5)

# TensorFlow Quantum's gradients, not ours, are why theirs and ours are compared at 1e-3 only.


def model_circuit(qubits=QUBITS):
    # Sorted by name, a10 comes before a2.
    a10, a2, b = sympy.symbols("a10 a2 b")
    first, second, third = qubits
    return cirq.Circuit(
        cirq.rx(a10).on(first),
        cirq.ry(-2 * a2).on(second),
        cirq.CNOT(first, third),
        cirq.ZZ(second, third) ** b,
        cirq.ry(a10).on(third),
    )


def operators(qubits=QUBITS):
    first, second, third = qubits
    return [cirq.Z(first) * cirq.X(third), 0.5 * cirq.Y(second) - 2 * cirq.Z(third) + 0.25]


def data_circuits(rng, batch, qubits=QUBITS):
    """Circuits that leave out one qubit or another."""
    circuits = []
    for _ in range(batch):
        circuit = cirq.Circuit(cirq.ry(rng.uniform(0, 6)).on(qubit) for qubit in qubits if rng.uniform() < 0.7)
        if rng.uniform() < 0.5:
            circuit.append([cirq.H(qubits[0]), cirq.ISWAP(qubits[0], qubits[-1])])
        circuits.append(circuit)
    return circuits


def values_and_gradient(layer, circuits, parameters, upstream):
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        values = layer([circuits, parameters])
    return values, tape.gradient(values, parameters, upstream)


@functools.cache
def controlled_pair():
    arguments = model_circuit(), operators()
    return ControlledPQC(*arguments), tfq.layers.ControlledPQC(*arguments)


@functools.cache
def traced_ours():
    """Our layer in a graph that knows no batch size."""
    strings, floats = tf.TensorSpec([None], tf.string), [tf.TensorSpec([None, width]) for width in (3, 2)]
    return tf.function(functools.partial(values_and_gradient, controlled_pair()[0]), input_signature=[strings, *floats])


@pytest.mark.slow
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), batch=st.sampled_from([1, 4]), wide=st.booleans(), traced=st.booleans())
def test_controlled_pqc_is_tensorflow_quantum_s(seed, batch, wide, traced):
    rng = np.random.default_rng(seed)
    data = data_circuits(rng, batch)
    if wide:
        data[-1] += cirq.Circuit(cirq.ry(1.0).on(ANOTHER), cirq.CNOT(ANOTHER, QUBITS[0]))
    circuits = tfq.convert_to_tensor(data)
    parameters = tf.constant(rng.uniform(-4, 4, (batch, 3)), tf.float32)
    upstream = tf.constant(rng.normal(size=(batch, 2)), tf.float32)
    ours, theirs = controlled_pair()
    run = traced_ours() if traced else functools.partial(values_and_gradient, ours)
    values, gradient = run(circuits, parameters, upstream)
    expected_values, expected_gradient = values_and_gradient(theirs, circuits, parameters, upstream)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(values, expected_values, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-3)


def test_a_circuit_that_repeats_gives_each_of_its_samples_its_state():
    ours, theirs = controlled_pair()
    rng = np.random.default_rng(0)
    circuits = tf.gather(tfq.convert_to_tensor(data_circuits(rng, 3)), [2, 0, 2, 1, 0])
    parameters = tf.constant(rng.uniform(-4, 4, (5, 3)), tf.float32)
    np.testing.assert_allclose(ours([circuits, parameters]), theirs([circuits, parameters]), atol=1e-5)


def test_a_batch_may_be_empty():
    ours, _ = controlled_pair()
    assert ours([tfq.convert_to_tensor([cirq.Circuit()])[:0], tf.zeros((0, 3))]).shape == (0, 2)


def test_observables_may_act_on_qubits_of_the_data_circuits_alone():
    rng = np.random.default_rng(1)
    arguments = model_circuit(), cirq.Z(ANOTHER)
    circuits = tfq.convert_to_tensor([cirq.Circuit(cirq.ry(0.3).on(ANOTHER)), cirq.Circuit(cirq.X(ANOTHER))])
    parameters = tf.constant(rng.uniform(-4, 4, (2, 3)), tf.float32)
    values = ControlledPQC(*arguments)([circuits, parameters])
    np.testing.assert_allclose(values, [[np.cos(0.3)], [-1]], atol=1e-5)


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.usefixtures("uncompiled")
def test_pqc_shares_its_parameters_among_the_samples(grid):
    qubits = [cirq.GridQubit(0, 2), cirq.GridQubit(0, 10), cirq.GridQubit(1, 0)] if grid else QUBITS
    rng = np.random.default_rng(2)
    circuits = tfq.convert_to_tensor(data_circuits(rng, 4, qubits))
    upstream = tf.constant(rng.normal(size=(4, 2)), tf.float32)
    layer = PQC(model_circuit(qubits), operators(qubits))
    variable = layer.parameters if LEGACY else layer.parameters.value
    with tf.GradientTape() as tape:
        values = layer(circuits)
    gradient = tape.gradient(values, variable, upstream)
    theirs = tfq.layers.ControlledPQC(model_circuit(qubits), operators(qubits))
    shared = tf.repeat(layer.get_weights()[0][np.newaxis], 4, axis=0)
    expected_values, expected_gradient = values_and_gradient(theirs, circuits, shared, upstream)
    np.testing.assert_allclose(values, expected_values, atol=1e-5)
    np.testing.assert_allclose(gradient, tf.reduce_sum(expected_gradient, axis=0), atol=1e-3)


@pytest.mark.skipif(not LEGACY, reason="TensorFlow Quantum's PQC fails under Keras 3")
@pytest.mark.usefixtures("uncompiled")
def test_pqc_is_tensorflow_quantum_s():
    ours, theirs = PQC(model_circuit(), operators()), tfq.layers.PQC(model_circuit(), operators())
    theirs.set_weights(ours.get_weights())
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(3), 4))
    found, expected = [], []
    for layer, results in ((ours, found), (theirs, expected)):
        with tf.GradientTape() as tape:
            values = layer(circuits)
            loss = tf.reduce_sum(values**2)
        results += [values, tape.gradient(loss, layer.trainable_variables[0])]
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-3)
    assert ours.symbols == theirs.symbols
    assert ours.symbol_values() == theirs.symbol_values()
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]


@pytest.mark.parametrize(
    ("arguments", "tolerance"),
    [
        ({"repetitions": 20000}, 0.1),
        ({"repetitions": 20000, "differentiator": "ParameterShift"}, 0.1),
        ({"repetitions": 20000, "backend": cirq.Simulator(seed=0)}, 0.1),
        ({"backend": cirq.Simulator()}, 1e-5),
        ({"backend": None}, 1e-5),
        ({"differentiator": "Adjoint"}, 1e-5),
        ({"differentiator": "ParameterShift"}, 1e-5),
        ({"differentiator": "ForwardDifference"}, 1e-5),
    ],
)
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_repetitions_backend_and_differentiator_are_used(kind, arguments, tolerance):
    if "differentiator" in arguments:
        arguments = {**arguments, "differentiator": getattr(tfq.differentiators, arguments["differentiator"])()}
    layer = kind(model_circuit(), operators(), **arguments)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(4), 2))
    weights = tf.constant([0.3, -0.4, 1.2])
    shared = tf.repeat(weights[tf.newaxis], 2, axis=0)
    if kind is PQC:
        layer.set_weights([weights.numpy()])
    found = layer(circuits if kind is PQC else [circuits, shared])
    _, exact = controlled_pair()
    expected = exact([circuits, shared])
    np.testing.assert_allclose(found, expected, atol=tolerance)
    if "repetitions" in arguments:
        assert np.abs(found - expected).max() > 1e-5


@pytest.mark.usefixtures("uncompiled")
def test_gradients_are_the_differentiator_s():
    arguments, coarse = (model_circuit(), operators()), tfq.differentiators.ForwardDifference
    ours = ControlledPQC(*arguments, differentiator=coarse(1, 0.1))
    theirs = tfq.layers.ControlledPQC(*arguments, differentiator=coarse(1, 0.1))
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 2), tf.constant([[0.3, -0.4, 1.2]] * 2)
    found, expected, exact = (
        values_and_gradient(layer, circuits, parameters, tf.ones((2, 2)))[1]
        for layer in (ours, theirs, controlled_pair()[0])
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - exact).max() > 0.01


@pytest.mark.usefixtures("uncompiled")
def test_repetitions_are_drawn_anew_as_by_tensorflow_quantum_and_have_the_exact_gradient():
    counted, exact = (ControlledPQC(model_circuit(), operators(), repetitions=many) for many in (5, None))
    theirs = tfq.layers.ControlledPQC(model_circuit(), operators(), repetitions=5)
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 2000), tf.constant([[0.3, -0.4, 1.2]] * 2000)
    (found, gradient), (_, expected) = (
        values_and_gradient(layer, circuits, parameters, tf.ones((2000, 2))) for layer in (counted, exact)
    )
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
    assert (np.asarray(found) != np.asarray(counted([circuits, parameters]))).any()
    for ours, others in zip(np.asarray(found).T, np.asarray(theirs([circuits, parameters])).T, strict=True):
        assert stats.ks_2samp(ours.round(3), others.round(3)).pvalue > 1e-4
        assert ours.std() == pytest.approx(others.std(), rel=0.1)


@pytest.mark.usefixtures("uncompiled")
def test_gradients_of_repetitions_by_parameter_shift_are_distributed_as_tensorflow_quantum_s():
    arguments, shift = (model_circuit(), operators()), tfq.differentiators.ParameterShift
    circuits, parameters = tfq.convert_to_tensor([cirq.Circuit()] * 1000), tf.constant([[0.3, -0.4, 1.2]] * 1000)
    upstream = tf.repeat([[1.0, -0.5]], 1000, axis=0)
    ours, theirs = (
        np.asarray(values_and_gradient(layer, circuits, parameters, upstream)[1])
        for layer in (
            kind(*arguments, repetitions=5, differentiator=shift())
            for kind in (ControlledPQC, tfq.layers.ControlledPQC)
        )
    )
    for one, other in zip(ours.T, theirs.T, strict=True):
        assert stats.ks_2samp(one.round(3), other.round(3)).pvalue > 1e-4
        assert one.std() == pytest.approx(other.std(), rel=0.1)


@pytest.mark.parametrize(("gate", "compiled"), [(cirq.CZ, True), (cirq.ISWAP, False)])
def test_gates_that_tensorflow_quantum_shifts_otherwise_are_left_to_it(gate, compiled):
    circuit = cirq.Circuit(cirq.H.on_each(*QUBITS), gate(*QUBITS[:2]) ** sympy.Symbol("a"))
    layer = ControlledPQC(
        circuit, cirq.X(QUBITS[0]), repetitions=5, differentiator=tfq.differentiators.ParameterShift()
    )
    assert (layer._run._spec is not None) == compiled


@pytest.fixture(params=["float64", "mixed_float16", "mixed_bfloat16"])
def policy(request):
    """A global policy of Keras."""
    if LEGACY:
        now, choose = keras.mixed_precision.global_policy(), keras.mixed_precision.set_global_policy
    else:
        now, choose = keras.config.dtype_policy(), keras.config.set_dtype_policy
    choose(request.param)
    yield request.param
    choose(now)


@pytest.mark.parametrize(("repetitions", "dtype"), [(None, None), (None, "float32"), (10, None)])
@pytest.mark.usefixtures("uncompiled")
def test_layers_are_trained_under_any_global_policy(policy, repetitions, dtype):
    arguments = {} if dtype is None else {"dtype": dtype}
    layer = PQC(model_circuit(), operators(), repetitions=repetitions, **arguments)
    controlled = ControlledPQC(model_circuit(), operators(), repetitions=repetitions, **arguments)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(8), 4))
    parameters = tf.fill((4, 3), 0.4)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            own, given = layer(circuits), controlled([circuits, parameters])
            loss = tf.reduce_sum(tf.cast(own, tf.float32) + tf.cast(given, tf.float32))
        return (
            own,
            given,
            tape.gradient(
                loss, [*layer.trainable_weights, parameters] if LEGACY else [layer.parameters.value, parameters]
            ),
        )

    own, given, gradients = step()
    assert own.dtype == given.dtype == layer.compute_dtype
    assert all(np.isfinite(gradient).all() and np.any(gradient) for gradient in gradients)
    if repetitions is None:
        expected = tfq.layers.Expectation(dtype="float32")(
            tfq.layers.AddCircuit(dtype="float32")(circuits, append=model_circuit()),
            symbol_names=controlled.symbols,
            symbol_values=parameters,
            operators=operators(),
        )
        np.testing.assert_allclose(tf.cast(given, tf.float32), expected, atol=0.02)


def test_symbols_are_known_by_name():
    qubit, symbol = cirq.LineQubit(0), sympy.Symbol("a", real=True)
    layer = ControlledPQC(cirq.Circuit(cirq.rx(2 * symbol).on(qubit)), cirq.Z(qubit))
    values = layer([tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.4]])])
    np.testing.assert_allclose(values, [[np.cos(0.8)]], atol=1e-6)


def test_what_cannot_be_compiled_is_tensorflow_quantum_s_to_refuse():
    qubit = cirq.LineQubit(0)
    noisy = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on(qubit), cirq.depolarize(0.1).on(qubit))
    for layer in (tfq.layers.ControlledPQC(noisy, cirq.Z(qubit)), ControlledPQC(noisy, cirq.Z(qubit))):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse gate id: DP"):
            layer([tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.4]])])


def test_pqc_starts_uniform_on_a_turn_and_each_layer_anew():
    qubit = cirq.LineQubit(0)
    symbols = [sympy.Symbol(f"s{number:03}") for number in range(200)]
    circuit = cirq.Circuit(cirq.rx(symbol).on(qubit) for symbol in symbols)
    first, second = (PQC(circuit, cirq.Z(qubit)) for _ in range(2))
    (start,), (other,) = first.get_weights(), second.get_weights()
    assert start.shape == (200,) and start.dtype == np.float32
    assert 0 <= start.min() < 0.3 and 2 * np.pi - 0.3 < start.max() <= 2 * np.pi
    assert not np.allclose(start, other)
    assert first.symbols == symbols
    assert first.symbol_values() == dict(zip(symbols, start, strict=True))


def test_pqc_takes_an_initializer_a_regularizer_and_a_constraint():
    layer = PQC(model_circuit(), operators(), initializer="ones", regularizer="l2", constraint="non_neg")
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones(3))
    np.testing.assert_allclose(sum(layer.losses), 3 * 0.01, rtol=1e-6)
    assert isinstance(layer.constraint, keras.constraints.NonNeg)


def hybrid_model(layer):
    circuits = keras.Input(shape=(), dtype="string")
    features = keras.Input(shape=(2,))
    controls = keras.layers.Dense(3, kernel_initializer="ones", bias_initializer="ones")(features)
    model = keras.Model([circuits, features], layer([circuits, controls]))
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse", jit_compile=False)
    return model


def test_a_hybrid_model_learns_along_the_same_losses():
    rng = np.random.default_rng(5)
    inputs = [tfq.convert_to_tensor(data_circuits(rng, 6)), tf.constant(rng.normal(size=(6, 2)), tf.float32)]
    targets = rng.uniform(-1, 1, (6, 2)).astype(np.float32)
    ours, theirs = (
        hybrid_model(layer).fit(inputs, targets, batch_size=6, epochs=20, verbose=0).history["loss"]
        for layer in controlled_pair()
    )
    assert ours[-1] < 0.9 * ours[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def pqc_model(layer):
    circuits = keras.Input(shape=(), dtype=tf.string)
    return keras.Model(circuits, layer(circuits))


@pytest.mark.parametrize("differentiator", [None, "Adjoint", "ParameterShift"])
def test_a_saved_pqc_predicts_the_same(differentiator, tmp_path):
    chosen = differentiator and getattr(tfq.differentiators, differentiator)()
    layer = PQC(model_circuit(), operators(), differentiator=chosen, regularizer="l2", constraint="non_neg")
    model = pqc_model(layer)
    assert tuple(model.output_shape) == (None, 2)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(6), 3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(circuits, verbose=0), model.predict(circuits, verbose=0))
    assert loaded.layers[-1].get_config() == layer.get_config()
    assert isinstance(loaded.layers[-1].constraint, keras.constraints.NonNeg)
    assert isinstance(loaded.layers[-1].regularizer, keras.regularizers.L2)


@pytest.mark.usefixtures("uncompiled")
def test_a_saved_controlled_pqc_predicts_the_same(tmp_path):
    model = hybrid_model(ControlledPQC(model_circuit(), operators()))
    assert tuple(model.output_shape) == (None, 2)
    rng = np.random.default_rng(7)
    inputs = [tfq.convert_to_tensor(data_circuits(rng, 3)), tf.constant(rng.normal(size=(3, 2)), tf.float32)]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def saved(layer, tmp_path):
    """A file of a model with that layer, and a function that changes the layer's configuration in the file."""
    model = pqc_model(layer) if isinstance(layer, PQC) else hybrid_model(layer)
    file = tmp_path / "model.keras"
    model.save(file)

    def change(**entries):
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        whole = json.loads(members["config.json"])
        (own,) = (entry for entry in whole["config"]["layers"] if entry["class_name"] == type(layer).__name__)
        own["config"] |= entries
        members["config.json"] = json.dumps(whole)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return file, change


@pytest.mark.parametrize("entry", ["model_circuit", "operators"])
@pytest.mark.parametrize("place", ["whole", "inside", "twice"])
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_a_stranger_s_file_runs_no_code(kind, place, entry, tmp_path):
    layer = kind(model_circuit(), operators())
    file, change = saved(layer, tmp_path)
    trace = tmp_path / "trace"
    code = f"symbols.__globals__['__builtins__']['open']('{trace}', 'w')"
    payload = json.dumps({"cirq_type": "sympy.Indexed", "args": ["a", code]})
    text = layer.get_config()[entry]
    if place == "whole":
        text = payload
    elif place == "inside":
        number = {"model_circuit": '{"cirq_type": "sympy.Symbol", "name": "b"}', "operators": "-2.0"}[entry]
        assert number in text
        text = text.replace(number, payload)
    else:  # what stands last counts
        field = {"model_circuit": '"moments"', "operators": '"coefficient"'}[entry]
        text = text.replace(field, f"{field}: {payload}, {field}", 1)
    change(**{entry: text})
    if place == "twice":
        keras.models.load_model(file, compile=False, safe_mode=True)
    else:
        with pytest.raises(ValueError, match=f"{entry.removeprefix('model_')}.* should be .*sympy.Indexed"):
            keras.models.load_model(file, compile=False, safe_mode=True)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("backend", "noisy", "backend should be 'noiseless' or None"),
        ("backend", {"class_name": "Simulator"}, "backend should be 'noiseless' or None"),
        ("differentiator", ["Adjoint"], "differentiator should be None or one of"),
        ("differentiator", "__class__", "differentiator should be None or one of"),
        ("repetitions", "10", "repetitions should be an integer"),
        ("repetitions", 2**31, "repetitions should be .* at most 2147483647"),
        ("model_circuit", None, "circuit should be text"),
        ("operators", [], "operators should be text"),
        ("operators", "[]", "operators should hold at least one"),
    ],
)
def test_entries_of_a_configuration_are_checked(entry, value, message):
    config = ControlledPQC(model_circuit(), operators()).get_config()
    with pytest.raises(ValueError, match=message):
        ControlledPQC.from_config({**config, entry: value})
    del config[entry]
    with pytest.raises(ValueError, match=f"the entry '{entry}'"):
        ControlledPQC.from_config(config)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
@pytest.mark.usefixtures("uncompiled")
def test_a_layer_keeps_what_it_was_given(kind):
    circuit, (string, total) = model_circuit(), operators()
    observables = [string, total]
    layer = kind(circuit, observables)
    before = layer.get_config()
    circuit.append(cirq.X(QUBITS[2]))
    total += 5
    observables.pop()
    assert layer.get_config() == before
    assert (
        len(layer.symbols) == 3
        and layer.compute_output_shape([(2,), (2, 3)] if kind is ControlledPQC else (2,))[1] == 2
    )
    copy = kind.from_config(before)
    inputs = tfq.convert_to_tensor([cirq.Circuit()] * 2)
    if kind is ControlledPQC:
        inputs = [inputs, tf.constant([[0.3, -0.4, 1.2]] * 2)]
    else:
        copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(inputs), copy(inputs))


def test_configuration_keeps_repetitions():
    layer = PQC(model_circuit(), cirq.Z(QUBITS[0]), repetitions=np.int64(7), name="counted")
    copy = PQC.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.get_config()["repetitions"] == 7 and copy.name == "counted"


def test_configuration_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match="backend 'noiseless' to save"):
        PQC(model_circuit(), operators(), backend=cirq.Simulator()).get_config()
    differentiator = tfq.differentiators.ForwardDifference(2, 0.1)
    with pytest.raises(ValueError, match=r"differentiator that takes no arguments.*ForwardDifference cannot"):
        ControlledPQC(model_circuit(), operators(), differentiator=differentiator).get_config()
    config = {**ControlledPQC(model_circuit(), operators()).get_config(), "differentiator": "CentralDifference"}
    with pytest.raises(ValueError, match="differentiator should be None or one of"):
        ControlledPQC.from_config(config)


@pytest.mark.parametrize(
    "arguments",
    [
        {"model_circuit": "circuit"},
        {"model_circuit": cirq.Circuit(cirq.X(QUBITS[0]))},
        {"operators": "Z"},
        {"operators": [cirq.Z(QUBITS[0]), "Z"]},
        {"repetitions": 1.5},
        {"repetitions": 0},
        {"backend": "noisy"},
        {"backend": "other"},
        {"backend": cirq.Simulator, "repetitions": 3},
        {"differentiator": "Adjoint"},
    ],
)
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_bad_arguments_raise_tensorflow_quantum_s_errors(kind, arguments):
    arguments = {"model_circuit": model_circuit(), "operators": operators(), **arguments}
    with pytest.raises((TypeError, ValueError)) as expected:
        getattr(tfq.layers, kind.__name__)(**arguments)
    with pytest.raises(expected.type) as found:
        kind(**arguments)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_more_qubits_than_the_machine_can_hold_are_refused(kind):
    qubits = cirq.LineQubit.range(45)
    circuit = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on_each(*qubits))
    with pytest.raises(MemoryError, match=r"45 qubits needs at least 524,288 GiB .*'tfq'"):
        kind(circuit, cirq.Z(qubits[0]))
    kind(circuit, cirq.Z(qubits[0]), repetitions=1, backend=cirq.Simulator())  # a device might have them


def test_what_the_compiled_engine_cannot_hold_runs_in_tensorflow_quantum(monkeypatch):
    class Memory:
        available = 8 * 16  # three qubits

    _, theirs = controlled_pair()  # which is kept, and made while there is memory
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    layer = ControlledPQC(model_circuit(), operators())
    assert layer._run._spec is None
    inputs = [tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.3, -0.4, 1.2]])]
    np.testing.assert_allclose(layer(inputs), theirs(inputs), atol=1e-5)


def test_a_batch_that_does_not_fit_is_refused_when_called(monkeypatch):
    class Memory:
        available = 2**20

    layer = ControlledPQC(model_circuit(), operators())
    circuits = tf.repeat(tfq.convert_to_tensor([cirq.Circuit()]), 50_000)
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(MemoryError, match=r"for 50,000 samples, .* smaller batches"):
        layer([circuits, tf.zeros((50_000, 3))])


@pytest.mark.parametrize("repetitions", [None, 3])
@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("sizes", [(1, 3), (3, 2), (2, 0)])
def test_circuits_and_parameters_are_of_one_number(sizes, traced, repetitions):
    circuits, rows = sizes
    layer = ControlledPQC(model_circuit(), operators(), repetitions=repetitions)
    inputs = tfq.convert_to_tensor([cirq.Circuit()] * 3)[:circuits], tf.ones((rows, 3))
    run = lambda *inputs: layer(list(inputs))  # noqa: E731
    if traced:
        run = tf.function(run, input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 3])])
    message = rf"Number of circuits and symbol_values do not match. Got {circuits} circuits and {rows} symbol values"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(*inputs)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_circuits_are_a_list_of_strings(kind):
    layer = kind(model_circuit(), operators())
    circuits = tfq.convert_to_tensor([cirq.Circuit()] * 4)
    for wrong in (tf.reshape(circuits, (2, 2)), tf.reshape(circuits, (4, 1)), circuits[0], tf.zeros(4)):
        with pytest.raises(ValueError, match=r"Circuits should be strings of shape \[batch\].* got (string|float32)"):
            layer(wrong if kind is PQC else [wrong, tf.zeros((4, 3))])


def test_controlled_pqc_is_called_with_a_pair():
    with pytest.raises(ValueError, match=r"should be called with \[circuits, parameters\]"):
        controlled_pair()[0](tfq.convert_to_tensor([cirq.Circuit()] * 2))


def test_a_circuit_that_takes_minutes_to_compile_runs_in_tensorflow_quantum():
    first, second, _ = QUBITS
    rng, turn = np.random.default_rng(0), cirq.rx(sympy.Symbol("a"))
    # At random: layers that are alike would be compiled once.
    circuit = cirq.Circuit([turn.on(QUBITS[rng.integers(2)]), cirq.CNOT(first, second)] for _ in range(1_500))
    inputs = [tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.01]])]
    ours, theirs = (kind(circuit, cirq.Z(first)) for kind in (ControlledPQC, tfq.layers.ControlledPQC))
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-5)


def test_bad_inputs_are_named():
    ours, _ = controlled_pair()
    circuits = tfq.convert_to_tensor([cirq.Circuit()] * 2)
    with pytest.raises(ValueError, match=r"data should have shape \[None, 3\].*got \[2, 4\]"):
        ours([circuits, tf.zeros((2, 4))])
    unbound = tfq.convert_to_tensor([cirq.Circuit(cirq.rx(sympy.Symbol("x")).on(QUBITS[0]))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not find symbol in parameter map: x"):
        ours([unbound, tf.zeros((1, 3))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unparseable proto"):
        ours([tf.constant(["no circuit"]), tf.zeros((1, 3))])


def test_other_backends_of_keras_are_refused(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"runs on TensorFlow, but Keras uses 'jax'.*CircuitLayer"):
        PQC(model_circuit(), operators())
