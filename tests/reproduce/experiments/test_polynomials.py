"""Polynomials of exact degree: the targets, what a fusion can reach of them, and fits that reach it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce.experiments.expressivity.polynomials import ceiling, exponents, fit_polynomial, target, variance_share
from reproduce.experiments.parameters.parameter_counts import growth_exponent
from reproduce.sweep.runs import RunSpec
from tfq_fusion.training import Protocol


@pytest.mark.parametrize(
    ("degree", "modalities", "form", "terms"),
    [
        (1, 3, "product", [(1, 0, 0)]),
        (2, 3, "product", [(1, 1, 0)]),
        (5, 3, "product", [(2, 2, 1)]),
        (1, 3, "sum", [(1, 0, 0), (0, 1, 0), (0, 0, 1)]),
        (3, 2, "sum", [(2, 1), (1, 2)]),
        (4, 4, "sum", [(1, 1, 1, 1)]),
    ],
)
def test_powers_go_to_distinct_modalities_first(degree, modalities, form, terms):
    assert exponents(degree, modalities, form) == terms


def test_a_target_is_the_standardised_product_of_cosines():
    angles = np.random.default_rng(0).uniform(-7, 7, (50, 3))
    expected = 2 * np.cos(angles[:, 0]) * np.cos(angles[:, 1])  # the mean square of a cosine is 1/2
    np.testing.assert_allclose(target(angles, [(1, 1, 0)]), expected, atol=1e-12)
    squared = math.sqrt(8) * (np.cos(angles[:, 2]) ** 2 - 0.5)
    np.testing.assert_allclose(target(angles, [(0, 0, 2)]), squared, atol=1e-12)


def test_the_share_of_a_known_target():
    """cos(x)^2 cos(y) = cos(y) / 2 + (cos(2x + y) + cos(2x - y)) / 4: mean squares 1/8, 1/32 and 1/32."""
    terms = [(2, 1)]
    assert variance_share(terms, total=0) == pytest.approx(0)
    assert variance_share(terms, total=2) == variance_share(terms, each=1) == pytest.approx(2 / 3)
    assert variance_share(terms, total=3) == pytest.approx(1)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(2, 3), st.sampled_from(["product", "sum"]), st.integers(1, 4))
def test_the_share_is_what_all_functions_of_that_degree_explain(degree, modalities, form, total):
    """By least squares on the waves of all frequencies whose sizes sum to at most so much."""
    terms = exponents(degree, modalities, form)
    axis = 0.3 + 2 * np.pi * np.arange(9) / 9
    angles = np.array(list(itertools.product(axis, repeat=modalities)))
    frequencies = itertools.product(range(-total, total + 1), repeat=modalities)
    phases = np.array([angles @ k for k in frequencies if sum(map(abs, k)) <= total])
    waves = np.concatenate([np.cos(phases), np.sin(phases)]).T
    wanted = target(angles, terms)
    explained = waves @ np.linalg.lstsq(waves, wanted, rcond=1e-9)[0]
    assert np.mean(explained**2) == pytest.approx(variance_share(terms, total=total), abs=1e-9)


@pytest.mark.parametrize(("modalities", "degree"), list(itertools.product((2, 3, 4), (1, 2, 3, 4, 5))))
def test_a_degree_below_that_of_a_product_can_not_explain_all_of_it(modalities, degree):
    terms = exponents(degree, modalities, "product")
    assert ceiling("qfl", degree, terms) == pytest.approx(1)
    assert ceiling("qfl", degree - 1, terms) < 0.97
    if degree <= modalities:
        assert ceiling("qfl", degree - 1, terms) == pytest.approx(0)


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


@pytest.mark.parametrize("seed", range(3))
def test_degree_four_over_four_modalities_is_reached_with_four_encodings(seed):
    """Two paths through the index register, which use two modalities twice each, interfere.

    A feature used twice turns |0> into cos(x) |0> + sin(x) |1>; what is in |1> is moved to an unused address.
    """
    angles = np.random.default_rng(seed).uniform(-7, 7, 4)
    state = np.zeros((8, 2))
    state[1, 0] = state[3, 0] = 1 / math.sqrt(2)
    state = used(2, angles, state)
    away = {(1, 1): (5, 0), (3, 1): (6, 0), (5, 0): (1, 1), (6, 0): (3, 1)}
    on = {(1, 0): (2, 0), (2, 0): (1, 0), (3, 0): (4, 0), (4, 0): (3, 0)}
    state = used(2, angles, moved(state, away | on))
    assert 2 * state[2, 0] * state[4, 0] == pytest.approx(np.prod(np.cos(angles)))


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


def fit(fusion, degree, modalities=2, form="product", depth=None, **arguments):
    options = {"degree": degree, "modalities": modalities, "form": form, "starts": 2}
    spec = RunSpec(
        fusion=fusion,
        seed=0,
        protocol=Protocol(units=1 if depth is None else 32),
        experiment="polynomial",
        options=options,
        degree=depth,
        engine=None if depth is None else "compiled",
        arguments=arguments,
        precision="float64",
    )
    result = fit_polynomial(spec)
    return result.metrics["test"]["r2"], result.metrics["test"]["r2_bound"], result


@pytest.mark.slow
def test_qfl_fits_a_degree_with_as_many_encodings_and_not_with_fewer():
    enough, bound, result = fit("qfl", degree=2, depth=2)
    assert (bound, result.fusion_params, result.total_params) == (pytest.approx(1), 27, 27 + 33)
    assert enough > 0.999
    few, bound, _ = fit("qfl", degree=2, depth=1)
    assert bound == pytest.approx(0)
    assert -0.2 < few < 0.05


@pytest.mark.parametrize(
    ("fusion", "degree", "expected"),
    [("concat", 1, 1), ("concat", 2, 0), ("tfn", 2, 1), ("tfn", 3, 2 / 3), ("lmf", 2, 1), ("lmf", 3, 2 / 3)],
)
def test_classical_fusions_multiply_modalities_but_none_by_itself(fusion, degree, expected):
    found, bound, _ = fit(fusion, degree, **({"rank": 2} if fusion == "lmf" else {}))
    assert bound == pytest.approx(expected)
    assert found == pytest.approx(expected, abs=0.06)


@pytest.mark.slow
def test_the_same_run_gives_the_same_bits_whatever_ran_before():
    first = fit("qfl", degree=2, depth=2)[0]
    fit("qfl", degree=1, form="sum", depth=2)
    assert fit("qfl", degree=2, depth=2)[0] == first


def test_the_exponent_of_a_power_law():
    assert growth_exponent({2: 20, 4: 40, 8: 80}) == pytest.approx(1)
    assert growth_exponent({m: 3 * m**2 for m in (2, 4, 256)}) == pytest.approx(2)
    assert growth_exponent({2: 7, 256: 7}) == pytest.approx(0)
