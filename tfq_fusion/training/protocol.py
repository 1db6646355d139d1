"""Everything about training that is the same for every fusion, in one value."""

from __future__ import annotations

import dataclasses

from tfq_fusion.arguments import flag, integer, number


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a model is made and trained.

    Example:
        >>> from tfq_fusion.training import Protocol
        >>> Protocol(epochs=5, learning_rates=[1e-3, 1e-2]).learning_rates
        (0.001, 0.01)
        >>> Protocol(epochs=0)
        Traceback (most recent call last):
        ValueError: epochs should be an integer of at least 1, got 0.

    Attributes:
        features: Encoded features D per modality.
        hidden: Hidden units of each encoder.
        head: Hidden units of the head.
        units: Output width of every fusion but concatenation, and so the number of observables.
        batch_size: Samples per step.
        epochs: At most.
        patience: Epochs without a better validation loss before training stops.
        learning_rates: The one; or those of which a model is tuned to the one with the lowest validation loss.
        tuning_seeds: How many seeds tell that, by their mean.
        shared_encoders: Whether waveforms, and windows, share their encoder's weights; otherwise each modality has
            its own.
        flatten: Whether every modality is taken for a vector, whatever kind of signal it is: standardised feature by
            feature, and encoded by dense layers.

    Raises:
        ValueError: If a value is of another type or out of its range; the message names it.
    """

    features: int = 4
    hidden: int = 16
    head: int = 32
    units: int = 32
    batch_size: int = 32
    epochs: int = 60
    patience: int = 10
    learning_rates: tuple[float, ...] = (5e-3,)
    tuning_seeds: int = 3
    shared_encoders: bool = True
    flatten: bool = False

    def __post_init__(self) -> None:
        """Check every value, and keep the learning rates as floats of its own."""
        for name in ("features", "hidden", "head", "units", "batch_size", "epochs", "patience", "tuning_seeds"):
            object.__setattr__(self, name, integer(name, getattr(self, name), minimum=int(name != "patience")))
        rates = self.learning_rates if isinstance(self.learning_rates, (list, tuple)) else ()
        if not rates:
            raise ValueError(f"learning_rates should be a list of at least one rate, got {self.learning_rates!r}.")
        object.__setattr__(self, "learning_rates", tuple(number("learning_rates", rate, minimum=0) for rate in rates))
        if not all(self.learning_rates) or len(set(self.learning_rates)) < len(self.learning_rates):
            raise ValueError(f"learning_rates should be different and above 0, got {self.learning_rates}.")
        for name in ("shared_encoders", "flatten"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))
