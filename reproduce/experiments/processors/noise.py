"""What noise after every gate costs, and what training with it brings back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

import cirq
import numpy as np
import tensorflow as tf
import tensorflow_quantum as tfq

from reproduce.experiments.inside import (
    accuracy,
    called,
    fusion_of,
    head_of,
    result,
    some_test_samples,
    train,
)
from reproduce.experiments.processors.native import hardware_circuit, hardware_values
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras, ops
from tfq_fusion.circuits import ModelCircuit, hardware_mix, padded_symbols
from tfq_fusion.datasets import Dataset
from tfq_fusion.engines import expectation
from tfq_fusion.layers import QuantumFusionLayer
from tfq_fusion.training import Prepared, prepare
from tfq_fusion.training.fit import fit

CHANNELS: dict[str, tuple[Callable[[float], cirq.Gate], Callable[[float], tuple[float, float, float]]]] = {
    "depolarizing": (cirq.depolarize, lambda rate: (rate / 3, rate / 3, rate / 3)),
    "phase_damping": (cirq.phase_damp, lambda rate: (0.0, 0.0, (1 - math.sqrt(1 - rate)) / 2)),
}
"""Name -> Cirq's channel of a rate, and the probabilities of X, Y and Z that make the same channel."""


def noise(spec: RunSpec) -> RunResult:
    """Accuracy with noise of several rates after every gate, on some of the test samples.

    The circuit is written with single-qubit rotations, CNOTs and CZs, and after each gate the channel acts on every
    qubit of the gate. Expectation values come from TensorFlow Quantum's noisy simulator, as means over trajectories;
    it takes no seed, so that a repetition differs within its error.

    With the option "epochs" the model that was trained without noise is trained further with noise of that rate, see
    :class:`NoisyFusion`, by as many epochs and otherwise by the same protocol, before it is tested.

    Args:
        spec: With these options: "samples", how many random test samples; "channel", one of :data:`CHANNELS`, "rates",
            "trajectories" per sample, and "epochs", 0 for no training with noise. Without rates, the one way for a
            classical fusion, there is no noise.

    Returns:
        The result, with the test metrics "accuracy@0", without noise, and for each rate R "accuracy@R" and
        "trajectory_error@R", the standard error of an expectation value (root mean square over samples and outputs).
    """
    options = dict(spec.options)
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    fitted = train(spec, dataset, data)
    if fitted.model is None:
        return result(spec, dataset, data, fitted, {})
    inputs, labels = some_test_samples(data, options["samples"])
    metrics = {"accuracy@0": accuracy(called(fitted.model, inputs), labels)}
    for rate in options["rates"]:
        model = _trained_further(spec, dataset, data, fitted.model, rate) if options["epochs"] else fitted.model
        channel, _ = CHANNELS[options["channel"]]
        circuit = hardware_circuit(fusion_of(fitted.model))
        values, error = noisy_expectation(
            circuit, *hardware_values(model, inputs), channel(rate), options["trajectories"]
        )
        metrics[f"accuracy@{rate:g}"] = accuracy(called(head_of(model), values), labels)
        metrics[f"trajectory_error@{rate:g}"] = error
    return result(spec, dataset, data, fitted, metrics)


def after_every_gate(circuit: cirq.Circuit, noise: Callable[[cirq.Qid], Iterable[cirq.Operation]]) -> cirq.Circuit:
    """The circuit with further operations after each gate, on every qubit of it."""
    return cirq.Circuit(
        each
        for operation in circuit.all_operations()
        for each in (operation, *(added for qubit in operation.qubits for added in noise(qubit)))
    )


def noisy_expectation(
    circuit: ModelCircuit, data: np.ndarray, weights: np.ndarray, channel: cirq.Gate, trajectories: int
) -> tuple[np.ndarray, float]:
    """Expectation values with a channel after every gate, by TensorFlow Quantum's trajectories.

    Args:
        circuit: The circuit without noise.
        data: ``[batch, n_data]``.
        weights: ``[n_weights]``.
        channel: Acts on one qubit.
        trajectories: Per sample; an even number.

    Returns:
        ``[batch, n_operators]``, float32, and the standard error of one of them, from two halves of the trajectories:
        root mean square over all.
    """
    noisy = after_every_gate(circuit.circuit, lambda qubit: [channel.on(qubit)])
    batch = len(data)
    half = [
        tfq.noise.expectation(
            tf.repeat(tfq.convert_to_tensor([noisy]), batch),
            [symbol.name for symbol in (*circuit.data_symbols, *circuit.weight_symbols)],
            np.hstack([data, np.tile(weights, (batch, 1))]).astype(np.float32),
            tf.repeat(tfq.convert_to_tensor([list(circuit.operators)]), batch, axis=0),
            tf.fill([batch, len(circuit.operators)], trajectories // 2),
        ).numpy()
        for _ in range(2)
    ]
    return (half[0] + half[1]) / 2, float(np.sqrt(np.mean((half[0] - half[1]) ** 2)) / 2)


class NoisyFusion(keras.layers.Layer):
    """A Quantum Fusion Layer in which every sample meets Pauli noise of its own in every call.

    After each gate of the hardware's form, and on each of its qubits, X, Y or Z happens with the channel's
    probabilities. The mean of outputs, and of gradients, over many calls is that of the channel: an unbiased gradient
    for the price of one circuit per sample, where TensorFlow Quantum's noisy layers shift each parameter in turn.

    It is never saved: its weights are those of the layer, which is.

    Args:
        fusion: The layer, built.
        channel: One of :data:`CHANNELS`.
        rate: The channel's rate.
    """

    def __init__(self, fusion: QuantumFusionLayer, channel: str, rate: float) -> None:
        super().__init__()
        circuit = hardware_circuit(fusion)
        places = sum(len(operation.qubits) for operation in circuit.circuit.all_operations())
        flips = padded_symbols("x_error", places), padded_symbols("z_error", places)
        errors = zip(*flips, strict=True)

        def error(qubit: cirq.Qid) -> list[cirq.Operation]:
            x, z = next(errors)
            return [(cirq.X**x).on(qubit), (cirq.Z**z).on(qubit)]

        self.spec = dataclasses.replace(
            circuit,
            circuit=after_every_gate(circuit.circuit, error),
            data_symbols=(*circuit.data_symbols, *flips[0], *flips[1]),
        )
        self.scale = fusion.scale
        self.observables = fusion.observables
        self.theta = self.add_weight(name="theta", shape=fusion.circuit.theta.shape, initializer="zeros")
        self._mix = hardware_mix(len(fusion.circuit.spec.data_symbols)).astype(np.float32)
        self._probabilities = CHANNELS[channel][1](rate)
        self._places = places
        self._random = keras.random.SeedGenerator(fusion.seed)

    def call(self, inputs: Any) -> Any:
        """The expectation values of one trajectory per sample, ``[batch, observables]``."""
        angles = ops.matmul(self.scale * ops.reshape(inputs, (-1, self._mix.shape[0])), self._mix)
        drawn = keras.random.uniform((ops.shape(angles)[0], self._places), seed=self._random)
        x, y, z = self._probabilities
        flips = [drawn < x + y, ops.logical_and(drawn >= x, drawn < x + y + z)]
        data = ops.concatenate([angles, *(ops.cast(flip, angles.dtype) for flip in flips)], axis=1)
        return expectation(self.spec, data, ops.convert_to_tensor(self.theta), engine="tfq")

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """``(batch, observables)``."""
        return input_shape[0], self.observables

    def get_config(self) -> dict[str, Any]:
        """None.

        Raises:
            NotImplementedError: In any case.
        """
        raise NotImplementedError("NoisyFusion is never saved. Give its weights to a QuantumFusionLayer and save that.")


def _trained_further(spec: RunSpec, dataset: Dataset, data: Prepared, trained: keras.Model, rate: float) -> keras.Model:
    """The trained model after more epochs, with noise; as it was if its loss became NaN."""
    options = dict(spec.options)

    def make(seed: int) -> keras.Model:
        _, model = assemble(spec, dataset, data, NoisyFusion(fusion_of(trained), options["channel"], rate))
        model.set_weights(trained.get_weights())
        return model

    protocol = dataclasses.replace(spec.protocol, epochs=options["epochs"])
    return fit(make, data, protocol, spec.seed, protocol.learning_rates[0]).model or trained
