"""The second paper's network: classical modules that judge propositions, evidence fusion, a QCNN, classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import at_least_single, keras, ops, register
from tfq_fusion.arguments import flag, integer, number, seed_or_draw
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers import EvidenceFusion
from tfq_fusion.models.encoders import encode_modalities
from tfq_fusion.models.judgements import add_loss_of_modalities, one_hot

if TYPE_CHECKING:
    from tfq_fusion.datasets.card import Modality


def class_code(classes: int, propositions: int | None = None) -> npt.NDArray[np.float32]:
    """What a class says about each proposition.

    Args:
        classes: The number of classes, at least 2.
        propositions: ``ceil(log2(classes))`` for a binary code: proposition k is "bit k of the index of the class is
            1", the first bit most significant; or ``classes`` for a one-hot code: "it is class k". None for the binary
            code, or the one-hot code where there are two classes: a QCNN needs two qubits.

    Returns:
        Zeros and ones ``[classes, propositions]``, float32.

    Raises:
        ValueError: If there is no such code.
    """
    integer("classes", classes, minimum=2)
    bits = (classes - 1).bit_length()
    propositions = max(2, bits) if propositions is None else integer("propositions", propositions)
    if propositions == classes:
        return np.eye(classes, dtype=np.float32)
    if propositions != bits:
        raise ValueError(
            f"propositions should be {bits} (a binary code) or {classes} (a one-hot code) for {classes} classes, got "
            f"{propositions}."
        )
    return (np.arange(classes)[:, None] >> np.arange(bits)[::-1] & 1).astype(np.float32)


@register
class EvidenceNetwork(keras.Model):
    """Classical modules, evidence fusion and a QCNN, after arXiv 2601.07856: **a reconstruction**.

    One module per modality ends in masses, degrees of possibility in [0, 1] of K propositions about the class (see
    :func:`class_code`). :class:`~tfq_fusion.layers.EvidenceFusion` combines them, and a softmax reads the classes off.

    The masses are held to their meaning: to the loss that the network is compiled with, training adds
    ``evidence_weight`` times the mean binary cross-entropy between all masses and what the true class says, with the
    same weights of samples and classes. That makes them the decision of each modality on its own, as in fusion at
    decision level. Legacy Keras reports the loss without that term.

    - Input: a dict of arrays by name, as :func:`tfq_fusion.training.prepare` gives them.
    - Output: the probability of each class, ``[batch, classes]``, float32. Labels are one-hot, ``[batch, classes]``; or
      for losses that take them, such as "sparse_categorical_crossentropy", indices of classes, ``[batch]``.

    Example:
        >>> from tfq_fusion.datasets import load
        >>> from tfq_fusion.models import EvidenceNetwork
        >>> from tfq_fusion.training import prepare
        >>> dataset = load("mfeat", views=["fou", "zer"])
        >>> inputs, _ = prepare(dataset).validation
        >>> network = EvidenceNetwork(dataset.card.modalities, classes=10, method="mixture")
        >>> network(inputs).shape
        TensorShape([200, 10])

    Args:
        modalities: The modalities, as in a data set's card.
        classes: The number of classes.
        propositions: The number K of propositions; None for the fewest, see :func:`class_code`.
        hidden: Hidden units or filters of each module, see ``tfq_fusion.models.encoders``.
        convolution: The QCNN's convolution, or None for no QCNN, see :class:`~tfq_fusion.layers.EvidenceFusion`.
        readout: What is measured behind the QCNN, likewise.
        evidence_weight: Weight of the masses' cross-entropy in the loss; 0 leaves the masses without a meaning.
        shared: Whether waveforms, and windows, share their module's weights.
        engine: Which engine runs the circuit, see :func:`tfq_fusion.engines.expectation`.
        seed: Seeds the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        method: How the circuit is simulated, "circuit" or "mixture", see :class:`~tfq_fusion.layers.EvidenceFusion`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        classes: int,
        propositions: int | None = None,
        hidden: int = 16,
        convolution: str | None = "su4",
        readout: str = "pauli",
        evidence_weight: float = 1.0,
        shared: bool = True,
        engine: str = "compiled",
        seed: int | None = None,
        method: str = "circuit",
    ) -> None:
        code = class_code(classes, propositions)
        classes, hidden = integer("classes", classes), integer("hidden", hidden)
        evidence_weight = number("evidence_weight", evidence_weight, minimum=0)
        shared = flag("shared", shared)
        seed = seed_or_draw(seed)
        rng = np.random.default_rng(seed)
        inputs, encoded = encode_modalities(modalities, code.shape[1], hidden, rng, shared)
        # A hyperbolic tangent between 0 and 1 is a sigmoid.
        masses = keras.layers.Rescaling(0.5, 0.5)(encoded)
        unimodal = keras.Model(inputs, masses, name="unimodal")
        fusion = EvidenceFusion(convolution, readout, engine, seed, method, name="fusion")
        initializer = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        head = keras.layers.Dense(classes, "softmax", kernel_initializer=initializer, name="head")
        super().__init__(inputs, head(fusion(unimodal(inputs))))
        self.code = code
        self.evidence_weight = evidence_weight
        self._arguments: dict[str, Any] = {
            "modalities": list(modalities),
            "classes": classes,
            "propositions": propositions,
            "hidden": hidden,
            "convolution": convolution,
            "readout": readout,
            "evidence_weight": evidence_weight,
            "shared": shared,
            "engine": engine,
            "seed": seed,
            "method": method,
        }

    @property
    def modalities(self) -> list[str]:
        """Names of the modalities, in the order of their masses; those of a stack are numbered."""
        return [
            name
            for modality in self._arguments["modalities"]
            for name in (
                [modality.name]
                if modality.count == 1
                else [f"{modality.name} {number}" for number in range(modality.count)]
            )
        ]

    @property
    def unimodal(self) -> keras.Model:
        """All modalities' modules, from the inputs to masses ``[batch, modalities, propositions]``."""
        return self.get_layer("unimodal")

    @property
    def fusion(self) -> EvidenceFusion:
        """The fusion block and its QCNN, from masses to ``[batch, observables]``."""
        fusion: EvidenceFusion = self.get_layer("fusion")
        return fusion

    @property
    def head(self) -> keras.layers.Dense:
        """From the observables to the probabilities of classes."""
        return self.get_layer("head")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that the network is compiled with, and the cross-entropy of the masses."""
        labels = one_hot(y, len(self.code))
        loss = super().compute_loss(x, y, y_pred, sample_weight)
        masses = at_least_single(self.unimodal(x, training=training))
        truth = ops.broadcast_to(ops.cast(ops.matmul(labels, self.code), masses.dtype)[:, None], ops.shape(masses))
        surprise = keras.losses.binary_crossentropy(truth, masses)
        return add_loss_of_modalities(loss, surprise, self.evidence_weight, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**self._arguments, "modalities": [modality.model_dump() for modality in self._arguments["modalities"]]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> EvidenceNetwork:
        """The network of :meth:`get_config`."""
        from tfq_fusion.datasets.card import Modality

        return cls(**{**config, "modalities": [Modality(**modality) for modality in config["modalities"]]})


QMFNN = FusionEntry(name="qmfnn", caption="QMFNN", kind="quantum")
