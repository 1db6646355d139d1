"""What noise after every gate costs, and what training with it brings back."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cirq
import numpy as np

from reproduce.experiments.inside import accuracy, called, fusion_of, result, train_seeds
from reproduce.experiments.processors.native import hardware_circuit
from reproduce.sweep.run.assemble import assemble, checked_dataset
from reproduce.sweep.run.train import trainer
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion._keras import keras, ops
from tfq_fusion.circuits import hardware_mix
from tfq_fusion.layers import CircuitLayer, QuantumFusionLayer
from tfq_fusion.training import prepare
from tfq_fusion.training.fitted import Fitted

CHANNELS: Mapping[str, Callable[[float], cirq.Gate]] = {
    "depolarizing": cirq.depolarize,
    "phase_damping": cirq.phase_damp,
}
"""Name -> Cirq's channel of a rate."""


def noise(specs: Sequence[RunSpec], backup: Path | None = None) -> list[RunResult]:
    """Accuracy with noise of several rates after every gate, on the whole test part.

    The circuit is written with single-qubit rotations, CNOTs and CZs, and after each gate the channel acts on every
    qubit of the gate, exactly: see :class:`NoisyFusion`.

    A model is trained without noise, and then again for some epochs: without noise, or with noise of the rate that it
    is tested with, so that the two differ in noise alone; or with noise, but for its encoders and its fusion, which
    stay as they are.

    Args:
        specs: What to run, seeds of one cell, with these options: "channel", one of :data:`CHANNELS`, "rates",
            "epochs", and "trained": "noiseless", "noisy" or "noisy head". Without rates, the one way for a classical
            fusion, there is no noise.
        backup: A folder of these runs alone, from which they continue if they were killed; None to do without.

    Returns:
        The results, with the test metric "accuracy@R" for each rate R; "accuracy@0" if trained without noise.
    """
    spec, options = specs[0], dict(specs[0].options)
    dataset = checked_dataset(spec)
    data = prepare(dataset)
    again = dataclasses.replace(spec.protocol, epochs=options["epochs"])

    def make(seed: int, fusion: keras.layers.Layer | None = None) -> keras.Model:
        return assemble(dataclasses.replace(spec, seed=seed), dataset, data, fusion)[1]

    def copied(trained: Fitted, seed: int, rate: float) -> keras.Model:
        """The trained model, with noise of a rate in its fusion."""
        assert trained.model is not None
        noisy = NoisyFusion(fusion_of(trained.model), CHANNELS[options["channel"]](rate)) if rate else None
        model = make(seed, noisy)
        model.set_weights(trained.model.get_weights())
        return model

    def score(trained: Fitted, seed: int, rate: float) -> float:
        inputs, labels = data.test
        return accuracy(called(copied(trained, seed, rate), inputs), labels)

    seeds = [each.seed for each in specs]
    found, tuning = train_seeds(specs, data, make, backup and backup / "first")
    first = dict(zip(seeds, found, strict=True))
    # All rates in one program: members are numbered, and their numbers shuffle their samples.
    rates = [0.0] if options["trained"] == "noiseless" else options["rates"]
    members = [(seed, rate) for rate, seed in itertools.product(rates, seeds) if not first[seed].diverged]
    metrics: dict[int, dict[str, float]] = {seed: {} for seed in seeds}
    if members:

        def further(number: int) -> keras.Model:
            seed, rate = members[number]
            model = copied(first[seed], seed, rate)
            for layer in model.layers[:-2] if options["trained"] == "noisy head" else ():
                layer.trainable = False
            return model

        learning_rates = [first[seed].learning_rate for seed, _ in members]
        folder = backup and backup / "again"
        found = trainer(further, again)(data, range(len(members)), learning_rates, {}, folder)
        for (seed, rate), trained in zip(members, found, strict=True):
            last = first[seed] if trained.diverged else trained
            metrics[seed][f"accuracy@{rate:g}"] = (
                score(last, seed, rate) if trained.diverged else trained.metrics["test"]["accuracy"]
            )
            if rate == 0:
                metrics[seed] |= {f"accuracy@{each:g}": score(last, seed, each) for each in options["rates"]}
    return [result(each, dataset, data, first[each.seed], metrics[each.seed], tuning) for each in specs]


class NoisyFusion(keras.layers.Layer):
    """A Quantum Fusion Layer as noisy hardware would run it.

    Its circuit is written with single-qubit rotations, CNOTs and CZs, and a channel acts after each gate on every qubit
    of it.

    It is never saved: its weights are those of the layer, which is.

    Args:
        fusion: The layer, built.
        channel: A channel of one qubit.
    """

    def __init__(self, fusion: QuantumFusionLayer, channel: cirq.Gate) -> None:
        super().__init__()
        self.circuit = CircuitLayer(hardware_circuit(fusion), noise=channel, name="circuit")
        self._mix = (fusion.scale * hardware_mix(len(fusion.circuit.spec.data_symbols))).astype(np.float32)

    def call(self, inputs: Any) -> Any:
        """The expectation values, ``[batch, observables]``, of inputs ``[batch, modalities, features]``."""
        return self.circuit(ops.matmul(ops.reshape(inputs, (-1, len(self._mix))), self._mix))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """``(batch, observables)``."""
        return input_shape[0], len(self.circuit.spec.operators)

    def get_config(self) -> dict[str, Any]:
        """None.

        Raises:
            NotImplementedError: In any case.
        """
        raise NotImplementedError("NoisyFusion is never saved. Give its weights to a QuantumFusionLayer and save that.")
