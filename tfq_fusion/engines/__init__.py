"""How circuits are run: a :class:`~tfq_fusion.circuits.ModelCircuit` in, expectation values out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from tfq_fusion.arguments import one_of
from tfq_fusion.circuits import ModelCircuit

__all__ = ["DIFFERENTIATORS", "ENGINES", "check_engine", "expectation"]

ENGINES = ("compiled", "tfq")
"""What :func:`expectation` has circuits run by."""

DIFFERENTIATORS = ("adjoint", "parameter_shift")
"""How :func:`expectation` has gradients computed."""


def check_engine(engine: str) -> None:
    """Raise a ValueError that lists the engines if there is none of this name."""
    one_of("engine", engine, ENGINES)


def expectation(
    spec: ModelCircuit,
    data: Any,
    weights: Any,
    engine: str = "compiled",
    states: Any = None,
    *,
    shots: int | None = None,
    seed: Any = None,
    differentiator: str = "adjoint",
) -> Any:
    """Expectation values of a circuit, exact or as a device estimates them, differentiable in data and weights.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.circuits import qfl_circuit
        >>> from tfq_fusion.engines import expectation
        >>> spec = qfl_circuit(modalities=2, features=1, degree=1)
        >>> values = expectation(spec, data=np.zeros((5, 2)), weights=np.zeros(len(spec.weight_symbols)))
        >>> values.shape, values.dtype
        (TensorShape([5, 32]), tf.float64)

    Args:
        spec: The circuit. If it holds channels, whole density matrices are computed, of ``4**n`` elements: noise is
            exact, and its gradients are those of data, weights and of rates that are weights (``with_probability``).
        data: ``[batch, n_data]`` real numbers, the values of ``spec.data_symbols`` for each sample.
        weights: ``[n_weights]`` real numbers, the values of ``spec.weight_symbols``.
        engine: "compiled", many times faster; or "tfq", TensorFlow Quantum.
        states: ``[batch, 2**n]``, complex or real, of norm 1: what the circuit starts from instead of zeros; amplitudes
            with the first qubit (in Cirq's order) most significant. Engine "compiled" only.
        shots: How many times each Pauli string is measured, one that several operators hold once for all of them; None
            for exact values. Estimates have the distribution of a device's, and no bias.
        seed: What the shots draw from: an integer, with which they are always the same, or a
            ``keras.random.SeedGenerator``, from which each call draws anew.
        differentiator: How gradients are computed: "adjoint", exactly and at the cost of a few values, with shots too;
            or "parameter_shift", as a device has to: from values at shifted angles, each measured with as many shots,
            so that a gradient has no bias and a device's variance. Of R distances between a gate's eigenphases it takes
            2 R shifted circuits for each gate with a symbol, for each sample (Wierichs et al., arXiv 2107.12390).

    Returns:
        A tensor ``[batch, n_operators]``, float64 if any of data, weights and states is in double precision, a NumPy
        array included, else float32. Plain Python numbers count as ``keras.config.floatx()``. Engine "tfq", and JAX
        unless ``jax_enable_x64`` is set, have single precision only: float32.

    Raises:
        ValueError: If the engine is unknown, if a shape or dtype does not fit the circuit, if an operator acts on a
            qubit that the circuit lacks, if a gate cannot be compiled, or, in eager execution, if a value is NaN,
            infinite or so large that its precision leaves no angle, or a state has not norm 1; if engine "tfq" is
            asked for noise; if there are shots without a seed, or a seed without shots; if the differentiator is
            unknown, or rates of channels are to be shifted.
        MemoryError: If the circuit or the batch is larger than the machine can hold, before anything is allocated; of
            shifted circuits when the gradient is asked for.
        RuntimeError: If engine "tfq" is asked for where Keras does not run on TensorFlow.
        ImportError: If engine "tfq" is asked for where TensorFlow Quantum is not installed.
    """
    from tfq_fusion.engines.arrays import unconverted

    return unconverted(_expectation)(spec, data, weights, engine, states, shots, seed, differentiator)


def _expectation(
    spec: ModelCircuit,
    data: Any,
    weights: Any,
    engine: str,
    states: Any,
    shots: int | None,
    seed: Any,
    differentiator: str,
) -> Any:
    check_engine(engine)
    one_of("differentiator", differentiator, DIFFERENTIATORS)
    if engine == "tfq":
        from tfq_fusion.engines.reference import require_reference

        require_reference("Engine 'tfq'", "Use engine='compiled', which gives the same numbers.")
        if states is not None:
            raise ValueError("engine 'tfq' starts from zeros; use engine='compiled' for other states.")
    if shots is None and seed is not None:
        raise ValueError("seed is what shots draw from, and exact values need none: give shots, or leave it out.")
    from tfq_fusion.engines.arrays import available

    given = [values for values in (data, weights, states) if values is not None]
    double = engine == "compiled" and any(_dtype(values) in ("float64", "complex128") for values in given)
    dtype = available("float64") if double else "float32"
    data = _tensor(data, "data", dtype, (None, len(spec.data_symbols)), "one row per sample and one column per symbol")
    weights = _tensor(weights, "weights", dtype, (len(spec.weight_symbols),), "one number per symbol")
    require_angles(spec, data, weights)
    if states is not None:
        states = _states(states, dtype, data.shape[0], len(spec.circuit.all_qubits()))

    def exact(spec: ModelCircuit, data: Any, weights: Any, states: Any) -> Any:
        if engine == "tfq":
            from tfq_fusion.engines import tensorflow_quantum as tfq

            return tfq.expectation(spec, data, weights)
        from tfq_fusion.engines import compiled

        return compiled.expectation(spec, data, weights, states)

    def measure(exact: Callable[[ModelCircuit], Any], spec: ModelCircuit, seed: Any) -> Any:
        return exact(spec) if shots is None else estimate(exact, spec, shots, seed)

    if shots is not None:
        from tfq_fusion.engines.shots import check_seed, check_shots, estimate

        shots, seed = check_shots(shots), check_seed(seed)
    if differentiator == "adjoint":
        return measure(lambda spec: exact(spec, data, weights, states), spec, seed)
    from tfq_fusion.engines import parameter_shift

    return parameter_shift.values(exact, measure, spec, data, weights, states, seed)


def _dtype(values: Any) -> str:
    """The name of the dtype of an array or tensor; of plain numbers Keras' default."""
    from tfq_fusion._keras import dtype_name, keras

    return dtype_name(values) if hasattr(values, "dtype") else keras.backend.floatx()


def _tensor(values: Any, name: str, dtype: str, expected: tuple[int | None, ...], meaning: str) -> Any:
    from tfq_fusion._keras import ops

    kinds = ("float", "bfloat", "int", "uint", "bool") + (("complex",) if dtype.startswith("complex") else ())
    numbers = f"{name} should be an array of {'complex or ' if len(kinds) > 5 else ''}real numbers, got"
    if not _dtype(values).startswith(kinds):
        raise ValueError(f"{numbers} {_dtype(values)}.")
    try:
        tensor = ops.convert_to_tensor(values, dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{numbers} {type(values).__name__}: {error}") from error
    shape = tuple(tensor.shape)
    if len(shape) != len(expected) or any(
        e is not None and s not in (None, e) for s, e in zip(shape, expected, strict=True)
    ):
        raise ValueError(f"{name} should have shape {list(expected)}, {meaning} of the circuit, got {list(shape)}.")
    return tensor


def require_angles(spec: ModelCircuit, data: Any, weights: Any) -> None:
    """Raise a ValueError that names the first value, as far as values can be seen, that is no angle."""
    _require_angles(data, "data", spec.data_symbols, "Impute, drop or rescale such samples first.")
    _require_angles(weights, "weights", spec.weight_symbols, "If training made them, lower the learning rate.")


def _require_angles(tensor: Any, name: str, symbols: Sequence[sympy.Symbol], remedy: str) -> None:
    from tfq_fusion._keras import visible_values

    values = visible_values(tensor)
    if values is None:
        return
    # Neighbouring numbers of the precision are further apart than 2**-7 beyond: engines round them to other angles.
    largest = 2.0**-7 / float(np.finfo(values.dtype).eps)
    if np.abs(values).max(initial=0) <= largest:
        return
    first = np.argwhere(~(np.abs(values) <= largest))[0]
    *sample, column = first.tolist()
    raise ValueError(
        f"{name} should be finite, and at most {largest:.2g} in {values.dtype}, beyond which angles lose their "
        f"meaning; got {values[tuple(first)]:g} for {symbols[column].name!r}"
        f"{f' (sample {sample[0]})' if sample else ''}. {remedy}"
    )


def _states(states: Any, dtype: str, batch: int | None, qubits: int) -> Any:
    from tfq_fusion._keras import visible_values

    precision = {"float32": "complex64", "float64": "complex128"}[dtype]
    states = _tensor(states, "states", precision, (batch, 2**qubits), "one row per sample and one amplitude per state")
    values = visible_values(states)
    if values is not None:
        norms = np.linalg.norm(values, axis=1)
        bad = np.flatnonzero(~(np.abs(norms - 1) <= 1e-3))
        if len(bad):
            raise ValueError(
                f"states should have norm 1, got {norms[bad[0]]:g} (sample {bad[0]}). Divide each by its norm."
            )
    return states
