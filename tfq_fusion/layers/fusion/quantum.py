"""The Quantum Fusion Layer."""

from __future__ import annotations

import math
from typing import Any

import cirq

from tfq_fusion._keras import keras, register
from tfq_fusion.arguments import integer, number, one_of
from tfq_fusion.circuits import ModelCircuit, dump_circuit, load_circuit, qfl_circuit, with_noise
from tfq_fusion.engines import DIFFERENTIATORS, check_engine
from tfq_fusion.engines.shots import check_shots
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.circuit_layer import CircuitLayer, can_be_jitted
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities


@register
class QuantumFusionLayer(Fusion):
    r"""Fuses modalities by a quantum circuit whose outputs are polynomials of chosen degree in all features.

    The features of all modalities turn the value qubit of :func:`tfq_fusion.circuits.qfl_circuit`, addressed by its
    index register, ``degree`` times between trained unitaries (arXiv 2510.06938). With
    ``n = ceil(log2(sum_m features_m + 1)) + 1`` qubits the layer trains ``3 * n * blocks * (degree + 1)`` weights.

    Call it with a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor, float,
    with features in [-1, 1] (a tanh encoder, for instance). The output is ``[batch, observables]``, float32, each
    value in [-1, 1] for Pauli strings.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import QuantumFusionLayer
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = QuantumFusionLayer(degree=3)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 32]), 48)

    Args:
        degree: Repetitions P of the encoding: the degree of the polynomials.
        blocks: Hardware-efficient blocks in each trained unitary.
        entangler: "all_to_all", "ring" or "brick".
        signal: The rotation that carries the data: "rx", "ry" or "rz".
        measurement: "random_pauli", "pauli_plane" or "computational".
        observables: The number of outputs.
        scale: Angle in radians of a feature of 1.
        engine: Which engine runs the circuit, see :func:`tfq_fusion.engines.expectation`.
        seed: Seeds the choice of observables, the initial weights and the shots; None draws one, repeatable by
            ``keras.utils.set_random_seed``. It is saved: a clone measures the same observables.
        locality: The qubits per observable, see :func:`tfq_fusion.circuits.qfl_circuit`.
        initializer: Initialises the weights; None for uniform in [-pi, pi).
        regularizer: Regularises the weights.
        constraint: Constrains the weights.
        noise: A channel of one qubit, after every gate on each qubit of it, or a noise model of Cirq; see
            :func:`tfq_fusion.circuits.with_noise`. None for none. A layer with a noise model cannot be saved.
        shots: How many times each observable is measured, anew in every call, see
            :func:`tfq_fusion.engines.expectation`; None for exact values.
        differentiator: "adjoint" for exact gradients, "parameter_shift" for those of a device, see
            :func:`tfq_fusion.engines.expectation`.
        **kwargs: Keras layer arguments.

    Attributes:
        circuit: The layer of the circuit, a :class:`~tfq_fusion.layers.CircuitLayer`, once built.

    Raises:
        ValueError: If an argument is out of its range, or the input is no batch of at least two modalities.
    """

    def __init__(
        self,
        degree: int,
        blocks: int = 1,
        entangler: str = "all_to_all",
        signal: str = "ry",
        measurement: str = "random_pauli",
        observables: int = 32,
        scale: float = math.pi / 2,
        engine: str = "compiled",
        seed: int | None = None,
        locality: int | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        noise: cirq.NoiseModel | cirq.Gate | None = None,
        shots: int | None = None,
        differentiator: str = "adjoint",
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        check_engine(engine)
        self.degree = integer("degree", degree)
        self.blocks = integer("blocks", blocks)
        self.entangler = entangler
        self.signal = signal
        self.measurement = measurement
        self.observables = integer("observables", observables)
        self.scale = number("scale", scale)
        self.engine = engine
        self.locality = None if locality is None else integer("locality", locality)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        self.noise = noise
        self.shots = None if shots is None else check_shots(shots)
        self.differentiator = one_of("differentiator", differentiator, DIFFERENTIATORS)
        # Arguments that no input can mend fail here, where the user wrote them, on the smallest possible circuit.
        smallest = self.make_spec((1, 1), degree=1, blocks=1, observables=1, locality=None)
        if noise is not None:
            with_noise(smallest.circuit, noise)
        self.supports_jit = can_be_jitted(engine, shots)

    def make_spec(self, widths: tuple[int, ...], **changes: Any) -> ModelCircuit:
        """The layer's circuit for modalities of these widths, with some arguments of ``qfl_circuit`` changed."""
        arguments = {
            "degree": self.degree,
            "blocks": self.blocks,
            "entangler": self.entangler,
            "signal": self.signal,
            "measurement": self.measurement,
            "observables": self.observables,
            "seed": self.seed,
            "locality": self.locality,
        }
        return qfl_circuit(len(widths), widths, **{**arguments, **changes})

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the circuit and its weights."""
        self.circuit = CircuitLayer(
            self.make_spec(widths),
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
            engine=self.engine,
            noise=self.noise,
            shots=self.shots,
            differentiator=self.differentiator,
            scale=self.scale,
            seed=self.seed,
            dtype=self.dtype_policy,
            name="circuit",
        )

    def call(self, inputs: Any) -> Any:
        """The expectation values, ``[batch, observables]``."""
        return self.circuit(concatenate_modalities(inputs, self.widths))

    def serialize(self, name: str, value: Any) -> Any:
        """As :meth:`Fusion.serialize`; a channel is saved as a circuit of it alone, in Cirq's JSON.

        Raises:
            NotImplementedError: If the noise is a noise model.
            ValueError: If the channel is one that :func:`tfq_fusion.circuits.load_circuit` would refuse.
        """
        if name != "noise" or value is None:
            return super().serialize(name, value)
        if not isinstance(value, cirq.Gate):
            raise NotImplementedError(
                "A layer with a noise model of Cirq cannot be saved. Save its weights, or give a channel as noise."
            )
        return dump_circuit(cirq.Circuit(value.on(cirq.LineQubit(0))))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> QuantumFusionLayer:
        """The layer of a configuration, which may be from a file of a stranger.

        Raises:
            ValueError: If the noise is not what :meth:`serialize` could have written.
        """
        noise = config.get("noise")
        if noise is not None:
            operations = list(load_circuit(noise).all_operations())
            if len(operations) != 1:
                raise ValueError(f"noise should be a circuit of one channel, got {len(operations)} operations.")
            config = {**config, "noise": operations[0].gate}
        layer: QuantumFusionLayer = super().from_config(config)
        return layer

    def output_width(self, widths: tuple[int, ...]) -> int:
        """The number of observables."""
        return self.observables


QFL = FusionEntry(
    name="qfl",
    caption="QFL",
    kind="quantum",
    has_degree=True,
    make=lambda degree, units, engine, seed, **arguments: QuantumFusionLayer(
        degree, observables=units, engine=engine, seed=seed, **arguments
    ),
)
