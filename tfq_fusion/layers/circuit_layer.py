"""Any circuit as a Keras layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import cirq
import sympy

from tfq_fusion._keras import at_least_single, keras, ops, real_tensor, register
from tfq_fusion.arguments import floating_point, number, one_of, require_entries, seed_or_draw
from tfq_fusion.circuits import ModelCircuit, dump_circuit, dump_operators, load_circuit, load_operators, with_noise
from tfq_fusion.engines import DIFFERENTIATORS, check_engine, expectation
from tfq_fusion.engines.shots import check_shots, make_generator

_SAVED = ("circuit", "operators", "data_symbols", "weight_symbols")
"""The entries of a configuration that hold the circuit."""


@register
class CircuitLayer(keras.layers.Layer):
    r"""A parametrised quantum circuit as a layer: features in, expectation values out, and weights that are trained.

    Call it with ``[batch, n_data]`` features, or a list of ``[batch, k]`` tensors with ``n_data`` columns together. A
    feature is multiplied by ``scale`` and bound to its symbol. The output is ``[batch, n_operators]``, in the layer's
    precision.

    A second argument, ``states``, is what each sample's circuit starts from in place of zeros: ``[batch, 2**n]``
    amplitudes of norm 1, complex or real, the first qubit (in Cirq's order) most significant; engine "compiled" only.
    A circuit without data takes ``[batch, 0]`` features.

    Example:
        >>> import cirq
        >>> import numpy as np
        >>> import sympy
        >>> from tfq_fusion.layers import CircuitLayer
        >>> x, a = sympy.symbols("x a")
        >>> qubit = cirq.LineQubit(0)
        >>> circuit = cirq.Circuit(cirq.rx(x)(qubit), cirq.rz(a)(qubit), cirq.H(qubit))
        >>> layer = CircuitLayer(circuit, [cirq.Z(qubit)], data_symbols=[x])
        >>> layer(np.array([[0.1], [0.2]])).shape
        TensorShape([2, 1])

    Args:
        circuit: A :class:`~tfq_fusion.circuits.ModelCircuit`; or a symbolic circuit, with the next two arguments.
        operators: What is measured: a Pauli string or sum, or a sequence of them.
        data_symbols: The symbols that features are bound to, in their order. All other symbols of the circuit are
            weights, in the order of their names.
        initializer: Initialises the weights; None for uniform in [-pi, pi).
        regularizer: Regularises the weights.
        constraint: Constrains the weights.
        engine: Which engine runs the circuit, see :func:`tfq_fusion.engines.expectation`.
        noise: A channel after every gate, or a noise model, see :func:`tfq_fusion.circuits.with_noise`; None for the
            circuit as it is, which may hold channels. What is saved is the noisy circuit.
        shots: How many times each Pauli string is measured, anew in every call, see
            :func:`tfq_fusion.engines.expectation`; None for exact values.
        differentiator: "adjoint" for exact gradients, "parameter_shift" for those of a device, see
            :func:`tfq_fusion.engines.expectation`.
        scale: Angle in radians of a feature of 1.
        seed: Seeds the default initialiser, and the shots; None draws one, repeatable by
            ``keras.utils.set_random_seed``. It is saved.
        **kwargs: Keras layer arguments.

    Attributes:
        spec: The model circuit.
        theta: The weights ``[n_weights]``, in the order of ``spec.weight_symbols``; None if there are none.

    Raises:
        TypeError: If the circuit or its operators are of another type, or both a model circuit and operators are given.
        ValueError: If an argument is out of its range, or a symbol is bound twice; when called, if the features do not
            fit the circuit.
    """

    def __init__(
        self,
        circuit: ModelCircuit | cirq.AbstractCircuit,
        operators: Any = None,
        data_symbols: Sequence[sympy.Symbol] | None = None,
        *,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        engine: str = "compiled",
        noise: cirq.NoiseModel | cirq.Gate | None = None,
        shots: int | None = None,
        differentiator: str = "adjoint",
        scale: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        floating_point("dtype", self.compute_dtype)
        check_engine(engine)
        self.spec = _model_circuit(circuit, operators, data_symbols)
        if noise is not None:
            self.spec = dataclasses.replace(self.spec, circuit=with_noise(self.spec.circuit, noise))
        self.seed = seed_or_draw(seed)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        self.engine = engine
        self.differentiator = one_of("differentiator", differentiator, DIFFERENTIATORS)
        self.scale = number("scale", scale)
        self.shots = self._draws = None
        if shots is not None:
            self.shots, self._draws = check_shots(shots), make_generator(self.seed)
        self.supports_jit = can_be_jitted(engine, shots)
        self.theta = None
        # At once, as all is known: optimizers of PyTorch are given parameters before a module is called.
        self.build((None, len(self.spec.data_symbols)))

    def build(self, input_shape: Any) -> None:
        """Make the weights, whose number no input changes."""
        if self.spec.weight_symbols:
            uniform = keras.initializers.RandomUniform(-math.pi, math.pi, seed=self.seed)
            self.theta = self.add_weight(
                name="theta",
                shape=(len(self.spec.weight_symbols),),
                initializer=self.initializer or uniform,
                regularizer=self.regularizer,
                constraint=self.constraint,
                autocast=False,
            )
        super().build(input_shape)

    def _batch(self, input_shape: Any) -> int | None:
        """The size of a batch of features of this shape.

        Raises:
            ValueError: If they do not fit the circuit.
        """
        shapes = [tuple(input_shape)] if _is_shape(input_shape) else [tuple(shape) for shape in input_shape]
        count = len(self.spec.data_symbols)
        widths = [shape[-1] for shape in shapes if len(shape) == 2]
        if len(widths) < len(shapes) or None in widths or sum(widths) != count:
            symbols = [symbol.name for symbol in self.spec.data_symbols]
            raise ValueError(
                f"{self.name!r} should be called with features of shape [batch, {count}], one column for each of the "
                f"data symbols {symbols}, or with a list of tensors that have so many columns together; got "
                f"{', '.join(map(str, map(list, shapes)))}."
            )
        batch: int | None = shapes[0][0]
        return batch

    def call(self, inputs: Any, states: Any = None) -> Any:
        """The expectation values, ``[batch, n_operators]``."""
        parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        self._batch([tuple(part.shape) for part in parts])
        parts = [ops.cast(real_tensor(part, "Features should be real numbers"), self.compute_dtype) for part in parts]
        features = at_least_single(ops.concatenate(parts, axis=-1))
        weights = ops.zeros(0, features.dtype) if self.theta is None else ops.convert_to_tensor(self.theta)
        values = expectation(
            self.spec,
            self.scale * features,
            at_least_single(weights),
            self.engine,
            states,
            shots=self.shots,
            seed=self._draws,
            differentiator=self.differentiator,
        )
        return ops.cast(values, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """``(batch, n_operators)``."""
        return self._batch(input_shape), len(self.spec.operators)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, circuit and operators as Cirq's JSON, symbols by name.

        Raises:
            ValueError: If the circuit is one that :func:`tfq_fusion.circuits.load_circuit` would refuse.
        """
        return {
            **super().get_config(),
            "circuit": dump_circuit(self.spec.circuit),
            "operators": dump_operators(self.spec.operators),
            "data_symbols": [symbol.name for symbol in self.spec.data_symbols],
            "weight_symbols": [symbol.name for symbol in self.spec.weight_symbols],
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "constraint": keras.constraints.serialize(self.constraint),
            "engine": self.engine,
            "shots": self.shots,
            "differentiator": self.differentiator,
            "scale": self.scale,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CircuitLayer:
        """The layer of a configuration, which may be from a file of a stranger.

        Raises:
            ValueError: If an entry is not what :meth:`get_config` could have written; before any of it is used.
        """
        require_entries(cls.__name__, config, _SAVED)
        spec = ModelCircuit(
            load_circuit(config["circuit"]),
            _named("data_symbols", config["data_symbols"]),
            _named("weight_symbols", config["weight_symbols"]),
            tuple(map(cirq.PauliSum.wrap, load_operators(config["operators"]))),
        )
        return cls(spec, **{name: value for name, value in config.items() if name not in _SAVED})


def can_be_jitted(engine: str, shots: int | None) -> bool:
    """Whether XLA compiles a layer that runs a circuit so."""
    # TensorFlow Quantum's operations are opaque to XLA, and it draws no binomial numbers on TensorFlow.
    return engine != "tfq" and (shots is None or keras.backend.backend() != "tensorflow")


def _model_circuit(circuit: Any, operators: Any, data_symbols: Any) -> ModelCircuit:
    if isinstance(circuit, ModelCircuit):
        if operators is not None or data_symbols is not None:
            raise TypeError("operators and data_symbols belong to a circuit of Cirq; a ModelCircuit has its own.")
        return circuit
    if operators is None:
        raise TypeError("operators should be what is measured, such as [cirq.Z(qubit)], got None.")
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise TypeError(f"circuit should be a ModelCircuit or a circuit of Cirq, got {type(circuit).__name__}.")
    data_symbols = () if data_symbols is None else tuple(data_symbols)
    weights = sorted(cirq.parameter_symbols(circuit) - set(data_symbols), key=lambda symbol: symbol.name)
    return ModelCircuit(circuit, data_symbols, tuple(weights), operators)


def _is_shape(shape: Any) -> bool:
    return all(size is None or isinstance(size, int) for size in shape)


def _named(entry: str, names: Any) -> tuple[sympy.Symbol, ...]:
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{entry} should be a list of names, got {names!r}.")
    return tuple(map(sympy.Symbol, names))
