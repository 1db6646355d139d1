"""The evidence fusion block against evidence theory and against mixtures, both written here from their definitions."""

import functools
import itertools
import math

import cirq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.circuits import evidence_fusion_circuit, fused_states
from tfq_fusion.circuits.evidence import combination_ops

degrees = st.floats(0, 1)
FRAME = frozenset({"p", "not p"})


def angles(masses):
    return 2 * np.arcsin(np.sqrt(np.ravel(masses)))


def simulate(spec, masses, weights):
    """The final state vector, qubits in the order (0, 0), (0, 1), ... of the grid."""
    values = dict(zip((*spec.data_symbols, *spec.weight_symbols), (*angles(masses), *weights), strict=True))
    return cirq.Simulator(dtype=np.complex128).simulate(spec.circuit, values).final_state_vector


def fused_distribution(masses, weights):
    """The joint distribution of all fused qubits, ``[2] * K``, by simulation of the whole circuit."""
    modalities, propositions = np.shape(masses)
    state = simulate(evidence_fusion_circuit(modalities, propositions, convolution=None), masses, weights)
    probabilities = np.abs(state.reshape((2,) * ((modalities + 1) * propositions))) ** 2
    return probabilities.sum(axis=tuple(range(modalities * propositions)))


def fused_probability(masses, weights):
    """The probability to find the fused qubit of a single proposition in 1."""
    return fused_distribution(np.reshape(masses, (-1, 1)), weights)[1]


def behind_the_block(spec, modalities, propositions):
    """The operations that follow the block."""
    block = evidence_fusion_circuit(modalities, propositions, convolution=None).circuit
    return list(spec.circuit.all_operations())[len(list(block.all_operations())) :]


def conjunctive(modalities):
    return [0, *[0] * modalities, np.pi, 0]


def disjunctive(modalities):
    return [np.pi, *[0] * modalities, 0, -np.pi]


def combine(masses, operation):
    """A rule of combination: mass functions are dicts from frozensets to masses."""

    def both(first, second):
        combined = {}
        for (one, mass), (other, weight) in itertools.product(first.items(), second.items()):
            focal = operation(one, other)
            combined[focal] = combined.get(focal, 0) + mass * weight
        return combined

    return functools.reduce(both, masses)


def plausibility(mass, event):
    return sum(value for focal, value in mass.items() if focal & event)


@st.composite
def judgements(draw):
    """Mass functions on {p, not p}, two to four: Bayesian ones, consonant ones, and any others."""

    def one():
        possibility = draw(degrees)
        belief = draw(st.sampled_from(["bayesian", "consonant", "any"]))
        certain = {"bayesian": possibility, "consonant": 0.0, "any": draw(degrees) * possibility}[belief]
        return {frozenset({"p"}): certain, frozenset({"not p"}): 1 - possibility, FRAME: possibility - certain}

    return [one() for _ in range(draw(st.integers(2, 4)))]


@settings(max_examples=30)
@given(judgements())
def test_and_is_the_conjunctive_rule_and_or_the_disjunctive_rule(masses):
    """For every mass function whose degree of possibility of p is encoded: the circuit gives the combined one's."""
    possibilities = [plausibility(mass, {"p"}) for mass in masses]
    for weights, operation in (
        (conjunctive(len(masses)), frozenset.intersection),
        (disjunctive(len(masses)), frozenset.union),
    ):
        expected = plausibility(combine(masses, operation), {"p"})
        assert fused_probability(possibilities, weights) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30)
@given(st.lists(degrees, min_size=2, max_size=4))
def test_and_is_a_product_and_or_a_probabilistic_sum(possibilities):
    count = len(possibilities)
    product, none = math.prod(possibilities), math.prod(1 - degree for degree in possibilities)
    assert fused_probability(possibilities, conjunctive(count)) == pytest.approx(product, abs=1e-9)
    assert fused_probability(possibilities, disjunctive(count)) == pytest.approx(1 - none, abs=1e-9)


@settings(max_examples=20)
@given(
    st.lists(st.tuples(degrees, degrees, degrees), min_size=2, max_size=3),
    st.sampled_from(["conjunctive", "disjunctive"]),
)
def test_the_fused_register_holds_the_combined_mass_function_of_a_frame(table, rule):
    """Qubit k is 1 if element k of the frame is in the set; the empty set has its mass as well."""
    elements = 3
    subsets = [frozenset(np.flatnonzero(bits).tolist()) for bits in itertools.product((0, 1), repeat=elements)]
    masses = [
        {focal: math.prod(row[k] if k in focal else 1 - row[k] for k in range(elements)) for focal in subsets}
        for row in table
    ]
    special, operation = {
        "conjunctive": (conjunctive, frozenset.intersection),
        "disjunctive": (disjunctive, frozenset.union),
    }[rule]
    combined = combine(masses, operation)
    found = fused_distribution(table, special(len(table)) * elements)
    np.testing.assert_allclose(found.ravel(), [combined[focal] for focal in subsets], atol=1e-9)


def test_evidence_qubits_hold_the_square_roots_of_a_mass_function():
    masses = np.array([[0.2, 0.9], [0.5, 0.0]])
    state = simulate(evidence_fusion_circuit(2, 2, convolution=None), masses, np.zeros(10))
    amplitudes = np.sqrt(np.stack([1 - masses, masses], axis=-1)).reshape(-1, 2)
    expected = functools.reduce(np.kron, [*amplitudes, [1, 0], [1, 0]])
    np.testing.assert_allclose(state, expected, atol=1e-9)


@settings(max_examples=20)
@given(st.lists(degrees, min_size=2, max_size=4))
def test_trust_and_voting_are_special_values_too(possibilities):
    count = len(possibilities)
    for trusted, possibility in enumerate(possibilities):
        weights = np.zeros(count + 3)
        weights[1 + trusted] = np.pi
        assert fused_probability(possibilities, weights) == pytest.approx(possibility, abs=1e-9)
    votes = [0, *[np.pi / count] * count, 0, 0]
    assert fused_probability([1] * count, votes) == pytest.approx(1)
    assert fused_probability([0] * count, votes) == pytest.approx(0)
    assert fused_probability([1] + [0] * (count - 1), votes) == pytest.approx(math.sin(np.pi / (2 * count)) ** 2)


def mixture(masses, weights):
    """The fused qubits' states as classical mixtures: a sum over all values of the evidence bits."""
    modalities, propositions = masses.shape
    states = np.zeros((propositions, 2, 2))
    for k, own in enumerate(np.reshape(weights, (propositions, modalities + 3))):
        for bits in itertools.product((0, 1), repeat=modalities):
            probability = math.prod(p if bit else 1 - p for p, bit in zip(masses[:, k], bits, strict=True))
            angle = own[0] + np.dot(own[1:-2], bits) + own[-2] * all(bits) + own[-1] * (not any(bits))
            vector = np.array([math.cos(angle / 2), math.sin(angle / 2)])
            states[k] += probability * np.outer(vector, vector)
    return states


@settings(max_examples=20)
@given(st.integers(2, 4), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_fused_qubits_are_classical_mixtures_and_independent(modalities, propositions, seed):
    rng = np.random.default_rng(seed)
    masses = rng.uniform(size=(modalities, propositions))
    weights = rng.uniform(-np.pi, np.pi, propositions * (modalities + 3))
    expected = mixture(masses, weights)
    np.testing.assert_allclose(fused_states(masses, weights), expected, atol=1e-12)

    state = simulate(evidence_fusion_circuit(modalities, propositions, convolution=None), masses, weights)
    evidence = modalities * propositions
    tensor = state.reshape(2**evidence, 2**propositions)
    reduced = tensor.T @ tensor.conj()
    np.testing.assert_allclose(reduced, functools.reduce(np.kron, expected), atol=1e-9)


def test_states_of_a_batch_are_those_of_its_samples():
    rng = np.random.default_rng(0)
    masses, weights = rng.uniform(size=(2, 5, 3, 4)), rng.uniform(-3, 3, 24)
    found = fused_states(masses, weights)
    assert found.shape == (2, 5, 4, 2, 2)
    np.testing.assert_allclose(found[1, 2], fused_states(masses[1, 2], weights))


@settings(max_examples=10)
@given(st.integers(2, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_measured_values_are_those_of_the_mixture_behind_the_qcnn(modalities, propositions, seed):
    """For one proposition there is no QCNN; for more the expectation is over the product of the mixtures."""
    rng = np.random.default_rng(seed)
    spec = evidence_fusion_circuit(modalities, propositions, convolution=None if propositions == 1 else "su4")
    masses = rng.uniform(size=(modalities, propositions))
    weights = rng.uniform(-np.pi, np.pi, len(spec.weight_symbols))
    values = dict(zip((*spec.data_symbols, *spec.weight_symbols), (*angles(masses), *weights), strict=True))
    found = cirq.Simulator(dtype=np.complex128).simulate_expectation_values(
        spec.circuit, list(spec.operators), param_resolver=values
    )

    fused = [cirq.GridQubit(modalities, k) for k in range(propositions)]
    qcnn = cirq.Circuit(behind_the_block(spec, modalities, propositions))
    unitary = cirq.resolve_parameters(qcnn, values).unitary(qubit_order=fused, qubits_that_should_be_present=fused)
    mixed = functools.reduce(np.kron, mixture(masses, weights[: propositions * (modalities + 3)]))
    turned = unitary @ mixed @ unitary.conj().T
    expected = [np.trace(operator.matrix(fused) @ turned).real for operator in spec.operators]
    np.testing.assert_allclose(np.real(found), expected, atol=1e-6)


@settings(max_examples=20)
@given(st.integers(2, 4), st.integers(1, 2), st.integers(0, 2**32 - 1), st.randoms())
def test_modalities_in_another_order_with_their_weights_give_the_same(modalities, propositions, seed, random):
    rng = np.random.default_rng(seed)
    masses = rng.uniform(size=(modalities, propositions))
    weights = rng.uniform(-np.pi, np.pi, (propositions, modalities + 3))
    order = list(range(modalities))
    random.shuffle(order)
    swapped = weights[:, [0, *(1 + m for m in order), -2, -1]]
    np.testing.assert_allclose(
        fused_distribution(masses[order], swapped.ravel()), fused_distribution(masses, weights.ravel()), atol=1e-9
    )


@pytest.mark.parametrize("convolution", [None, "su4", "tutorial"])
@pytest.mark.parametrize("propositions", [2, 4, 5])
def test_gates_and_weights_are_linear_in_modalities_and_in_propositions(propositions, convolution):
    gates, weights = [], []
    for modalities in range(2, 8):
        spec = evidence_fusion_circuit(modalities, propositions, convolution)
        gates.append(len(list(spec.circuit.all_operations())))
        weights.append(len(spec.weight_symbols))
        assert len(spec.data_symbols) == modalities * propositions
        assert len(spec.circuit.all_qubits()) == (modalities + 1) * propositions
    assert set(np.diff(gates)) == {2 * propositions}  # one encodes, one fuses
    assert set(np.diff(weights)) == {propositions}
    if convolution is None:
        assert weights[0] == 5 * propositions
        assert gates[0] == (2 + 5) * propositions


def test_elementary_gates_are_linear_in_modalities():
    """A rotation with M controls is linear in M as well (Barenco et al., 1995; here Cirq's decomposition)."""

    def elementary(modalities):
        *evidence, fused = cirq.LineQubit.range(modalities + 1)
        *_, conjunctive, disjunctive = combination_ops(evidence, fused, [0.3] * (modalities + 3))
        flips = 2 * modalities  # around the gate whose controls are to be 0
        return flips + sum(
            len(cirq.decompose_multi_controlled_rotation(cirq.unitary(gate.sub_operation), evidence, fused))
            for gate in (conjunctive, disjunctive)
        )

    counts = [elementary(modalities) for modalities in range(6, 12)]
    assert len(set(np.diff(counts))) == 1


def test_qcnn_follows_on_the_fused_qubits_alone():
    whole = evidence_fusion_circuit(2, 4)
    behind = behind_the_block(whole, 2, 4)
    assert {qubit for operation in behind for qubit in operation.qubits} == {cirq.GridQubit(2, k) for k in range(4)}
    assert len(whole.weight_symbols) == 20 + 15 + 2 + 15
    assert len(whole.operators) == 15
    assert len(evidence_fusion_circuit(2, 4, readout="z").operators) == 1


def test_sorted_symbols_are_in_natural_order():
    spec = evidence_fusion_circuit(4, 3)
    for symbols in (spec.data_symbols, spec.weight_symbols):
        assert sorted(symbols, key=str) == list(symbols)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"modalities": 1}, "modalities should be at least 2, got 1"),
        ({"propositions": 0}, "propositions should be at least 1, got 0"),
        ({"propositions": 1}, "pooling would leave no qubit"),
        ({"convolution": "su2"}, "convolution should be one of"),
        ({"readout": "x"}, "readout should be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        evidence_fusion_circuit(**{"modalities": 2, "propositions": 2, **arguments})
