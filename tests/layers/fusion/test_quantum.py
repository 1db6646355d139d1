"""The Quantum Fusion Layer: what it has of its own."""

import math

import cirq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.layers import QuantumFusionLayer

pytestmark = pytest.mark.keras


def test_output_is_the_circuit_s_expectation_at_scaled_angles(features):
    layer = QuantumFusionLayer(2, observables=5, scale=0.7, measurement="pauli_plane", seed=1)
    inputs = features(3, 1, batch=2)
    found = np.asarray(layer(inputs))
    symbols = (*layer.circuit.spec.data_symbols, *layer.circuit.spec.weight_symbols)
    for sample in range(2):
        angles = 0.7 * np.concatenate([modality[sample] for modality in inputs])
        values = dict(zip(symbols, (*angles, *layer.get_weights()[0]), strict=True))
        expected = cirq.Simulator().simulate_expectation_values(
            layer.circuit.spec.circuit, list(layer.circuit.spec.operators), param_resolver=values
        )
        np.testing.assert_allclose(found[sample], np.real(expected), atol=1e-5)


@settings(deadline=None, max_examples=20)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    degree=st.integers(1, 4),
    blocks=st.integers(1, 2),
)
def test_number_of_weights_follows_the_formula(widths, degree, blocks):
    layer = QuantumFusionLayer(degree, blocks=blocks, observables=1)
    layer.build([(None, width) for width in widths])
    qubits = math.ceil(math.log2(sum(widths) + 1)) + 1
    assert layer.count_params() == 3 * qubits * blocks * (degree + 1)


def test_default_scale_keeps_features_within_a_quarter_turn():
    assert QuantumFusionLayer(1).scale == math.pi / 2


def test_without_a_seed_two_layers_measure_other_observables():
    first, second = QuantumFusionLayer(1, observables=4), QuantumFusionLayer(1, observables=4)
    for layer in (first, second):
        layer.build((None, 2, 2))
    assert first.circuit.spec.operators != second.circuit.spec.operators
    assert (first.get_weights()[0] != second.get_weights()[0]).all()


def test_another_seed_measures_other_observables():
    first, second = (QuantumFusionLayer(1, observables=4, seed=seed) for seed in (0, 1))
    for layer in (first, second):
        layer.build((None, 2, 2))
    assert first.circuit.spec.operators != second.circuit.spec.operators
    assert first.circuit.spec.circuit == second.circuit.spec.circuit


def test_locality_may_be_that_of_a_wider_register_than_the_smallest():
    layer = QuantumFusionLayer(1, observables=4, locality=5)
    layer.build((None, 4, 4))
    assert {len(operator.qubits) for operator in layer.circuit.spec.operators} == {5}
    with pytest.raises(ValueError, match="locality should be between 1 and the 3 qubits, got 5"):
        QuantumFusionLayer(1, observables=4, locality=5).build((None, 2, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"degree": 0}, "degree should be an integer of at least 1, got 0"),
        ({"degree": 1, "locality": 0}, "locality should be an integer of at least 1, got 0"),
        ({"degree": 1.5}, "degree should be an integer"),
        ({"blocks": 0}, "blocks should be"),
        ({"entangler": "star"}, "entangler should be one of"),
        ({"signal": "rw"}, "signal should be one of"),
        ({"measurement": "all"}, "measurement should be one of"),
        ({"engine": "qsim"}, "engine should be one of"),
        ({"engine": ["tfq"]}, "engine should be one of"),
        ({"differentiator": "shift"}, "differentiator should be one of"),
        ({"entangler": None}, "entangler should be one of"),
        ({"measurement": {}}, "measurement should be one of"),
        ({"scale": math.nan}, "scale should be a finite number, got nan"),
        ({"scale": "a"}, "scale should be a finite number, got 'a'"),
        ({"scale": None}, "scale should be a finite number, got None"),
        ({"scale": True}, "scale should be a finite number, got True"),
        ({"observables": 8.0}, "observables should be an integer"),
        ({"dtype": "int32"}, "dtype should be a floating-point type"),
    ],
)
def test_bad_arguments_fail_where_they_are_written(arguments, message):
    with pytest.raises(ValueError, match=message):
        QuantumFusionLayer(**{"degree": 1, **arguments})


def test_more_observables_than_there_are_fail_at_build():
    with pytest.raises(ValueError, match="between 1 and 63"):
        QuantumFusionLayer(1, observables=64).build((None, 2, 1))


def hybrid(engines):
    """Dense encoders, one QFL for each engine, and a head, from fixed initial weights."""
    inputs = keras.Input((2, 3))

    def dense(units, activation, seed):
        return keras.layers.Dense(units, activation, kernel_initializer=keras.initializers.GlorotUniform(seed))

    encoded = dense(2, "tanh", 1)(inputs)
    fused = [QuantumFusionLayer(2, observables=6, engine=engine, seed=3)(encoded) for engine in engines]
    joined = fused[0] if len(fused) == 1 else keras.layers.Concatenate()(fused)
    return keras.Model(inputs, dense(2, "softmax", 2)(joined))


def losses(model, steps):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(8, 2, 3)).astype(np.float32)
    labels = rng.integers(0, 2, 8)
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model.fit(inputs, labels, batch_size=8, epochs=steps, verbose=0).history["loss"]


def test_both_engines_learn_along_the_same_losses():
    compiled, tfq = (losses(hybrid([engine]), steps=20) for engine in ("compiled", "tfq"))
    np.testing.assert_allclose(compiled, tfq, atol=1e-4)
    assert compiled[-1] < 0.9 * compiled[0]


def test_engines_mix_in_one_model():
    found = losses(hybrid(["compiled", "tfq"]), steps=10)
    assert found[-1] < 0.9 * found[0]


def test_noise_is_that_of_cirq_s_density_matrices_and_is_saved(features):
    layer = QuantumFusionLayer(1, observables=4, noise=cirq.amplitude_damp(0.05), seed=2)
    inputs = features(2, 1, batch=2)
    found = np.asarray(layer(inputs))
    spec = layer.circuit.spec
    qubits = sorted(spec.circuit.all_qubits())
    for sample in range(2):
        angles = math.pi / 2 * np.concatenate([modality[sample] for modality in inputs])
        values = dict(zip((*spec.data_symbols, *spec.weight_symbols), (*angles, *layer.get_weights()[0]), strict=True))
        density = cirq.DensityMatrixSimulator().simulate(spec.circuit, values, qubit_order=qubits).final_density_matrix
        where = {qubit: place for place, qubit in enumerate(qubits)}
        expected = [each.expectation_from_density_matrix(density, where).real for each in spec.operators]
        np.testing.assert_allclose(found[sample], expected, atol=1e-5)
    again = QuantumFusionLayer.from_config(layer.get_config())
    assert again.noise == layer.noise
    assert again.get_config() == layer.get_config()


def test_a_noise_model_is_taken_and_not_saved():
    layer = QuantumFusionLayer(1, observables=2, noise=cirq.NoiseModel.from_noise_model_like(cirq.depolarize(0.1)))
    layer.build([(None, 1), (None, 1)])
    assert any(isinstance(each.gate, cirq.DepolarizingChannel) for each in layer.circuit.spec.circuit.all_operations())
    with pytest.raises(NotImplementedError, match="Save its weights, or give a channel as noise"):
        layer.get_config()


def test_noise_that_is_none_fails_where_it_is_written():
    with pytest.raises(TypeError, match="noise should be a channel of one qubit"):
        QuantumFusionLayer(1, noise=0.1)


@pytest.mark.parametrize("noise", [None, cirq.depolarize(0.02)])
def test_gradients_of_shots_come_from_shifted_circuits_with_noise_too(features, noise):
    import tensorflow as tf

    arguments = {"observables": 2, "noise": noise, "seed": 2}
    measured = QuantumFusionLayer(1, shots=1000, differentiator="parameter_shift", **arguments)
    exact, found, other = [], [], []
    for layer, kept in ((QuantumFusionLayer(1, **arguments), exact), (measured, found), (measured, other)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(features(2, 1, batch=4)))
        kept += tape.gradient(loss, layer.trainable_weights)
    assert (found[0].numpy() != other[0].numpy()).any()
    # A mean of 4 samples and 2 observables, each half the difference of two means of 1,000 shots.
    np.testing.assert_allclose(found[0], exact[0], atol=5 * np.sqrt(1 / 2 / 1000 / 8))
    assert QuantumFusionLayer.from_config(measured.get_config()).differentiator == "parameter_shift"


@pytest.mark.skipif(LEGACY, reason="legacy Keras asks no layer whether XLA can compile it")
def test_shots_are_left_out_of_what_xla_compiles(features):
    """Asked for XLA before it is built, as a model without an Input is."""
    model = keras.Sequential([QuantumFusionLayer(1, observables=2, shots=5, seed=0)])
    model.compile("sgd", "mse", jit_compile=True)
    inputs = np.stack(features(2, 2, batch=4), axis=1)
    assert np.isfinite(model.fit(inputs, np.zeros((4, 2)), verbose=0).history["loss"]).all()
