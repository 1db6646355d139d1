import numpy as np
import pytest

from tfq_fusion.layers.fusion.concat import ConcatFusion

pytestmark = pytest.mark.keras


def test_concatenates_in_the_order_of_the_modalities(features):
    inputs = features(4, 1, 3)
    layer = ConcatFusion()
    np.testing.assert_array_equal(layer(inputs), np.concatenate(inputs, axis=1))
    np.testing.assert_array_equal(layer(np.stack(features(2, 2), axis=1)), np.concatenate(features(2, 2), axis=1))


def test_has_no_weights(features):
    layer = ConcatFusion()
    layer(features(4, 3))
    assert layer.count_params() == 0


def test_output_width_is_the_sum_of_widths():
    assert ConcatFusion().compute_output_shape([(None, 4), (None, 3)]) == (None, 7)
    assert ConcatFusion().compute_output_shape((5, 3, 4)) == (5, 12)
