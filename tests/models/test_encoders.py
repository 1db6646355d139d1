"""Encoders of signals, against Keras' own convolutions and against what weights for each modality should mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion._keras import keras
from tfq_fusion.models.encoders import Frames, encode_images, encode_waveforms, encode_windows

pytestmark = pytest.mark.keras
MODALITIES, FEATURES, HIDDEN = 3, 4, 5
SHAPES = {encode_waveforms: (MODALITIES, 100), encode_windows: (MODALITIES, 12)}


def encoder(encode, shared, seed=0, shape=None):
    signals = keras.Input(shape or SHAPES[encode])
    return keras.Model(signals, encode(signals, FEATURES, HIDDEN, np.random.default_rng(seed), shared))


def signals(encode, batch=6):
    return np.random.default_rng(1).normal(size=(batch, *SHAPES[encode])).astype(np.float32)


def predict(model, inputs):
    return np.asarray(model(inputs))


both = pytest.mark.parametrize("encode", SHAPES)
either = pytest.mark.parametrize("shared", [True, False])


@both
@either
def test_features_of_each_modality_between_minus_one_and_one(encode, shared):
    model = encoder(encode, shared)
    features = predict(model, 100 * signals(encode))
    assert features.shape == (6, MODALITIES, FEATURES)
    assert tuple(model.output_shape) == (None, MODALITIES, FEATURES)
    assert np.abs(features).max() <= 1
    assert features.std() > 0.1


@both
@either
def test_no_modality_looks_at_another(encode, shared):
    model, inputs = encoder(encode, shared), signals(encode)
    changed = inputs.copy()
    changed[:, 1] += 1
    difference = np.abs(predict(model, changed) - predict(model, inputs)).max(axis=(0, 2))
    assert difference[1] > 1e-3
    assert difference[[0, 2]].tolist() == [0, 0]


@both
def test_shared_weights_treat_all_modalities_alike_and_others_do_not(encode):
    same = np.repeat(signals(encode)[:, :1], MODALITIES, axis=1)
    shared, own = (predict(encoder(encode, shared), same) for shared in (True, False))
    np.testing.assert_allclose(shared, np.repeat(shared[:, :1], MODALITIES, axis=1), atol=1e-6)
    assert np.abs(own[:, 0] - own[:, 1]).max() > 0.01


@both
def test_own_weights_are_one_shared_encoder_for_each_modality(encode):
    singles = [encoder(encode, shared=True, seed=seed) for seed in range(MODALITIES)]
    own = encoder(encode, shared=False)
    assert own.count_params() == MODALITIES * singles[0].count_params()
    for weight, *copies in zip(own.weights, *(single.weights for single in singles), strict=True):
        shape = weight.shape if len(weight.shape) < 4 else (MODALITIES, 1, 1, weight.shape[-1])
        weight.assign(np.stack([np.asarray(copy) for copy in copies]).reshape(shape))
    inputs = signals(encode)
    expected = np.stack([predict(single, inputs)[:, k] for k, single in enumerate(singles)], axis=1)
    np.testing.assert_allclose(predict(own, inputs), expected, atol=1e-5)


@both
@either
def test_weights_begin_as_those_of_a_dense_layer_of_one_modality(encode, shared):
    """Glorot-uniform: within sqrt(6 / (inputs + outputs))."""
    kernels = [np.asarray(weight) for weight in encoder(encode, shared).weights[::2]]
    assert len(kernels) == 3
    for kernel in kernels:
        *_, inputs, outputs = kernel.reshape(MODALITIES if not shared else 1, -1, kernel.shape[-1]).shape
        limit = np.sqrt(6 / (inputs + outputs))
        assert 0.7 * limit < np.abs(kernel).max() <= limit


@both
@either
def test_initial_weights_follow_the_seed(encode, shared):
    one, same, other = (predict(encoder(encode, shared, seed), signals(encode)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


@both
@either
def test_a_channel_axis_may_be_there(encode, shared):
    inputs = signals(encode)
    plain = encoder(encode, shared)
    single = encoder(encode, shared, shape=(*SHAPES[encode], 1))
    np.testing.assert_allclose(predict(single, inputs[..., None]), predict(plain, inputs), atol=1e-6)
    several = encoder(encode, shared, shape=(*SHAPES[encode], 2))
    assert predict(several, np.stack([inputs, inputs], axis=-1)).shape == (6, MODALITIES, FEATURES)


@both
@either
def test_signals_that_are_too_short_are_named(encode, shared):
    with pytest.raises(ValueError, match="expects longer signals"):
        encoder(encode, shared, shape=(MODALITIES, 4))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(5, 20), st.integers(1, 3))
def test_a_dense_layer_over_frames_is_a_convolution(size, step, steps, channels):
    rng = np.random.default_rng(0)
    series = rng.normal(size=(2, 1, steps, channels)).astype(np.float32)
    convolution = keras.layers.Conv1D(3, size, step, use_bias=False)
    expected = predict(convolution, series[:, 0])
    frames = Frames(size, step)
    found = predict(frames, series)
    assert found.shape == tuple(frames.compute_output_shape(series.shape))
    kernel = np.asarray(convolution.weights[0]).reshape(size * channels, 3)
    np.testing.assert_allclose(found[:, 0] @ kernel, expected, atol=1e-5)


def test_frames_survive_saving(tmp_path):
    model = encoder(encode_waveforms, shared=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    inputs = signals(encode_waveforms)
    np.testing.assert_array_equal(predict(loaded, inputs), predict(model, inputs))


def test_images_become_features():
    images = keras.Input((8, 9, 3))
    model = keras.Model(images, encode_images(images, FEATURES, HIDDEN, np.random.default_rng(0)))
    features = predict(model, np.random.default_rng(0).normal(size=(6, 8, 9, 3)).astype(np.float32))
    assert features.shape == (6, FEATURES)
    assert np.abs(features).max() <= 1
    assert model.count_params() == (9 * 3 * 5 + 5) + (9 * 5 * 10 + 10) + (2 * 2 * 10 * 4 + 4)


@pytest.mark.slow
@either
def test_a_beat_is_recognised_wherever_it_is(shared):
    """In class 1 the beats of the first modality are upright, in class 0 upside down; the second one is noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=256)
    inputs = 0.1 * rng.normal(size=(256, 2, 200)).astype(np.float32)
    for row, place in enumerate(rng.integers(180, size=256)):
        inputs[row, 0, place : place + 5] += [1, 4, -2, 1, 0] if labels[row] else [-1, -4, 2, -1, 0]
    signals = keras.Input((2, 200))
    features = keras.layers.Flatten()(encode_waveforms(signals, 2, 8, np.random.default_rng(0), shared))
    model = keras.Model(signals, keras.layers.Dense(1, "sigmoid")(features))
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(inputs[:192], labels[:192, None], epochs=30, verbose=0)
    assert model.evaluate(inputs[192:], labels[192:, None], verbose=0)[1] > 0.95
