"""How much of a state each measurement sees: the rank of what it measures."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import cirq
import numpy as np

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import qfl_circuit

INPUTS = 600
"""More than the dimension of any space that is looked for, with four qubits 255."""

TOLERANCE = 1e-9
"""Singular values below this share of the largest are rounding errors of double precision."""


def feature_map_rank(spec: RunSpec) -> RunResult:
    """The ranks of a Quantum Fusion Layer with random weights, for one measurement.

    A state on n qubits is a point in a space of 4^n - 1 dimensions, its expectation values of all Pauli strings but the
    identity; observables are linear functions on it. A measurement is informationally complete if these functions span
    all of the space, and complete for a feature map if they tell apart what that map reaches: if the outputs over all
    inputs span as many dimensions as the states do.

    Args:
        spec: With the option "modalities"; features, and the number of observables, as the protocol
            says. The inputs are uniform within [-pi, pi) radians.

    Returns:
        The result, with the test metrics "rank_operators" (dimensions that the observables span), "rank_outputs" (those
        that the outputs span as the inputs vary) and "rank_states" (those that the states span).
    """
    options, protocol = dict(spec.options), spec.protocol
    assert spec.degree is not None
    modalities = int(options["modalities"])
    circuit = qfl_circuit(
        modalities, protocol.features, spec.degree, observables=protocol.units, seed=spec.seed, **dict(spec.arguments)
    )
    qubits = cirq.LineQubit.range(len(circuit.circuit.all_qubits()))
    strings = {letters: number for number, letters in enumerate(itertools.product("IXYZ", repeat=len(qubits)))}
    coefficients = np.zeros((len(circuit.operators), len(strings)))
    for row, operator in zip(coefficients, circuit.operators, strict=True):
        for string in operator:
            row[strings[tuple(str(string.get(qubit, cirq.I)) for qubit in qubits)]] = string.coefficient.real
    states = _pauli_vectors(modalities, protocol.features, spec.degree, spec.seed)
    ranks = {
        "rank_operators": _rank(coefficients[:, 1:]),
        "rank_outputs": _rank(_centred(states @ coefficients[:, 1:].T)),
        "rank_states": _rank(_centred(states)),
    }
    return RunResult(spec, FINISHED, modalities, fusion_params=len(circuit.weight_symbols), metrics={"test": ranks})


@functools.lru_cache(maxsize=8)
def _pauli_vectors(modalities: int, features: int, degree: int, seed: int) -> np.ndarray:
    """Expectation values of all Pauli strings in the order of their letters, identity left out, for random inputs."""
    import tensorflow as tf

    from tfq_fusion.engines import expectation

    circuit = qfl_circuit(modalities, features, degree, observables=1)
    qubits = cirq.LineQubit.range(len(circuit.circuit.all_qubits()))
    letters = itertools.islice(itertools.product("IXYZ", repeat=len(qubits)), 1, None)
    strings = tuple(cirq.PauliSum.from_pauli_strings(cirq.DensePauliString(letter).on(*qubits)) for letter in letters)
    circuit = dataclasses.replace(circuit, operators=strings)
    rng = np.random.default_rng(seed)
    data = rng.uniform(-math.pi, math.pi, (INPUTS, len(circuit.data_symbols)))
    weights = rng.uniform(-math.pi, math.pi, len(circuit.weight_symbols))
    return np.asarray(expectation(circuit, tf.constant(data, tf.float64), weights))


def _centred(rows: np.ndarray) -> np.ndarray:
    return rows - rows.mean(axis=0)


def _rank(matrix: np.ndarray) -> float:
    values = np.linalg.svd(matrix, compute_uv=False)
    return float(np.count_nonzero(values > TOLERANCE * values[0]))
