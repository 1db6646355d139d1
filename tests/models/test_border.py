"""What is wrong fails where it was written, whatever it is: constructors name the argument, calls what they expect."""

import math
import re

import cirq
import numpy as np
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfq_fusion.datasets.card import Modality
from tfq_fusion.layers import (
    PQC,
    AttentionFusion,
    ConcatFusion,
    ControlledPQC,
    DempsterFusion,
    EvidenceFusion,
    FactorizedBilinearFusion,
    GatedFusion,
    GraphFusion,
    HashedFusion,
    LowRankFusion,
    MeanFusion,
    ProductFusion,
    QuantumFusionLayer,
    TensorFusion,
)
from tfq_fusion.models import DecisionNetwork, EvidenceNetwork, fusion_model, image_network, make_fusion
from tfq_fusion.models.encoders import Frames

pytestmark = pytest.mark.keras

QUBIT = cirq.LineQubit(0)
CIRCUIT = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on(QUBIT))
VECTORS = [Modality(name=name, shape=(2,), description="") for name in "ab"]
PICTURES = [Modality(name=name, shape=(8, 8, 1), kind="image", description="") for name in "ab"]
HALVES = np.full((2, 2), 0.5, "f")
LISTED, NAMED = [HALVES, HALVES], {"a": HALVES, "b": HALVES}


def circuits():
    return tfq.convert_to_tensor([cirq.Circuit()] * 2)


# What makes each, right arguments, and right inputs.
KINDS = {
    "concat": (ConcatFusion, {}, LISTED),
    "mean": (MeanFusion, {}, LISTED),
    "product": (ProductFusion, {}, LISTED),
    "dempster": (DempsterFusion, {}, LISTED),
    "tensor": (TensorFusion, {"units": 2, "seed": 1}, LISTED),
    "low_rank": (LowRankFusion, {"units": 2, "rank": 1, "initialization": "unit", "seed": 1}, LISTED),
    "bilinear": (FactorizedBilinearFusion, {"units": 2, "factors": 1, "dropout": 0.1, "seed": 1}, LISTED),
    "graph": (GraphFusion, {"units": 2, "adjacency": None, "seed": 1}, LISTED),
    "gated": (GatedFusion, {"units": 2, "seed": 1}, LISTED),
    "attention": (AttentionFusion, {"units": 2, "heads": 1, "seed": 1}, LISTED),
    "hashed": (HashedFusion, {"units": 2, "parameters": 1, "seed": 1}, LISTED),
    "quantum": (
        QuantumFusionLayer,
        {"degree": 1, "blocks": 1, "entangler": "ring", "signal": "ry", "measurement": "computational"}
        | {"observables": 1, "scale": 1.0, "engine": "compiled", "seed": 1, "locality": None},
        LISTED,
    ),
    "evidence": (
        EvidenceFusion,
        {"convolution": None, "readout": "z", "engine": "compiled", "seed": 1, "method": "mixture"},
        LISTED,
    ),
    "frames": (Frames, {"size": 1, "step": 1}, np.ones((2, 2, 3, 1), "f")),
    "pqc": (PQC, {"model_circuit": CIRCUIT, "operators": cirq.Z(QUBIT), "repetitions": None}, circuits()),
    "controlled_pqc": (
        ControlledPQC,
        {"model_circuit": CIRCUIT, "operators": cirq.Z(QUBIT), "repetitions": None, "backend": "noiseless"},
        [circuits(), np.ones((2, 1), "f")],
    ),
    "fusion_model": (
        fusion_model,
        {"modalities": VECTORS, "fusion": ConcatFusion(), "outputs": 1, "task": "forecasting", "features": 1}
        | {"hidden": 1, "head": 1, "shared": True, "seed": 1},
        NAMED,
    ),
    "evidence_network": (
        EvidenceNetwork,
        {"modalities": VECTORS, "classes": 3, "propositions": 2, "hidden": 1, "convolution": None, "readout": "z"}
        | {"evidence_weight": 1.0, "shared": True, "engine": "compiled", "seed": 1, "method": "mixture"},
        NAMED,
    ),
    "decision_network": (
        DecisionNetwork,
        {"modalities": VECTORS, "classes": 2, "rule": "mean", "features": 1, "hidden": 1, "shared": True, "seed": 1},
        NAMED,
    ),
    "image_network": (
        image_network,
        {"modalities": PICTURES, "classes": 2, "filters": 1, "units": 1, "seed": 1},
        {"a": np.ones((2, 8, 8, 1), "f"), "b": np.ones((2, 8, 8, 1), "f")},
    ),
    "make_fusion": (
        make_fusion,
        {"widths": [2, 2], "units": 1, "degree": 1, "engine": "compiled", "seed": 1, "name": "qfl"},
        LISTED,
    ),
}
JUNK = [
    "a",
    "",
    None,
    math.nan,
    math.inf,
    -1,
    0,
    2.5,
    10**30,
    True,
    [],
    [1],
    {},
    np.ones(2),
    1j,
    b"x",
    [None],
    object(),
]


@pytest.mark.parametrize("kind", [kind for kind, (_, arguments, _) in KINDS.items() if arguments])
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_argument_is_named_or_makes_what_works(kind, data):
    make, arguments, inputs = KINDS[kind]
    name = data.draw(st.sampled_from(sorted(arguments)))
    value = data.draw(st.sampled_from(JUNK), label=name)
    if name == "backend" and isinstance(value, np.ndarray):
        return  # compared by TensorFlow Quantum, element by element
    try:
        made = make(**{**arguments, name: value})
    except (TypeError, ValueError) as error:
        said = "fusion" if make is make_fusion and name == "name" else name
        assert re.search(said, str(error), re.IGNORECASE), error
    else:
        assert np.isfinite(made(inputs)).all()


WRONG = {
    "no modality": [],
    "one modality": [HALVES],
    "a stack of none": np.ones((2, 0, 2), "f"),
    "a matrix": HALVES,
    "four axes": np.ones((2, 2, 2, 2), "f"),
    "vectors": [HALVES[0], HALVES[0]],
    "batches that differ": [HALVES, HALVES[:1]],
    "no features": [HALVES[:, :0], HALVES[:, :0]],
    "names": NAMED,
    "text": [HALVES, np.full((2, 2), "a")],
    "complex numbers": [HALVES, HALVES.astype("complex64")],
    "NaN": [HALVES, HALVES * np.nan],
}
FUSIONS = [kind for kind, (_, _, inputs) in KINDS.items() if inputs is LISTED]


@pytest.mark.parametrize("built", [False, True], ids=["new", "built"])
@pytest.mark.parametrize("kind", FUSIONS)
def test_a_fusion_says_what_it_expects(kind, built):
    make, arguments, right = KINDS[kind]
    fusion = make(**arguments)
    if built:
        fusion(right)
    for wrong in WRONG.values():
        with pytest.raises(ValueError, match=r"expects|should|built for"):
            (fusion if built else make(**arguments))(wrong)


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_fusion_takes_an_empty_batch_and_truth_values(kind):
    make, arguments, right = KINDS[kind]
    fusion = make(**arguments)
    width = fusion(right).shape[1]
    assert tuple(fusion([HALVES[:0], HALVES[:0]]).shape) == (0, width)
    truths = [np.array([[True, False], [False, True]])] * 2
    np.testing.assert_array_equal(fusion(truths), fusion([truth.astype(np.float32) for truth in truths]))


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("frames", HALVES),
        ("frames", [HALVES]),
        ("frames", np.ones((2, 2, 0, 1), "f")),
        ("frames", np.full((2, 2, 3, 1), "a")),
        ("pqc", HALVES),
        ("pqc", {"circuits": "a"}),
        ("pqc", tf.fill((2, 2), "a")),
        ("controlled_pqc", {"circuits": "a"}),
        ("controlled_pqc", [circuits()]),
        ("controlled_pqc", [circuits(), np.full((2, 1), "a")]),
        ("controlled_pqc", [circuits(), np.ones((2, 1), "complex64")]),
        ("controlled_pqc", [circuits(), np.ones((2, 2), "f")]),
        ("controlled_pqc", [circuits(), np.ones(2, "f")]),
    ],
)
def test_other_layers_say_what_they_expect(kind, inputs):
    make, arguments, _ = KINDS[kind]
    with pytest.raises(ValueError, match=r"xpect|should"):
        make(**arguments)(inputs)


@pytest.mark.parametrize("modalities", [[], [VECTORS[0], VECTORS[0]]])
@pytest.mark.parametrize("kind", ["fusion_model", "evidence_network", "decision_network", "image_network"])
def test_models_expect_modalities_of_different_names(kind, modalities):
    make, arguments, _ = KINDS[kind]
    with pytest.raises(ValueError, match="modalities should be at least one, each with a name of its own"):
        make(**{**arguments, "modalities": modalities})
