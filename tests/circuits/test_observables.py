"""Observables against dense matrices."""

import functools
import itertools

import cirq
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.circuits import computational_observables, pauli_plane_observables, random_pauli_observables

QUBITS = cirq.LineQubit.range(3)
seeds = st.integers(0, 2**32 - 1)


def dense(observable, qubits=QUBITS):
    return observable.matrix(qubits)


@given(seeds, st.integers(1, 63))
def test_random_paulis_are_distinct_strings_without_identity(seed, count):
    observables = random_pauli_observables(QUBITS, count, np.random.default_rng(seed))
    assert len(observables) == count
    matrices = np.array([dense(observable) for observable in observables])
    # Distinct Pauli strings, and only those, are orthogonal, of trace zero and of square one.
    gram = np.einsum("aij,bji->ab", matrices, matrices) / 8
    np.testing.assert_allclose(gram, np.eye(count), atol=1e-7)
    np.testing.assert_allclose(np.trace(matrices, axis1=1, axis2=2), 0, atol=1e-7)
    np.testing.assert_allclose(matrices @ matrices, np.broadcast_to(np.eye(8), matrices.shape), atol=1e-7)


def test_random_paulis_have_any_weight():
    observables = random_pauli_observables(QUBITS, 63, np.random.default_rng(0))
    weights = [len(next(iter(observable)).qubits) for observable in observables]
    # C(3, w) * 3**w strings of weight w.
    assert [weights.count(weight) for weight in (1, 2, 3)] == [9, 27, 27]


@pytest.mark.parametrize(("locality", "strings"), [(1, 9), (2, 27), (3, 27)])
def test_random_paulis_of_one_weight_are_in_the_end_all_of_them(locality, strings):
    observables = random_pauli_observables(QUBITS, strings, np.random.default_rng(0), locality)
    assert [len(observable.qubits) for observable in observables] == [locality] * strings
    assert len(set(map(str, observables))) == strings
    with pytest.raises(ValueError, match=f"between 1 and {strings}.*got {strings + 1}"):
        random_pauli_observables(QUBITS, strings + 1, np.random.default_rng(0), locality)


@given(seeds, st.integers(1, 3))
def test_pauli_planes_are_products_of_plane_paulis(seed, locality):
    (observable,) = pauli_plane_observables(QUBITS, 1, np.random.default_rng(seed), locality)
    matrix = dense(observable)
    np.testing.assert_allclose(matrix @ matrix, np.eye(8), atol=1e-6)
    np.testing.assert_allclose(np.trace(matrix), 0, atol=1e-7)
    assert len(observable.qubits) == locality
    # A product state along each factor's own axis has expectation +1: the observable is a tensor product.
    axes = [_axis(observable, qubit) for qubit in QUBITS]
    paulis = [cirq.unitary(pauli) for pauli in (cirq.X, cirq.Y, cirq.Z)]
    factors = [np.eye(2) if axis is None else np.einsum("p,pij->ij", axis, paulis) for axis in axes]
    product = functools.reduce(np.kron, factors)
    assert np.allclose(product, matrix, atol=1e-6) or np.allclose(product, -matrix, atol=1e-6)
    for axis in axes:
        assert axis is None or np.count_nonzero(np.abs(axis) > 1e-9) <= 2


def _axis(observable, qubit):
    """The Bloch axis of one factor up to sign, from the squared coefficients of the strings and one sign pattern."""
    if qubit not in observable.qubits:
        return None
    largest = max(observable, key=lambda string: abs(string.coefficient))
    axis = []
    for pauli in (cirq.X, cirq.Y, cirq.Z):
        wanted = {**dict(largest), qubit: pauli}
        coefficient = next((s.coefficient for s in observable if dict(s) == wanted), 0)
        axis.append(np.real(coefficient))
    return np.array(axis) / np.linalg.norm(axis)


def test_computational_basis_goes_by_weight():
    observables = computational_observables(QUBITS, 7)
    expected = [
        [qubit in subset for qubit in QUBITS] for k in (1, 2, 3) for subset in itertools.combinations(QUBITS, k)
    ]
    for observable, flags in zip(observables, expected, strict=True):
        matrix = functools.reduce(np.kron, [np.diag([1, -1]) if flag else np.eye(2) for flag in flags])
        np.testing.assert_allclose(dense(observable), matrix)


@pytest.mark.parametrize("draw", [random_pauli_observables, pauli_plane_observables])
def test_same_seed_same_observables(draw):
    first, second, other = (draw(QUBITS, 5, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert first == second != other


@pytest.mark.parametrize("count", [0, 64])
def test_count_of_random_paulis_is_checked(count):
    with pytest.raises(ValueError, match=f"between 1 and 63.*got {count}"):
        random_pauli_observables(QUBITS, count, np.random.default_rng(0))


@pytest.mark.parametrize("count", [0, 8])
def test_count_of_computational_is_checked(count):
    with pytest.raises(ValueError, match=f"between 1 and 7.*got {count}"):
        computational_observables(QUBITS, count)


@pytest.mark.parametrize("draw", [random_pauli_observables, pauli_plane_observables])
@pytest.mark.parametrize(("count", "locality"), [(0, 1), (1, 0), (1, 4)])
def test_count_and_locality_are_checked(draw, count, locality):
    with pytest.raises(ValueError, match="should be"):
        draw(QUBITS, count, np.random.default_rng(0), locality)
