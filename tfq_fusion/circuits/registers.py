"""The index register and the value register: who addresses what."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cirq


@dataclasses.dataclass(frozen=True)
class FusionRegisters:
    """Addresses the features of all modalities with logarithmically many qubits.

    Index 0 is the constant term, then come the features of modality 0, of modality 1, and so on. For ``M``
    modalities of ``D`` features the index register has ``ceil(log2(M * D + 1))`` qubits and the value register has
    one (arXiv 2510.06938; qubit-efficient encoding after Tan et al., arXiv 2007.01774).

    Example:
        >>> from tfq_fusion.circuits import FusionRegisters
        >>> registers = FusionRegisters.of(modalities=2, features=3)
        >>> registers.index, registers.value
        ((cirq.LineQubit(0), cirq.LineQubit(1), cirq.LineQubit(2)), cirq.LineQubit(3))
        >>> registers.address(modality=1, feature=0)
        4

    Attributes:
        widths: The number of features of each modality.

    Raises:
        ValueError: If there is no modality, or one has no feature.
    """

    widths: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the widths."""
        if not self.widths or any(width < 1 for width in self.widths):
            raise ValueError(
                f"Registers expect at least one modality with at least one feature each, got widths {self.widths}."
            )

    @classmethod
    def of(cls, modalities: int, features: int | Sequence[int]) -> FusionRegisters:
        """Registers for ``modalities`` of ``features`` each, or of the given number of features one by one.

        Raises:
            ValueError: If the number of widths is not ``modalities``.
        """
        if isinstance(features, int):
            return cls((features,) * modalities)
        if len(features) != modalities:
            raise ValueError(
                f"features should be one number or one per modality: expected {modalities}, got {list(features)}."
            )
        return cls(tuple(features))

    @property
    def terms(self) -> int:
        """The number of addressed terms, every feature and the constant."""
        return sum(self.widths) + 1

    @property
    def index(self) -> tuple[cirq.LineQubit, ...]:
        """The index register, most significant qubit first."""
        return tuple(cirq.LineQubit.range((self.terms - 1).bit_length()))

    @property
    def value(self) -> cirq.LineQubit:
        """The value qubit, which the features rotate."""
        return cirq.LineQubit(len(self.index))

    @property
    def qubits(self) -> tuple[cirq.LineQubit, ...]:
        """Both registers, the value qubit last."""
        return (*self.index, self.value)

    def address(self, modality: int, feature: int) -> int:
        """The index that selects one feature of one modality.

        Raises:
            IndexError: If the modality or the feature does not exist.
        """
        if not 0 <= modality < len(self.widths) or not 0 <= feature < self.widths[modality]:
            raise IndexError(f"No feature {feature} of modality {modality}: the registers hold widths {self.widths}.")
        return 1 + sum(self.widths[:modality]) + feature
