"""Evidence fusion as a layer."""

import math

import cirq
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion._keras import keras
from tfq_fusion.layers import EvidenceFusion

pytestmark = pytest.mark.keras
eagerly = pytest.mark.usefixtures("uncompiled")


def masses(modalities=2, propositions=2, batch=5, seed=0):
    rng = np.random.default_rng(seed)
    return list(rng.uniform(size=(modalities, batch, propositions)).astype(np.float32))


def random_weights(layer, seed=0):
    layer.set_weights([np.random.default_rng(seed).uniform(-3, 3, weight.shape) for weight in layer.get_weights()])


def built(**arguments):
    layer = EvidenceFusion(**arguments)
    layer.build((None, 2, 2))
    random_weights(layer)
    return layer


@eagerly
def test_output_is_the_circuit_s_expectation_at_the_angles_of_the_masses():
    layer, inputs = built(), masses(batch=2)
    found = np.asarray(layer(inputs))
    for sample in range(2):
        angles = [2 * math.asin(math.sqrt(mass)) for modality in inputs for mass in modality[sample]]
        symbols = (*layer.circuit.spec.data_symbols, *layer.circuit.spec.weight_symbols)
        values = dict(zip(symbols, (*angles, *layer.get_weights()[0]), strict=True))
        expected = cirq.Simulator().simulate_expectation_values(
            layer.circuit.spec.circuit, list(layer.circuit.spec.operators), param_resolver=values
        )
        np.testing.assert_allclose(found[sample], np.real(expected), atol=1e-5)


@eagerly
def test_both_engines_give_the_same_values_and_gradients():
    inputs, found = tf.constant(np.stack(masses(), axis=1)), []
    for engine in ("compiled", "tfq"):
        layer = built(engine=engine)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            fused = layer(inputs)
            loss = tf.reduce_sum(fused * np.linspace(-1, 1, 15, dtype=np.float32))
        found.append([fused, *tape.gradient(loss, [inputs, layer.trainable_variables[0]])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


@settings(max_examples=10)
@given(st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=2), min_size=2, max_size=2))
def test_without_a_qcnn_the_output_is_one_minus_twice_the_fused_possibility(table):
    layer = EvidenceFusion(convolution=None)
    layer.build((None, 2, 2))
    for weights, fused in (
        ([0, 0, 0, np.pi, 0], np.prod(table, axis=0)),
        ([np.pi, 0, 0, 0, -np.pi], 1 - np.prod(1 - np.array(table), axis=0)),
    ):
        layer.set_weights([np.tile(weights, 2)])
        np.testing.assert_allclose(layer(np.float32([table]))[0], 1 - 2 * fused, atol=1e-5)


@pytest.mark.parametrize(("modalities", "arguments"), [(2, {}), (3, {"convolution": None})])
def test_the_mixture_gives_what_the_circuit_gives(modalities, arguments):
    inputs, found = tf.constant(np.stack(masses(modalities), axis=1)), []
    for method in ("circuit", "mixture"):
        layer = EvidenceFusion(**arguments, method=method)
        layer.build(inputs.shape)
        random_weights(layer)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            fused = layer(inputs)
            loss = tf.reduce_sum(fused * np.linspace(-1, 2, fused.shape[1], dtype=np.float32))
        found.append([fused, *tape.gradient(loss, [inputs, layer.trainable_variables[0]])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@eagerly
def test_the_mixture_fuses_more_modalities_than_a_circuit_can():
    layer = EvidenceFusion(method="mixture")
    assert np.isfinite(layer(masses(modalities=20, propositions=3))).all()
    assert len(layer.circuit.spec.circuit.all_qubits()) == 63


def test_it_begins_as_a_vote_in_which_all_modalities_count_alike():
    layer = EvidenceFusion()
    layer.build([(None, 4)] * 3)
    np.testing.assert_allclose(layer.combination, [[0, np.pi / 3, np.pi / 3, np.pi / 3, 0, 0]] * 4, rtol=1e-6)
    qcnn = layer.get_weights()[0][4 * 6 :]
    assert len(qcnn) == 15 + 2 + 15
    assert len(set(qcnn)) == 32
    assert np.abs(qcnn).max() <= np.pi


def test_without_a_seed_two_layers_begin_with_other_weights():
    one, other = EvidenceFusion(), EvidenceFusion()
    for layer in (one, other):
        layer.build((None, 2, 2))
    assert (one.get_weights()[0][10:] != other.get_weights()[0][10:]).all()
    same = EvidenceFusion.from_config(one.get_config())
    same.build((None, 2, 2))
    np.testing.assert_array_equal(same.get_weights(), one.get_weights())


def test_a_seed_fixes_the_weights_of_the_qcnn():
    layers = [EvidenceFusion(seed=seed) for seed in (3, 3, 4)]
    for layer in layers:
        layer.build((None, 2, 2))
    one, same, other = (layer.get_weights()[0][10:] for layer in layers)
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()


@eagerly
def test_a_list_and_a_stacked_tensor_give_the_same():
    layer, inputs = built(), masses()
    listed = layer(inputs)
    np.testing.assert_array_equal(layer(tuple(inputs)), listed)
    np.testing.assert_array_equal(layer(np.stack(inputs, axis=1)), listed)
    assert not np.allclose(layer(inputs[::-1]), listed)


@eagerly
def test_certainty_is_a_mass_too_and_has_finite_gradients():
    layer = built()
    inputs = tf.constant([[[0.0, 1.0], [1, 0]], [[0, 0], [1, 1]], [[0.5, 1e-9], [1 - 1e-7, 0.5]]])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) * np.linspace(-1, 1, 15, dtype=np.float32))
    for gradient in tape.gradient(loss, [inputs, layer.trainable_variables[0]]):
        assert np.isfinite(gradient).all()
    integers = np.array([[[0, 1], [1, 0]], [[0, 0], [1, 1]]])
    np.testing.assert_array_equal(layer(integers), layer(integers.astype(np.float32)))


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16"])
@pytest.mark.parametrize("method", ["circuit", "mixture"])
@eagerly
def test_certainty_has_finite_gradients_in_half_precision_too(dtype, method):
    layer, single = (EvidenceFusion(None, method=method, dtype=dtype) for dtype in (dtype, "float32"))
    inputs = tf.constant([[[0.0], [1]], [[1], [0]], [[0], [0]], [[1], [1]], [[0.5], [0.25]]], layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        fused = layer(inputs)
        loss = tf.reduce_sum(fused)
    for gradient in tape.gradient(loss, [inputs, layer.trainable_variables[0]]):
        assert np.isfinite(np.asarray(gradient).astype("f")).all()
    np.testing.assert_allclose(np.asarray(fused).astype("f"), single(tf.cast(inputs, "float32")), atol=0.03)


@eagerly
def test_every_weight_gets_a_gradient():
    layer = built()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(masses(batch=20)) * np.random.default_rng(0).normal(size=(20, 15)).astype("f"))
    (gradient,) = tape.gradient(loss, layer.trainable_variables)
    assert (np.abs(gradient) > 1e-6).all()


@pytest.mark.parametrize(
    ("arguments", "width"), [({}, 15), ({"readout": "z"}, 1), ({"convolution": None}, 3), ({"engine": "tfq"}, 15)]
)
@eagerly
def test_the_output_shape_is_exact(arguments, width):
    assert EvidenceFusion(**arguments).compute_output_shape([(7, 3), (7, 3)]) == (7, width)
    assert tuple(EvidenceFusion(**arguments)(keras.Input((2, 3))).shape) == (None, width)


def test_graphs_and_xla_give_what_eager_calls_give():
    layer, inputs = built(), np.stack(masses(), axis=1)
    eager = layer(inputs)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 2, 2))])
    for function in (graph, tf.function(layer, jit_compile=True)):
        np.testing.assert_allclose(function(inputs), eager, atol=1e-6)


@eagerly
def test_it_computes_in_its_own_precision():
    double, single = built(dtype="float64"), built()
    found = np.asarray(double([modality.astype(np.float64) for modality in masses()]))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, single(masses()), atol=1e-5)


def test_the_config_makes_an_equal_layer():
    arguments = {"convolution": "tutorial", "readout": "z", "engine": "tfq", "seed": 7, "method": "mixture"}
    config = EvidenceFusion(**arguments).get_config()
    assert config.items() >= arguments.items()
    assert EvidenceFusion.from_config(config).get_config() == config


@eagerly
def test_a_saved_model_predicts_the_same(tmp_path):
    inputs = [keras.Input((2,)) for _ in range(2)]
    layer = EvidenceFusion()
    model = keras.Model(inputs, layer(inputs))
    random_weights(layer)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(masses()), model(masses()))


@pytest.mark.parametrize(
    ("mass", "said"), [(-0.25, "-0.25 from modality 1 for proposition 0"), (1.5, "1.5 from modality 1")]
)
def test_masses_outside_zero_and_one_are_named(mass, said):
    inputs = masses()
    inputs[1][3, 0] = mass
    with pytest.raises(ValueError, match=rf"Masses should be within \[0, 1\], got {said}.*\(sample 3\)"):
        EvidenceFusion()(inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([np.ones((2, 4)), np.ones((2, 3))], r"judge the same propositions, got modalities with \[4, 3\] masses"),
        ([np.ones((2, 4))], "at least two modalities, got 1"),
        (np.ones((2, 4)), "expects a list of"),
        ([np.ones((2, 2)), np.full((2, 2), np.nan)], "Modality 1 holds NaN or infinite"),
        ([np.ones((2, 1)), np.ones((2, 1))], "pooling would leave no qubit"),
    ],
)
def test_inputs_that_are_no_evidence(inputs, message):
    with pytest.raises(ValueError, match=message):
        EvidenceFusion()(inputs)


def test_a_built_layer_knows_its_propositions():
    with pytest.raises(ValueError, match=r"built for modalities of \(2, 2\) features, got \(3, 3\)"):
        built()([np.ones((2, 3)), np.ones((2, 3))])
    with pytest.raises(ValueError, match="judge the same propositions"):
        EvidenceFusion().compute_output_shape([(None, 4), (None, 3)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"convolution": "su2"}, "convolution should be one of"),
        ({"readout": "x"}, "readout should be one of"),
        ({"engine": "qsim"}, "engine should be one of"),
        ({"method": "exact"}, r"method should be one of \['circuit', 'mixture'\], got 'exact'"),
        ({"seed": -1}, "seed should be an integer of at least 0, got -1"),
    ],
)
def test_bad_arguments_fail_where_they_are_written(arguments, message):
    with pytest.raises(ValueError, match=message):
        EvidenceFusion(**arguments)
