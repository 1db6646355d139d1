"""Fusion at decision level: a classifier for each modality, and a rule that combines what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tfq_fusion._keras import at_least_single, keras, ops, register
from tfq_fusion.arguments import flag, integer, one_of, seed_or_draw
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers import DempsterFusion, MeanFusion, ProductFusion
from tfq_fusion.models.encoders import encode_modalities, judge_classes
from tfq_fusion.models.judgements import add_loss_of_modalities, one_hot

if TYPE_CHECKING:
    from tfq_fusion.datasets.card import Modality

RULES: dict[str, Callable[..., keras.layers.Layer]] = {
    "mean": MeanFusion,
    "product": ProductFusion,
    "dempster": DempsterFusion,
}


@register
class DecisionNetwork(keras.Model):
    """A softmax of its own for each modality, and one rule that fuses them.

    Each modality's module is an encoder, as in :func:`tfq_fusion.models.fusion_model`, and a softmax over the classes.
    To the loss that the network is compiled with, of the fused probabilities, training adds the mean cross-entropy of
    the modalities' own, with the same weights of samples and classes: each is a classifier by itself, and a rule with
    weights is trained along. Legacy Keras reports the loss without that term.

    - Input: a dict of arrays by name, as :func:`tfq_fusion.training.prepare` gives them.
    - Output: the probability of each class, ``[batch, classes]``, float32. Labels are one-hot, ``[batch, classes]``; or
      for losses that take them, such as "sparse_categorical_crossentropy", indices of classes, ``[batch]``.

    Example:
        >>> from tfq_fusion.datasets import load
        >>> from tfq_fusion.models import DecisionNetwork
        >>> from tfq_fusion.training import prepare
        >>> dataset = load("mfeat")
        >>> inputs, _ = prepare(dataset).validation
        >>> network = DecisionNetwork(dataset.card.modalities, classes=10, rule="dempster")
        >>> network(inputs).shape
        TensorShape([200, 10])

    Args:
        modalities: The modalities, as in a data set's card.
        classes: The number of classes.
        rule: "mean", "product" or "dempster", see :mod:`tfq_fusion.layers`.
        features: Features per modality, which the softmax sees.
        hidden: Hidden units of each encoder.
        shared: Whether waveforms, and windows, share their encoder's weights.
        seed: Seeds the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.

    Raises:
        ValueError: If the rule is unknown, or another argument out of its range.
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        classes: int,
        rule: Literal["mean", "product", "dempster"] = "mean",
        features: int = 4,
        hidden: int = 16,
        shared: bool = True,
        seed: int | None = None,
    ) -> None:
        one_of("rule", rule, RULES)
        classes = integer("classes", classes, minimum=2)
        features, hidden = integer("features", features), integer("hidden", hidden)
        shared = flag("shared", shared)
        seed = seed_or_draw(seed)
        rng = np.random.default_rng(seed)
        inputs, encoded = encode_modalities(modalities, features, hidden, rng, shared)
        unimodal = keras.Model(inputs, judge_classes(encoded, classes, rng), name="unimodal")
        fusion = RULES[rule](name="fusion")
        super().__init__(inputs, fusion(unimodal(inputs)))
        self._arguments: dict[str, Any] = {
            "modalities": list(modalities),
            "classes": classes,
            "rule": rule,
            "features": features,
            "hidden": hidden,
            "shared": shared,
            "seed": seed,
        }

    @property
    def unimodal(self) -> keras.Model:
        """All modalities' modules, from the inputs to probabilities ``[batch, modalities, classes]``."""
        return self.get_layer("unimodal")

    @property
    def fusion(self) -> keras.layers.Layer:
        """The rule, from these to ``[batch, classes]``."""
        return self.get_layer("fusion")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that the network is compiled with, and the cross-entropy of each modality's own probabilities."""
        labels = one_hot(y, self._arguments["classes"])
        loss = super().compute_loss(x, y, y_pred, sample_weight)
        said = at_least_single(self.unimodal(x, training=training))
        truth = ops.broadcast_to(ops.cast(labels, said.dtype)[:, None], ops.shape(said))
        surprise = keras.losses.categorical_crossentropy(truth, said)
        return add_loss_of_modalities(loss, surprise, 1.0, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**self._arguments, "modalities": [modality.model_dump() for modality in self._arguments["modalities"]]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> DecisionNetwork:
        """The network of :meth:`get_config`."""
        from tfq_fusion.datasets.card import Modality

        return cls(**{**config, "modalities": [Modality(**modality) for modality in config["modalities"]]})


MEAN = FusionEntry(name="mean", caption="Mean of decisions", kind="classical")
PRODUCT = FusionEntry(name="product", caption="Product of decisions", kind="classical")
DEMPSTER = FusionEntry(name="dempster", caption="Dempster's rule", kind="classical")
