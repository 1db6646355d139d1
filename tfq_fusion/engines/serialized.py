"""How circuits that TensorFlow Quantum has serialised are run, each followed by the same model circuit."""

from __future__ import annotations

import numbers
from typing import Any

import cirq
import sympy

from tfq_fusion.arguments import integer, seed_or_draw
from tfq_fusion.circuits import ModelCircuit, is_channel
from tfq_fusion.engines import expectation, require_angles
from tfq_fusion.engines.memory import TFQ_BYTES, check_memory
from tfq_fusion.engines.reference import require_reference
from tfq_fusion.engines.shots import LARGEST_SHOTS, make_generator

_HEADER = b"\n\x0e\n\x0ctfq_gate_set"
"""What every circuit starts with that TensorFlow Quantum has serialised."""


class Execution:
    """Runs data circuits followed by the model circuit: compiled where possible, else by TensorFlow Quantum.

    Not a layer, and no container that Keras looks into, so that it does not save TensorFlow Quantum's layer.

    Args:
        model_circuit: What follows each data circuit.
        operators: The observables: a Pauli string or sum, or a list of them.
        repetitions: Number of measurements; None for exact expectation values.
        backend: "noiseless", or a Cirq simulator or sampler.
        differentiator: One of ``tfq.differentiators``; None for the backend's default.
        trained: Whether the samples share the values of the symbols; else each has its own.

    Attributes:
        symbols: Those of the model circuit, sorted by name.
        circuit: A copy of the model circuit.
        operators: The observables, in a list, copies of what changes in place.
        spec: What is compiled; None if TensorFlow Quantum runs it all.

    Raises:
        TypeError, ValueError: As TensorFlow Quantum's ``ControlledPQC``, and if there are no operators.
        MemoryError: If TensorFlow Quantum is to simulate more qubits than the machine can hold.
        RuntimeError: If Keras does not run on TensorFlow.
        ImportError: If TensorFlow Quantum is not installed.
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
            self.spec = None if chosen or not simulated else self._lowerable()
            if self.spec is not None and shifted:
                from tfq_fusion.engines.parameter_shift import of_two_values

                # Other gates TensorFlow Quantum splits, or shifts as if they had two, which is another gradient.
                self.spec = self.spec if of_two_values(self.spec) else None
            self._shots: dict[str, Any] = {}
            if self.spec is not None and repetitions is not None:
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

        if self.spec is None:
            return self._by_tfq(*self._matching(circuits, data), weights)
        if not tf.executing_eagerly() or data.shape[1:] != (len(self.spec.data_symbols),):
            return self._compiled(circuits, data, weights)
        from tfq_fusion.engines.compiled import require_room

        # One by one its operations take many times as long, and a graph sees neither values nor how many they are.
        require_angles(self.spec, data, weights)
        require_room(self.spec, data.shape[0])
        return self._traced(circuits, data, weights)

    def _compiled(self, circuits: Any, data: Any, weights: Any) -> Any:
        import tensorflow as tf

        assert self.spec is not None
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
        values = expectation(self.spec, data, weights, states=tf.gather(narrow, positions), **self._shots)
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
