"""What a user of PyTorch expects of a layer, and of expectation values."""

import sys

import numpy as np
import pytest

from tfq_fusion._keras import keras
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation
from tfq_fusion.layers import CircuitLayer

torch = pytest.importorskip("torch") if keras.backend.backend() == "torch" else None
pytestmark = [
    pytest.mark.skipif(torch is None, reason="of PyTorch alone"),
]

SPEC = qfl_circuit(2, 2, degree=2, observables=3)


def test_a_layer_is_a_module_that_a_plain_loop_trains():
    torch.manual_seed(0)
    layer = CircuitLayer(SPEC, seed=0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), layer, torch.nn.Linear(3, 2))
    inputs, labels = torch.randn(32, 5), torch.randint(0, 2, (32,))
    assert len(list(model.parameters())) == 5
    optimizer, losses = torch.optim.Adam(model.parameters(), 0.05), []
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all((old != new).any() for old, new in zip(before, model.parameters(), strict=True))


def test_a_state_dict_brings_a_layer_back():
    inputs = torch.rand(3, 4)
    first, second = (CircuitLayer(SPEC, seed=seed, name="circuit") for seed in (0, 1))
    expected = first(inputs)
    assert (second(inputs) != expected).any()
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second(inputs), expected)


def test_nothing_is_recorded_where_no_gradient_is_wanted():
    layer = CircuitLayer(SPEC, seed=0)
    inputs = torch.rand(3, 4)
    with torch.no_grad():
        assert not layer(inputs).requires_grad
    assert layer(inputs).requires_grad
    layer.eval()
    torch.testing.assert_close(layer(inputs), layer.train()(inputs))


def test_gradients_add_up_as_those_of_other_modules_do():
    layer = CircuitLayer(SPEC, seed=0)
    inputs = torch.rand(3, 4, requires_grad=True)
    layer(inputs).sum().backward()
    once = layer.theta.value.grad.clone(), inputs.grad.clone()
    layer(inputs).sum().backward()
    torch.testing.assert_close((layer.theta.value.grad, inputs.grad), (2 * once[0], 2 * once[1]))
    values = layer(inputs)
    values.sum().backward(retain_graph=True)
    values.sum().backward()
    torch.testing.assert_close(inputs.grad, 4 * once[1])


def test_a_change_of_the_weights_between_forward_and_backward_is_noticed():
    weights = torch.rand(len(SPEC.weight_symbols), requires_grad=True)
    own = weights * 1.0
    values = expectation(SPEC, torch.rand(3, 4), own)
    with torch.no_grad():
        own.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        values.sum().backward()


def test_a_second_derivative_is_refused():
    inputs = torch.rand(3, 4, requires_grad=True)
    weights = torch.rand(len(SPEC.weight_symbols))
    with pytest.raises(RuntimeError, match=r"cannot be differentiated again on PyTorch.*KERAS_BACKEND=jax"):
        torch.autograd.grad(expectation(SPEC, inputs, weights).sum(), inputs, create_graph=True)


def test_a_compiled_module_runs_its_other_parts_compiled():
    layer = CircuitLayer(SPEC, seed=0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), layer)
    inputs = torch.rand(3, 5)
    expected = model(inputs)
    torch.testing.assert_close(torch.compile(model, backend="eager")(inputs), expected)


def test_a_batch_of_another_size_of_one_class_compiles_nothing(caplog):
    import jax

    layer = CircuitLayer(SPEC, seed=0)
    layer(torch.rand(32, 4, requires_grad=True)).sum().backward()
    with jax.log_compiles(), caplog.at_level("WARNING"):
        layer(torch.rand(31, 4, requires_grad=True)).sum().backward()
    assert "Compiling" not in caplog.text


def test_tensorflow_is_not_needed():
    assert "tensorflow" not in sys.modules


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_of_numpy_are_taken_too(dtype):
    rng = np.random.default_rng(0)
    data, weights = rng.uniform(-1, 1, (2, 4)), rng.uniform(-1, 1, len(SPEC.weight_symbols))
    found = expectation(SPEC, data.astype(dtype), weights.astype(dtype))
    assert found.dtype == {np.float32: torch.float32, np.float64: torch.float64}[dtype]
    torch.testing.assert_close(
        found, expectation(SPEC, torch.tensor(data, dtype=found.dtype), torch.tensor(weights)).to(found.dtype)
    )
