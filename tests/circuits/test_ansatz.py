"""Blocks and entanglers against Kronecker products in NumPy."""

import functools
import itertools

import cirq
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion.circuits import entangler_ops, hardware_efficient_block, padded_symbols

X, Y, Z = (cirq.unitary(gate) for gate in (cirq.X, cirq.Y, cirq.Z))


def rotation(pauli, angle):
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * pauli


def cz_signs(count, pairs):
    """The diagonal of a product of CZ gates: -1 for each pair whose bits are both one."""
    bits = np.array(list(itertools.product((0, 1), repeat=count)))
    return np.prod([(-1.0) ** (bits[:, a] * bits[:, b]) for a, b in pairs], axis=0) * np.ones(2**count)


PAIRS = {
    "all_to_all": {2: [(0, 1)], 3: [(0, 1), (0, 2), (1, 2)], 4: [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]},
    "ring": {2: [(0, 1)], 3: [(0, 1), (1, 2), (2, 0)], 4: [(0, 1), (1, 2), (2, 3), (3, 0)]},
    "brick": {2: [(0, 1)], 3: [(0, 1), (1, 2)], 4: [(0, 1), (2, 3), (1, 2)]},
}


@pytest.mark.parametrize("entangler", PAIRS)
@pytest.mark.parametrize("count", [2, 3, 4])
@given(seed=st.integers(0, 2**32 - 1))
def test_block_is_rotations_then_entangler(entangler, count, seed):
    angles = np.random.default_rng(seed).uniform(-np.pi, np.pi, (count, 3))
    symbols = padded_symbols("theta", 3 * count)
    qubits = cirq.LineQubit.range(count)

    block = hardware_efficient_block(qubits, symbols, entangler)
    resolved = cirq.resolve_parameters(block, dict(zip(symbols, angles.ravel(), strict=True)))

    single = [rotation(Z, c) @ rotation(Y, b) @ rotation(X, a) for a, b, c in angles]
    expected = np.diag(cz_signs(count, PAIRS[entangler][count])) @ functools.reduce(np.kron, single)
    np.testing.assert_allclose(resolved.unitary(qubit_order=qubits), expected, atol=1e-7)


def test_brick_has_two_moments_of_entangling_gates():
    assert len(cirq.Circuit(entangler_ops(cirq.LineQubit.range(6), "brick"))) == 2


def test_one_qubit_needs_no_entangler():
    assert not list(entangler_ops(cirq.LineQubit.range(1), "ring"))


def test_unknown_entangler_lists_the_known():
    with pytest.raises(ValueError, match=r"all_to_all.*ring.*brick.*'star'"):
        list(entangler_ops(cirq.LineQubit.range(2), "star"))


def test_number_of_symbols_is_checked():
    with pytest.raises(ValueError, match=r"expects 6 symbols.*got 5"):
        hardware_efficient_block(cirq.LineQubit.range(2), padded_symbols("w", 5))


@pytest.mark.parametrize("blocks", [1, 2, 5])
@given(seed=st.integers(0, 2**32 - 1))
def test_blocks_on_three_qubits_have_a_symmetry_that_those_on_four_lack(blocks, seed):
    """U Y^n U^T = (-1)^blocks Y^n on three: they are symplectic up to a sign, see docs/expressivity.md."""
    rng = np.random.default_rng(seed)
    for count in (3, 4):
        flip = functools.reduce(np.kron, [Y] * count)
        unitary = np.eye(2**count)
        for _ in range(blocks):
            layer = functools.reduce(
                np.kron,
                [
                    rotation(Z, c) @ rotation(Y, b) @ rotation(X, a)
                    for a, b, c in rng.uniform(-np.pi, np.pi, (count, 3))
                ],
            )
            unitary = np.diag(cz_signs(count, PAIRS["all_to_all"][count])) @ layer @ unitary
        symmetric = np.allclose(unitary @ flip @ unitary.T, (-1) ** blocks * flip)
        assert symmetric == (count == 3)


@pytest.mark.parametrize(("count", "dimension"), [(2, 15), (3, 36), (4, 255)])
def test_how_many_dimensions_blocks_generate(count, dimension):
    """The Lie algebra of all rotations, and of all rotations between two entanglers, by commutators of Pauli strings.

    A string is a pair of bit masks, where it has X or Y and where it has Z or Y; CZ between all pairs turns X of one
    qubit into X of it and Z of all others.
    """
    everywhere = 2**count - 1
    bits = [1 << qubit for qubit in range(count)]
    rotations = {(bit, 0) for bit in bits} | {(0, bit) for bit in bits}
    found = rotations | {(bit, everywhere ^ bit) for bit in bits}
    while True:
        more = {
            (x ^ other_x, z ^ other_z)
            for (x, z), (other_x, other_z) in itertools.combinations(found, 2)
            if ((x & other_z).bit_count() + (z & other_x).bit_count()) % 2  # they anticommute
        }
        if more <= found:
            break
        found |= more
    assert len(found) == dimension
