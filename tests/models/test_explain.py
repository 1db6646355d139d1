"""Explanations of an evidence network, against evidence theory and against what must follow from the network."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.linalg import sqrtm

from tfq_fusion._keras import keras
from tfq_fusion.circuits import fused_states
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import EvidenceNetwork, class_code
from tfq_fusion.models.explain import IGNORANCE, class_beliefs, conflict, explain

pytestmark = [pytest.mark.keras, pytest.mark.usefixtures("uncompiled")]
NAMES = ("sight", "sound", "touch")


def network(names=NAMES):
    modalities = [Modality(name=name, shape=(4,), description="") for name in names]
    return EvidenceNetwork(modalities, classes=4, hidden=8, method="mixture", seed=0)


def samples(count, seed=0):
    """Four classes, which each modality tells apart with some errors."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=count)
    inputs = {name: (2 * np.eye(4)[labels] + rng.normal(size=(count, 4))).astype(np.float32) for name in NAMES}
    return inputs, labels


def randomise(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])


def set_combination(model, rows):
    theta = model.fusion.get_weights()[0]
    theta[: np.size(rows)] = np.ravel(rows)
    model.fusion.set_weights([theta])


@pytest.fixture
def model():
    """A network with random weights."""
    model = network()
    randomise(model)
    return model


@pytest.fixture
def trained():
    model, (inputs, labels) = network(), samples(256)
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy", jit_compile=False)
    model.fit(inputs, np.eye(4)[labels], epochs=10, shuffle=False, verbose=0)
    return model


tables = st.integers(2, 4).flatmap(
    lambda modalities: hnp.arrays(np.float64, (modalities, 2), elements=st.floats(0, 1, width=32))
)


@settings(max_examples=40)
@given(tables)
def test_conflict_is_the_mass_that_the_conjunctive_rule_gives_to_the_empty_set(masses):
    """On the frame of all worlds, each of which says of every proposition whether it is true."""

    def mass_function(possibility):
        """On {true, false}: the least committed one whose pignistic probability of true is the possibility."""
        certain = abs(2 * possibility - 1)
        return {frozenset({possibility > 0.5}): certain, frozenset({True, False}): 1 - certain}

    def judgement(row):
        return {
            frozenset(itertools.product(first, second)): mass * weight
            for (first, mass), (second, weight) in itertools.product(*(mass_function(p).items() for p in row))
        }

    def conjunctive(first, second):
        combined = {}
        for (one, mass), (other, weight) in itertools.product(first.items(), second.items()):
            combined[one & other] = combined.get(one & other, 0) + mass * weight
        return combined

    expected = functools.reduce(conjunctive, map(judgement, masses)).get(frozenset(), 0)
    assert conflict(masses) == pytest.approx(expected, abs=1e-12)


def test_neither_ignorance_nor_agreement_is_conflict():
    rng = np.random.default_rng(0)
    unsure = rng.uniform(0.5, 1, size=(3, 4))
    assert conflict(unsure) == 0
    assert conflict(np.concatenate([unsure, np.full((1, 4), IGNORANCE)])) == 0
    assert conflict(np.array([[1.0], [0.0]])) == 1


@given(hnp.arrays(np.float64, (4,), elements=st.floats(0.01, 0.99)))
def test_belief_in_a_class_is_the_probability_of_what_it_says_given_that_there_is_such_a_class(masses):
    code = class_code(10)
    worlds = {
        world: np.prod([p if bit else 1 - p for p, bit in zip(masses, world, strict=True)])
        for world in itertools.product((0, 1), repeat=4)
    }
    known = np.array([worlds[tuple(row)] for row in code.astype(int)])
    np.testing.assert_allclose(class_beliefs(masses, code), known / known.sum(), rtol=1e-6)


def test_ignorance_is_equal_belief_in_all_classes_and_certainty_is_no_error():
    np.testing.assert_allclose(class_beliefs(np.full(4, IGNORANCE), class_code(10)), 0.1)
    assert class_beliefs(np.array([1.0, 0, 0, 1]), class_code(10)).argmax() == 9
    assert np.isfinite(class_beliefs(np.ones(4), class_code(10))).all()


def test_every_source_has_its_row(model):
    inputs, _ = samples(40)
    explanation = explain(model, inputs, classes=["cat", "dog", "owl", "fox"])
    assert explanation.index.names == ["sample", "source"]
    assert list(explanation.loc[39].index) == [*NAMES, "block", "network"]
    assert list(explanation["belief"].columns) == ["cat", "dog", "owl", "fox"]
    np.testing.assert_allclose(explanation["belief"].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        explanation.xs("network", level="source")["belief"], model.predict(inputs, verbose=0), atol=1e-6
    )
    masses = np.asarray(model.unimodal(inputs))
    # A mass near 1 is known to 1e-7, and so is what it leaves to the other classes.
    np.testing.assert_allclose(
        explanation.xs("sound", level="source")["belief"], class_beliefs(masses[:, 1], model.code), atol=1e-6
    )
    known = explanation[["conflict", "contribution", "influence"]].notna().groupby("source", sort=False).all()
    assert known.to_numpy().tolist() == [[True] * 3] * 3 + [[True, False, False], [False] * 3]


def test_a_modality_that_knows_nothing_contributes_nothing():
    model, (inputs, _) = network(), samples(5)
    randomise(model)
    for weight in model.unimodal.weights[-2:]:  # the last layer of the modules, one of each modality in a stack
        weight.assign(np.concatenate([np.zeros_like(weight[:1]), weight[1:]]))
    nothing = explain(model, inputs).xs("sight", level="source")
    np.testing.assert_array_equal(nothing["belief"], 0.25)
    np.testing.assert_allclose(nothing[["conflict", "contribution", "influence"]], 0, atol=1e-12)


def test_a_modality_that_the_block_does_not_look_at_contributes_nothing():
    model, (inputs, _) = network(), samples(5)
    randomise(model)
    set_combination(model, [[0.4, np.pi, 0, 2.0, 0, 0]] * 2)
    explanation = explain(model, inputs)
    parts = explanation[["contribution", "influence"]].abs().groupby("source").max()
    np.testing.assert_allclose(parts.loc["sound"], 0, atol=1e-6)
    assert (parts.loc[["sight", "touch"]] > 1e-3).all(axis=None)
    assert (explanation.xs("sound", level="source")["conflict"] > 0).any()


def test_what_a_trusted_modality_says_is_what_the_block_believes():
    model, (inputs, _) = network(), samples(5)
    randomise(model)
    set_combination(model, [[0, 0, np.pi, 0, 0, 0]] * 2)
    beliefs = explain(model, inputs)["belief"]
    np.testing.assert_allclose(beliefs.xs("block", level="source"), beliefs.xs("sound", level="source"), atol=1e-5)


def test_contribution_and_influence_are_changes_under_ablation(model):
    inputs, _ = samples(3, seed=1)
    explanation = explain(model, inputs)
    masses = np.asarray(model.unimodal(inputs))
    without = np.concatenate([masses[:, :2], np.full((3, 1, 2), 0.5, np.float32)], axis=1)
    before, after = (np.asarray(model.head(model.fusion(table))) for table in (masses, without))
    states = [fused_states(table, model.fusion.combination) for table in (masses, without)]
    for sample in range(3):
        found, decision = explanation.loc[sample].loc["touch"], before[sample].argmax()
        assert found["contribution"].item() == pytest.approx(
            before[sample, decision] - after[sample, decision], abs=1e-6
        )
        rho, sigma = (np.kron(*of_samples[sample]) for of_samples in states)
        fidelity = np.trace(sqrtm(sqrtm(rho) @ sigma @ sqrtm(rho))).real ** 2
        assert found["influence"].item() == pytest.approx(1 - fidelity, abs=1e-6)


def test_swapping_two_modalities_swaps_the_explanation():
    model, swapped = network(), network(("touch", "sound", "sight"))
    randomise(model)
    inputs, _ = samples(6)
    order = [2, 1, 0]
    swapped.unimodal.set_weights([weight[order] for weight in model.unimodal.get_weights()])
    swapped.head.set_weights(model.head.get_weights())
    swapped.fusion.set_weights(model.fusion.get_weights())
    set_combination(swapped, model.fusion.combination[:, [0, 3, 2, 1, 4, 5]])
    one, other = explain(model, inputs), explain(swapped, inputs)
    assert list(other.index) != list(one.index)
    np.testing.assert_allclose(other.loc[one.index], one, atol=2e-6)


@pytest.mark.slow
def test_noise_in_one_modality_raises_the_conflict_and_lowers_its_contribution(trained):
    inputs, labels = samples(256, seed=2)
    clean = explain(trained, inputs)
    decision = clean["belief"].xs("network", level="source").idxmax(axis=1)
    assert (decision == labels).mean() > 0.85
    for name in NAMES:
        noise = np.random.default_rng(3).normal(scale=2, size=(256, 4)).astype(np.float32)
        noisy = explain(trained, {**inputs, name: inputs[name] + noise})
        one, other = (frame.groupby("source").mean() for frame in (clean, noisy))
        assert other["conflict"]["block"] > 1.3 * one["conflict"]["block"]
        assert other["conflict"][name] > 1.5 * one["conflict"][name]
        assert other["contribution"][name] < one["contribution"][name]
        others = [another for another in NAMES if another != name]
        assert (other["contribution"][others] > one["contribution"][others]).all()
        # Where the others prevail, so that the decision stays, it contributes less still.
        same = noisy["belief"].xs("network", level="source").idxmax(axis=1) == decision
        before, after = (frame["contribution"].xs(name, level="source")[same].mean() for frame in (clean, noisy))
        assert after < 0.8 * before
