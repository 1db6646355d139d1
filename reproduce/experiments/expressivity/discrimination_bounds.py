"""The least error with which any strategy can tell the parity of two unknown channels.

Each of two channels turns a qubit about X by pi/3, or not at all, with equal odds and independently: do both do the
same? This problem is ours, and ``docs/separation.md`` derives what is computed here. A *joint query* is one use of
both by address, ``|0><0| (x) 1 + |A><A| (x) A + |B><B| (x) B``: the encoding of the Quantum Fusion Layer.
"""

from __future__ import annotations

import cmath
import functools
import math

import numpy as np
import numpy.typing as npt
import scipy.optimize

Vector = npt.NDArray[np.float64]

ANGLE = math.pi / 3
ENOUGH = 6
"""So many joint queries decide with certainty: three coherent uses of each channel turn a qubit by a multiple of pi."""

_MARGIN = 1e-9
_FAR = 1e4  # certificates get better without end as their entries grow: the search starts far out


@functools.cache
def least_error(queries: int) -> float:
    """A lower bound on the error of every strategy with so many joint queries, whatever its workspace.

    It is the value of the best :func:`certificate` found, which falls short of what can be proved by some 1e-6.
    """
    if queries >= ENOUGH:
        return 0.0
    constant, single, double = certificate(queries)[0]
    return float(1 - 4 * (constant + 2 * single + double))


def certificate(queries: int) -> Vector:
    """A proof that no strategy does better, which can be checked without knowing how it was found.

    Returns:
        ``[queries + 1, 3]``: the matrices ``W_k = w_0 1 + w_1 (X (x) 1 + 1 (x) X) + w_2 X (x) X`` on the four cases.
        ``W_k - D W_{k+1} D^`` is positive for each phase ``D`` that a query can give, and so is ``W_n - P / 4`` for
        the projector ``P`` on the even cases and that on the odd ones. Then the sum of the entries of ``W_0`` is at
        least the probability of success of every strategy.
    """

    def objective(flat: Vector) -> float:
        return float(4 * (flat[0] + 2 * flat[1] + flat[2]))

    def constraints(flat: Vector) -> Vector:
        steps, last = _slack(flat.reshape(-1, 3))
        return np.append(steps.ravel(), last)

    start = np.zeros((queries + 1, 3))
    start[:, 0] = _FAR * np.arange(queries + 1, 0, -1)
    found = scipy.optimize.minimize(
        objective,
        start.ravel(),
        constraints={"type": "ineq", "fun": constraints},
        method="SLSQP",
        options={"maxiter": 2000, "ftol": 1e-15},
    )
    weights = found.x.reshape(-1, 3)
    # What the solver left violated is made good: adding to w_0 relaxes the step it leads to by as much.
    steps, last = _slack(weights)
    missing = np.maximum(-np.append(steps.min(axis=1), last.min()), 0) + _MARGIN
    weights[:, 0] += np.cumsum(missing[::-1])[::-1]
    return weights


def _slack(weights: Vector) -> tuple[Vector, Vector]:
    """By how much each step of a certificate, and its end, are positive; ``[queries, 4]`` and ``[2]``."""
    constant, single, double = weights.T
    steps = []
    for sign in (1, -1):  # the eigenvalues of X on the channel whose phase does not turn
        diagonal, off = constant + sign * single, single + sign * double
        for turn in (1, cmath.exp(1j * ANGLE / 2)):  # an address without a channel, and one with
            steps.append(diagonal[:-1] - diagonal[1:] - _modulus(off[:-1] - turn * off[1:]))
    high, low = (constant[-1] + sign * 2 * single[-1] + double[-1] - 1 / 8 for sign in (1, -1))
    end = (high + low) / 2 - math.hypot((high - low) / 2, 1 / 8)
    return np.transpose(steps), np.array([end, constant[-1] - double[-1] - 1 / 4])


def _modulus(values: npt.NDArray[np.complex128]) -> Vector:
    return np.sqrt(np.abs(values) ** 2 + 1e-16)  # smooth at zero, and never too small


def least_error_apart(queries: int, coherent: bool) -> float:
    """The least error if each channel is queried by itself and measured, and only then the outcomes meet.

    With ``t_A`` and ``t_B`` the total variation distances between the outcomes for a turned and for an idle channel,
    the least error is ``(1 - t_A t_B) / 2``. The number of queries is that of both channels together, shared out in the
    best way.

    Args:
        queries: Uses of the channels.
        coherent: Whether the uses of one channel may follow each other on one qubit: then ``t`` is ``sin(n pi/6)`` up
            to n = 3 and 1 from there (Acin 2001, arXiv quant-ph/0102064). Otherwise every use is measured, and ``t`` is
            at most ``sqrt(1 - (3/4)^n)``, which is below 1 for every n.
    """

    def distance(uses: int) -> float:
        if coherent:
            return math.sin(min(uses * ANGLE / 2, math.pi / 2))
        return math.sqrt(1 - math.cos(ANGLE / 2) ** (2 * uses))

    return min((1 - distance(first) * distance(queries - first)) / 2 for first in range(queries + 1))
