"""Which polynomials a fusion can follow: fits from many initial weights at once."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc
from sklearn.metrics import r2_score

from reproduce.experiments.expressivity.targets import evaluate, spectrum_of, target_terms, within_reach
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec

Vector = npt.NDArray[np.float64]

SAMPLES, FEW_SAMPLES, HELD_OUT = 2048, 512, 2**13
HALF_PERIOD = 2 * math.pi
"""Angles are uniform within the whole period of an expectation value, 4 pi, over which frequencies that differ are
orthogonal. For the target that is twice around."""
RIDGE = 1e-9
FINALISTS, ITERATIONS = 4, 500
EXACT = 1e-4
"""A fit whose unexplained variance exceeds the least possible by no more than this is taken for the best one."""
_TURNS, _NOISE = 0.4, 0.2


def fit_polynomial(spec: RunSpec) -> RunResult:
    """Fit a fusion with a linear read-out, and nothing else, to a polynomial.

    There is no encoder and no hidden layer, which would bring nonlinearities of their own. QFL gets each angle ``x_m``
    as the one feature of modality m; the classical fusions, to which an angle would be a mere number, get the point
    ``(cos x_m, sin x_m)`` on the circle. For every choice of the fusion's weights the best read-out is a linear
    least-squares problem, which is solved. The weights are found in double precision: by Adam from all initial weights
    at once, on ever fewer of them, then by L-BFGS from where the best ended.

    What is fitted is the part of the target :func:`within_reach`. The rest is orthogonal to all that the fusion can
    give, so that it would move no optimum over all angles, but on samples it would be fitted as noise. Only GCN, whose
    part is not one of frequencies, gets the whole target.

    Args:
        spec: With the options "degree", "modalities" and "form" of the target, and "starts", the number of initial
            weights. The seed draws the samples and the initial weights; what QFL measures is the same for all seeds.

    Returns:
        The result, with the test metrics "r2", of the whole target on held-out points, and "r2_bound", the most that
        any weights can have.

    Raises:
        RuntimeError: If Keras does not run on JAX.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise RuntimeError(
            f"Polynomials are fitted by JAX from many initial weights at once, but Keras runs on "
            f"{keras.backend.backend()!r}. Set KERAS_BACKEND=jax before Keras is imported."
        )
    import jax

    from reproduce.experiments.expressivity.optimise import minimise

    options = dict(spec.options)
    modalities = options["modalities"]
    whole = spectrum_of(target_terms(options["degree"], modalities, options["form"]))
    part = within_reach(whole, spec.fusion, spec.degree)
    rng = np.random.default_rng(spec.seed)
    angles = HALF_PERIOD * rng.uniform(-1, 1, (SAMPLES, modalities))
    held_out = HALF_PERIOD * (2 * qmc.Sobol(modalities, rng=rng).random(HELD_OUT) - 1)
    inputs = _inputs(spec.fusion, angles)
    data = inputs, evaluate(whole if spec.fusion == "gcn" else part, angles)
    with jax.experimental.enable_x64():
        compiled = _compiled(dataclasses.replace(spec, seed=0, options={"modalities": modalities}))
        weights = np.zeros(compiled.weights)
        if compiled.weights:
            few = tuple(array[: max(FEW_SAMPLES, 2 * compiled.weights)] for array in data)
            ends = compiled.descend(_starts(spec, compiled.weights, rng), EXACT, *few)
            weights = minimise(lambda each: compiled.gradient(each, *data), ends[:FINALISTS], EXACT, ITERATIONS)
        predicted = compiled.predict(weights, *data, _inputs(spec.fusion, held_out))
    return RunResult(
        spec,
        FINISHED,
        modalities,
        fusion_params=compiled.weights,
        total_params=compiled.weights + compiled.outputs + 1,
        metrics={"test": {"r2": r2_score(evaluate(whole, held_out), predicted), "r2_bound": float(np.sum(part**2))}},
    )


def _inputs(fusion: str, angles: Vector) -> Vector:
    """What a fusion sees of angles, ``[samples, modalities, features]``."""
    return angles[:, :, None] if fusion == "qfl" else np.stack([np.cos(angles), np.sin(angles)], axis=2)


def _starts(spec: RunSpec, weights: int, rng: np.random.Generator) -> Vector:
    """Initial weights, ``[starts, weights]``: of QFL ours, of the others what the layers draw.

    QFL's are quarter turns, as many in a unitary whatever its blocks, and noise: paths through the index register are
    made of such angles, and searches from there end well much more often than from arbitrary ones. Where there are more
    encodings than the target needs, each start leaves some of the first without effect: at weights of zero the state
    stays at the address of the constant term.
    """
    options = dict(spec.options)
    starts = options["starts"]
    if spec.fusion != "qfl":
        seeds = range(starts * spec.seed, starts * (spec.seed + 1))
        return np.stack([_flat(_fusion(spec, seed))[0] for seed in seeds])
    degree = spec.degree or 1
    turned = rng.random((starts, weights)) < _TURNS / dict(spec.arguments).get("blocks", 1)
    turns = math.pi / 2 * turned * rng.integers(4, size=(starts, weights))
    found = (turns + _NOISE * rng.normal(size=(starts, weights))).reshape(starts, degree + 1, -1)
    for number, start in enumerate(found):
        start[: number % (1 + max(0, degree - options["degree"]))] = 0
    return found.reshape(starts, weights)


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


def _flat(fusion: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The weights of a fusion in one vector, and what makes a list of such a vector again."""
    from jax.flatten_util import ravel_pytree

    return ravel_pytree([variable.value for variable in fusion.trainable_variables])


@dataclasses.dataclass(frozen=True)
class _Compiled:
    """A fusion with its best read-out: compiled once for all targets.

    Attributes:
        weights: Number of weights of the fusion.
        outputs: Number of outputs of the fusion.
        descend: See :func:`make_descent`.
        gradient: Gives the loss and its gradient.
        predict: Gives the predictions for further inputs.
    """

    weights: int
    outputs: int
    descend: Callable[..., Vector]
    gradient: Callable[..., tuple[float, Vector]]
    predict: Callable[..., Any]


@functools.lru_cache(maxsize=64)
def _compiled(spec: RunSpec) -> _Compiled:
    import jax
    import jax.numpy as jnp

    from reproduce.experiments.expressivity.descent import make_descent

    fusion = _fusion(spec, seed=0)
    flat, unflat = _flat(fusion)

    def columns(weights: Any, inputs: Any) -> Any:
        outputs, _ = fusion.stateless_call(unflat(weights), fusion.non_trainable_variables, inputs)
        return jnp.concatenate([jnp.ones_like(outputs[:, :1]), outputs], axis=1)

    def readout(found: Any, targets: Any) -> Any:
        gram = found.T @ found / len(found) + RIDGE * jnp.eye(found.shape[1])
        return jax.scipy.linalg.solve(gram, found.T @ targets / len(found), assume_a="pos")

    def loss(weights: Any, inputs: Any, targets: Any) -> Any:
        found = columns(weights, inputs)
        # At the best read-out the loss does not change with it: its derivative is that at a fixed read-out.
        best = jax.lax.stop_gradient(readout(found, targets))
        return jnp.mean((targets - found @ best) ** 2) + RIDGE * jnp.sum(best**2)

    @jax.jit
    def predict(weights: Any, inputs: Any, targets: Any, held_out: Any) -> Any:
        return columns(weights, held_out) @ readout(columns(weights, inputs), targets)

    compiled = jax.jit(jax.value_and_grad(loss))

    def gradient(weights: Vector, *data: Any) -> tuple[float, Vector]:
        value, found = compiled(weights, *data)
        return float(value), np.asarray(found)

    outputs = fusion.compute_output_shape(_inputs(spec.fusion, np.zeros((1, dict(spec.options)["modalities"]))).shape)[
        1
    ]
    return _Compiled(len(flat), outputs, make_descent(loss), gradient, predict)
