"""Telling two channels apart: explicit angles, proofs of what no strategy can do, and strategies that do it."""

import functools
import itertools
import math
import types

import cirq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reproduce.experiments.expressivity.discrimination import discriminate, explicit_error, explicit_weights
from reproduce.experiments.expressivity.discrimination_bounds import ANGLE, certificate, least_error, least_error_apart
from reproduce.sweep.runs import RunSpec
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.training import Protocol

CASES = list(itertools.product((0, 1), repeat=2))
X = np.array([[0, 1], [1, 0]])


def turn(angle):
    return cirq.unitary(cirq.rx(angle))


@pytest.mark.parametrize("queries", [6, 7, 8])
def test_explicit_angles_leave_the_parity_on_the_value_qubit(queries):
    spec = qfl_circuit(2, 1, queries, signal="rx", measurement="computational", observables=3)
    weights = explicit_weights(queries)
    assert set(weights) == {0, math.pi}
    for case in CASES:
        values = dict(zip(spec.weight_symbols, weights, strict=True))
        values |= dict(zip(spec.data_symbols, ANGLE * np.array(case), strict=True))
        found = cirq.Simulator(dtype=np.complex128).simulate_expectation_values(
            spec.circuit, spec.operators[2], param_resolver=values, qubit_order=cirq.LineQubit.range(3)
        )
        assert np.real(found) == pytest.approx([(-1) ** sum(case)])


def test_an_error_that_rounding_takes_below_zero_is_zero(monkeypatch):
    rounded = np.array([[1, 1, 1 + 2.5e-16], [1, 1, 1], [1, 1, -1], [1, 1, -1]])
    values = types.SimpleNamespace(numpy=lambda: rounded)
    monkeypatch.setattr("tfq_fusion.engines.expectation", lambda circuit, data, weights: values)
    assert explicit_error(6) == 0


def test_fewer_queries_have_no_explicit_angles():
    with pytest.raises(ValueError, match="at least 6 queries, got 5"):
        explicit_weights(5)


def phases():
    """What one query multiplies the four cases by, for each address and each sign of X on the value qubit."""
    yield np.ones(4)
    for channel, sign in itertools.product((0, 1), (1, -1)):
        yield np.array([np.exp(1j * sign * ANGLE / 2 * case[channel]) for case in CASES])


def least_eigenvalue(matrix):
    return np.linalg.eigvalsh(matrix).min()


@pytest.mark.parametrize("queries", [1, 2, 3, 4, 5])
def test_the_certificate_holds(queries):
    """As a reader would check it, with matrices on the four cases and without the solver's formulas."""
    matrices = [
        constant * np.eye(4) + single * (np.kron(X, np.eye(2)) + np.kron(np.eye(2), X)) + double * np.kron(X, X)
        for constant, single, double in certificate(queries)
    ]
    for earlier, later in itertools.pairwise(matrices):
        for phase in phases():
            assert least_eigenvalue(earlier - phase[:, None] * later * phase.conj()) > 0
    for parity in (0, 1):
        asked = np.diag([sum(case) % 2 == parity for case in CASES])
        assert least_eigenvalue(matrices[-1] - asked / 4) > 0
    assert least_error(queries) == pytest.approx(1 - matrices[0].sum())


def test_five_queries_are_not_enough_and_six_are():
    assert least_error(5) == pytest.approx(0.00239, abs=1e-5)
    assert least_error(6) == 0


def test_the_least_error_of_one_query():
    """The mean answer is c sin(u/2) sin(v/2) at u, v = ±pi/6, and within [-1, 1] at all angles: c is at most 1."""
    assert least_error(1) == pytest.approx((1 - math.sin(math.pi / 12) ** 2) / 2, abs=1e-5)


def random_unitary(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_no_random_strategy_errs_less(queries, workspace, seed):
    """With any unitaries in between, any workspace, and the best measurement at the end."""
    rng = np.random.default_rng(seed)
    unitaries = [random_unitary(rng, 8 * workspace) for _ in range(queries)]
    difference = np.zeros((8 * workspace,) * 2, complex)
    for case in CASES:
        one, other = (turn(ANGLE * bit) for bit in case)
        query = np.kron(cirq.block_diag(np.eye(2), one, other, np.eye(2)), np.eye(workspace))
        state = np.eye(8 * workspace)[0]
        for unitary in unitaries:
            state = query @ unitary @ state
        difference += (-1) ** sum(case) / 4 * np.outer(state, state.conj())
    error = (1 - np.abs(np.linalg.eigvalsh(difference)).sum()) / 2
    assert error >= least_error(queries) - 1e-12


def distance(first, second):
    """The trace distance of two pure states."""
    return math.sqrt(max(1 - abs(np.vdot(first, second)) ** 2, 0))


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_one_channel_after_coherent_uses(uses):
    zero = np.array([1, 0])
    turned = np.linalg.matrix_power(turn(ANGLE), uses) @ zero
    # Both channels get as many queries; the least error follows from how far apart the two hypotheses are for each.
    expected = (1 - distance(zero, turned) ** 2) / 2
    assert least_error_apart(2 * uses, coherent=True) == pytest.approx(expected)


@pytest.mark.parametrize("uses", [1, 2, 3, 4])
def test_one_channel_with_every_use_measured(uses):
    """No better than one measurement on as many copies of both states together."""
    copies = [functools.reduce(np.kron, [state] * uses) for state in (np.array([1, 0]), turn(ANGLE)[:, 0])]
    expected = (1 - distance(*copies) ** 2) / 2
    assert least_error_apart(2 * uses, coherent=False) == pytest.approx(expected)


def test_only_coherent_uses_decide_and_joint_queries_err_less_before_they_do():
    for queries in range(1, 6):
        assert least_error(queries) < least_error_apart(queries, coherent=True)
        assert least_error_apart(queries, coherent=True) <= least_error_apart(queries, coherent=False) + 1e-12
    assert least_error_apart(5, coherent=True) > 0.06
    assert least_error_apart(6, coherent=True) == 0
    assert least_error_apart(60, coherent=False) > 1e-5


def trained(fusion, queries, uses=None):
    options = {"starts": 2} | ({} if uses is None else {"queries": queries, "uses": uses})
    joint = fusion == "qfl"
    spec = RunSpec(
        fusion=fusion,
        seed=0,
        protocol=Protocol(units=3 if joint else 1),
        degree=queries if joint else None,
        engine="compiled" if joint else None,
        arguments={"blocks": 4, "measurement": "computational"} if joint else {},
        precision="float64",
        experiment="discrimination",
        options=options,
    )
    return discriminate(spec).metrics["test"]


@pytest.mark.slow
def test_training_finds_the_least_error_of_joint_queries():
    found = trained("qfl", 2)
    assert found["error_bound"] <= found["error"] < found["error_bound"] + 1e-5


@pytest.mark.slow
def test_training_decides_with_six_joint_queries():
    found = trained("qfl", 6)
    assert found["error"] < 1e-6
    assert found["error_explicit"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("queries", "uses"), [pytest.param(2, "measured", marks=pytest.mark.slow), (2, "coherent")])
def test_low_rank_fusion_of_separate_queries_is_trained_to_its_least_error(queries, uses):
    found = trained("lmf", queries, uses)
    assert found["error_bound"] - 1e-12 <= found["error"] < found["error_bound"] + 1e-4
