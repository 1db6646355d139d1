"""Run specifications and their ids, run results and their JSON."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reproduce.sweep.runs import (
    DIVERGED,
    FAILED,
    FINISHED,
    TRAINING,
    RunResult,
    RunSpec,
    block_id,
    block_name,
    by_training,
    in_blocks,
)
from tfq_fusion.training import Protocol

SPEC = RunSpec(
    fusion="qfl", seed=0, protocol=Protocol(), dataset="mfeat", dataset_sha256="0" * 64, degree=2, engine="tfq"
)


@pytest.mark.parametrize(
    "change",
    [{"dataset": "emoji"}, {"dataset_sha256": "1" * 64}, {"fusion": "lmf"}, {"seed": 1}, {"degree": 3},
     {"engine": None}, {"protocol": Protocol(epochs=61)}, {"arguments": {"blocks": 2}}, {"precision": "float64"},
     {"dataset_options": {"fold": 1}}, {"experiment": "noise"}, {"options": {"fold": 1}}],
)  # fmt: skip
def test_id_changes_with_everything_that_defines_a_run(change):
    assert dataclasses.replace(SPEC, **change).id != SPEC.id
    assert dataclasses.replace(SPEC).id == SPEC.id


@pytest.mark.parametrize(
    ("spec", "text", "identity"),
    [
        (
            RunSpec(fusion="concat", seed=0, protocol=Protocol(), dataset="emoji", dataset_sha256="0" * 64),
            '{"dataset":"emoji","dataset_sha256":"' + "0" * 64 + '","fusion":"concat","protocol":{},"seed":0}',
            "57c728b757879ed4ec7bd0b95df36bc7313626caa361a6eb427a6eea1866ffc0",
        ),
        (
            RunSpec(
                fusion="qfl",
                seed=3,
                protocol=Protocol(epochs=200, learning_rates=(1e-3, 0.02)),
                dataset="mfeat",
                dataset_sha256="1" * 64,
                degree=2,
                engine="compiled",
                arguments={"signal": "ry", "blocks": 2},
            ),
            '{"arguments":[["blocks",2],["signal","ry"]],"dataset":"mfeat","dataset_sha256":"' + "1" * 64 + '",'
            '"degree":2,"engine":"compiled","fusion":"qfl","protocol":{"epochs":200,"learning_rates":[0.001,0.02]},'
            '"seed":3}',
            "9fa130956f148b1e3ec45d343596f431b63a406a4f6a4c3a0f670233a70f076a",
        ),
        (
            RunSpec(fusion="lmf", seed=0, protocol=Protocol(), experiment="growth", options={"modalities": 6}),
            '{"experiment":"growth","fusion":"lmf","options":[["modalities",6]],"protocol":{},"seed":0}',
            "9b7d7533150e9706135e079333053a939dc9f52d09cb4026c922a1b6c26e2f16",
        ),
    ],
    ids=["defaults", "qfl", "experiment"],
)  # fmt: skip
def test_ids_stay_what_they_are(spec, text, identity):
    """Stored runs are found by these ids for ever; a change here throws them all away."""
    assert hashlib.sha256(text.encode()).hexdigest() == identity
    assert spec.id == identity


def test_defaults_stay_what_they_are():
    """An id leaves them out: with another default it would stand for another run."""
    spec = RunSpec(fusion="concat", seed=0, protocol=Protocol(), dataset="emoji", dataset_sha256="0" * 64)
    assert dataclasses.asdict(spec) == {
        "experiment": "training", "dataset": "emoji", "dataset_sha256": "0" * 64, "fusion": "concat", "seed": 0,
        "protocol": {"features": 4, "hidden": 16, "head": 32, "units": 32, "batch_size": 32, "epochs": 60,
                     "patience": 10, "learning_rates": (5e-3,), "tuning_seeds": 3, "shared_encoders": True,
                     "flatten": False},
        "degree": None, "engine": None, "arguments": (), "precision": "float32", "dataset_options": (), "options": (),
    }  # fmt: skip


def test_a_new_option_with_a_default_changes_no_id():
    @dataclasses.dataclass(frozen=True)
    class LaterProtocol(Protocol):
        clip: float | None = None

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class LaterSpec(RunSpec):
        noise: float = 0.0

    fields = {field.name: getattr(SPEC, field.name) for field in dataclasses.fields(SPEC)}
    assert LaterSpec(**{**fields, "protocol": LaterProtocol()}).id == SPEC.id
    assert LaterSpec(**{**fields, "protocol": LaterProtocol(clip=1.0)}).id != SPEC.id
    assert LaterSpec(**fields, noise=0.1).id != SPEC.id


def test_arguments_are_kept_sorted_and_hashable_however_they_come():
    spec = dataclasses.replace(SPEC, arguments={"signal": "ry", "adjacency": [[0, 1], [1, 0]]})
    other = dataclasses.replace(SPEC, arguments=(("adjacency", ((0, 1), (1, 0))), ("signal", "ry")))
    assert spec == other
    assert hash(spec) == hash(other)
    assert spec.id == other.id
    assert dict(spec.arguments) == {"adjacency": ((0, 1), (1, 0)), "signal": "ry"}


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), [1, float("inf")]])
def test_an_argument_that_is_no_json_value_is_refused(value):
    with pytest.raises(TypeError, match="Argument 'rank' of a fusion: expected text, a finite number"):
        dataclasses.replace(SPEC, arguments={"rank": value})


def test_options_of_a_data_set_and_of_an_experiment_are_kept_like_arguments_and_shown():
    spec = dataclasses.replace(SPEC, dataset_options={"leads": ["I", "V2"], "fold": 2})
    assert spec.dataset_options == (("fold", 2), ("leads", ("I", "V2")))
    assert str(spec) == "mfeat fold=2 leads=I,V2 qfl P=2 seed 0"
    noisy = dataclasses.replace(spec, experiment="noise", options={"rates": [0.1]})
    assert str(noisy) == "noise mfeat fold=2 leads=I,V2 rates=0.1 qfl P=2 seed 0"
    with pytest.raises(TypeError, match="Option 'fold' of a data set: expected text, a finite number"):
        dataclasses.replace(SPEC, dataset_options={"fold": object()})
    with pytest.raises(TypeError, match="Option 'rates' of an experiment: expected text, a finite number"):
        dataclasses.replace(SPEC, options={"rates": object()})


def test_training_needs_a_data_set_and_an_experiment_may_do_without():
    with pytest.raises(ValueError, match="Training needs a data set"):
        dataclasses.replace(SPEC, dataset=None)
    assert str(dataclasses.replace(SPEC, dataset=None, experiment="growth")) == "growth qfl P=2 seed 0"


@given(
    st.lists(
        st.tuples(st.sampled_from([TRAINING, "noise", "remedies"]), st.integers(1, 3), st.integers(0, 5)), unique=True
    )
)
def test_blocks_are_the_seeds_of_what_one_program_trains_and_every_other_run_alone(chosen):
    specs = [
        dataclasses.replace(SPEC, experiment=experiment, degree=degree, seed=seed)
        for experiment, degree, seed in chosen
    ]
    together = {}
    for spec in specs:
        alone = spec.seed if spec.experiment == "remedies" else None
        together.setdefault((spec.experiment, spec.degree, alone), []).append(spec)
    assert in_blocks(specs) == [tuple(block) for block in together.values()]


@pytest.mark.parametrize(
    "change",
    [{"fusion": "lmf"}, {"protocol": Protocol(epochs=61)}, {"arguments": {"blocks": 2}}, {"engine": None},
     {"dataset_options": {"fold": 1}}, {"precision": "float64"}],
)  # fmt: skip
def test_trainings_that_differ_in_more_than_their_seeds_and_options_are_other_blocks(change):
    other = dataclasses.replace(SPEC, seed=1, **change)
    assert in_blocks([SPEC, other]) == [(SPEC,), (other,)]


def test_experiments_with_other_options_are_other_blocks():
    one, other = (dataclasses.replace(SPEC, experiment="noise", options={"rates": [rate]}) for rate in (0.1, 0.2))
    assert in_blocks([one, other]) == [(one,), (other,)]


def test_trainings_on_other_samples_are_one_block_and_known_apart():
    plain, disturbed, few, fewer = (
        dataclasses.replace(SPEC, options=options)
        for options in ({}, {"noise": 1}, {"samples": 20}, {"samples": 10, "missing": 0})
    )
    (block,) = in_blocks([plain, few, disturbed, fewer])
    assert by_training(block) == {
        (): [plain, disturbed],
        (("samples", 20),): [few],
        (("samples", 10),): [fewer],
    }


def test_a_block_is_known_by_its_runs_in_their_order_and_named_by_how_many_there_are():
    seeds = tuple(dataclasses.replace(SPEC, seed=seed) for seed in range(3))
    assert block_id(seeds) == hashlib.sha256(" ".join(spec.id for spec in seeds).encode()).hexdigest()
    assert len({block_id(block) for block in (seeds, seeds[:2], seeds[::-1], seeds[:1])}) == 4
    assert block_name(seeds) == "mfeat qfl P=2, 3 seeds"
    assert block_name((seeds[0], dataclasses.replace(seeds[0], options={"noise": 1}))) == "mfeat qfl P=2, 2 runs"
    assert block_name(seeds[:1]) == "mfeat qfl P=2 seed 0"


# A chosen alphabet: all of Unicode takes seconds to tabulate.
text = st.text('aB9 "\\/{[:,\n\r\0\x7fé\u0663\u2028\U0001f600', max_size=5)
any_float = st.floats(allow_nan=True, allow_infinity=True)
results = st.builds(
    RunResult,
    spec=st.builds(
        RunSpec,
        dataset=st.sampled_from(["mfeat", "émoji"]),
        dataset_sha256=st.just("0" * 64),
        fusion=st.just("lmf"),
        seed=st.integers(0, 2**40),
        protocol=st.builds(
            Protocol, learning_rates=st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=3, unique=True).map(tuple)
        ),
        arguments=st.dictionaries(text, st.integers() | text | st.booleans(), max_size=2),
        experiment=st.sampled_from(["training", "noise"]),
        dataset_options=st.dictionaries(st.just("leads"), st.lists(text, max_size=2)),
        options=st.dictionaries(st.just("rates"), st.lists(st.floats(0, 1), max_size=2)),
    ),
    status=st.sampled_from([FINISHED, DIVERGED, FAILED]),
    modalities=st.integers(1, 9),
    fusion_params=st.none() | st.integers(0, 2**80),
    metrics=st.dictionaries(st.just("test"), st.dictionaries(st.just("mae"), any_float)),
    history=st.dictionaries(st.sampled_from(["loss", "val_loss"]), st.lists(any_float, max_size=3)),
    tuning=st.dictionaries(st.floats(1e-12, 1e12), any_float, max_size=3),
    program=st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
    outcomes=st.none() | arrays(np.float32, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=3)),
    error=st.none() | text,
    commit=st.none() | st.just("0" * 40 + "+changes"),
)


@given(results)
def test_a_result_survives_strict_json_bit_for_bit(result):
    text = result.to_json()
    assert "\n" not in text
    assert list(json.loads(text, parse_constant=pytest.fail))[:2] == ["id", "status"]
    again = RunResult.from_json(text)
    # NaN differs from itself, but not in writing.
    assert repr(dataclasses.replace(again, outcomes=None)) == repr(dataclasses.replace(result, outcomes=None))
    assert (again.outcomes is None) == (result.outcomes is None)
    if result.outcomes is not None:
        assert (again.outcomes.shape, again.outcomes.dtype) == (result.outcomes.shape, np.float32)
        assert again.outcomes.tobytes() == result.outcomes.tobytes()
    assert again.spec.id == result.spec.id


def test_losses_without_a_number_are_written_as_text():
    result = RunResult(SPEC, DIVERGED, 6, history={"loss": [0.5, float("nan"), float("inf"), float("-inf")]})
    assert json.loads(result.to_json())["history"] == {"loss": [0.5, "NaN", "Infinity", "-Infinity"]}


def test_a_record_whose_id_does_not_fit_is_refused():
    record = RunResult(SPEC, FINISHED, 6).to_json().replace('"seed":0', '"seed":1')
    with pytest.raises(ValueError, match=f"the id is {SPEC.id}, but the specification hashes to"):
        RunResult.from_json(record)
