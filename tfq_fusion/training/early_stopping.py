"""Early stopping of many models at once, each by its own validation loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._typing import FloatArray


class EarlyStopping:
    """Keras' ``EarlyStopping(monitor="val_loss")`` and ``TerminateOnNaN`` for every member by itself.

    Args:
        members: The number of members.
        patience: Epochs without a lower validation loss after which a member stops.

    Attributes:
        running: Which members still train, ``[members]``.
        diverged: Which have had a loss that was NaN or infinite, likewise.
    """

    def __init__(self, members: int, patience: int) -> None:
        self._patience = patience
        self.running = np.ones(members, bool)
        self.diverged = np.zeros(members, bool)
        self._best = np.full(members, np.inf)
        self._wait = np.zeros(members, int)
        self._losses = np.empty((0, 2, members))
        self._epochs = np.zeros(members, int)

    @property
    def epoch(self) -> int:
        """Epochs that have ended."""
        return len(self._losses)

    def after_epoch(self, loss: FloatArray, validation: FloatArray) -> npt.NDArray[np.bool_]:
        """Decide who goes on.

        Args:
            loss: Of this epoch, ``[members]``; what it says of a member that had stopped before does not matter.
            validation: Likewise.

        Returns:
            Which members have never been better, ``[members]``.
        """
        self._losses = np.concatenate([self._losses, np.stack([loss, validation])[None]])
        self._epochs += self.running
        finite = np.isfinite(loss) & np.isfinite(validation)
        better: npt.NDArray[np.bool_] = self.running & finite & (validation < self._best)
        self._best = np.where(better, validation, self._best)
        self._wait = np.where(better, 0, self._wait + 1)
        self.diverged |= self.running & ~finite
        self.running = self.running & finite & (better | (self._wait < self._patience))
        return better

    def history(self, member: int) -> dict[str, list[float]]:
        """The losses of a member until it stopped: "loss" and "val_loss", one per epoch."""
        loss, validation = self._losses[: self._epochs[member], :, member].T.tolist()
        return {"loss": loss, "val_loss": validation}

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """All that is known, by name."""
        return {name.lstrip("_"): value for name, value in vars(self).items() if name != "_patience"}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Know what :meth:`state` gave, and nothing else."""
        for name in vars(self):
            if name != "_patience":
                setattr(self, name, state[name.lstrip("_")])
