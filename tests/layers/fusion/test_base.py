"""A fusion of one's own: the base gives it both forms of input, their checks, shapes, a seed and a config."""

import numpy as np
import pytest

from tfq_fusion._keras import keras, ops
from tfq_fusion.layers import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities

pytestmark = pytest.mark.keras


@keras.saving.register_keras_serializable(package="tests")
class SumFusion(Fusion):
    def __init__(self, units, scales=(1.0,), *, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.units = units
        self.scales = np.asarray(scales)

    def build_weights(self, widths):
        initializer = keras.initializers.GlorotUniform(seed=self.seed)
        self.kernel = self.add_weight(name="kernel", shape=(sum(widths), self.units), initializer=initializer)

    def call(self, inputs):
        return float(self.scales.sum()) * ops.matmul(concatenate_modalities(inputs, self.widths), self.kernel)


@keras.saving.register_keras_serializable(package="tests")
class ShiftedFusion(SumFusion):
    def __init__(self, shift, **kwargs):
        super().__init__(**kwargs)
        self.shift = shift

    def call(self, inputs):
        return super().call(inputs) + self.shift


def test_it_takes_both_forms_of_input_and_knows_its_output_s_shape(features):
    layer = SumFusion(3, seed=1)
    inputs = features(4, 4)
    fused = np.asarray(layer(inputs))
    assert (layer.widths, fused.shape) == ((4, 4), (5, 3))
    np.testing.assert_allclose(np.hstack(inputs) @ np.asarray(layer.kernel), fused, rtol=1e-5)
    np.testing.assert_allclose(layer(np.stack(inputs, axis=1)), fused, rtol=1e-6)
    assert layer.compute_output_shape([(None, 4), (None, 4)]) == (None, 3)
    with pytest.raises(ValueError, match=r"built for modalities of \(4, 4\) features, got \(4, 3\)"):
        layer(features(4, 3))


@pytest.mark.parametrize("make", [SumFusion, lambda units, **rest: ShiftedFusion(0.5, units=units, **rest)])
def test_its_config_is_its_constructor_s_arguments_those_handed_on_included(features, make, tmp_path):
    layer = make(3, scales=[1.0, 0.25])
    config = layer.get_config()
    assert config["units"] == 3 and config["scales"] == [1.0, 0.25] and config["seed"] == layer.seed
    inputs = [keras.Input((width,)) for width in (4, 2)]
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(restored(features(4, 2)), model(features(4, 2)))


def test_a_seed_is_one_only_where_the_constructor_has_it():
    class Plain(Fusion):
        def call(self, inputs):
            return concatenate_modalities(inputs, self.widths)

        def output_width(self, widths):
            return sum(widths)

    with pytest.raises((TypeError, ValueError), match="seed"):
        Plain(seed=1)
    assert "seed" not in Plain().get_config()
    with pytest.raises(ValueError, match="seed should be an integer of at least 0, got -1"):
        SumFusion(3, seed=-1)


def test_a_seed_that_a_subclass_keeps_to_itself_is_not_ignored():
    class Selfish(Fusion):
        def __init__(self, units, seed=None, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(TypeError, match=r"Selfish takes a seed.*: call super\(\).__init__\(seed=seed"):
        Selfish(3, seed=1)


def test_what_a_subclass_forgot_is_named():
    class Forgetful(Fusion):
        def __init__(self, rank, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(NotImplementedError, match=r"Forgetful does not keep its argument 'rank': set self\.rank"):
        Forgetful(2).get_config()
    with pytest.raises(NotImplementedError, match="Forgetful has no `units`: override `output_width`"):
        Forgetful(2).compute_output_shape((None, 2, 3))
