"""Models: everything but the fusion is the same for every fusion."""

import numpy as np
import pytest

from tfq_fusion.models import FUSIONS, fusion_model, make_fusion

pytestmark = pytest.mark.keras
WIDTHS = {"image": 5, "text": 3}


def model(name, seed=0, **arguments):
    fusion = make_fusion(name, [4, 4], degree=2, seed=seed)
    return fusion_model(WIDTHS, fusion, outputs=3, seed=seed, **{"task": "classification", **arguments}), fusion


@pytest.mark.parametrize("name", FUSIONS)
def test_every_fusion_gives_probabilities(name):
    network, _ = model(name)
    inputs = {key: np.random.default_rng(0).normal(size=(7, width)).astype("f") for key, width in WIDTHS.items()}
    predicted = network.predict(inputs, verbose=0)
    assert predicted.shape == (7, 3)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_parameters_are_encoders_fusion_and_head(name):
    network, fusion = model(name)
    encoders = sum((width * 16 + 16) + (16 * 4 + 4) for width in WIDTHS.values())
    fused = 8 if name == "concat" else 32
    head = (fused * 32 + 32) + (32 * 3 + 3)
    assert network.count_params() == encoders + fusion.count_params() + head


def test_encoders_start_equal_for_every_fusion_and_differ_by_seed():
    first, second, other = (model(name, seed)[0] for name, seed in (("qfl", 1), ("lmf", 1), ("qfl", 2)))
    kernels = [network.trainable_variables[0].numpy() for network in (first, second, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_control_has_as_many_weights_as_qfl():
    for degree in (1, 2, 3, 5):
        layers = [make_fusion(name, [4] * 6, degree=degree) for name in ("qfl", "control")]
        for layer in layers:
            layer.build([(None, 4)] * 6)
        assert layers[0].count_params() == layers[1].count_params()


def test_forecast_is_linear():
    network, _ = model("concat", task="forecasting")
    assert network.layers[-1].activation.__name__ == "linear"


def test_unknown_fusion_lists_the_known():
    with pytest.raises(ValueError, match=r"Unknown fusion 'sum'.*qfl.*control"):
        make_fusion("sum", [4, 4])
