"""Which polynomials a fusion can follow: trigonometric targets of exact total degree across modalities."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import r2_score

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec

Vector = npt.NDArray[np.float64]

SAMPLES, HELD_OUT = 1024, 2048
HALF_PERIOD = 2 * math.pi
"""Angles are uniform within the whole period of an expectation value, 4 pi, over which frequencies that differ are
orthogonal. For the target that is twice around."""
RIDGE = 1e-9
ITERATIONS = 200
EXACT = 1e-4
"""A fit whose unexplained variance exceeds the least possible by no more than this is taken for the best one."""


def exponents(degree: int, modalities: int, form: str) -> list[tuple[int, ...]]:
    """The powers of the cosines in each term of a target.

    The one term of a "product" is ``prod_m cos(x_m)^a_m`` with ``a_m`` the number of ``k < degree`` that leave the
    remainder ``m`` when divided by ``modalities``: distinct modalities first, powers where the degree exceeds their
    number. A "sum" has this term and all that follow from it by shifting the modalities in a circle.

    Returns:
        One tuple of ``modalities`` powers per term; the powers of a term sum to ``degree``.
    """
    first = tuple(len(range(modality, degree, modalities)) for modality in range(modalities))
    shifts = range(modalities if form == "sum" else 1)
    return list(dict.fromkeys(first[-shift:] + first[:-shift] for shift in shifts))


def target(angles: Vector, terms: list[tuple[int, ...]]) -> Vector:
    """The sum of the terms, with mean 0 and variance 1 over all angles.

    Args:
        angles: ``[samples, modalities]`` in radians.
        terms: The powers, see :func:`exponents`.

    Returns:
        ``[samples]``.
    """
    grid = _sum(_grid(terms), terms)
    return (_sum(angles, terms) - grid.mean()) / grid.std()


def variance_share(terms: list[tuple[int, ...]], total: float = math.inf, each: float = math.inf) -> float:
    """The part of a target's variance that lies in some of its frequencies.

    A function that has no others cannot explain more of it: over all angles, frequencies that differ are orthogonal.

    Args:
        terms: The powers, see :func:`exponents`.
        total: The largest sum of the frequencies of all angles; as a polynomial of cosines and sines, its degree.
        each: The largest frequency in any one angle.

    Returns:
        A number from 0 to 1: the highest R^2 that such a function can have.
    """
    points = 2 * max(map(sum, terms)) + 2
    modalities = len(terms[0])
    values = _sum(_grid(terms), terms).reshape((points,) * modalities)
    power = np.abs(np.fft.fftn(values - values.mean())) ** 2
    frequencies = np.abs(np.fft.fftfreq(points, 1 / points))
    axes = np.meshgrid(*[frequencies] * modalities, indexing="ij")
    inside = (sum(axes) <= total) & (np.max(axes, axis=0) <= each)
    return float(power[inside].sum() / power.sum())


def _grid(terms: list[tuple[int, ...]]) -> Vector:
    """So many angles that means over them are means over all angles."""
    points = 2 * max(map(sum, terms)) + 2
    axis = 2 * math.pi * np.arange(points) / points
    return np.array(list(itertools.product(axis, repeat=len(terms[0]))))


def _sum(angles: Vector, terms: list[tuple[int, ...]]) -> Vector:
    return sum(np.prod(np.cos(angles) ** np.array(term), axis=1) for term in terms)


def ceiling(fusion: str, degree: int | None, terms: list[tuple[int, ...]]) -> float:
    """The highest R^2 on a target that a fusion and a linear read-out can have, whatever their weights.

    Args:
        fusion: "qfl", whose expectation values have total frequencies up to its degree; "tfn" or "lmf", which multiply
            modalities but no modality by itself; or "concat".
        degree: Of "qfl".
        terms: The powers of the target, see :func:`exponents`.
    """
    limits: dict[str, dict[str, float]] = {
        "qfl": {"total": degree or 0},
        "tfn": {"each": 1},
        "lmf": {"each": 1},
        "concat": {"total": 1},
    }
    return variance_share(terms, **limits[fusion])


def fit_polynomial(spec: RunSpec) -> RunResult:
    """Fit a fusion with a linear read-out, and nothing else, to a polynomial.

    There is no encoder and no hidden layer, which would bring nonlinearities of their own. QFL gets each angle ``x_m``
    as the one feature of modality m; the classical fusions, to which an angle would be a mere number, get the point
    ``(cos x_m, sin x_m)`` on the circle. For every choice of the fusion's weights the best read-out is a linear
    least-squares problem, which is solved; the weights are found by L-BFGS in double precision on all samples at once.
    Of several initial weights those that lead furthest in a short search are taken.

    Args:
        spec: With the options "degree", "modalities" and "form" of the target, and "starts", the number of initial
            weights. The seed draws the samples and the initial weights; what QFL measures is the same for all seeds.

    Returns:
        The result, with the test metrics "r2", on held-out points, and "r2_bound", see :func:`ceiling`.
    """
    import tensorflow as tf

    from reproduce.experiments.expressivity.optimise import flat, minimise

    options = dict(spec.options)
    modalities, tries = options["modalities"], options["starts"]
    terms = exponents(options["degree"], modalities, options["form"])
    bound = ceiling(spec.fusion, spec.degree, terms)
    rng = np.random.default_rng(spec.seed)
    angles = HALF_PERIOD * rng.uniform(-1, 1, (SAMPLES + HELD_OUT, modalities))
    targets = target(angles, terms)
    inputs, held_out = (_inputs(spec.fusion, part) for part in np.split(angles, [SAMPLES]))
    data = tf.constant(inputs), tf.constant(targets[:SAMPLES, None])

    fusion, loss, predict = _compiled(dataclasses.replace(spec, seed=0, options={"modalities": modalities}))
    seeds = range(tries * spec.seed, tries * (spec.seed + 1))
    starts = (flat(_fusion(spec, seed).trainable_weights) for seed in seeds)
    if fusion.count_params():
        loss(minimise(lambda weights: loss(weights, *data), starts, 1 - bound + EXACT, ITERATIONS), *data)
    predicted = predict(*data, tf.constant(held_out)).numpy()[:, 0]
    return RunResult(
        spec,
        FINISHED,
        modalities,
        fusion_params=fusion.count_params(),
        total_params=fusion.count_params() + fusion.compute_output_shape(inputs.shape)[1] + 1,
        metrics={"test": {"r2": r2_score(targets[SAMPLES:], predicted), "r2_bound": bound}},
    )


def _inputs(fusion: str, angles: Vector) -> Vector:
    """What a fusion sees of angles, ``[samples, modalities, features]``."""
    return angles[:, :, None] if fusion == "qfl" else np.stack([np.cos(angles), np.sin(angles)], axis=2)


def _fusion(spec: RunSpec, seed: int) -> Any:
    """The fusion of a specification, with the initial weights of a seed."""
    from tfq_fusion.models import make_fusion

    modalities = dict(spec.options)["modalities"]
    shape = _inputs(spec.fusion, np.zeros((1, modalities))).shape
    fusion = make_fusion(
        spec.fusion,
        widths=[shape[2]] * modalities,
        units=spec.protocol.units,
        degree=spec.degree or 1,
        engine=spec.engine or "compiled",
        seed=seed,
        dtype=spec.precision,
        **({"scale": 1.0} if spec.fusion == "qfl" else {}),
        **dict(spec.arguments),
    )
    fusion.build(shape)
    return fusion


@functools.lru_cache(maxsize=64)
def _compiled(spec: RunSpec) -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """A fusion, its loss with the best read-out, and its predictions with that: compiled once for all targets."""
    import tensorflow as tf

    from reproduce.experiments.expressivity.optimise import flat_loss

    fusion = _fusion(spec, seed=0)

    def columns(inputs: Any) -> Any:
        outputs = fusion(inputs)
        return tf.concat([tf.ones_like(outputs[:, :1]), outputs], axis=1)

    def readout(found: Any, targets: Any) -> Any:
        gram = tf.matmul(found, found, transpose_a=True) / SAMPLES + RIDGE * tf.eye(found.shape[1], dtype=found.dtype)
        return tf.linalg.cholesky_solve(tf.linalg.cholesky(gram), tf.matmul(found, targets, transpose_a=True) / SAMPLES)

    def loss(inputs: Any, targets: Any) -> Any:
        found = columns(inputs)
        # At the best read-out the loss does not change with it: its derivative is that at a fixed read-out.
        best = tf.stop_gradient(readout(found, targets))
        return tf.reduce_mean((targets - tf.matmul(found, best)) ** 2) + RIDGE * tf.reduce_sum(best**2)

    @tf.function
    def predict(inputs: Any, targets: Any, held_out: Any) -> Any:
        return tf.matmul(columns(held_out), readout(columns(inputs), targets))

    return fusion, flat_loss(fusion.trainable_weights, loss), predict
