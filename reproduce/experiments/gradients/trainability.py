"""Barren plateaus: gradients at initialisation, and what ways to begin buy."""

from __future__ import annotations

import math

import numpy as np

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import qfl_circuit

INITIALISATIONS = ("uniform", "small", "identity")
SMALL = 0.1 * math.pi
STRINGS = 8


def two_design_variance(qubits: int) -> float:
    r"""Variance of the derivative of a Pauli string's expectation value if the circuit around the angle is random.

    $$ \mathrm{Var}[\partial_\theta \langle O \rangle] = \frac{d^2}{2 (d - 1) (d + 1)^2} \approx 2^{-n-1},
    \qquad d = 2^n, $$

    for an angle of $\exp(-i \theta \sigma / 2)$, and any string O but the identity, on condition that what comes
    before the rotation and what comes after it are independent and each a 2-design. The mean is zero. It follows from
    the second moments of the Haar measure as in McClean et al., arXiv 1803.11173.
    """
    size = 2.0**qubits
    return size**2 / (2 * (size - 1) * (size + 1) ** 2)


def initial_weights(kind: str, qubits: int, blocks: int, degree: int, rng: np.random.Generator) -> np.ndarray:
    """Initial angles of a Quantum Fusion Layer.

    - "uniform": all uniform in [-pi, pi).
    - "small": all uniform in [-0.1 pi, 0.1 pi).
    - "identity": U(theta_0) is uniform; every other U is the identity, after Grant et al., arXiv 1903.05076. Of each
      two blocks both have zero x and y angles, and opposite z angles, uniform in [-pi, pi): those commute with the
      entangler, which undoes itself. U(theta_0) is left out, because without it the index register would select the
      constant term and no feature.

    Returns:
        ``[3 * qubits * blocks * (degree + 1)]``.

    Raises:
        ValueError: If the kind is unknown, or "identity" and the number of blocks odd.
    """
    shape = (degree + 1, blocks, qubits, 3)
    if kind == "small":
        return rng.uniform(-SMALL, SMALL, shape).ravel()
    angles = rng.uniform(-math.pi, math.pi, shape)
    if kind == "identity":
        if blocks % 2:
            raise ValueError(f"Blocks cancel in pairs: blocks should be even, got {blocks}.")
        angles[1:, ..., :2] = 0
        angles[1:, 1::2] = -angles[1:, ::2]
    elif kind != "uniform":
        raise ValueError(f"initial should be one of {list(INITIALISATIONS)}, got {kind!r}.")
    return angles.ravel()


def gradient_variance(spec: RunSpec) -> RunResult:
    """The variance of the gradient over initial weights; nothing is trained.

    New weights and an input, uniform within [-pi/2, pi/2), are drawn again and again; the gradient is that of the
    expectation value of one Pauli string, in all weights. :data:`STRINGS` random strings take turns. Reported is the
    mean over the weights of the variance over the draws.

    Args:
        spec: With the options "modalities" and "draws" (how many initialisations); features as the protocol says. The
            arguments are those of :func:`tfq_fusion.circuits.qfl_circuit`, and "initial", see :func:`initial_weights`.

    Returns:
        The result, with the binary logarithm of that variance as its one test metric, "gradient_variance_log2".
    """
    import tensorflow as tf

    from tfq_fusion.engines import expectation

    options, arguments = dict(spec.options), dict(spec.arguments)
    modalities, draws, initial = int(options["modalities"]), int(options["draws"]), arguments.pop("initial")
    features, degree = spec.protocol.features, spec.degree
    assert degree is not None
    rng = np.random.default_rng(spec.seed)
    circuit = qfl_circuit(modalities, features, degree, observables=STRINGS, seed=spec.seed, **arguments)
    qubits = len(circuit.circuit.all_qubits())
    gradients = []
    for draw in range(draws):
        weights = initial_weights(initial, qubits, int(arguments.get("blocks", 1)), degree, rng)
        data = rng.uniform(-math.pi / 2, math.pi / 2, (1, len(circuit.data_symbols))).astype(spec.precision)
        watched = tf.constant(weights, spec.precision)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            value = expectation(circuit, data, watched, spec.engine or "compiled")[0, draw % STRINGS]
        gradients.append(tape.gradient(value, watched).numpy())
    variance = float(np.var(gradients, axis=0, ddof=1).mean())
    return RunResult(
        spec,
        FINISHED,
        modalities,
        fusion_params=len(circuit.weight_symbols),
        metrics={"test": {"gradient_variance_log2": math.log2(variance)}},
    )
