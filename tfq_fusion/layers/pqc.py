"""Drop-in replacements of ``tfq.layers.PQC`` and ``tfq.layers.ControlledPQC``."""

from __future__ import annotations

import math
from typing import Any

import cirq
import sympy

from tfq_fusion._keras import keras, ops, real_tensor, register
from tfq_fusion.arguments import integer, require_entries
from tfq_fusion.circuits import dump_circuit, dump_operators, load_circuit, load_operators
from tfq_fusion.engines.reference import require_reference
from tfq_fusion.engines.serialized import Execution

DIFFERENTIATORS = ("Adjoint", "ParameterShift")
"""TensorFlow Quantum's differentiators that take no arguments: a saved layer holds their names."""


def _circuits(value: Any) -> Any:
    expected = "Circuits should be strings of shape [batch], as tfq.convert_to_tensor makes of circuits"
    try:
        circuits = ops.convert_to_tensor(value)
    except (TypeError, ValueError):
        raise ValueError(f"{expected}, got {value!r}.") from None
    if circuits.dtype.name != "string" or len(circuits.shape) != 1:
        raise ValueError(f"{expected}, got {circuits.dtype.name} of shape {circuits.shape}.")
    return circuits


class _CircuitLayer(keras.layers.Layer):
    """What both layers share."""

    def __init__(
        self,
        model_circuit: cirq.Circuit,
        operators: Any,
        repetitions: int | None,
        backend: Any,
        differentiator: Any,
        *,
        trained: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(backend, str) and backend == "noisy":
            name = type(self).__name__
            raise ValueError(
                f"noisy backend value is not supported in tfq.layers.{name}. Please use tfq.layers.Noisy{name} instead."
            )
        self._run = Execution(model_circuit, operators, repetitions, backend, differentiator, trained=trained)
        self._arguments = (repetitions, backend, differentiator)
        # TensorFlow Quantum's operations are opaque to XLA.
        self.supports_jit = False

    @property
    def symbols(self) -> list[sympy.Symbol]:
        """The symbols of the model circuit, sorted by name, as the parameters are."""
        return list(self._run.symbols)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, circuit and operators as Cirq's JSON.

        Raises:
            ValueError: If the backend is a simulator object, the differentiator is one that takes arguments, or the
                circuit is one that :func:`tfq_fusion.circuits.load_circuit` would refuse.
        """
        repetitions, backend, differentiator = self._arguments
        if backend not in (None, "noiseless"):
            raise ValueError(f"Expected backend 'noiseless' to save {self.name!r}: {backend!r} cannot be saved.")
        differentiator = None if differentiator is None else type(differentiator).__name__
        if differentiator not in (None, *DIFFERENTIATORS):
            raise ValueError(
                f"Expected a differentiator that takes no arguments, one of {list(DIFFERENTIATORS)}, to save "
                f"{self.name!r}: {differentiator} cannot be saved."
            )
        return {
            **super().get_config(),
            "model_circuit": dump_circuit(self._run.circuit),
            "operators": dump_operators(self._run.operators),
            "repetitions": None if repetitions is None else int(repetitions),
            "backend": backend,
            "differentiator": differentiator,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _CircuitLayer:
        """The layer of a configuration, which may be from a file of a stranger.

        Raises:
            ValueError: If an entry is not what :meth:`get_config` could have written; before any of it is used.
        """
        require_entries(
            cls.__name__, config, ("backend", "differentiator", "model_circuit", "operators", "repetitions")
        )
        backend, repetitions = config["backend"], config["repetitions"]
        if backend not in (None, "noiseless"):
            raise ValueError(f"backend should be 'noiseless' or None in a configuration, got {backend!r}.")
        if repetitions is not None:
            integer("repetitions", repetitions)
        differentiator = config["differentiator"]
        if differentiator not in (None, *DIFFERENTIATORS):
            raise ValueError(
                f"differentiator should be None or one of {list(DIFFERENTIATORS)}, got {differentiator!r}."
            )
        if differentiator is not None:
            require_reference("A differentiator", "Save the layer with `differentiator=None`.")
            import tensorflow_quantum as tfq

            differentiator = getattr(tfq.differentiators, differentiator)()
        circuit, operators = load_circuit(config["model_circuit"]), load_operators(config["operators"])
        return cls(**{**config, "model_circuit": circuit, "operators": operators, "differentiator": differentiator})


@register
class PQC(_CircuitLayer):
    """A trained circuit behind data circuits: ``tfq.layers.PQC``, fast, saved by Keras, under either Keras.

    Call it with ``[batch]`` circuits without symbols, serialised by ``tfq.convert_to_tensor``; the output is
    ``[batch, operators]``, float32. The circuit is compiled with the default backend and differentiator (or, if
    expectation values are exact, ``Adjoint``, or, if they are measured and each gate with a symbol has two eigenvalues,
    ``ParameterShift``); anything else runs in TensorFlow Quantum. So do circuits that would take
    minutes to compile, and samples whose data circuit, or layers whose observables, hold qubits that the model circuit
    lacks. Compiled measurements have the distribution that TensorFlow Quantum's have, and the exact gradient, where
    the default there estimates it.

    Example:
        >>> import cirq
        >>> import sympy
        >>> import tensorflow_quantum as tfq
        >>> from tfq_fusion.layers import PQC
        >>> qubit = cirq.LineQubit(0)
        >>> layer = PQC(cirq.Circuit(cirq.rx(sympy.Symbol("a"))(qubit)), cirq.Z(qubit))
        >>> layer(tfq.convert_to_tensor([cirq.Circuit(), cirq.Circuit(cirq.X(qubit))])).shape
        TensorShape([2, 1])

    Args:
        model_circuit: Circuit with the symbols to train.
        operators: The observables: a Pauli string or sum, or a list of them.
        repetitions: Number of measurements; None for exact expectation values.
        backend: "noiseless", or a Cirq simulator or sampler.
        differentiator: One of ``tfq.differentiators``; None for the backend's default.
        initializer: Initialises the parameters; None for uniform in [0, 2 pi), drawn anew for each layer.
        regularizer: Regularises the parameters.
        constraint: Constrains the parameters.
        **kwargs: Keras layer arguments.

    Attributes:
        symbols: The symbols of the model circuit, sorted by name, as the parameters are.

    Raises:
        TypeError: If an argument is of a type that TensorFlow Quantum does not take.
        ValueError: If the circuit has no symbols, there are no operators, repetitions are not positive, or the backend
            is "noisy"; when called, if circuits are not strings of shape [batch].
        MemoryError: If TensorFlow Quantum is to simulate more qubits than the machine can hold.
        RuntimeError: If Keras does not run on TensorFlow.
        ImportError: If TensorFlow Quantum is not installed.
    """

    def __init__(
        self,
        model_circuit: cirq.Circuit,
        operators: Any,
        *,
        repetitions: int | None = None,
        backend: Any = "noiseless",
        differentiator: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(model_circuit, operators, repetitions, backend, differentiator, trained=True, **kwargs)
        if initializer is None:
            initializer = keras.initializers.RandomUniform(0, 2 * math.pi)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        self.parameters = self.add_weight(
            name="parameters",
            shape=(len(self.symbols),),
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
            dtype="float32",
        )

    def symbol_values(self) -> dict[sympy.Symbol, float]:
        """The parameters by symbol."""
        return dict(zip(self.symbols, self.get_weights()[0], strict=True))

    def call(self, inputs: Any) -> Any:
        """The expectation values, ``[batch, operators]``."""
        circuits = _circuits(inputs)
        no_data = ops.zeros((*ops.shape(circuits)[:1], 0), "float32")
        weights = ops.cast(ops.convert_to_tensor(self.parameters), "float32")
        return ops.cast(self._run(circuits, no_data, weights), self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """``(batch, operators)``."""
        return input_shape[0], len(self._run.operators)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, circuit and operators as Cirq's JSON."""
        return {
            **super().get_config(),
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "constraint": keras.constraints.serialize(self.constraint),
        }


@register
class ControlledPQC(_CircuitLayer):
    """A circuit whose parameters are an input: ``tfq.layers.ControlledPQC``, fast, saved by Keras, under either Keras.

    Call it with ``[circuits, parameters]``: ``[batch]`` circuits without symbols, serialised by
    ``tfq.convert_to_tensor``, and ``[batch, symbols]`` floats in the order of ``symbols``. The output is
    ``[batch, operators]``, float32. :class:`PQC` says when the circuit is compiled. As many circuits as rows of
    parameters are expected, else calls raise TensorFlow's ``InvalidArgumentError``.

    Example:
        >>> import cirq
        >>> import numpy as np
        >>> import sympy
        >>> import tensorflow_quantum as tfq
        >>> from tfq_fusion.layers import ControlledPQC
        >>> qubit = cirq.LineQubit(0)
        >>> layer = ControlledPQC(cirq.Circuit(cirq.rx(sympy.Symbol("a"))(qubit)), cirq.Z(qubit))
        >>> layer([tfq.convert_to_tensor([cirq.Circuit()] * 2), np.array([[0.0], [np.pi]])]).numpy().round(3)
        array([[ 1.],
               [-1.]], dtype=float32)

    Args:
        model_circuit: Circuit with the symbols to control.
        operators: The observables: a Pauli string or sum, or a list of them.
        repetitions: Number of measurements; None for exact expectation values.
        backend: "noiseless", or a Cirq simulator or sampler.
        differentiator: One of ``tfq.differentiators``; None for the backend's default.
        **kwargs: Keras layer arguments.

    Attributes:
        symbols: The symbols of the model circuit, sorted by name, as the parameters are.

    Raises:
        TypeError: If an argument is of a type that TensorFlow Quantum does not take.
        ValueError: If the circuit has no symbols, there are no operators, repetitions are not positive, or the backend
            is "noisy"; when called, if circuits are not strings of shape [batch].
        MemoryError: If TensorFlow Quantum is to simulate more qubits than the machine can hold.
        RuntimeError: If Keras does not run on TensorFlow.
        ImportError: If TensorFlow Quantum is not installed.
    """

    def __init__(
        self,
        model_circuit: cirq.Circuit,
        operators: Any,
        *,
        repetitions: int | None = None,
        backend: Any = "noiseless",
        differentiator: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(model_circuit, operators, repetitions, backend, differentiator, trained=False, **kwargs)

    def call(self, inputs: Any) -> Any:
        """The expectation values, ``[batch, operators]``."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ValueError(f"{self.name!r} should be called with [circuits, parameters], got {inputs!r}.")
        circuits, parameters = inputs
        parameters = real_tensor(parameters, "Parameters should be real numbers of shape [batch, symbols]")
        values = self._run(_circuits(circuits), ops.cast(parameters, "float32"), ops.zeros(0, "float32"))
        return ops.cast(values, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """``(batch, operators)``."""
        return input_shape[0][0], len(self._run.operators)
