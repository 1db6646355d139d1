"""Two unknown channels, each a turn or none: does exactly one of them turn? Our problem, no paper's.

See :mod:`reproduce.experiments.expressivity.discrimination_bounds` for the problem and ``docs/separation.md`` for the
derivation.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reproduce.experiments.expressivity.discrimination_bounds import ANGLE, ENOUGH, least_error, least_error_apart
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import qfl_circuit

Vector = npt.NDArray[np.float64]

CASES = np.array([(0, 0), (1, 1), (0, 1), (1, 0)], dtype=float)
"""Which of the two channels turns; the last two cases are the odd ones."""
SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
BLOCKS = 4
ITERATIONS = 500
CLOSE = 1e-7
"""An error that exceeds the least possible by no more than this is taken for it."""


def explicit_weights(queries: int) -> Vector:
    r"""Angles of a Quantum Fusion Layer that decides with certainty, all of them 0 or pi.

    The index register holds the address of one channel for three queries, then that of the other for three more, then
    that of the constant term, which does nothing. As ``(R_X(pi/3))^3 = R_X(pi)`` is a flip up to a phase, the value
    qubit ends as ``|a + b mod 2>``. Each trained block ends with a CZ between every two qubits, which is a Z on the
    value qubit while one bit of the address is set; the turn by pi about Z before it takes that back.

    Args:
        queries: At least 6.

    Returns:
        Values of the weight symbols of ``qfl_circuit(2, 1, queries, signal="rx")``; the Z of the value qubit is then 1
        where both channels turn or none does, and -1 where one does.
    """
    if queries < ENOUGH:
        raise ValueError(f"The explicit sequence needs at least {ENOUGH} queries, got {queries}.")
    angles = np.zeros((queries + 1, 3, 3))  # unitary, qubit, rotation about X, Y and Z
    value = 2
    angles[:, value, 2] = math.pi
    addresses = [0] + 3 * [1] + 3 * [2] + (queries + 1 - ENOUGH) * [0]
    for unitary, (before, after) in enumerate(itertools.pairwise(addresses)):
        for qubit in (0, 1):
            if (before ^ after) >> (1 - qubit) & 1:
                angles[unitary, qubit, 0] = math.pi
    return angles.ravel()


def explicit_error(queries: int) -> float:
    """The error of :func:`explicit_weights`, from the circuit that the layer would run."""
    import tensorflow as tf

    from tfq_fusion.engines import expectation

    circuit = qfl_circuit(2, 1, queries, signal="rx", measurement="computational", observables=3)
    weights = tf.constant(explicit_weights(queries))
    values = expectation(circuit, tf.constant(ANGLE * CASES), weights).numpy()[:, 2]
    return max(0.0, float(_error(values)))  # which rounding can take below


def _error(values: Any) -> Any:
    """The probability of a wrong answer if 1 is taken for even and -1 for odd, from the mean answer in each case."""
    return sum((1 - sign * values[case]) / 8 for case, sign in enumerate(SIGNS))


def discriminate(spec: RunSpec) -> RunResult:
    """Train a strategy with so many queries to make as few errors as it can.

    "qfl" makes joint queries, one in each encoding, and answers by the Z of the value qubit, measured once. "lmf" gets
    what became of the same number of queries to one channel at a time, half of them to each: the outcomes of Z, 1 or
    -1, of small layers over that channel alone, trained with it. Its error is summed over all outcomes, so that nothing
    is sampled, with the sign of its output as the answer. Both are trained by L-BFGS in double precision; of several
    initial weights those that lead furthest in a short search are taken.

    Args:
        spec: With the option "starts", the number of initial weights, which the seed draws. QFL's degree is the number
            of queries; for "lmf" that is the option "queries", and the option "uses" says what becomes of those to one
            channel: "coherent", they follow each other in one layer, or "measured", each has a layer of its own.

    Returns:
        The result, with the test metrics "error" and "error_bound", and "error_explicit" where there are explicit
        angles.
    """
    from reproduce.experiments.expressivity.optimise import minimise

    options = dict(spec.options)
    scores = {}
    if spec.degree is not None:
        bound = least_error(spec.degree)
        strategy = _joint(spec.degree, spec.engine, spec.protocol.units, spec.arguments)
        if spec.degree >= ENOUGH:
            scores["error_explicit"] = explicit_error(spec.degree)
    else:
        coherent = options["uses"] == "coherent"
        bound = least_error_apart(options["queries"], coherent)
        strategy = _apart(options["queries"], coherent)
    rng = np.random.default_rng(spec.seed)
    starts = (rng.uniform(-strategy.spread, strategy.spread) for _ in range(options["starts"]))
    strategy.loss(minimise(strategy.loss, starts, bound + CLOSE, ITERATIONS))
    return RunResult(
        spec,
        FINISHED,
        modalities=2,
        fusion_params=strategy.own,
        total_params=len(strategy.spread),
        metrics={"test": {"error": max(0.0, float(strategy.error())), "error_bound": bound, **scores}},
    )


class Strategy(NamedTuple):
    """What is trained.

    Attributes:
        own: Number of weights of the fusion.
        spread: How far from zero each weight may start.
        loss: Gives the loss and its gradient in all weights.
        error: Gives the error with the weights of the last loss.
    """

    own: int
    spread: Vector
    loss: Callable[[Vector], tuple[float, Vector]]
    error: Callable[[], Any]


@functools.lru_cache(maxsize=32)
def _joint(queries: int, engine: str, units: int, arguments: tuple[tuple[str, Any], ...]) -> Strategy:
    import tensorflow as tf

    from reproduce.experiments.expressivity.optimise import flat_loss
    from tfq_fusion.models import make_fusion

    inputs = tf.constant(ANGLE * CASES[:, :, None])
    fusion = make_fusion(
        "qfl", [1, 1], units, queries, engine, 0, dtype="float64", scale=1.0, signal="rx", **dict(arguments)
    )
    fusion.build(inputs.shape)

    def error() -> Any:
        return _error(fusion(inputs)[:, -1])

    weights = fusion.count_params()
    return Strategy(weights, np.full(weights, math.pi), flat_loss(fusion.trainable_weights, error), error)


@functools.lru_cache(maxsize=32)
def _apart(queries: int, coherent: bool) -> Strategy:
    import tensorflow as tf

    from reproduce.experiments.expressivity.optimise import flat_loss
    from tfq_fusion.engines import expectation
    from tfq_fusion.models import make_fusion

    channel = tf.constant([[0.0], [ANGLE]], dtype=tf.float64)
    shares = (queries + 1) // 2, queries // 2
    lengths = [[share] * bool(share) if coherent else [1] * share for share in shares]
    circuits = [
        [qfl_circuit(1, 1, length, BLOCKS, signal="rx", measurement="computational", observables=2) for length in each]
        for each in lengths
    ]
    angles = [[tf.Variable(np.zeros(len(c.weight_symbols))) for c in each] for each in circuits]
    first, second = (np.array(list(itertools.product((1.0, -1.0), repeat=len(each)))) for each in lengths)
    records = [np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1))]
    # A channel that was not queried has one record, which says nothing.
    inputs = [tf.constant(record if record.size else np.zeros((len(record), 1))) for record in records]
    fusion = make_fusion("lmf", [record.shape[1] for record in inputs], units=1, seed=0, dtype="float64")
    fusion.build([record.shape for record in inputs])

    def probabilities(number: int) -> Any:
        """Of each record of a channel, idle and turned, ``[2, records]``."""
        found = tf.ones((2, 1), tf.float64)
        for circuit, weights in zip(circuits[number], angles[number], strict=True):
            mean = expectation(circuit, channel, weights)[:, -1:]
            found = tf.reshape(found[:, :, None] * tf.stack([1 + mean, 1 - mean], axis=2) / 2, (2, -1))
        return found

    def error(answer: Callable[[Any], Any] = tf.sign) -> Any:
        answers = tf.reshape(answer(fusion(inputs)), (len(first), len(second)))
        means = tf.einsum("ar,bs,rs->ab", probabilities(0), probabilities(1), answers)
        return _error([means[int(one), int(other)] for one, other in CASES])

    own = fusion.count_params()
    turns = [variable for each in angles for variable in each]
    spread = np.append(np.full(sum(turn.shape[0] for turn in turns), math.pi), np.ones(own))
    return Strategy(own, spread, flat_loss([*turns, *fusion.trainable_weights], lambda: error(tf.tanh)), error)
