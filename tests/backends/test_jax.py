"""JAX's transformations of expectation values."""

import cirq
import numpy as np
import pytest
import sympy

from tfq_fusion._keras import keras
from tfq_fusion.circuits import ModelCircuit, qfl_circuit
from tfq_fusion.engines import expectation

pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="transformations of JAX"),
]

SPEC = qfl_circuit(2, 2, degree=2, observables=3)
RNG = np.random.default_rng(0)
DATA = RNG.uniform(-1, 1, (4, len(SPEC.data_symbols))).astype("float32")
WEIGHTS = RNG.uniform(-2, 2, (5, len(SPEC.weight_symbols))).astype("float32")


def values(data, weights):
    return expectation(SPEC, data, weights)


def test_vmap_over_weights_is_one_set_of_weights_after_the_other():
    import jax

    for function in (values, jax.jit(values)):
        found = jax.vmap(function, in_axes=(None, 0))(DATA, WEIGHTS)
        expected = [values(DATA, each) for each in WEIGHTS]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_vmap_over_data_is_one_batch_after_the_other():
    import jax

    stacked = np.stack([DATA, -DATA, 0.5 * DATA])
    found = jax.vmap(values, in_axes=(0, None))(stacked, WEIGHTS[0])
    np.testing.assert_allclose(found, [values(each, WEIGHTS[0]) for each in stacked], atol=1e-6)


def test_gradients_of_many_sets_of_weights_at_once():
    import jax

    def loss(weights):
        return (values(DATA, weights) ** 2).sum()

    found = jax.jit(jax.vmap(jax.grad(loss)))(WEIGHTS)
    np.testing.assert_allclose(found, [jax.grad(loss)(each) for each in WEIGHTS], atol=1e-5)


def test_the_hessian_is_that_of_the_formula():
    import jax

    qubit, x, a = cirq.q(0), *sympy.symbols("x a")
    spec = ModelCircuit(cirq.Circuit(cirq.ry(x)(qubit), cirq.ry(a)(qubit)), (x,), (a,), cirq.Z(qubit))  # cos(x + a)

    def value(numbers):
        return expectation(spec, numbers[None, :1], numbers[1:])[0, 0]

    found = jax.hessian(value)(np.array([0.3, 0.4], "float32"))
    np.testing.assert_allclose(found, np.full((2, 2), -np.cos(0.7)), atol=1e-5)


def test_scan_trains_as_a_loop_does():
    import jax

    def loss(weights):
        return (values(DATA, weights)[:, 0]).sum()

    def step(weights, _):
        return weights - 0.1 * jax.grad(loss)(weights), loss(weights)

    weights, expected = jax.numpy.asarray(WEIGHTS[0]), []
    for _ in range(5):
        expected.append(loss(weights))
        weights = weights - 0.1 * jax.grad(loss)(weights)
    last, losses = jax.lax.scan(step, jax.numpy.asarray(WEIGHTS[0]), None, length=5)
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    np.testing.assert_allclose(last, weights, atol=1e-5)
    assert losses[-1] < losses[0]


def test_a_batch_may_be_spread_over_devices(tmp_path):
    """Two devices are asked for before JAX starts: in a process of its own."""
    import os
    import subprocess
    import sys

    script = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation

spec = qfl_circuit(2, 2, degree=2, observables=3)
rng = np.random.default_rng(0)
data, weights = rng.uniform(-1, 1, (64, 4)).astype("float32"), rng.uniform(-2, 2, len(spec.weight_symbols))
weights = weights.astype("float32")
whole = expectation(spec, data, weights)
mesh = Mesh(np.array(jax.devices()), ("batch",))
assert mesh.size == 2
spread = jax.device_put(data, NamedSharding(mesh, PartitionSpec("batch")))
run = jax.jit(lambda data, weights: expectation(spec, data, weights))
np.testing.assert_allclose(run(spread, weights), whole, atol=1e-6)
gradient = jax.jit(jax.grad(lambda weights, data: (run(data, weights) ** 2).sum()))
np.testing.assert_allclose(gradient(weights, spread), gradient(weights, data), atol=1e-4)
each = jax.pmap(lambda data: expectation(spec, data, weights))(data.reshape(2, 32, 4))
np.testing.assert_allclose(each.reshape(64, 3), whole, atol=1e-6)
"""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    run = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_values_that_are_no_angles_are_refused_when_they_can_be_seen():
    import jax

    spoilt = DATA.copy()
    spoilt[0, 0] = np.inf
    with pytest.raises(ValueError, match="data should be finite"):
        values(spoilt, WEIGHTS[0])
    assert np.isnan(jax.jit(values)(spoilt, WEIGHTS[0])).all(axis=1).tolist() == [True, False, False, False]
