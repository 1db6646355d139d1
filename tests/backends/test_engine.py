"""Expectation values and gradients, held against Cirq's simulator, on whatever Keras runs on."""

import functools

import cirq
import numpy as np
import pytest

from tfq_fusion._keras import keras, ops
from tfq_fusion.circuits import evidence_fusion_circuit, qcnn_circuit, qfl_circuit
from tfq_fusion.engines import expectation, parameter_shift

SPECS = {
    "qfl": qfl_circuit(3, 2, degree=2, observables=4),
    "qcnn": qcnn_circuit(4, "su4", encoding="angle"),
    "evidence": evidence_fusion_circuit(2, 1, None, "z"),
}
NO_DOUBLES = pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has doubles only where switched on")
PRECISIONS = ["float32", pytest.param("float64", marks=NO_DOUBLES)]


def inputs_of(spec, batch=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (batch, len(spec.data_symbols))), rng.uniform(-2, 2, len(spec.weight_symbols))]


def simulated(spec, data, weights):
    simulator = cirq.Simulator(dtype=np.complex128)
    symbols = (*spec.data_symbols, *spec.weight_symbols)
    rows = (dict(zip(symbols, (*row, *weights), strict=True)) for row in data)
    return np.real(
        [simulator.simulate_expectation_values(spec.circuit, list(spec.operators), param_resolver=r) for r in rows]
    )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", SPECS)
def test_values_and_gradients_are_the_simulator_s(differentiate, name, precision):
    spec, tolerance = SPECS[name], {"float32": 1e-5, "float64": 1e-12}[precision]
    arrays = inputs_of(spec)
    upstream = np.random.default_rng(1).normal(size=(3, len(spec.operators)))
    given = [array.astype(precision) for array in arrays]
    values, gradients = differentiate(lambda *tensors: expectation(spec, *tensors), given, upstream)
    assert values.dtype == precision
    np.testing.assert_allclose(values, simulated(spec, *arrays), atol=tolerance)
    for place, gradient in enumerate(gradients):
        # One random direction tells a wrong gradient as surely as every coordinate would.
        direction = np.random.default_rng(2).normal(size=gradient.shape)
        shifted = [
            [array + (sign * 1e-5 * direction if own == place else 0) for own, array in enumerate(arrays)]
            for sign in (1, -1)
        ]
        up, down = (np.sum(upstream * simulated(spec, *each)) for each in shifted)
        assert np.sum(gradient * direction) == pytest.approx((up - down) / 2e-5, abs=1e-4)


@pytest.mark.parametrize("batch", [0, 1, 8, 9, 40])
def test_a_batch_of_any_size_is_its_samples_one_by_one(batch):
    spec = SPECS["qfl"]
    data, weights = (array.astype("float32") for array in inputs_of(spec, batch=40))
    whole = ops.convert_to_numpy(expectation(spec, data[:batch], weights))
    assert whole.shape == (batch, 4)
    for sample in range(0, batch, 7):
        alone = ops.convert_to_numpy(expectation(spec, data[sample : sample + 1], weights))
        np.testing.assert_allclose(whole[sample], alone[0], atol=1e-6)


def test_a_sample_that_is_not_finite_spoils_no_other(differentiate):
    spec = SPECS["qfl"]
    data, weights = (array.astype("float32") for array in inputs_of(spec))
    upstream = np.ones((3, 4))
    upstream[1] = np.nan
    _, (gradient, _) = differentiate(lambda *tensors: expectation(spec, *tensors), [data, weights], upstream)
    assert np.isnan(gradient).all(axis=1).tolist() == [False, True, False]


def test_values_that_are_no_angles_are_refused():
    spec = SPECS["qfl"]
    data, weights = inputs_of(spec)
    data[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"data should be finite, .* got nan for 'x_2' \(sample 1\)"):
        expectation(spec, data, weights)


def test_states_are_what_the_circuit_starts_from():
    spec = SPECS["qfl"]
    data, weights = (array.astype("float32") for array in inputs_of(spec))
    basis = np.eye(16, dtype="complex64")[[0, 0, 0]]
    found = expectation(spec, data, weights, states=ops.convert_to_tensor(basis))
    np.testing.assert_allclose(ops.convert_to_numpy(found), simulated(spec, data, weights), atol=1e-5)


def test_shots_are_estimates_with_the_exact_gradient(differentiate):
    spec = SPECS["qfl"]
    data, weights = (array.astype("float32") for array in inputs_of(spec, batch=2))
    data = np.repeat(data, 500, axis=0)
    upstream = np.random.default_rng(1).normal(size=(1000, 4))
    given = [data, weights], upstream
    exact, gradients = differentiate(lambda *tensors: expectation(spec, *tensors), *given)
    sampled, of_sampled = differentiate(lambda *tensors: expectation(spec, *tensors, shots=50, seed=3), *given)
    again, _ = differentiate(lambda *tensors: expectation(spec, *tensors, shots=50, seed=3), *given)
    np.testing.assert_array_equal(sampled, again)
    counts = (1 + sampled) / 2 * 50
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-4)
    for half in (slice(500), slice(500, 1000)):
        of_mean = np.sqrt((1 - exact[half][0] ** 2) / 50 / 500)
        np.testing.assert_array_less(np.abs(sampled[half].mean(axis=0) - exact[half][0]), 5 * of_mean + 1e-6)
    for one, other in zip(gradients, of_sampled, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_estimates_are_as_precise_as_exact_values(precision):
    given = [array.astype(precision) for array in inputs_of(SPECS["qfl"])]
    found = ops.convert_to_numpy(expectation(SPECS["qfl"], *given, shots=3, seed=0))
    assert found.dtype == precision
    np.testing.assert_allclose(
        found, np.rint(1.5 * (1 + found)) / 1.5 - 1, atol={"float32": 1e-6, "float64": 1e-15}[precision]
    )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", SPECS)
def test_gradients_from_shifted_circuits_are_the_exact_ones(differentiate, name, precision):
    spec, tolerance = SPECS[name], {"float32": 2e-5, "float64": 1e-9}[precision]
    given = [array.astype(precision) for array in inputs_of(spec)]
    upstream = np.random.default_rng(1).normal(size=(3, len(spec.operators)))
    (values, exact), (same, shifted) = (
        differentiate(lambda *tensors, by=by: expectation(spec, *tensors, differentiator=by), given, upstream)
        for by in ("adjoint", "parameter_shift")
    )
    np.testing.assert_array_equal(values, same)
    for one, other in zip(exact, shifted, strict=True):
        assert other.dtype == precision
        np.testing.assert_allclose(one, other, atol=tolerance)


def compile_graph(function):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


@pytest.mark.parametrize("jitted", [False, True])
def test_shifted_circuits_of_wide_registers_run_in_groups(differentiate, monkeypatch, jitted):
    monkeypatch.setattr(parameter_shift, "AMPLITUDES", 5 * 2**3)
    spec = qfl_circuit(2, 1, degree=1, observables=2, seed=1)
    given = [array.astype("float32") for array in inputs_of(spec)], np.ones((3, 2))
    found = []
    for by in ("adjoint", "parameter_shift"):
        function = functools.partial(expectation, spec, differentiator=by)
        found.append(differentiate(compile_graph(function) if jitted else function, *given))
    for one, other in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_gradients_of_shots_from_shifted_circuits_repeat_and_have_no_bias(differentiate):
    spec = SPECS["qfl"]
    data, weights = (array.astype("float32") for array in inputs_of(spec, batch=1))
    given = [np.repeat(data, 400, axis=0), weights], np.tile(np.random.default_rng(1).normal(size=4), (400, 1))
    _, exact = differentiate(lambda *tensors: expectation(spec, *tensors), *given)
    shots = {"shots": 20, "seed": 3, "differentiator": "parameter_shift"}
    found, again = (differentiate(lambda *tensors: expectation(spec, *tensors, **shots), *given)[1] for _ in range(2))
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)
    errors = found[0].std(axis=0) / np.sqrt(400)
    assert (errors > 0).all()
    assert (np.abs(found[0].mean(axis=0) - exact[0][0]) < 4.5 * errors).all()
    # Of the weights the batch has one gradient: no more than its samples' together.
    assert (found[1] != exact[1]).all()
    assert np.abs(found[1] - exact[1]).mean() < 0.1 * np.abs(exact[1]).mean()
