"""Many models in one program: each is what it would be alone. JAX has a process of its own."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import fusion_model, make_fusion
from tfq_fusion.training import Prepared, Protocol, fit_many
from tfq_fusion.training.many import Cohort
from tfq_fusion.training.vectorized import StructureError

ON_JAX = keras.backend.backend() == "jax"
PROTOCOL = Protocol(features=2, hidden=4, head=4, batch_size=16, epochs=4)
on_jax = pytest.mark.skipif(not ON_JAX, reason="these run in a process where Keras runs on JAX")


@pytest.mark.skipif(LEGACY, reason="JAX is a backend of Keras 3")
@pytest.mark.skipif(ON_JAX, reason="this is that process")
def test_on_jax():
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-m", "not slow", __file__]
    ran = subprocess.run(run, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.skipif(ON_JAX, reason="elsewhere")
def test_it_says_that_it_needs_jax():
    with pytest.raises(RuntimeError, match="Set KERAS_BACKEND=jax before Keras is imported"):
        fit_many(None, blobs(), PROTOCOL, [0], 1e-2)


def blobs(samples=(72, 20, 24)):
    """Two modalities whose signs agree in class 1 and differ in class 0: neither tells the class alone."""
    rng = np.random.default_rng(0)

    def part(n):
        signs = rng.choice([-1, 1], size=(n, 2))
        inputs = {name: (signs[:, [k]] + 0.1 * rng.normal(size=(n, 3))).astype("f") for k, name in enumerate("ab")}
        return inputs, (signs.prod(axis=1) > 0).astype(int)

    return Prepared(*map(part, samples), "classification", 2, False, None)


def forecasts():
    """Targets that are the inputs, with gaps."""
    rng = np.random.default_rng(0)

    def part(n):
        inputs = {name: rng.normal(size=(n, 3)).astype("f") for name in "ab"}
        targets = np.concatenate(list(inputs.values()), axis=1)
        return inputs, np.where(rng.uniform(size=targets.shape) < 0.3, np.nan, targets).astype("f")

    return Prepared(part(72), part(20), part(24), "forecasting", 6, False, None)


def maker(data, fusion="tfn", **arguments):
    vectors = [Modality(name=name, shape=(3,), description="") for name in "ab"]

    def make(seed):
        layer = make_fusion(fusion, [2, 2], units=8, degree=1, seed=seed, **arguments)
        return fusion_model(vectors, layer, data.outputs, data.task, features=2, hidden=4, head=4, seed=seed)

    return make


def assert_same_losses(one, other, rel):
    for name in ("loss", "val_loss"):
        assert one.history[name] == pytest.approx(other.history[name], rel=rel)


def batches_in_order(data, seed, epochs, size):
    """What every member of a program sees, written with Keras alone."""
    inputs, labels = data.train
    if data.task == "classification":
        labels = keras.utils.to_categorical(labels)
    for epoch in range(epochs):
        order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(len(labels))
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            yield {name: array[rows] for name, array in inputs.items()}, labels[rows]


def trained_by_keras(make, data, seed, loss):
    """The model of a seed after 20 steps, and the loss of each epoch."""
    model = make(seed)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    batches = batches_in_order(data, seed, PROTOCOL.epochs, PROTOCOL.batch_size)
    # The fifth batch of an epoch has 8 samples, not 16.
    history = model.fit(batches, epochs=PROTOCOL.epochs, steps_per_epoch=5, verbose=0)
    return model, history.history["loss"]


@on_jax
@pytest.mark.parametrize("fusion", ["tfn", "qfl", "control"])
def test_its_losses_are_those_of_keras_fit(fusion):
    data, seed = blobs(), 3
    make = maker(data, fusion)
    (fitted,) = fit_many(make, data, PROTOCOL, [seed], 1e-2)
    model, losses = trained_by_keras(make, data, seed, "categorical_crossentropy")
    np.testing.assert_allclose(fitted.history["loss"], losses, rtol=1e-4)
    inputs, labels = data.validation
    expected = model.evaluate(inputs, keras.utils.to_categorical(labels), batch_size=16, verbose=0)
    assert fitted.history["val_loss"][-1] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(fitted.model.predict(inputs, verbose=0), fitted.predictions["validation"], rtol=1e-5)


@on_jax
def test_gaps_and_a_smaller_last_batch_count_as_in_keras():
    from tfq_fusion.training.losses import MaskedMeanSquaredError

    data, seed = forecasts(), 1
    make = maker(data, "concat")
    (fitted,) = fit_many(make, data, PROTOCOL, [seed], 1e-2)
    _, losses = trained_by_keras(make, data, seed, MaskedMeanSquaredError())
    np.testing.assert_allclose(fitted.history["loss"], losses, rtol=1e-4)


@on_jax
def test_statistics_of_a_batch_do_not_count_what_fills_it_up():
    data, seed = blobs(), 1

    def make(seed):
        inputs = {name: keras.Input((3,), name=name) for name in "ab"}
        hidden = keras.layers.BatchNormalization()(keras.layers.Concatenate()(list(inputs.values())))
        initializer = keras.initializers.GlorotUniform(seed=seed)
        return keras.Model(inputs, keras.layers.Dense(2, "softmax", kernel_initializer=initializer)(hidden))

    (fitted,) = fit_many(make, data, PROTOCOL, [seed], 1e-2)
    model, losses = trained_by_keras(make, data, seed, "categorical_crossentropy")
    np.testing.assert_allclose(fitted.history["loss"], losses, rtol=1e-4)
    inputs, labels = data.validation
    expected = model.evaluate(inputs, keras.utils.to_categorical(labels), verbose=0)
    assert fitted.history["val_loss"][-1] == pytest.approx(expected, rel=1e-4)


@on_jax
@pytest.mark.parametrize("fusion", ["qfl", "mfb", "control"])
def test_a_history_does_not_depend_on_who_else_is_there(fusion):
    data = blobs()
    make = maker(data, fusion)
    together = fit_many(make, data, PROTOCOL, [5, 6, 7], [1e-2, 1e-3, 3e-2])
    alone = fit_many(make, data, PROTOCOL, [6], 1e-3)[0]
    assert_same_losses(together[1], alone, rel=1e-5)
    assert together[1].learning_rate == 1e-3
    for one, other in zip(together[1].model.get_weights(), alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    assert together[0].history["loss"] != together[1].history["loss"]


@on_jax
def test_a_seed_may_be_trained_with_several_rates():
    data = blobs()
    slow, fast = fit_many(maker(data, "mfb"), data, PROTOCOL, [6, 6], [1e-3, 3e-2])
    for found, rate in ((slow, 1e-3), (fast, 3e-2)):
        (alone,) = fit_many(maker(data, "mfb"), data, PROTOCOL, [6], rate)
        assert_same_losses(found, alone, rel=1e-5)
        np.testing.assert_allclose(
            found.model.predict(data.test[0], verbose=0), found.predictions["test"], rtol=1e-4, atol=1e-6
        )
    assert slow.history != fast.history


@on_jax
def test_the_same_call_gives_the_same_bits():
    data = blobs()
    first, again = (fit_many(maker(data, "mfb"), data, PROTOCOL, range(3), 1e-2) for _ in range(2))
    assert first == again
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.predictions["test"], other.predictions["test"])
    assert [fitted.program.seeds for fitted in first] == [(0,), (1,), (2,)]


@on_jax
def test_who_stops_or_diverges_changes_no_other():
    data = blobs()
    protocol = dataclasses.replace(PROTOCOL, epochs=30, patience=2)
    rates = [1e38, 1e-30, 2e-2]
    diverged, stuck, trained = fit_many(maker(data), data, protocol, [0, 1, 2], rates)
    assert (diverged.diverged, diverged.metrics, diverged.model) == (True, {}, None)
    assert not math.isfinite(diverged.history["loss"][-1] + diverged.history["val_loss"][-1])
    assert stuck.epochs == 3
    alone = fit_many(maker(data), data, protocol, [2], 2e-2)[0]
    assert (trained.epochs, trained.metrics) == (alone.epochs, alone.metrics)
    assert trained.metrics["test"]["accuracy"] > 0.9


@on_jax
def test_the_best_epoch_is_kept_and_scored():
    data = blobs()
    protocol = dataclasses.replace(PROTOCOL, epochs=20, patience=20)
    for fitted in fit_many(maker(data), data, protocol, range(3), 0.3):  # a rate at which losses go up and down
        inputs, labels = data.validation
        fitted.model.compile(loss="categorical_crossentropy")
        loss = fitted.model.evaluate(inputs, keras.utils.to_categorical(labels), verbose=0)
        assert loss == pytest.approx(min(fitted.history["val_loss"]), rel=1e-3)
        assert np.mean(fitted.predictions["test"].argmax(axis=1) == data.test[1]) == fitted.metrics["test"]["accuracy"]


@on_jax
def test_on_an_accelerator_all_are_computed_at_once_and_it_is_the_same(monkeypatch):
    import jax

    data = blobs()
    protocol = dataclasses.replace(PROTOCOL, patience=1)
    one_by_one = fit_many(maker(data, "qfl"), data, protocol, range(3), [1e-2, 1e-30, 1e-2])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    at_once = fit_many(maker(data, "qfl"), data, protocol, range(3), [1e-2, 1e-30, 1e-2])
    assert [fitted.program.seeds for fitted in at_once] == [(0, 1, 2)] * 3
    for one, other in zip(one_by_one, at_once, strict=True):
        assert_same_losses(one, other, rel=1e-5)
        np.testing.assert_allclose(one.predictions["test"], other.predictions["test"], rtol=1e-3, atol=1e-5)


@on_jax
def test_where_its_memory_is_short_fewer_are(monkeypatch):
    import jax

    from tfq_fusion.training import vectorized

    data = blobs()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    whole = fit_many(maker(data), data, PROTOCOL, range(5), 1e-2)
    monkeypatch.setattr(vectorized, "free_memory", lambda: 2e6 * whole[0].program.memory_mb - 1)
    groups = fit_many(maker(data), data, PROTOCOL, range(5), 1e-2)
    assert [fitted.program.seeds for fitted in groups] == [(0, 1, 2)] * 3 + [(3, 4, 3)] * 2
    for one, other in zip(whole, groups, strict=True):
        assert_same_losses(one, other, rel=1e-5)


@on_jax
def test_a_cohort_can_be_asked_again_for_other_seeds_rates_and_data():
    data = blobs()
    few = dataclasses.replace(data, train=blobs((10, 20, 24)).train, imbalanced=True)  # which has a loss of its own
    cohort = Cohort(maker(data, "mfb"), PROTOCOL)
    cohort.fit(data, [7, 8], [1e-3, 3e-2])
    for asked in (data, few, data):
        assert cohort.fit(asked, [8, 9], 1e-2) == fit_many(maker(data, "mfb"), asked, PROTOCOL, [8, 9], 1e-2)
    other = Cohort(lambda seed: maker(data, "mfb", dropout=0.1 * (seed < 3))(seed), PROTOCOL)
    other.fit(data, [0, 1, 2], 1e-2)
    with pytest.raises(
        StructureError, match="The weights of the model of seed 3 have other shapes than those of seed 0"
    ):
        other.fit(data, [3], 1e-2)


@on_jax
def test_an_epoch_in_pieces_gives_the_same(monkeypatch):
    import tfq_fusion.training.many as module

    data = blobs((80, 20, 24))
    whole = fit_many(maker(data), data, PROTOCOL, range(2), 1e-2)
    monkeypatch.setattr(module, "PIECE", 1)
    assert fit_many(maker(data), data, PROTOCOL, range(2), 1e-2) == whole


@on_jax
def test_members_of_different_structure_are_refused():
    data = blobs()

    def of_different_widths(seed):
        return maker(data, "lmf", rank=1 + seed)(0)

    def of_different_circuits(seed):
        return maker(data, "qfl", signal=("ry", "rz")[seed])(0)

    def of_different_activations(seed):
        inputs = {name: keras.Input((3,), name=name) for name in "ab"}
        hidden = keras.layers.Dense(4, ("relu", "tanh")[seed])(keras.layers.Concatenate()(list(inputs.values())))
        return keras.Model(inputs, keras.layers.Dense(2, "softmax")(hidden))

    for make in (of_different_widths, of_different_circuits, of_different_activations):
        with pytest.raises(StructureError, match=r"seed 1 .*seed 0.* Train models of different structure in calls"):
            fit_many(make, data, PROTOCOL, [0, 1], 1e-2)


@on_jax
def test_constraints_hold_for_all_members_and_those_that_differ_are_refused():
    data = blobs()

    def constrained(seed, least=0.0):
        model = maker(data)(seed)
        for weight in model.trainable_variables:
            weight.constraint = keras.constraints.MaxNorm(0.1 + least * seed)
        return model

    for fitted in fit_many(constrained, data, PROTOCOL, [0, 1], 1e-2):
        assert max(np.linalg.norm(weight, axis=0).max() for weight in fitted.model.get_weights()) <= 0.1 + 1e-6
    with pytest.raises(StructureError, match="seed 1 have other constraints than those of seed 0"):
        fit_many(lambda seed: constrained(seed, 0.1), data, PROTOCOL, [0, 1], 1e-2)


@on_jax
@pytest.mark.parametrize(
    ("seeds", "rate", "message"),
    [
        ([], 1e-2, "seeds should be at least one seed"),
        ([0, -1], 1e-2, "seeds should be an integer of at least 0, got -1"),
        ([0.5], 1e-2, "seeds should be an integer"),
        ([0, 1], 0.0, "learning_rate should be above 0"),
        ([0, 1], [1e-2, -1e-2], "learning_rate should be at least 0 and finite"),
        ([0, 1], [1e-2, math.nan], "learning_rate should be at least 0 and finite"),
        ([0, 1], [1e-2], "one number, or one per seed"),
    ],
)
def test_seeds_and_rates_are_checked(seeds, rate, message):
    with pytest.raises(ValueError, match=message):
        fit_many(maker(blobs()), blobs(), PROTOCOL, seeds, rate)


class Killed(BaseException):
    """Stands for the signal: nothing in a training handles it."""


@on_jax
def test_killed_between_epochs_it_ends_in_the_same_bits(tmp_path, monkeypatch):
    from tfq_fusion.training import backup

    monkeypatch.setattr(backup, "SECONDS", 0.0)
    data = blobs()
    protocol = dataclasses.replace(PROTOCOL, epochs=8, patience=2)

    def train(folder=None):
        return fit_many(maker(data, "mfb"), data, protocol, range(3), 0.05, backup=folder)

    undisturbed = train()
    for epochs in (1, 2):
        left = [epochs]

        def save(self, *arguments, original=backup.ArrayBackups.save, left=left):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            original(self, *arguments)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(backup.ArrayBackups, "save", save)
            train(tmp_path)
    assert train(tmp_path) == undisturbed
    (newest,) = tmp_path.iterdir()
    (newest / "arrays.npz").write_bytes(b"")
    with pytest.raises(backup.DamagedBackupError):
        train(tmp_path)


ON_BOTH = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from test_fit_many import PROTOCOL, blobs, maker
from tfq_fusion.training import fit_many
make = maker(blobs(), "qfl")
np.savez(sys.argv[2], *make(3).get_weights())
print(json.dumps(fit_many(make, blobs(), PROTOCOL, [3], 1e-2)[0].history))
"""


@pytest.mark.slow
@pytest.mark.skipif(ON_JAX or LEGACY, reason="elsewhere")
def test_its_losses_are_those_of_keras_fit_on_tensorflow(tmp_path):
    from tfq_fusion.training.fit import fit

    weights = tmp_path / "weights.npz"
    script = [sys.executable, "-c", ON_BOTH, str(Path(__file__).parent), weights]
    ran = subprocess.run(script, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr

    def make(seed):
        model = maker(blobs(), "qfl")(seed)
        with np.load(weights, allow_pickle=False) as arrays:
            model.set_weights(list(arrays.values()))
        return model

    on_tensorflow = fit(make, blobs(), PROTOCOL, 3, 1e-2).history
    for name, losses in json.loads(ran.stdout.splitlines()[-1]).items():
        assert losses == pytest.approx(on_tensorflow[name], rel=1e-4)
