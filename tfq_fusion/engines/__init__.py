"""How circuits are run: a :class:`~tfq_fusion.circuits.ModelCircuit` in, expectation values out."""

from __future__ import annotations

from typing import Any

from tfq_fusion.circuits import ModelCircuit

ENGINES = ("tfq",)


def check_engine(engine: str) -> None:
    """Raise a ValueError that lists the engines if there is none of this name."""
    if engine not in ENGINES:
        raise ValueError(f"engine should be one of {list(ENGINES)}, got {engine!r}.")


def expectation(spec: ModelCircuit, data: Any, weights: Any, engine: str = "tfq") -> Any:
    """Exact expectation values of a circuit, differentiable in data and weights.

    Args:
        spec: The circuit.
        data: ``[batch, n_data]`` floats, the values of ``spec.data_symbols`` for each sample.
        weights: ``[n_weights]`` floats, the values of ``spec.weight_symbols``.
        engine: "tfq", TensorFlow Quantum.

    Returns:
        A float32 tensor ``[batch, n_operators]``.

    Raises:
        ValueError: If the engine is unknown, if a shape does not fit the circuit, or, in eager execution, if a
            value is NaN or infinite.
    """
    check_engine(engine)
    from tfq_fusion.engines import tfq

    return tfq.expectation(spec, data, weights)
