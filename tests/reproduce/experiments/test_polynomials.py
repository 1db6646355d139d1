"""Polynomials of exact degree: the targets, what a fusion can reach of them, and fits that reach it."""

import dataclasses
import itertools
import json
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce.experiments.expressivity.polynomials import fit_polynomial
from reproduce.experiments.expressivity.targets import evaluate, spectrum_of, target_terms, within_reach
from reproduce.experiments.parameters.parameter_counts import growth_exponent
from reproduce.sweep.runs import RunResult, RunSpec
from tfq_fusion.training import Protocol


def target(angles, terms):
    return evaluate(spectrum_of(terms), angles)


def highest_r2(terms, fusion, degree=None):
    return np.sum(within_reach(spectrum_of(terms), fusion, degree) ** 2)


@pytest.mark.parametrize(
    ("degree", "modalities", "form", "terms"),
    [
        (1, 3, "product", {(1, 0, 0): 1}),
        (2, 3, "product", {(1, 1, 0): 1}),
        (5, 3, "product", {(2, 2, 1): 1}),
        (1, 3, "sum", {(1, 0, 0): 1, (0, 1, 0): 1, (0, 0, 1): 1}),
        (3, 2, "sum", {(2, 1): 1, (1, 2): 1}),
        (4, 4, "sum", {(1, 1, 1, 1): 1}),
        (1, 3, "difference", {(1, 0, 0): 1, (0, 1, 0): -1}),
    ],
)
def test_powers_go_to_distinct_modalities_first(degree, modalities, form, terms):
    assert target_terms(degree, modalities, form) == terms


def test_a_difference_of_equal_products_is_refused():
    with pytest.raises(ValueError, match="zero where 2 modalities divide the degree 4"):
        target_terms(4, 2, "difference")
    with pytest.raises(ValueError, match=r"form should be .*got 'quotient'"):
        target_terms(1, 2, "quotient")


def test_a_target_is_the_standardised_product_of_cosines():
    angles = np.random.default_rng(0).uniform(-7, 7, (50, 3))
    expected = 2 * np.cos(angles[:, 0]) * np.cos(angles[:, 1])  # the mean square of a cosine is 1/2
    np.testing.assert_allclose(target(angles, {(1, 1, 0): 1}), expected, atol=1e-12)
    squared = math.sqrt(8) * (np.cos(angles[:, 2]) ** 2 - 0.5)
    np.testing.assert_allclose(target(angles, {(0, 0, 2): 1}), squared, atol=1e-12)
    np.testing.assert_allclose(
        target(angles, {(1, 0, 0): 1, (0, 1, 0): -1}), np.cos(angles[:, 0]) - np.cos(angles[:, 1]), atol=1e-12
    )


def test_the_parts_of_a_known_target():
    """cos(x)^2 cos(y) = cos(y) / 2 + (cos(2x + y) + cos(2x - y)) / 4: mean squares 1/8, 1/32 and 1/32."""
    terms = {(2, 1): 1}
    assert highest_r2(terms, "qfl", 2) == highest_r2(terms, "lmf") == pytest.approx(2 / 3)
    assert highest_r2(terms, "qfl", 3) == pytest.approx(1)
    angles = np.random.default_rng(0).uniform(-7, 7, (50, 2))
    lowest = evaluate(within_reach(spectrum_of(terms), "concat", None), angles)
    np.testing.assert_allclose(lowest, np.cos(angles[:, 1]) / math.sqrt(3 / 4), atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(2, 3), st.sampled_from(["product", "sum"]), st.integers(1, 4))
def test_the_part_of_a_degree_is_what_all_functions_of_that_degree_explain(degree, modalities, form, total):
    """By least squares on the waves of all frequencies whose sizes sum to at most so much."""
    terms = target_terms(degree, modalities, form)
    axis = 0.3 + 2 * np.pi * np.arange(9) / 9
    angles = np.array(list(itertools.product(axis, repeat=modalities)))
    frequencies = itertools.product(range(-total, total + 1), repeat=modalities)
    phases = np.array([angles @ k for k in frequencies if sum(map(abs, k)) <= total])
    waves = np.concatenate([np.cos(phases), np.sin(phases)]).T
    explained = waves @ np.linalg.lstsq(waves, target(angles, terms), rcond=1e-9)[0]
    np.testing.assert_allclose(explained, evaluate(within_reach(spectrum_of(terms), "qfl", total), angles), atol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 5), st.integers(2, 4), st.sampled_from(["product", "sum"]), st.data())
def test_the_part_of_gcn_is_the_mean_over_all_exchanges(degree, modalities, form, data):
    terms = target_terms(degree, modalities, form)
    angles = np.random.default_rng(0).uniform(-7, 7, (20, modalities))
    orders = [list(order) for order in itertools.permutations(range(modalities))]
    mean = np.mean([target(angles[:, order], terms) for order in orders], axis=0)
    part = within_reach(spectrum_of(terms), "gcn", None)
    exchanged = angles[:, data.draw(st.sampled_from(orders))]
    np.testing.assert_allclose(evaluate(part, exchanged), mean, atol=1e-9)


@pytest.mark.parametrize("modalities", [2, 3, 4])
def test_of_one_modality_gcn_can_have_its_share_and_of_a_difference_nothing(modalities):
    assert highest_r2(target_terms(1, modalities, "product"), "gcn") == pytest.approx(1 / modalities)
    assert highest_r2(target_terms(1, modalities, "sum"), "gcn") == pytest.approx(1)
    assert highest_r2(target_terms(1, modalities, "difference"), "gcn") == pytest.approx(0)


@pytest.mark.parametrize(("modalities", "degree"), list(itertools.product((2, 3, 4), (1, 2, 3, 4, 5))))
def test_a_degree_below_that_of_a_product_can_not_explain_all_of_it(modalities, degree):
    terms = target_terms(degree, modalities, "product")
    assert highest_r2(terms, "qfl", degree) == pytest.approx(1)
    assert highest_r2(terms, "qfl", degree - 1) < 0.97
    if degree <= modalities:
        assert highest_r2(terms, "qfl", degree - 1) == pytest.approx(0)


def encoding(angles, size):
    """S(x) on the index and value registers, by its definition."""
    turns = np.zeros((size, 2, 2))
    for address in range(size):
        half = (angles[address - 1] if 1 <= address <= len(angles) else 0) / 2
        turns[address] = [[math.cos(half), -math.sin(half)], [math.sin(half), math.cos(half)]]
    return turns


def moved(state, moves):
    """A state of the registers after basis states have moved, ``(address, value) -> (address, value)``."""
    found = np.zeros_like(state)
    for place in itertools.product(range(state.shape[0]), range(2)):
        found[moves.get(place, place)] += state[place]
    return found


def used(times, angles, state):
    """The state after so many encodings."""
    for _ in range(times):
        state = np.einsum("jab,jb->ja", encoding(angles, len(state)), state)
    return state


def two_paths(angles):
    """The state after four encodings, with cos(a) cos(b) at address 2 and cos(c) cos(d) at address 4, over sqrt(2).

    A feature used twice turns |0> into cos(x) |0> + sin(x) |1>; what is in |1> is moved to an unused address.
    """
    state = np.zeros((8, 2))
    state[1, 0] = state[3, 0] = 1 / math.sqrt(2)
    state = used(2, angles, state)
    away = {(1, 1): (5, 0), (3, 1): (6, 0), (5, 0): (1, 1), (6, 0): (3, 1)}
    on = {(1, 0): (2, 0), (2, 0): (1, 0), (3, 0): (4, 0), (4, 0): (3, 0)}
    return used(2, angles, moved(state, away | on))


@pytest.mark.parametrize("seed", range(3))
def test_degree_four_over_four_modalities_is_reached_with_four_encodings(seed):
    """Two paths through the index register, which use two modalities twice each, interfere."""
    angles = np.random.default_rng(seed).uniform(-7, 7, 4)
    state = two_paths(angles)
    assert 2 * state[2, 0] * state[4, 0] == pytest.approx(np.prod(np.cos(angles)))


@pytest.mark.parametrize("seed", range(3))
def test_the_sum_of_degree_five_over_four_modalities_is_reached_with_five_encodings(seed):
    """Both paths are spread over all modalities, as the two eigenstates of the rotation, and turned once more.

    Then they have the phases exp(-ix/2) and exp(ix/2) at each modality, and the observable connects them there.
    """
    angles = np.random.default_rng(seed).uniform(-7, 7, 4)
    state = two_paths(angles)
    first, second = np.array([1, 1j]) / math.sqrt(2), np.array([1, -1j]) / math.sqrt(2)
    spread = np.zeros((8, 2), complex)
    spread[1:5] = (state[2, 0] * first + state[4, 0] * second) / 2
    spread[[0, 5, 6, 7], 0] = state[2, 1], state[4, 1], state[5, 0], state[6, 0]  # an encoding does nothing there
    assert np.linalg.norm(spread) == pytest.approx(1)
    spread = used(1, angles, spread)
    observable = np.zeros((8, 2, 8, 2))
    for address in range(8):
        observable[address, :, address] = [[1, 0], [0, -1]] if 1 <= address <= 4 else [[0, 1], [1, 0]]
    assert sorted(np.linalg.eigvalsh(observable.reshape(16, 16))) == pytest.approx([-1] * 8 + [1] * 8)
    value = np.einsum("ja,jakb,kb", spread.conj(), observable, spread)
    powers = target_terms(5, 4, "sum")
    assert value == pytest.approx(sum(np.prod(np.cos(angles) ** each) for each in powers) / 4)


def test_degree_five_over_two_modalities_is_reached_with_five_encodings():
    """One path alone: cos(x) cos(y) in amplitude, whose square the last use turns by x."""
    angles = np.random.default_rng(0).uniform(-7, 7, 2)
    state = np.zeros((4, 2))
    state[1, 0] = 1
    state = moved(used(2, angles, state), {(1, 0): (2, 0), (2, 0): (1, 0), (1, 1): (3, 0), (3, 0): (1, 1)})
    state = moved(used(2, angles, state), {(2, 0): (1, 0), (1, 0): (2, 0), (2, 1): (3, 1), (3, 1): (2, 1)})
    state = used(1, angles, state)
    expected = math.cos(angles[0]) ** 3 * math.cos(angles[1]) ** 2
    assert state[1, 0] ** 2 - state[1, 1] ** 2 == pytest.approx(expected)


FIT = """
import json, sys
from reproduce.experiments.expressivity.polynomials import fit_polynomial
from reproduce.sweep.runs import RunSpec
for line in sys.stdin:
    print(fit_polynomial(RunSpec.from_json(json.loads(line))).to_json(), flush=True)
"""


def specify(fusion, degree, modalities=2, form="product", depth=None, starts=16, units=1, seed=0, **arguments):
    return RunSpec(
        fusion=fusion,
        seed=seed,
        protocol=Protocol(units=units if depth is None else 32),
        experiment="polynomial",
        options={"degree": degree, "modalities": modalities, "form": form, "starts": starts},
        degree=depth,
        engine=None if depth is None else "compiled",
        arguments=arguments,
        precision="float64",
    )


def fit(*specs):
    """The results of some fits, in a process whose Keras runs on JAX."""
    run = subprocess.run(
        [sys.executable, "-c", FIT],
        input="\n".join(json.dumps(dataclasses.asdict(spec)) for spec in specs),
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [RunResult.from_json(line) for line in run.stdout.splitlines()]


def scores(result):
    return result.metrics["test"]["r2"], result.metrics["test"]["r2_bound"]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="Keras runs on JAX")
def test_another_backend_is_told_what_is_needed():
    with pytest.raises(RuntimeError, match=r"but Keras runs on 'tensorflow'\. Set KERAS_BACKEND=jax"):
        fit_polynomial(specify("concat", degree=1))


CLASSICAL = {  # degree, form, the highest R^2
    "concat": [(1, "product", 1), (1, "difference", 1), (2, "product", 0)],
    "tfn": [(2, "product", 1), (3, "product", 2 / 3)],
    "lmf": [(2, "product", 1), (3, "product", 2 / 3)],
    "gcn": [(1, "sum", 1), (1, "product", 1 / 2), (1, "difference", 0)],
}


def test_classical_fusions_reach_what_they_can_and_no_more():
    """TFN and LMF multiply modalities but none by itself; GCN can not tell them apart."""
    more = {"lmf": {"rank": 2}, "gcn": {"units": 4}}
    cells = [(fusion, *target) for fusion, targets in CLASSICAL.items() for target in targets]
    results = fit(*[specify(fusion, degree, form=form, **more.get(fusion, {})) for fusion, degree, form, _ in cells])
    for (*_, expected), result in zip(cells, results, strict=True):
        found, bound = scores(result)
        assert bound == pytest.approx(expected, abs=1e-9)
        assert expected - 0.05 < found < expected + 0.01


@pytest.mark.slow
def test_qfl_fits_a_degree_with_as_many_encodings_and_not_with_fewer():
    wanted = specify("qfl", degree=2, depth=2)
    first, fewer, again = fit(wanted, specify("qfl", degree=2, depth=1), wanted)
    assert (first.fusion_params, first.total_params) == (27, 27 + 33)
    assert scores(first) == (pytest.approx(1, abs=1e-3), pytest.approx(1))
    assert scores(fewer) == (pytest.approx(0, abs=1e-3), pytest.approx(0))
    assert scores(again) == scores(first)  # whatever ran before


REACHED = [  # modalities, degree, form, blocks, seed
    (3, 5, "product", 2, 0),
    (4, 3, "sum", 4, 1),
    (4, 4, "product", 2, 0),
    (4, 4, "product", 4, 0),
    (4, 5, "product", 4, 0),
]
"""Of the targets that docs/expressivity.md says are reached, those for which few starts lead far."""


@pytest.mark.slow
@pytest.mark.parametrize(("modalities", "degree", "form", "blocks", "seed"), REACHED)
def test_searches_reach_what_the_page_says(modalities, degree, form, blocks, seed):
    spec = specify("qfl", degree, modalities, form, depth=degree, starts=256, seed=seed, blocks=blocks)
    (result,) = fit(spec)
    assert scores(result) == (pytest.approx(1, abs=1e-3), pytest.approx(1))


def test_the_exponent_of_a_power_law():
    assert growth_exponent({2: 20, 4: 40, 8: 80}) == pytest.approx(1)
    assert growth_exponent({m: 3 * m**2 for m in (2, 4, 256)}) == pytest.approx(2)
    assert growth_exponent({2: 7, 256: 7}) == pytest.approx(0)
