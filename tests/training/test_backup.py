"""A training that was killed continues, and ends as if it had not been. Legacy Keras trains without backups."""

import dataclasses
import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tfq_fusion.datasets.card import Modality
from tfq_fusion.models import fusion_model, make_fusion
from tfq_fusion.training import Prepared, Protocol, backup
from tfq_fusion.training.backup import Backup, DamagedBackupError
from tfq_fusion.training.fit import fit

PROTOCOL = Protocol(features=2, hidden=4, head=4, batch_size=16, epochs=6, patience=2)


class Killed(BaseException):
    """Stands for the signal: nothing in a training handles it."""


@pytest.fixture(autouse=True)
def after_every_epoch(monkeypatch):
    monkeypatch.setattr(backup, "SECONDS", 0.0)


def train(fusion, folder=None, protocol=PROTOCOL, rate=0.3):
    rng = np.random.default_rng(0)

    def part(n):
        inputs = {name: rng.normal(size=(n, 3)).astype("f") for name in "ab"}
        return inputs, (inputs["a"][:, 0] * inputs["b"][:, 0] > 0).astype(int)

    data = Prepared(part(72), part(32), part(32), "classification", 2, False, None)

    vectors = [Modality(name=name, shape=(3,), description="") for name in "ab"]

    def make(seed):
        layer = make_fusion(fusion, [2, 2], units=8, seed=1)
        return fusion_model(vectors, layer, 2, data.task, features=2, hidden=4, head=4, seed=1)

    return fit(make, data, protocol, 2, rate, backup=folder)


def train_and_kill(monkeypatch, method, calls, folder, protocol=PROTOCOL, rate=0.3):
    """Train the fusion with dropout until a method was called so often, and die instead of the next call."""
    left = [calls]
    original = getattr(*method)

    def count(self, *arguments, **keywords):
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return original(self, *arguments, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(*method, count)
        with pytest.raises(Killed):
            train("mfb", folder, protocol, rate)


def test_killed_between_epochs_it_ends_in_the_same_bits(tmp_path, monkeypatch):
    undisturbed = train("mfb")
    for epochs in (1, 2):
        train_and_kill(monkeypatch, (Backup, "on_epoch_end"), epochs, tmp_path)
    assert train("mfb", tmp_path) == undisturbed


@pytest.mark.parametrize("calls", [0, 2])
@pytest.mark.slow
def test_killed_while_it_writes_it_continues_from_the_backup_before(calls, tmp_path, monkeypatch):
    undisturbed = train("mfb")
    train_and_kill(monkeypatch, (Path, "rename"), calls, tmp_path)
    assert train("mfb", tmp_path) == undisturbed


@pytest.mark.slow
def test_killed_while_it_waits_for_something_better_it_stops_no_later(tmp_path, monkeypatch):
    stuck = dataclasses.replace(PROTOCOL, patience=4, epochs=20)
    train_and_kill(monkeypatch, (Backup, "on_epoch_end"), 3, tmp_path, stuck, 1e-30)
    assert train("mfb", tmp_path, stuck, 1e-30).epochs == 5


def test_what_was_trained_is_not_trained_again(tmp_path, monkeypatch):
    whole = train("mfb", tmp_path)
    trained = []
    monkeypatch.setattr(Backup, "on_epoch_end", lambda *_: trained.append(1))
    assert train("mfb", tmp_path) == whole
    assert not trained


def cut(file):
    file.write_bytes(file.read_bytes()[:-1])


def change(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_damaged_backup_is_named_and_without_it_training_begins_anew(tmp_path):
    expected = train("concat", tmp_path)
    (newest,) = tmp_path.iterdir()
    files = list(newest.iterdir())
    assert len(files) > 3
    for file, damage in itertools.product(files, [cut, change, Path.unlink]):
        content = file.read_bytes()
        damage(file)
        with pytest.raises(DamagedBackupError, match=re.escape(str(newest))):
            train("concat", tmp_path)
        file.write_bytes(content)
    for name in ("epoch-last", "epoch-9.bak", "epoch-"):  # other files are no backups
        (tmp_path / name).mkdir()
    assert train("concat", tmp_path) == expected
    shutil.rmtree(newest)
    assert train("concat", tmp_path) == expected


@pytest.mark.slow
def test_what_diverged_stays_diverged(tmp_path):
    first, again = (train("concat", tmp_path, rate=1e38) for _ in range(2))
    assert repr(first.history) == repr(again.history)  # NaN equals itself as text
    assert first.diverged
    assert again.diverged


def test_one_backup_is_kept_and_short_trainings_make_none(tmp_path, monkeypatch):
    train("concat", tmp_path / "long")
    assert len(list((tmp_path / "long").iterdir())) == 1
    monkeypatch.setattr(backup, "SECONDS", 10.0)
    train("concat", tmp_path / "short")
    assert not (tmp_path / "short").exists()
