"""What all fusion layers have in common, layer by layer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tfq_fusion
from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.layers import (
    AttentionFusion,
    ConcatFusion,
    FactorizedBilinearFusion,
    GatedFusion,
    GraphFusion,
    HashedFusion,
    LowRankFusion,
    QuantumFusionLayer,
    TensorFusion,
)

pytestmark = pytest.mark.keras

PATH = [[0, 1, 0], [1, 0, 2], [0, 2, 0]]
# Each with arguments that are not the defaults, so that a config that forgets one shows.
LAYERS = {
    "concat": (ConcatFusion, {}),
    "tensor": (TensorFusion, {"units": 6, "seed": 3}),
    "low_rank": (LowRankFusion, {"units": 6, "rank": 2, "seed": 3}),
    "low_rank_unit": (LowRankFusion, {"units": 6, "rank": 3, "initialization": "unit", "seed": 3}),
    "bilinear": (FactorizedBilinearFusion, {"units": 6, "factors": 3, "dropout": 0.2, "seed": 3}),
    "graph": (GraphFusion, {"units": 6, "adjacency": PATH, "seed": 3}),
    "gated": (GatedFusion, {"units": 6, "seed": 3}),
    "attention": (AttentionFusion, {"units": 6, "heads": 2, "seed": 3}),
    "hashed": (HashedFusion, {"units": 6, "parameters": 17, "seed": 3}),
    "quantum": (QuantumFusionLayer, {"degree": 2, "observables": 12, "scale": 1.2, "seed": 3, "locality": 1}),
}


def make(name: str):
    kind, arguments = LAYERS[name]
    return kind(**arguments)


eagerly = pytest.mark.usefixtures("uncompiled")
every_layer = pytest.mark.parametrize("name", LAYERS)
every_weighted_layer = pytest.mark.parametrize("name", [name for name in LAYERS if name != "concat"])


def model_of_all_layers() -> keras.Model:
    """One functional model: three modalities of widths 4, 2, 3, fused by each layer."""
    inputs = [keras.Input((width,)) for width in (4, 2, 3)]
    return keras.Model(inputs, [make(name)(inputs) for name in LAYERS])


@every_layer
@eagerly
def test_a_list_and_a_stacked_tensor_give_the_same(features, name):
    layer = make(name)
    inputs = features(4, 4, 4)
    listed = layer(inputs)
    np.testing.assert_array_equal(layer(tuple(inputs)), listed)
    np.testing.assert_array_equal(layer([tf.constant(modality) for modality in inputs]), listed)
    np.testing.assert_allclose(layer(np.stack(inputs, axis=1)), listed, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(make(name)(np.stack(inputs, axis=1)), listed, rtol=1e-6, atol=1e-7)


@every_layer
@eagerly
def test_the_order_of_modalities_matters(features, name):
    inputs = features(4, 4, 4)
    layer = make(name)
    assert not np.allclose(layer(inputs), layer([inputs[1], inputs[0], inputs[2]]))


@every_weighted_layer
@pytest.mark.parametrize("widths", [(4, 3), (5, 1, 2)])
@eagerly
def test_every_weight_gets_a_gradient(features, name, widths):
    kind, arguments = LAYERS[name]
    layer = kind(**{**arguments, "adjacency": None}) if name == "graph" else kind(**arguments)
    inputs = features(*widths, batch=50)
    layer.build([modality.shape for modality in inputs])
    # Positive weights open every rectifier: behind one that is closed for all samples there rightly is no gradient.
    layer.set_weights([np.abs(weight) + (weight.ndim == 1) for weight in layer.get_weights()])
    with tf.GradientTape() as tape:
        fused = layer(inputs)
        loss = tf.reduce_sum(fused * np.random.default_rng(0).normal(size=fused.shape).astype(np.float32))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == len(layer.weights)
    for weight, gradient in zip(layer.weights, gradients, strict=True):
        assert np.isfinite(gradient).all()
        assert np.all(np.asarray(gradient) != 0), f"{weight.name} holds entries that nothing trains"


@every_layer
@eagerly
def test_the_output_shape_is_exact(features, name):
    layer = make(name)
    for batch in (1, 5):
        inputs = features(4, 2, 3, batch=batch)
        assert layer.compute_output_shape([modality.shape for modality in inputs]) == tuple(layer(inputs).shape)
    stacked = np.stack(features(4, 4, 4), axis=1)
    layer = make(name)
    assert layer.compute_output_shape(stacked.shape) == tuple(layer(stacked).shape)
    assert layer.compute_output_shape((None, 3, 4)) == (None, layer(stacked).shape[1])
    assert tuple(make(name)(keras.Input((3, 4))).shape) == (None, layer(stacked).shape[1])


@every_layer
@eagerly
def test_the_config_makes_an_equal_layer(features, name):
    kind, arguments = LAYERS[name]
    config = make(name).get_config()
    assert config.items() >= arguments.items()
    restored = kind.from_config(config)
    assert restored.get_config() == config
    np.testing.assert_array_equal(restored(features(4, 2, 3)), make(name)(features(4, 2, 3)))


@every_weighted_layer
def test_a_seed_fixes_the_weights_and_no_two_of_them_are_alike(name):
    kind, arguments = LAYERS[name]
    shape = (None, 3, 6)  # as wide as the layers' output, so that kernels of one layer have one shape

    def weights(seed):
        layer = kind(**{**arguments, "seed": seed})
        layer.build(shape)
        return layer.get_weights()

    for one, same in zip(weights(7), weights(7), strict=True):
        np.testing.assert_array_equal(one, same)
    assert any((one != other).any() for one, other in zip(weights(7), weights(8), strict=True))
    random = [weight for weight in weights(7) if np.ptp(weight) > 0]
    for position, one in enumerate(random):
        assert all(one.shape != other.shape or (one != other).any() for other in random[:position])


def unseeded(name: str):
    kind, arguments = LAYERS[name]
    return kind(**{key: value for key, value in arguments.items() if key != "seed"})


@every_weighted_layer
@eagerly
def test_without_a_seed_the_weights_follow_the_global_seed(features, name):
    def fused():
        return np.asarray(unseeded(name)(features(4, 2, 3)))

    keras.utils.set_random_seed(1)
    first, second = fused(), fused()
    assert (first != second).any()
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(fused(), first)


@every_weighted_layer
@eagerly
def test_a_drawn_seed_is_kept_so_that_a_clone_computes_the_same(features, name):
    inputs = [keras.Input((width,)) for width in (4, 2, 3)]
    model = keras.Model(inputs, unseeded(name)(inputs))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(features(4, 2, 3)), model(features(4, 2, 3)))


@every_layer
def test_graphs_with_unknown_batch_size_give_what_eager_calls_give(features, name):
    layer = make(name)
    inputs = features(4, 2, 3)
    eager = layer(inputs)
    graph = tf.function(layer, input_signature=[[tf.TensorSpec((None, width)) for width in (4, 2, 3)]])
    np.testing.assert_allclose(graph(inputs), eager, rtol=1e-5, atol=1e-6)


@every_layer
def test_a_built_layer_knows_the_widths_that_a_graph_leaves_out(features, name):
    layer = make(name)
    inputs = features(4, 2, 3)
    eager = layer(inputs)
    for spec in (tf.TensorSpec((None, None)), tf.TensorSpec((5, None)), tf.TensorSpec(None)):
        graph = tf.function(layer, input_signature=[[spec] * 3])
        np.testing.assert_allclose(graph(inputs), eager, rtol=1e-5, atol=1e-6)
        assert graph.get_concrete_function().structured_outputs.shape[1] == eager.shape[1]
    assert layer.compute_output_shape([(None, None)] * 3) == (None, eager.shape[1])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        np.asarray(graph(features(4, 3, 2)))


@every_layer
def test_a_built_layer_knows_the_sizes_of_a_stack_that_a_graph_leaves_out(features, name):
    layer = make(name)
    stacked = np.stack(features(4, 4, 4), axis=1)
    eager = layer(stacked)
    for spec in (tf.TensorSpec((None, None, None)), tf.TensorSpec((None, 3, None)), tf.TensorSpec(None)):
        np.testing.assert_allclose(tf.function(layer, input_signature=[spec])(stacked), eager, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, None, None)) == (None, eager.shape[1])


def test_a_generator_trains_a_model_whatever_it_says_of_shapes(features):
    inputs = [keras.Input((4,)) for _ in range(3)]
    model = keras.Model(inputs, keras.layers.Dense(1)(GraphFusion(6, adjacency=PATH)(inputs)))
    model.compile("sgd", "mse")
    batch = (tuple(features(4, 4, 4)), np.ones((5, 1), "f"))
    history = model.fit((batch for _ in range(2)), steps_per_epoch=2, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@every_layer
@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_types_without_fractions_are_refused(name, dtype):
    kind, arguments = LAYERS[name]
    with pytest.raises(ValueError, match=f"dtype should be a floating-point type such as 'float32', got '{dtype}'"):
        kind(**arguments, dtype=dtype)


@every_weighted_layer
@eagerly
def test_a_checkpoint_restores_every_weight(features, name, tmp_path):
    def model():
        inputs = [keras.Input((width,)) for width in (4, 2, 3)]
        return keras.Model(inputs, make(name)(inputs))

    saved, restored = model(), model()
    rng = np.random.default_rng(0)
    saved.set_weights([rng.normal(size=weight.shape) for weight in saved.get_weights()])
    path = tf.train.Checkpoint(model=saved).save(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(model=restored).restore(path).assert_existing_objects_matched()
    np.testing.assert_array_equal(restored(features(4, 2, 3)), saved(features(4, 2, 3)))


@every_layer
@eagerly
def test_a_layer_computes_in_its_own_precision(features, name):
    kind, arguments = LAYERS[name]
    layer = kind(**arguments, dtype="float64")
    assert np.asarray(layer(features(4, 2, 3))).dtype == np.float64


@every_weighted_layer
@eagerly
def test_integers_are_features_too(features, name):
    layer = make(name)
    floats = [features(4)[0], np.float32([[1, 0]] * 5), np.float32([[0, 1, 2]] * 5)]
    integers = [floats[0], floats[1].astype(np.int32), floats[2].astype(np.int64)]
    np.testing.assert_array_equal(layer(integers), layer(floats))
    stacked = np.int32([[[1, 0], [0, 1], [1, 1]]] * 5)
    layer = make(name)
    np.testing.assert_array_equal(layer(stacked), layer(stacked.astype(np.float32)))


@every_weighted_layer
def test_more_modalities_add_no_variables(name):
    kind, arguments = LAYERS[name]
    arguments = {**arguments, "adjacency": None} if name == "graph" else arguments
    counts = []
    for modalities in (2, 3):
        layer = kind(**arguments)
        layer.build((None, modalities, 4))
        counts.append(len(layer.weights))
    assert counts[0] == counts[1]


@every_layer
@eagerly
def test_building_twice_makes_no_second_set_of_weights(features, name):
    layer = make(name)
    layer.build([(None, 4), (None, 2), (None, 3)])
    count = len(layer.weights)
    layer(features(4, 2, 3))
    assert len(layer.weights) == count


@every_layer
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "at least two modalities, got 0"),
        ([np.ones((2, 4))], "at least two modalities, got 1"),
        (np.ones((2, 4)), "expects a list of"),
        ([np.ones((2, 4)), np.ones((3, 4))], r"same batch size, got \[2, 3\]"),
        ([np.ones((2, 4)), np.ones(2)], "Modality 1 should have shape"),
        ({"image": np.ones((2, 4)), "text": np.ones((2, 4))}, "got a dict of"),
        ([np.ones((2, 4)), np.full((2, 4), np.nan), np.ones((2, 4))], "Modality 1 holds NaN or infinite"),
        ([np.ones((2, 4)), np.ones((2, 4)), np.full((2, 4), np.inf)], "Modality 2 holds NaN or infinite"),
    ],
)
def test_inputs_that_are_no_modalities(name, inputs, message):
    with pytest.raises(ValueError, match=message):
        make(name)(inputs)


@every_layer
@eagerly
def test_batch_sizes_are_compared_on_every_call(features, name):
    layer = make(name)
    layer(features(4, 4, 4))
    with pytest.raises(ValueError, match=r"same batch size, got \[2, 5, 5\]"):
        layer([features(4, batch=2)[0], *features(4, 4)])


@every_weighted_layer
@eagerly
def test_modalities_in_another_order_than_built_for(features, name):
    layer = make(name)
    layer(features(4, 2, 3))
    with pytest.raises(ValueError, match=r"built for modalities of \(4, 2, 3\) features, got \(2, 4, 3\)"):
        layer(features(2, 4, 3))


@every_weighted_layer
def test_arguments_are_checked(name):
    kind, arguments = LAYERS[name]
    width = "observables" if name == "quantum" else "units"
    with pytest.raises(ValueError, match=f"{width} should be an integer of at least 1, got 0"):
        kind(**{**arguments, width: 0})
    with pytest.raises(ValueError, match="seed should be an integer of at least 0, got -1"):
        kind(**{**arguments, "seed": -1})


@eagerly
def test_one_step_of_fit_moves_every_weight(features):
    model = model_of_all_layers()
    head = keras.layers.Dense(1)(keras.layers.Concatenate()(model.outputs))
    model = keras.Model(model.inputs, head)
    before = model.get_weights()
    model.compile(optimizer="adam", loss="mse")
    history = model.fit(features(4, 2, 3, batch=32), np.ones((32, 1)), batch_size=32, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert (old != new).any(), f"{weight.name} did not move"


@eagerly
def test_a_saved_model_predicts_the_same_in_a_new_process(features, tmp_path):
    model = model_of_all_layers()
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    inputs = features(4, 2, 3)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "expected.npz", *model.predict(inputs, verbose=0))
    np.savez(tmp_path / "inputs.npz", *inputs)
    script = """
import numpy as np
import tensorflow as tf
import tfq_fusion.layers
from tfq_fusion._keras import keras

tf.config.run_functions_eagerly(True)  # as the other process
inputs, expected = (list(np.load(name, allow_pickle=False).values()) for name in ("inputs.npz", "expected.npz"))
found = keras.models.load_model("model.keras").predict(inputs, verbose=0)
for one, other in zip(found, expected, strict=True):
    np.testing.assert_array_equal(one, other)
print("identical:", len(found))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(tfq_fusion.__file__).parents[1])}
    loading = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert loading.stdout.splitlines()[-1:] == [f"identical: {len(LAYERS)}"], loading.stderr


JAX = """
import json
import sys

import jax
import numpy as np
import tfq_fusion.layers

inputs = list(np.load("inputs.npz", allow_pickle=False).values())
for name, (kind, config) in json.loads(sys.argv[1]).items():
    expected, *weights = np.load(f"{name}.npz", allow_pickle=False).values()
    layer = getattr(tfq_fusion.layers, kind).from_config(config)
    layer.build([modality.shape for modality in inputs])
    assert all(np.isfinite(weight).all() for weight in layer.get_weights()), name
    layer.set_weights(weights)
    trained, other = ([each.value for each in of] for of in (layer.trainable_variables, layer.non_trainable_variables))

    def call(trained):
        return layer.stateless_call(trained, other, inputs)[0]

    np.testing.assert_allclose(jax.jit(call)(trained), expected, rtol=1e-4, atol=1e-5, err_msg=name)
    for gradient in jax.jit(jax.grad(lambda trained: call(trained).sum()))(trained):
        assert np.isfinite(gradient).all() and np.any(gradient), name
    print("equal:", name)
"""


@pytest.mark.slow
@pytest.mark.skipif(LEGACY, reason="JAX is a backend of Keras 3")
@eagerly
def test_compiled_on_jax_it_gives_what_it_gives_on_tensorflow(features, tmp_path):
    pytest.importorskip("jax")
    inputs, cases = features(4, 2, 3), {}
    np.savez(tmp_path / "inputs.npz", *inputs)
    for name in LAYERS:
        layer = make(name)
        np.savez(tmp_path / f"{name}.npz", layer(inputs), *layer.get_weights())
        cases[name] = type(layer).__name__, layer.get_config()
    environment = {**os.environ, "PYTHONPATH": str(Path(tfq_fusion.__file__).parents[1]), "KERAS_BACKEND": "jax"}
    ran = subprocess.run(
        [sys.executable, "-c", JAX, json.dumps(cases)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ran.stdout.splitlines() == [f"equal: {name}" for name in LAYERS], ran.stderr
