"""The frequencies in what a Quantum Fusion Layer gives: the degree of its polynomials, exact and without training."""

from __future__ import annotations

import itertools
import math

import numpy as np

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import ModelCircuit, qfl_circuit

TOLERANCE = 1e-9
"""Fourier coefficients below this are rounding errors of double precision: expectation values are at most 1."""


def largest_frequencies(circuit: ModelCircuit, weights: np.ndarray, degree: int) -> tuple[float, float]:
    """The largest frequency in any one angle, and the largest sum of frequencies of all angles.

    The expectation values are sampled over their whole period, 4 pi, in every angle; frequencies up to ``2 * degree``
    are told apart, and higher ones would be taken for some of these.

    Args:
        circuit: A circuit of few angles: ``(8 * degree)**angles`` samples are taken.
        weights: The values of its weight symbols.
        degree: The degree that is expected.

    Returns:
        Both as multiples of one per turn by 2 pi; halves are possible.
    """
    import tensorflow as tf

    from tfq_fusion.engines import expectation

    points, inputs = 8 * degree, len(circuit.data_symbols)
    axis = 4 * math.pi * np.arange(points) / points
    grid = tf.constant(list(itertools.product(axis, repeat=inputs)), dtype=tf.float64)
    values = expectation(circuit, grid, tf.constant(weights, dtype=tf.float64)).numpy()
    coefficients = np.fft.fftn(values.reshape(*(points,) * inputs, -1), axes=range(inputs)) / len(values)
    frequencies = np.abs(np.fft.fftfreq(points, 2 / points))
    axes = np.meshgrid(*[frequencies] * inputs, indexing="ij")
    present = np.abs(coefficients).max(axis=-1) > TOLERANCE
    return float(np.max(axes, axis=0)[present].max()), float(np.sum(axes, axis=0)[present].max())


def spectrum(spec: RunSpec) -> RunResult:
    """The largest frequencies of a Quantum Fusion Layer of one angle per modality, with random weights.

    Args:
        spec: With the option "modalities". The seed draws the weights and the observables.

    Returns:
        The result, with the test metrics "largest_frequency" and "total_degree".
    """
    modalities = dict(spec.options)["modalities"]
    degree = spec.degree or 1
    circuit = qfl_circuit(modalities, 1, degree, observables=spec.protocol.units, seed=spec.seed)
    weights = np.random.default_rng(spec.seed).uniform(-math.pi, math.pi, len(circuit.weight_symbols))
    single, total = largest_frequencies(circuit, weights, degree)
    return RunResult(
        spec,
        FINISHED,
        modalities,
        fusion_params=len(weights),
        metrics={"test": {"largest_frequency": single, "total_degree": total}},
    )
