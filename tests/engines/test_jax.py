"""The compiled engine on Keras' JAX backend, where TensorFlow is not needed."""

import os
import subprocess
import sys

import cirq
import numpy as np
import pytest

from tfq_fusion.circuits import qfl_circuit

pytest.importorskip("jax")

SCRIPT = """
import sys
import jax, numpy as np
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation

spec = qfl_circuit(3, 2, degree=2, observables=4)
arrays = np.load(sys.argv[1], allow_pickle=False)
data, weights, upstream = (jax.numpy.asarray(arrays[name], "float32") for name in ("data", "weights", "upstream"))
loss = lambda data, weights: (upstream * expectation(spec, data, weights)).sum()
for differentiate in (jax.grad(loss, (0, 1)), jax.jit(jax.grad(loss, (0, 1)))):
    gradients = differentiate(data, weights)
spoilt = jax.jit(jax.grad(loss, 0))(data.at[1, 0].set(np.nan), weights)
assert np.isnan(spoilt).any(axis=1).tolist() == [False, True, False]
empty = jax.grad(lambda data: expectation(spec, data, weights).sum())(data[:0])
assert empty.shape == (0, 6)
double = arrays["data"]  # JAX has no doubles here: no warning, and single precision
assert expectation(spec, double, weights).dtype == "float32"
assert "tensorflow" not in sys.modules
np.savez(sys.argv[2], values=expectation(spec, data, weights), data=gradients[0], weights=gradients[1])
"""


def test_values_and_gradients_are_the_simulator_s(tmp_path):
    spec = qfl_circuit(3, 2, degree=2, observables=4)
    rng = np.random.default_rng(0)
    arrays = {
        "data": rng.uniform(-1, 1, (3, 6)),
        "weights": rng.uniform(-2, 2, len(spec.weight_symbols)),
        "upstream": rng.normal(size=(3, 4)),
    }
    np.savez(tmp_path / "in.npz", **arrays)
    run = subprocess.run(
        [
            sys.executable,
            "-W",
            "error:Explicitly requested dtype",
            "-c",
            SCRIPT,
            tmp_path / "in.npz",
            tmp_path / "out.npz",
        ],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = np.load(tmp_path / "out.npz", allow_pickle=False)

    def values(data, weights):
        symbols = (*spec.data_symbols, *spec.weight_symbols)
        simulator = cirq.Simulator(dtype=np.complex128)
        rows = (dict(zip(symbols, (*row, *weights), strict=True)) for row in data)
        return np.real(
            [simulator.simulate_expectation_values(spec.circuit, list(spec.operators), param_resolver=r) for r in rows]
        )

    np.testing.assert_allclose(found["values"], values(arrays["data"], arrays["weights"]), atol=1e-5)
    for name in ("data", "weights"):
        # One random direction tells a wrong gradient as surely as every coordinate would.
        direction = rng.normal(size=arrays[name].shape)
        shifted = [{**arrays, name: arrays[name] + sign * 1e-5 * direction} for sign in (1, -1)]
        losses = [np.sum(arrays["upstream"] * values(each["data"], each["weights"])) for each in shifted]
        assert np.sum(found[name] * direction) == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-4)
