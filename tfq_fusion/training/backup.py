"""What lets a long training continue after it was killed, and end as if it had not been."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import keras

SECONDS = 10.0
"""A backup follows each epoch that ends this long after the last one: short trainings make none, and pay nothing."""


SUMS = "sha256.json"
"""File of a backup with the SHA-256 of each of its other files, by name."""


class DamagedBackupError(ValueError):
    """A backup is not what was written: its training can only begin anew, once the backup is removed.

    Example:
        >>> from pathlib import Path
        >>> from tfq_fusion.training import DamagedBackupError
        >>> from tfq_fusion.training.backup import ArrayBackups
        >>> ArrayBackups(Path("run")).save(epoch=1, arrays={"loss": [0.7]})
        >>> written = Path("run/epoch-1/arrays.npz").write_bytes(b"cut off")
        >>> try:
        ...     ArrayBackups(Path("run"))
        ... except DamagedBackupError:
        ...     print("remove the folder, and train anew")
        remove the folder, and train anew
    """


class Backups:
    """The newest backup of one training, replaced by the next in a single step.

    Args:
        folder: Where the backups of this one training go; it is made when the first is written.

    Raises:
        DamagedBackupError: If the newest backup is damaged.

    Attributes:
        epoch: Epochs of the backup that training continues from; 0 if there is none.
        working: A folder for the files of the next backup.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.working = folder / "working"
        shutil.rmtree(self.working, ignore_errors=True)
        self.epoch = max(_backups(folder), default=0)
        self._saved_at = time.monotonic()
        if self.epoch:
            _verify(self.newest)

    @property
    def newest(self) -> Path:
        """The folder of the backup that training continues from."""
        return self._folder / f"epoch-{self.epoch}"

    @property
    def due(self) -> bool:
        """Whether the last backup is old enough."""
        return time.monotonic() - self._saved_at >= SECONDS

    def replace(self, epoch: int) -> None:
        """Make what is in :attr:`working` the newest backup."""
        (self.working / SUMS).write_text(json.dumps(_sums(self.working)))
        for file in self.working.iterdir():
            with file.open("rb") as written:
                os.fsync(written.fileno())
        self.working.rename(self._folder / f"epoch-{epoch}")
        for other, older in _backups(self._folder).items():
            if other < epoch:
                shutil.rmtree(older)
        self._saved_at = time.monotonic()


class ArrayBackups(Backups):
    """Backups of arrays by name."""

    def load(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the newest backup."""
        with np.load(self.newest / "arrays.npz", allow_pickle=False) as arrays:
            return dict(arrays)

    def save(self, epoch: int, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Save these after so many epochs."""
        self.working.mkdir(parents=True, exist_ok=True)
        np.savez(self.working / "arrays.npz", **arrays)
        self.replace(epoch)


class Backup(keras.callbacks.BackupAndRestore):
    """Keras' ``BackupAndRestore``, with what it leaves out: early stopping, the history, and a kill while it writes.

    Keras saves weights, optimiser and epoch. This adds the states of early stopping and of dropout, and replaces one
    complete backup by the next in a single step. Whoever resumes has to skip the samples of the first :attr:`epoch`
    epochs; then the training ends in the same weights, to the last bit, as one that was never interrupted. Keras 3
    only.

    Args:
        folder: Where the backups of this one training go; it is made when the first is written.
        early_stopping: The callback that stops the same training. It comes before this one in the list of callbacks.

    Raises:
        DamagedBackupError: If the backup to continue from is damaged.

    Attributes:
        history: Name -> one value per epoch, those before the interruption included.
    """

    def __init__(self, folder: Path, early_stopping: keras.callbacks.EarlyStopping) -> None:
        self._backups = Backups(folder)
        self._working = self._backups.working
        super().__init__(self._working)
        self._early_stopping = early_stopping
        self.history: dict[str, list[float]] = {}

    @property
    def epoch(self) -> int:
        """Epochs of the backup that training continues from; 0 if there is none."""
        return self._backups.epoch

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the last backup, if there is one."""
        if self.epoch == 0:
            return
        shutil.copytree(self._backups.newest, self._working)
        super().on_train_begin(logs)
        state = json.loads((self._working / "state.json").read_text())
        self.history = state["history"]
        self._early_stopping.best, self._early_stopping.wait = state["best"], state["wait"]
        self._early_stopping.best_weights = _load_arrays(self._working / "best_weights.npz")
        for variable, value in zip(self._random_states(), _load_arrays(self._working / "random.npz"), strict=True):
            variable.assign(value)
        if state["stopped"]:
            # No epoch is left; Keras looks at `stop_training` only after one.
            self.model._initial_epoch = self.params["epochs"]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save everything, if the last backup is old enough."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        if not self._backups.due:
            return
        super().on_epoch_end(epoch, logs)
        state = {
            "history": self.history,
            "best": None if self._early_stopping.best is None else float(self._early_stopping.best),
            "wait": self._early_stopping.wait,
            "stopped": self.model.stop_training,
        }
        (self._working / "state.json").write_text(json.dumps(state))
        np.savez(self._working / "best_weights.npz", *self._early_stopping.best_weights)
        np.savez(self._working / "random.npz", *map(np.asarray, self._random_states()))
        self._backups.replace(epoch + 1)

    def _random_states(self) -> list[Any]:
        return [variable for variable in self.model.variables if variable.name == "seed_generator_state"]


def _load_arrays(file: Path) -> list[npt.NDArray[Any]]:
    with np.load(file, allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]


def _backups(folder: Path) -> dict[int, Path]:
    """The whole backups, by their epochs."""
    named = ((re.fullmatch(r"epoch-(\d+)", path.name), path) for path in folder.glob("epoch-*"))
    return {int(match[1]): path for match, path in named if match}


def _sums(folder: Path) -> dict[str, str]:
    files = (file for file in folder.iterdir() if file.name != SUMS)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _verify(folder: Path) -> None:
    try:
        whole = json.loads((folder / SUMS).read_text()) == _sums(folder)
    except (OSError, ValueError):
        whole = False
    if not whole:
        raise DamagedBackupError(f"{folder}: expected a backup that fits its {SUMS}. Remove it to begin anew.")
