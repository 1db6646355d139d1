import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion._keras import keras
from tfq_fusion.layers.fusion import tensor
from tfq_fusion.layers.fusion.tensor import IntractableFusionError, TensorFusion

pytestmark = pytest.mark.keras

# Twelve modalities of four features: 5**12 products, each with a weight to every one of 32 outputs, and 32 biases.
TWELVE = [(None, 4)] * 12
TWELVE_PARAMETERS = 7_812_500_032


def test_is_a_linear_map_of_the_outer_product(features):
    inputs = features(4, 1, 3)
    layer = TensorFusion(6, seed=1)
    fused = layer(inputs)
    kernel, bias = layer.get_weights()
    bias = bias + np.arange(6, dtype=np.float32)
    layer.set_weights([kernel, bias])

    one = np.ones((5, 1))
    x, y, z = (np.hstack([one, modality]) for modality in inputs)
    expected = np.einsum("bi,bj,bk,ijku->bu", x, y, z, kernel.reshape(5, 2, 4, 6)) + bias
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(fused, expected), "the bias should matter"


@settings(max_examples=20, deadline=None)
@given(widths=st.lists(st.integers(1, 5), min_size=2, max_size=4), units=st.integers(1, 7))
def test_parameter_count(widths, units):
    layer = TensorFusion(units)
    layer.build([(None, width) for width in widths])
    assert layer.count_params() == math.prod(width + 1 for width in widths) * units + units


def test_an_intractable_fusion_says_how_large_it_would_be():
    with pytest.raises(IntractableFusionError, match="or narrower or fewer modalities") as error:
        TensorFusion(32).build(TWELVE)
    assert error.value.parameters == TWELVE_PARAMETERS
    assert str(TWELVE_PARAMETERS) in str(error.value)
    assert str((4,) * 12) in str(error.value)
    assert isinstance(error.value, ValueError)


def test_the_count_is_exact_beyond_floating_point():
    with pytest.raises(IntractableFusionError) as error:
        TensorFusion(3).build((None, 207, 64))
    assert error.value.parameters == 65**207 * 3 + 3


def test_the_error_leaves_a_subclassed_model_unchanged():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.fusion = TensorFusion(32)

        def call(self, inputs):
            return self.fusion(inputs)

    with pytest.raises(IntractableFusionError) as error:
        Model()(np.ones((2, 12, 4), np.float32))
    assert error.value.parameters == TWELVE_PARAMETERS


def test_the_limit_is_inclusive(monkeypatch):
    shape = [(None, 4), (None, 3)]
    monkeypatch.setattr(tensor, "MAX_PARAMETERS", 5 * 4 * 2 + 2)
    TensorFusion(2).build(shape)
    monkeypatch.setattr(tensor, "MAX_PARAMETERS", 5 * 4 * 2 + 1)
    with pytest.raises(IntractableFusionError):
        TensorFusion(2).build(shape)
