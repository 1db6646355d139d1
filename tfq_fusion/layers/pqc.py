"""Drop-in replacements of ``tfq.layers.PQC`` and ``tfq.layers.ControlledPQC``."""

from __future__ import annotations

import math
import numbers
from typing import Any

import cirq
import sympy

from tfq_fusion._keras import keras, ops, real_tensor, register
from tfq_fusion.arguments import integer, require_entries, seed_or_draw
from tfq_fusion.circuits import ModelCircuit, dump_circuit, dump_operators, is_channel, load_circuit, load_operators
from tfq_fusion.engines import expectation, require_angles
from tfq_fusion.engines.memory import TFQ_BYTES, check_memory
from tfq_fusion.engines.reference import require_reference
from tfq_fusion.engines.shots import LARGEST_SHOTS, make_generator

DIFFERENTIATORS = ("Adjoint", "ParameterShift")
"""TensorFlow Quantum's differentiators that take no arguments: a saved layer holds their names."""

_HEADER = b"\n\x0e\n\x0ctfq_gate_set"
"""What every circuit starts with that TensorFlow Quantum has serialised."""


def _circuits(value: Any) -> Any:
    expected = "Circuits should be strings of shape [batch], as tfq.convert_to_tensor makes of circuits"
    try:
        circuits = ops.convert_to_tensor(value)
    except (TypeError, ValueError):
        raise ValueError(f"{expected}, got {value!r}.") from None
    if circuits.dtype.name != "string" or len(circuits.shape) != 1:
        raise ValueError(f"{expected}, got {circuits.dtype.name} of shape {circuits.shape}.")
    return circuits


class _Execution:
    """Runs data circuits followed by the model circuit: compiled where possible, else by TensorFlow Quantum.

    Not a layer, and no container that Keras looks into, so that it does not save TensorFlow Quantum's layer.
    """

    def __init__(
        self,
        model_circuit: cirq.Circuit,
        operators: Any,
        repetitions: int | None,
        backend: Any,
        differentiator: Any,
        *,
        trained: bool,
    ) -> None:
        require_reference("A layer of serialised circuits", "Bind data by symbols: see tfq_fusion.layers.CircuitLayer.")
        import tensorflow as tf
        import tensorflow_quantum as tfq

        # The rest TensorFlow Quantum checks itself.
        if isinstance(repetitions, numbers.Integral) and repetitions > 0:
            integer("repetitions", repetitions)
        self._trained = trained
        # Layers may be made inside a traced function, whose tensors must not outlive it.
        with tf.init_scope():
            # This checks the arguments, so that errors are TensorFlow Quantum's own.
            checked = tfq.layers.ControlledPQC(model_circuit, operators, repetitions=repetitions, backend=backend)
            # Left to the global policy, its layers compute in a precision that its operations do not take.
            execution = tfq.layers.Expectation if repetitions is None else tfq.layers.SampledExpectation
            self._execute = execution(backend=backend, differentiator=differentiator, dtype="float32")
            self._append = tfq.layers.AddCircuit(dtype="float32")
            self.symbols: list[sympy.Symbol] = checked.symbols
            # Circuits and sums change in place, and they are the caller's.
            self.circuit = model_circuit.copy()
            single = isinstance(operators, (cirq.PauliString, cirq.PauliSum))
            self.operators = [
                operator.copy() if isinstance(operator, cirq.PauliSum) else operator
                for operator in ([operators] if single else operators)
            ]
            if not self.operators:
                raise ValueError("operators should hold at least one Pauli string or sum, got none.")
            self._names = tf.constant([symbol.name for symbol in self.symbols])
            self._model = tfq.convert_to_tensor([self.circuit])
            self._observables = tfq.convert_to_tensor([self.operators])
            self._repetitions = None if repetitions is None else tf.fill(self._observables.shape, int(repetitions))
            qubits = sorted(self.circuit.all_qubits())
            self._identities = tfq.convert_to_tensor([cirq.Circuit(cirq.I.on_each(*qubits))])[0]
            self._simulate = tfq.get_state_op()
            simulated = backend in (None, "noiseless")
            if simulated:
                check_memory(len(qubits), TFQ_BYTES, "tfq")
            shifted = type(differentiator) is tfq.differentiators.ParameterShift
            if repetitions is None:
                chosen = differentiator is not None and type(differentiator) is not tfq.differentiators.Adjoint
            else:
                chosen = not (differentiator is None or shifted) or repetitions > LARGEST_SHOTS
            self._spec = None if chosen or not simulated else self._lowerable()
            if self._spec is not None and shifted:
                from tfq_fusion.engines.parameter_shift import of_two_values

                # Other gates TensorFlow Quantum splits, or shifts as if they had two, which is another gradient.
                self._spec = self._spec if of_two_values(self._spec) else None
            self._shots: dict[str, Any] = {}
            if self._spec is not None and repetitions is not None:
                self._shots = {
                    "shots": int(repetitions),
                    "seed": make_generator(seed_or_draw(None)),
                    "differentiator": "parameter_shift" if shifted else "adjoint",
                }
        self._amplitudes = 2 ** len(qubits)
        signature = [
            tf.TensorSpec([None], tf.string),
            tf.TensorSpec([None, 0 if trained else len(self.symbols)]),
            tf.TensorSpec([len(self.symbols) if trained else 0]),
        ]
        self._traced = tf.function(self._compiled, input_signature=signature, autograph=False)

    def _lowerable(self) -> ModelCircuit | None:
        """The circuit to compile; None if it cannot be or has no room, or observables need qubits of data circuits.

        Noise is left to TensorFlow Quantum, which refuses it without a noisy backend.
        """
        import tensorflow_quantum as tfq

        from tfq_fusion.engines.compiled import LoweringError
        from tfq_fusion.engines.compiled.lowering import lower

        if any(set(operator.qubits) - self.circuit.all_qubits() for operator in self.operators):
            return None
        # As TensorFlow Quantum reads it: constants in single precision, symbols by name, without assumptions.
        (circuit,) = tfq.from_tensor(self._model)
        if cirq.parameter_names(circuit) != {symbol.name for symbol in self.symbols}:
            return None
        if any(map(is_channel, circuit.all_operations())):
            return None
        symbols = tuple(self.symbols)
        sums = tuple(cirq.PauliSum.wrap(operator) for operator in self.operators)
        spec = ModelCircuit(circuit, () if self._trained else symbols, symbols if self._trained else (), sums)
        try:
            lower(spec)
        except (LoweringError, MemoryError):
            return None
        return spec

    def __call__(self, circuits: Any, data: Any, weights: Any) -> Any:
        """Expectation values ``[batch, operators]`` of ``[batch]`` serialised circuits.

        Args:
            circuits: Strings.
            data: ``[batch, symbols]`` if each sample has values of its own, else ``[batch, 0]``.
            weights: ``[symbols]`` if the samples share them, else ``[0]``.
        """
        import tensorflow as tf

        if self._spec is None:
            return self._by_tfq(*self._matching(circuits, data), weights)
        if not tf.executing_eagerly() or data.shape[1:] != (len(self._spec.data_symbols),):
            return self._compiled(circuits, data, weights)
        from tfq_fusion.engines.compiled import require_room

        # One by one its operations take many times as long, and a graph sees neither values nor how many they are.
        require_angles(self._spec, data, weights)
        require_room(self._spec, data.shape[0])
        return self._traced(circuits, data, weights)

    def _compiled(self, circuits: Any, data: Any, weights: Any) -> Any:
        import tensorflow as tf

        assert self._spec is not None
        circuits, data = self._matching(circuits, data)
        distinct, positions = tf.unique(circuits)
        known = tf.strings.substr(distinct, 0, len(_HEADER)) == _HEADER
        tf.debugging.Assert(
            tf.reduce_all(known), ["Unparseable proto: expected circuits serialised by tfq.convert_to_tensor."]
        )
        # Serialised circuits are protocol buffers: concatenated they merge, moment after moment. The identities make
        # each state one of all qubits of the model.
        prepared = tf.strings.join([self._identities, distinct])
        states = self._simulate(prepared, tf.zeros([0], tf.string), tf.zeros([tf.size(distinct), 0]))
        fragments = states.row_lengths() > self._amplitudes

        def without_fragments() -> Any:
            # Of wide circuits this is a fragment, no state; their values are replaced below.
            zeros = tf.eye(1, self._amplitudes, dtype=tf.complex64)
            return tf.where(fragments[:, tf.newaxis], zeros, states.to_tensor(shape=[None, self._amplitudes]))

        # The states as they are, where that will do: each copy of many takes as long as a few gates.
        narrow = tf.cond(
            tf.reduce_any(fragments),
            without_fragments,
            lambda: tf.reshape(states.flat_values, [-1, self._amplitudes]),
        )
        values = expectation(self._spec, data, weights, states=tf.gather(narrow, positions), **self._shots)
        # A data circuit may hold qubits that the model circuit lacks. No branch: a batch may hold both kinds.
        wide = tf.where(tf.gather(states.row_lengths(), positions) > self._amplitudes)
        others = self._by_tfq(tf.gather_nd(circuits, wide), tf.gather_nd(data, wide), weights)
        return tf.tensor_scatter_nd_update(values, wide, others)

    def _matching(self, circuits: Any, data: Any) -> tuple[Any, Any]:
        """The same, once there are as many of one as of the other."""
        import tensorflow as tf

        if self._trained:
            return circuits, data
        counts = tf.shape(circuits)[0], tf.shape(data)[0]
        message = "Number of circuits and symbol_values do not match. Got {} circuits and {} symbol values."
        matching = tf.debugging.Assert(counts[0] == counts[1], [tf.strings.format(message, counts)])
        with tf.control_dependencies([matching]):
            return tf.identity(circuits), tf.identity(data)

    def _by_tfq(self, circuits: Any, data: Any, weights: Any) -> Any:
        import tensorflow as tf

        batch = tf.shape(circuits)[0]
        shared = tf.repeat(weights[tf.newaxis], batch, axis=0)
        counted = {} if self._repetitions is None else {"repetitions": tf.repeat(self._repetitions, batch, axis=0)}
        return self._execute(
            self._append(circuits, append=tf.repeat(self._model, batch)),
            symbol_names=self._names,
            symbol_values=tf.concat([data, shared], axis=1),
            operators=tf.repeat(self._observables, batch, axis=0),
            **counted,
        )


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
        self._run = _Execution(model_circuit, operators, repetitions, backend, differentiator, trained=trained)
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
