"""One run: what is recorded of those that end well, and of those that do not."""

import dataclasses
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from reproduce.experiments.registry import backend_of, run
from reproduce.sweep.run import assemble
from reproduce.sweep.runs import DIVERGED, FINISHED, INTRACTABLE, RunSpec
from tfq_fusion._keras import keras
from tfq_fusion.datasets import Dataset, load
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import make_fusion
from tfq_fusion.training import Protocol, prepare

ONE_EPOCH = Protocol(epochs=1)
ON_JAX = keras.backend.backend() == "jax"


@pytest.mark.slow
@pytest.mark.skipif(ON_JAX, reason="this is that process")
def test_on_jax():
    """What trainings run on, unless circuits run on TensorFlow Quantum."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", __file__]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "0"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def spec(fusion, dataset="japanese-vowels", **fields):
    sha256 = None if dataset is None else fields.pop("sha256", None) or load(dataset).card.sha256
    shared = {"seed": 0, "protocol": ONE_EPOCH, "dataset": dataset, "dataset_sha256": sha256}
    return RunSpec(fusion=fusion, **shared | fields)


def test_trainings_on_other_samples_come_out_as_alone():
    protocol = Protocol(epochs=2, learning_rates=(1e-3, 1e-2), tuning_seeds=1)
    drawn = ({}, {"samples": 40}, {"samples": 20, "draw": 1}, {"missing": 0})
    specs = [spec("concat", protocol=protocol, options=options, seed=seed) for options in drawn for seed in (0, 1)]
    together = run(specs)
    assert [result.spec for result in together] == specs
    for result in together:
        (alone,) = run([result.spec])
        assert (alone.metrics, alone.history, alone.tuning) == (result.metrics, result.history, result.tuning)
        assert result.seconds > 0


def test_seeds_whose_circuits_differ_are_trained_each_in_a_program_of_its_own():
    # Pauli planes of two seeds are made of different numbers of strings.
    protocol = Protocol(epochs=1, units=21)
    planes = {"degree": 1, "arguments": {"measurement": "pauli_plane"}, "protocol": protocol}
    specs = [spec("qfl", seed=seed, **planes) for seed in (0, 1)]
    for result in run(specs):
        (alone,) = run([result.spec])
        assert (result.status, result.metrics, result.history) == (FINISHED, alone.metrics, alone.history)
        assert result.program == ((result.spec.seed,) if ON_JAX else ())


def test_a_finished_run_has_parameters_and_scores_of_validation_and_test():
    (result,) = run([spec("control", dataset="mfeat", degree=2)])
    assert result.status == FINISHED
    assert result.fusion_params == 54
    assert {part: set(scores) for part, scores in result.metrics.items()} == {
        "validation": {"accuracy", "roc_auc"},
        "test": {"accuracy", "roc_auc"},
    }
    assert {name: len(losses) for name, losses in result.history.items()} == {"loss": 1, "val_loss": 1}
    assert (result.learning_rate, result.tuning, result.program) == (5e-3, {}, (0,) if ON_JAX else ())
    assert result.outcomes.dtype == np.float32
    labels = load("mfeat").test[1]
    assert np.mean(result.outcomes.argmax(axis=1) == labels) == result.metrics["test"]["accuracy"]
    assert result.peak_memory_mb > 100
    assert set(result.versions) > {"tensorflow", "numpy"}
    assert result.machine.endswith("cores")


def test_further_arguments_reach_the_fusion():
    def fusion_params(rank):
        asked = spec("lmf", arguments={"rank": rank})
        dataset = assemble.checked_dataset(asked)
        fusion, _ = assemble.assemble(asked, dataset, prepare(dataset))
        return fusion.count_params()

    assert fusion_params(1) < fusion_params(3) < 3 * fusion_params(1) + 1


def test_options_of_the_data_set_reach_its_loader():
    (result,) = run([spec("concat", dataset_options={"channels": 3})])
    assert (result.status, result.modalities) == (FINISHED, 3)
    assert 0 < result.seconds_per_epoch < result.seconds


def road():
    """Five sensors in a ring, an hour in and two steps out, of a made-up road."""
    rng = np.random.default_rng(0)
    speed = np.cumsum(rng.normal(size=(400, 5)), axis=0).astype(np.float32) + 60
    windows = np.lib.stride_tricks.sliding_window_view(speed, 14, axis=0)
    parts = [({"sensors": w[..., :12].copy()}, w[..., 12:].transpose(0, 2, 1).reshape(len(w), 10)) for w in
             (windows[:200], windows[220:280], windows[300:])]  # fmt: skip
    sensors = Modality(name="sensors", shape=(12,), kind="window", count=5, description="")
    card = load("traffic-detectors").card.model_copy(
        update={"modalities": (sensors,), "outputs": tuple("abcde"), "horizon": 2}
    )
    ring = np.roll(np.eye(5), 1, axis=1)
    slots = {part: np.arange(len(parts[k][1])) for k, part in enumerate(("train", "validation", "test"))}
    return Dataset(*parts, card, adjacency=(ring + ring.T).astype(np.float32), time_of_day=slots)


@pytest.mark.parametrize(
    "fusion",
    [
        *(pytest.param(fusion, marks=pytest.mark.slow) for fusion in ("concat", "qfl")),
        "gcn",
        "persistence",
        "historical-average",
    ],
)
def test_a_stack_of_sensors_is_forecast_over_its_horizon(fusion, monkeypatch):
    monkeypatch.setattr(assemble, "load", lambda name, **options: road())
    (result,) = run([spec(fusion, "road", sha256=road().card.sha256, degree=1 if fusion == "qfl" else None)])
    assert (result.status, result.modalities) == (FINISHED, 5)
    assert {"mae", "rmse", "mape"} <= set(result.metrics["test"])
    if fusion == "persistence":
        inputs, targets = road().test
        errors = np.abs(np.tile(inputs["sensors"][..., -1], 2) - targets)
        assert result.metrics["test"]["mae"] == pytest.approx(errors.mean(), rel=1e-5)
        np.testing.assert_allclose(result.outcomes, np.stack([errors.mean(axis=1), np.full(len(errors), 10)], 1), 1e-5)


def test_the_graph_of_the_sensors_reaches_the_graph_fusion(monkeypatch):
    seen = []
    monkeypatch.setattr(assemble, "make_fusion", lambda *a, **k: seen.append(k) or make_fusion(*a, **k))
    for fusion in ("gcn", "concat"):
        asked = spec(fusion, "road", sha256=road().card.sha256)
        assemble.assemble(asked, road(), prepare(road()))
    np.testing.assert_array_equal(seen[0]["adjacency"], road().adjacency)
    assert "adjacency" not in seen[-1]


def things():
    """Three classes, each with a centre in both modalities: a picture and a vector."""
    rng = np.random.default_rng(0)
    centres = {"picture": rng.normal(size=(3, 4, 4, 1)), "words": rng.normal(size=(3, 5))}
    modalities = tuple(
        Modality(name=name, shape=each.shape[1:], kind="image" if each.ndim == 4 else "vector", description="")
        for name, each in centres.items()
    )

    def part(count):
        labels = rng.permutation(np.arange(count) % 3)
        noisy = {name: each[labels] + rng.normal(size=(count, *each.shape[1:])) for name, each in centres.items()}
        return {name: array.astype(np.float32) for name, array in noisy.items()}, labels

    card = load("emoji").card.model_copy(update={"modalities": modalities, "classes": ("a", "b", "c")})
    return Dataset(part(96), part(32), part(64), card)


@pytest.mark.parametrize(
    ("fusion", "fusion_params", "total_params"),
    [
        # The modules are 16 + 5 features into 8 units, 4 features or 2 masses, and for decisions a softmax.
        pytest.param("qmfnn", 2 * 5 + 15, (17 + 6) * 8 + 2 * (9 * 2) + 25 + (15 * 3 + 3), marks=pytest.mark.slow),
        ("dempster", 2, (17 + 6) * 8 + 2 * (9 * 4) + 2 * (5 * 3) + 2),
        pytest.param("mean", 0, (17 + 6) * 8 + 2 * (9 * 4) + 2 * (5 * 3), marks=pytest.mark.slow),
        pytest.param("concat", 0, (17 + 6) * 8 + 2 * (9 * 4) + (9 * 16) + (17 * 3), marks=pytest.mark.slow),
        ("cnn", 0, (9 * 8 + 8) + (8 * 9 * 16 + 16) + (16 * 16 + 16) + (17 * 3)),
    ],
)
def test_networks_of_decisions_evidence_and_pictures(fusion, fusion_params, total_params, monkeypatch):
    monkeypatch.setattr(assemble, "load", lambda name, **options: things())
    protocol = Protocol(hidden=8, head=16, units=16, epochs=30, learning_rates=(0.02,), flatten=True)
    arguments = {"method": "mixture"} if fusion == "qmfnn" else {}
    (result,) = run([spec(fusion, "things", sha256=things().card.sha256, protocol=protocol, arguments=arguments)])
    assert (result.status, result.modalities) == (FINISHED, 2)
    assert (result.fusion_params, result.total_params) == (fusion_params, total_params)
    scores = result.metrics["test"]
    assert scores["accuracy"] > 0.8
    if fusion in ("concat", "cnn"):
        assert set(scores) == {"accuracy", "roc_auc"}
    else:
        assert 0.6 < scores["own_accuracy"] < scores["accuracy"]
        assert 0 < scores["conflict"] < scores["conflict_with_noise"] < 1


def test_seeds_of_a_training_are_tuned_once_and_come_in_order():
    protocol = Protocol(hidden=4, batch_size=128, epochs=1, learning_rates=(1e38, 0.01), tuning_seeds=1)
    specs = [spec("concat", dataset="emoji", protocol=protocol, seed=seed) for seed in (1, 0)]
    results = run(specs)
    assert [(result.spec, result.status, result.learning_rate) for result in results] == [
        (each, FINISHED, 0.01) for each in specs
    ]
    assert results[0].tuning == results[1].tuning
    assert results[0].tuning[1e38] == math.inf
    assert math.isfinite(results[0].tuning[0.01])
    assert results[0].history != results[1].history
    assert results[0].seconds == results[1].seconds  # an equal share


def test_seeds_of_an_experiment_are_run_one_after_the_other():
    specs = [
        spec("lmf", None, experiment="growth", options={"modalities": modalities}, seed=seed)
        for modalities, seed in ((2, 0), (4, 0), (2, 1))
    ]
    results = run(specs)
    assert [result.spec for result in results] == specs
    assert [result.modalities for result in results] == [2, 4, 2]


def test_what_keras_runs_on_follows_from_the_experiment_and_the_engine():
    assert backend_of(spec("qfl", degree=1, engine="compiled")) == "jax"
    assert backend_of(spec("concat")) == "jax"
    assert backend_of(spec("cnn")) == "tensorflow"
    assert backend_of(spec("qfl", degree=1, engine="tfq")) == "tensorflow"
    assert backend_of(spec("qfl", degree=1, engine="compiled", experiment="noise")) == "jax"
    assert backend_of(spec("qfl", degree=1, engine="compiled", experiment="remedies")) == "tensorflow"


def test_a_precision_that_is_not_computed_is_refused():
    with pytest.raises(ValueError, match="Precision 'float64' of mfeat lmf seed 0: expected float32"):
        run([spec("lmf", dataset="mfeat", precision="float64")])


def test_a_fusion_too_large_to_build_is_a_result():
    (result,) = run([spec("tfn")])
    assert (result.status, result.metrics, result.total_params) == (INTRACTABLE, {}, None)
    assert result.fusion_params == 32 * 5**12 + 32


def test_a_loss_that_becomes_nan_is_a_result():
    protocol = dataclasses.replace(ONE_EPOCH, learning_rates=(1e38,))
    (result,) = run([spec("concat", dataset_options={"channels": 2}, protocol=protocol)])
    assert (result.status, result.metrics, result.learning_rate) == (DIVERGED, {}, 1e38)
    assert result.outcomes is None
    assert result.total_params > 0
    assert math.isnan(result.history["loss"][0])


def test_data_other_than_those_of_the_specification_are_refused():
    with pytest.raises(ValueError, match=r"The data of mfeat concat seed 0 have SHA-256 .* expected 0000"):
        run([dataclasses.replace(spec("concat", dataset="mfeat"), dataset_sha256="0" * 64)])


@pytest.mark.parametrize(
    ("experiment", "stated", "message"),
    [
        ("spectrum", {"engine": "tfq", "precision": "float64"}, "Engine 'tfq' of .*: expected compiled"),
        ("spectrum", {"engine": "compiled"}, "Precision 'float32' of .*: expected float64"),
        ("parameters", {"engine": "tfq"}, "Engine 'tfq' of .*: expected None"),
        ("polynomial", {"engine": "tfq", "precision": "float64"}, "TensorFlow Quantum computes in float32"),
    ],
)
def test_what_a_specification_states_is_what_happens(experiment, stated, message):
    with pytest.raises(ValueError, match=message):
        run([spec("qfl", None, experiment=experiment, degree=1, options={"modalities": 2}, **stated)])


def test_an_experiment_that_is_none_is_refused_and_one_on_data_without_a_data_set():
    with pytest.raises(ValueError, match=r"Unknown experiment 'magic': expected one of training, .*noise"):
        run([spec("lmf", experiment="magic")])
    with pytest.raises(ValueError, match="remedies qfl P=1 seed 0 needs a data set, and names none"):
        run([spec("qfl", None, experiment="remedies", degree=1, engine="compiled", arguments={"initial": "small"})])


def test_a_damaged_backup_is_removed_so_that_the_next_attempt_begins_anew(tmp_path):
    backup = tmp_path / "backup"
    damaged = backup / "0" / "runs" / ("" if ON_JAX else "0-0.005") / "epoch-1"  # without its checksums
    damaged.mkdir(parents=True)
    with pytest.raises(
        RuntimeError, match=f"begins anew, since one is damaged. {damaged}: expected a backup that fits"
    ):
        run([spec("concat")], backup)
    assert not backup.exists()
