"""How circuits are run: a :class:`~tfq_fusion.circuits.ModelCircuit` in, expectation values out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfq_fusion.circuits import ModelCircuit

ENGINES = ("compiled", "tfq")


def check_engine(engine: str) -> None:
    """Raise a ValueError that lists the engines if there is none of this name."""
    if engine not in ENGINES:
        raise ValueError(f"engine should be one of {list(ENGINES)}, got {engine!r}.")


def expectation(spec: ModelCircuit, data: Any, weights: Any, engine: str = "compiled", states: Any = None) -> Any:
    """Exact expectation values of a circuit, differentiable in data and weights.

    Args:
        spec: The circuit.
        data: ``[batch, n_data]`` floats, the values of ``spec.data_symbols`` for each sample.
        weights: ``[n_weights]`` floats, the values of ``spec.weight_symbols``.
        engine: "compiled", many times faster; or "tfq", TensorFlow Quantum.
        states: ``[batch, 2**n]`` complex, what the circuit starts from instead of zeros; amplitudes with the first
            qubit (in Cirq's order) most significant. Engine "compiled" only.

    Returns:
        A float32 tensor ``[batch, n_operators]``; float64 where "compiled" is given float64 data.

    Raises:
        ValueError: If the engine is unknown, if a shape does not fit the circuit, if an operator acts on a qubit that
            the circuit lacks, if a gate cannot be compiled, or, in eager execution, if a value is NaN or infinite.
        MemoryError: If the circuit has more qubits than the machine can hold, before anything is allocated.
    """
    check_engine(engine)
    from tfq_fusion._keras import ops

    dtype = "float64" if engine == "compiled" and _is_float64(data) else "float32"
    data = _checked(ops.convert_to_tensor(data, dtype), "data", (None, len(spec.data_symbols)))
    weights = _checked(ops.convert_to_tensor(weights, dtype), "weights", (len(spec.weight_symbols),))
    if engine == "tfq":
        from tfq_fusion.engines import tfq

        if states is not None:
            raise ValueError("engine 'tfq' starts from zeros; use engine='compiled' for other states.")
        return tfq.expectation(spec, data, weights)
    from tfq_fusion.engines import compiled

    return compiled.expectation(spec, data, weights, states)


def _is_float64(values: Any) -> bool:
    dtype = getattr(values, "dtype", None)
    return dtype is not None and not isinstance(values, np.ndarray) and "float64" in str(dtype)


def _checked(tensor: Any, name: str, expected: tuple[int | None, ...]) -> Any:
    from tfq_fusion._keras import all_finite

    shape = tuple(tensor.shape)
    if len(shape) != len(expected) or any(
        e is not None and s not in (None, e) for s, e in zip(shape, expected, strict=True)
    ):
        raise ValueError(
            f"{name} should have shape {list(expected)}, one column per symbol of the circuit, got {list(shape)}."
        )
    if not all_finite(tensor):
        raise ValueError(f"{name} should be finite, got NaN or infinite values. Impute or drop those samples first.")
    return tensor
