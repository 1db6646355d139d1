"""Any circuit as a layer: its values are Cirq's, it trains, and it is saved whole."""

import math

import cirq
import numpy as np
import pytest
import sympy

from tfq_fusion._keras import LEGACY, keras, ops
from tfq_fusion.circuits import (
    ModelCircuit,
    MultiplexedRotation,
    evidence_fusion_circuit,
    qcnn_circuit,
    qfl_circuit,
)
from tfq_fusion.layers import CircuitLayer

pytestmark = pytest.mark.keras

QUBITS = cirq.LineQubit.range(2)
X, Y, A, B = sympy.symbols("x y a b")
CIRCUIT = cirq.Circuit(
    cirq.ry(X)(QUBITS[0]),
    cirq.rx(B)(QUBITS[0]),
    cirq.CNOT(*QUBITS),
    cirq.ry(Y)(QUBITS[1]),
    cirq.rx(A)(QUBITS[1]),
    cirq.H(QUBITS[0]),
)
OPERATORS = [cirq.Z(QUBITS[0]) * cirq.X(QUBITS[1]), 0.5 * cirq.Z(QUBITS[1]) + 2.0]


def simulated(spec, features, weights, states=None):
    """The expectation values ``[batch, operators]``, sample by sample, by Cirq's simulator."""
    symbols = (*spec.data_symbols, *spec.weight_symbols)
    rows = []
    for sample, row in enumerate(features):
        rows.append(
            cirq.Simulator(dtype=np.complex128).simulate_expectation_values(
                spec.circuit,
                list(spec.operators),
                dict(zip(symbols, (*row, *weights), strict=True)),
                initial_state=None if states is None else states[sample],
            )
        )
    return np.real(rows)


def weights_of(layer):
    return ops.convert_to_numpy(layer.theta) if layer.theta is not None else np.zeros(0)


def test_symbols_that_are_no_data_are_weights_in_the_order_of_their_names():
    layer = CircuitLayer(CIRCUIT, OPERATORS, data_symbols=[Y, X], scale=0.5, seed=1)
    features = np.array([[0.1, 0.7], [1.0, -2.0], [0.0, 0.3]], "float32")
    found = ops.convert_to_numpy(layer(features))
    assert (layer.spec.data_symbols, layer.spec.weight_symbols) == ((Y, X), (A, B))
    np.testing.assert_allclose(found, simulated(layer.spec, 0.5 * features, weights_of(layer)), atol=1e-6)
    assert found.dtype == "float32"
    assert layer.compute_output_shape((None, 2)) == (None, 2)


@pytest.mark.parametrize(
    "spec",
    [
        qfl_circuit(2, 2, degree=2, observables=3),
        qcnn_circuit(4, "su4", encoding="angle"),
        evidence_fusion_circuit(2, 2, "tutorial", "z"),
    ],
    ids=["qfl", "qcnn", "evidence"],
)
def test_what_the_builders_make_has_cirq_s_values(spec):
    layer = CircuitLayer(spec, seed=0)
    features = np.random.default_rng(0).uniform(-1, 1, (2, len(spec.data_symbols))).astype("float32")
    found = ops.convert_to_numpy(layer(features))
    np.testing.assert_allclose(found, simulated(spec, features, weights_of(layer)), atol=1e-5)


def test_a_list_of_tensors_is_one_after_the_other():
    spec = qfl_circuit(2, 2, degree=1, observables=3)
    layer = CircuitLayer(spec, seed=0)
    features = np.random.default_rng(0).uniform(-1, 1, (3, 4)).astype("float32")
    parts = layer([features[:, :1], features[:, 1:]])
    np.testing.assert_array_equal(ops.convert_to_numpy(parts), ops.convert_to_numpy(layer(features)))
    assert layer.compute_output_shape([(3, 1), (3, 3)]) == (3, 3)


@pytest.mark.parametrize(
    ("circuit", "data", "weights"),
    [
        (cirq.Circuit(cirq.rx(A)(QUBITS[0])), (), (A,)),
        (cirq.Circuit(cirq.rx(X)(QUBITS[0])), (X,), ()),
        (cirq.Circuit(cirq.H(QUBITS[0])), (), ()),
    ],
    ids=["no data", "no weights", "neither"],
)
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_a_circuit_may_lack_data_weights_or_both_and_have_one_operator(tmp_path, circuit, data, weights):
    operator = cirq.Z(QUBITS[0]) + cirq.X(QUBITS[0])
    layer = CircuitLayer(circuit, operator, data_symbols=data, seed=3)
    assert layer.spec.weight_symbols == weights
    features = np.full((3, len(data)), 0.4, "float32")
    inputs = keras.Input((len(data),))
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    expected = simulated(layer.spec, features, weights_of(layer))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(features)), expected, atol=1e-6)
    assert layer.count_params() == len(weights)
    model.compile("adam", "mse")
    model.fit(features, np.ones((3, 1), "float32"), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(features, verbose=0), model.predict(features, verbose=0), atol=1e-6)


def test_states_are_what_each_sample_starts_from():
    spec = qfl_circuit(2, 1, degree=1, observables=3)
    rng = np.random.default_rng(0)
    states = rng.normal(size=(4, 8)) + 1j * rng.normal(size=(4, 8))
    states = (states / np.linalg.norm(states, axis=1, keepdims=True)).astype("complex64")
    features = rng.uniform(-1, 1, (4, 2)).astype("float32")
    layer = CircuitLayer(spec, seed=0)
    found = ops.convert_to_numpy(layer(features, states))
    np.testing.assert_allclose(found, simulated(spec, features, weights_of(layer), states), atol=1e-5)


@pytest.mark.skipif(LEGACY, reason="legacy Keras hands complex inputs on as they are, and saves no second argument")
def test_states_are_a_second_input_of_a_functional_model(tmp_path):
    spec = qfl_circuit(2, 1, degree=1, observables=3)
    features, real = keras.Input((2,)), keras.Input((8,))
    model = keras.Model([features, real], CircuitLayer(spec, seed=0)(features, states=real))
    batch = [np.full((2, 2), 0.3, "float32"), np.eye(8, dtype="float32")[[1, 5]]]
    before = model.predict(batch, verbose=0)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.models.load_model(tmp_path / "model.keras").predict(batch, verbose=0), before, atol=1e-6
    )


def test_noise_after_every_gate_is_exact_it_trains_and_it_is_saved(tmp_path):
    # A qubit that is turned by x + a and loses a share of its Bloch vector after each of both gates.
    circuit, rate = cirq.Circuit(cirq.ry(X)(QUBITS[0]), cirq.ry(A)(QUBITS[0])), 0.15
    layer = CircuitLayer(circuit, cirq.Z(QUBITS[0]), [X], noise=cirq.depolarize(rate), seed=0)
    features = np.array([[0.3], [-1.2]], "float32")
    expected = (1 - 4 / 3 * rate) ** 2 * np.cos(features + weights_of(layer))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(features)), expected, atol=1e-6)
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(0.3), "mse")
    model.fit(features, -np.ones((2, 1)), epochs=3, verbose=0)
    assert (ops.convert_to_numpy(layer(features)) < expected).any()
    model.save(tmp_path / "noisy.keras")
    again = keras.models.load_model(tmp_path / "noisy.keras")
    np.testing.assert_allclose(again.predict(features, verbose=0), model.predict(features, verbose=0), atol=1e-6)
    assert again.layers[0].spec == layer.spec


@pytest.mark.parametrize("seed", range(3))
def test_any_seed_draws_shots(seed):
    layer = CircuitLayer(cirq.Circuit(cirq.ry(X)(QUBITS[0])), cirq.Z(QUBITS[0]), [X], shots=1, seed=seed)
    assert set(np.ravel(ops.convert_to_numpy(layer(np.ones((30, 1)))))) == {-1, 1}


def test_a_layer_trains_from_shots_alone_and_is_saved_so(tmp_path):
    # A qubit that is turned by x + a.
    circuit = cirq.Circuit(cirq.ry(X)(QUBITS[0]), cirq.ry(A)(QUBITS[0]))
    layer = CircuitLayer(
        circuit,
        cirq.Z(QUBITS[0]),
        [X],
        shots=50,
        differentiator="parameter_shift",
        initializer=keras.initializers.Constant(1.0),
        seed=0,
    )
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(0.2), "mse")
    model.fit(np.zeros((40, 1)), -np.ones((40, 1)), batch_size=8, epochs=5, verbose=0)
    assert (ops.convert_to_numpy(layer(np.zeros((100, 1)))).mean()) < -0.8
    model.save(tmp_path / "model.keras")
    (again,) = keras.models.load_model(tmp_path / "model.keras").layers
    assert (again.shots, again.differentiator) == (50, "parameter_shift")
    assert again.get_config() == layer.get_config()


def test_double_precision_is_double_precision():
    layer = CircuitLayer(CIRCUIT, OPERATORS, data_symbols=[X, Y], dtype="float64", seed=1)
    features = np.array([[0.1, 0.7], [1.0, -2.0]])
    found = ops.convert_to_numpy(layer(ops.convert_to_tensor(features, "float64")))
    if keras.backend.backend() == "jax":
        pytest.skip("JAX has doubles only where they were switched on")
    assert found.dtype == "float64"
    np.testing.assert_allclose(found, simulated(layer.spec, features, weights_of(layer)), atol=1e-12)


def test_weights_begin_are_kept_small_and_bounded_as_told():
    layer = CircuitLayer(
        CIRCUIT,
        OPERATORS,
        data_symbols=[X, Y],
        initializer=keras.initializers.Constant(2.0),
        regularizer=keras.regularizers.L2(0.5),
        constraint=keras.constraints.MaxNorm(1.0),
    )
    model = keras.Sequential([keras.Input((2,)), layer])
    assert weights_of(layer).tolist() == [2.0, 2.0]
    assert float(sum(ops.convert_to_numpy(loss) for loss in model.losses)) == pytest.approx(0.5 * 8)
    model.compile("sgd", "mse")
    model.fit(np.zeros((2, 2)), np.zeros((2, 2)), verbose=0)
    assert np.linalg.norm(weights_of(layer)) == pytest.approx(1.0, abs=1e-5)


def test_a_seed_draws_the_weights_and_without_one_they_differ():
    layers = [CircuitLayer(CIRCUIT, OPERATORS, [X, Y], seed=seed) for seed in (4, 4, None, None)]
    first, same, other, another = map(weights_of, layers)
    np.testing.assert_array_equal(first, same)
    assert (other != another).all()
    assert (np.abs(first) <= math.pi).all()


GATES = cirq.Circuit(
    MultiplexedRotation([X, Y, A, B], "x")(*cirq.LineQubit.range(3)),
    cirq.X(QUBITS[0]).controlled_by(QUBITS[1]) ** A,
    cirq.PhasedXPowGate(phase_exponent=0.3, exponent=B)(QUBITS[1]),
    cirq.FSimGate(A, 0.2)(*QUBITS),
    cirq.ISWAP(*QUBITS) ** 0.5,
)


def test_a_model_is_saved_with_its_circuit_operators_and_symbols(tmp_path):
    layer = (
        CircuitLayer(
            GATES,
            OPERATORS,
            data_symbols=[Y, X],
            initializer="glorot_uniform" if LEGACY else keras.initializers.RandomNormal(stddev=0.1, seed=2),
            regularizer=keras.regularizers.L1(0.1),
            constraint=keras.constraints.NonNeg(),
            scale=0.3,
            seed=5,
        )
        if not LEGACY
        else CircuitLayer(GATES, OPERATORS, data_symbols=[Y, X], scale=0.3, seed=5)
    )
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    features = np.random.default_rng(0).uniform(-1, 1, (4, 2)).astype("float32")
    before = model.predict(features, verbose=0)
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict(features, verbose=0), before, atol=1e-6)
    again = model.layers[0]
    assert again.spec == layer.spec
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"circuit": "__import__('os')"}, "circuit should be Cirq's JSON"),
        ({"operators": "[1]"}, r"operators\[0\] should be an object"),
        ({"data_symbols": "xy"}, "data_symbols should be a list of names, got 'xy'"),
        ({"weight_symbols": ["a"]}, r"symbols that nobody binds: \['b'\]"),
    ],
)
def test_a_configuration_that_no_layer_wrote_is_refused(change, message):
    config = CircuitLayer(CIRCUIT, OPERATORS, [X, Y], seed=0).get_config()
    with pytest.raises(ValueError, match=message):
        CircuitLayer.from_config({**config, **change})
    (name,) = change
    del config[name]
    with pytest.raises(ValueError, match=f"Expected the entry '{name}'"):
        CircuitLayer.from_config(config)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, {"circuit": "H"}, "circuit should be a ModelCircuit or a circuit of Cirq, got str"),
        (TypeError, {"operators": None}, "operators should be what is measured"),
        (TypeError, {"circuit": ModelCircuit(CIRCUIT, (X, Y), (A, B), OPERATORS)}, "a ModelCircuit has its own"),
        (TypeError, {"data_symbols": ["x"]}, "data_symbols should be a sequence of sympy.Symbol"),
        (ValueError, {"data_symbols": [X, X]}, r"listed again: \['x'\]"),
        (ValueError, {"engine": "qsim"}, "engine should be one of"),
        (
            ValueError,
            {"differentiator": "shift"},
            r"differentiator should be one of .*'parameter_shift'\], got 'shift'",
        ),
        (ValueError, {"scale": math.inf}, "scale should be a finite number"),
        (ValueError, {"seed": -1}, "seed should be an integer of at least 0"),
        (ValueError, {"dtype": "int32"}, "dtype should be a floating-point type"),
    ],
)
def test_bad_arguments_fail_where_they_are_written(error, arguments, message):
    with pytest.raises(error, match=message):
        CircuitLayer(**{"circuit": CIRCUIT, "operators": OPERATORS, "data_symbols": [X], **arguments})


@pytest.mark.parametrize("shapes", [(5, 3), [(5, 1), (5, 2)], (5, 2, 1), [(5, 2), (5,)]])
def test_features_that_do_not_fit_the_circuit_are_named(shapes):
    inputs = [np.zeros(shape, "float32") for shape in shapes] if isinstance(shapes, list) else np.zeros(shapes)
    with pytest.raises(ValueError, match=r"features of shape \[batch, 2\], one column for each .*\['x', 'y'\].*; got"):
        CircuitLayer(CIRCUIT, OPERATORS, [X, Y])(inputs)


def test_features_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="Features should be real numbers"):
        CircuitLayer(CIRCUIT, OPERATORS, [X, Y])(np.zeros((2, 2), "complex64"))
