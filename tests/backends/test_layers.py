"""Every fusion, on whatever Keras runs on: it trains, and it is saved and loaded."""

import numpy as np
import pytest

from tfq_fusion._keras import keras, ops
from tfq_fusion.fusions import fusions, make_fusion
from tfq_fusion.layers import EvidenceFusion, FactorizedBilinearFusion

NAMES = [entry.name for entry in fusions().values() if entry.make]
WIDTHS = [4, 4, 4]


def made(name):
    return EvidenceFusion("tutorial", "z", seed=3) if name == "evidence" else make_fusion(name, WIDTHS, 8, 2, seed=3)


def modalities(name, batch=8):
    rng = np.random.default_rng(0)
    shapes = [(batch, 2)] * 2 if name == "evidence" else [(batch, width) for width in WIDTHS]
    return [rng.uniform(0, 1, shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("name", [*NAMES, "evidence"])
def test_a_model_trains_every_weight_and_is_saved_and_loaded(tmp_path, name):
    inputs = [keras.Input(array.shape[1:]) for array in modalities(name)]
    layer = made(name)
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(layer(inputs)))
    before = layer.get_weights()
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(modalities(name), np.arange(8) % 2, batch_size=4, epochs=3, shuffle=False, verbose=0).history[
        "loss"
    ]
    assert np.isfinite(losses).all()
    assert all((old != new).any() for old, new in zip(before, layer.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    expected = model.predict(modalities(name), verbose=0)
    np.testing.assert_allclose(again.predict(modalities(name), verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("name", [*NAMES, "evidence"])
def test_a_list_and_a_stacked_tensor_give_the_same(name):
    layer, listed = made(name), modalities(name)
    found = ops.convert_to_numpy(layer(listed))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(np.stack(listed, axis=1))), found, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape([array.shape for array in listed]) == found.shape


@pytest.mark.parametrize("tiny", [1e-10, 1e-20, 1e-30])
def test_factorized_bilinear_pooling_learns_from_a_product_of_any_size(differentiate, tiny):
    """A factor that all outputs share cancels, in the derivatives by the logarithms of features as well."""
    layer = FactorizedBilinearFusion(2, factors=1, dropout=0.0)
    layer.build((None, 2, 2))
    layer.set_weights([np.tile(np.eye(2), (2, 1))])
    upstream = np.array([[1.0, -0.5]])

    def found(small):
        inputs = np.array([[[1.0, small], [small, 2.0]]], "float32")
        values, (gradient,) = differentiate(layer, [inputs], upstream)
        return values, gradient * inputs

    for one, other in zip(found(tiny), found(1.0), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_factorized_bilinear_pooling_learns_whichever_product_dropout_leaves():
    """Of 207 factors each, two thirds of the other's: the product of the second is 1e-36 of that of the first."""
    layer = FactorizedBilinearFusion(2, factors=1, dropout=0.5, seed=0)
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.build((None, 207, 1))
    layer.set_weights([np.tile([[1.0, 2 / 3]], (207, 1))])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    features = np.random.default_rng(0).choice([-1, 1], (64, 207, 1)).astype("float32")
    losses = model.fit(features, features.prod(1), batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert all(np.isfinite(each).all() for each in model.get_weights())
