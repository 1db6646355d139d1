"""What networks share that hold each modality to the class by itself, by a loss of its own."""

from __future__ import annotations

from typing import Any

from tfq_fusion._keras import at_least_single, losses, ops


def one_hot(labels: Any, classes: int) -> Any:
    """Labels as a column for each class.

    Args:
        labels: A column for each class already, ``[batch, classes]``; or the indices of classes, integers ``[batch]``
            or ``[batch, 1]``.
        classes: The number of classes.

    Returns:
        ``[batch, classes]``, float32.

    Raises:
        ValueError: If the labels are neither.
    """
    labels = ops.convert_to_tensor(labels)
    shape = tuple(labels.shape)
    if len(shape) == 2 and shape[1] == classes:
        return ops.cast(labels, "float32")
    if len(shape) == 1 or shape[1:] == (1,):
        return ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), classes, dtype="float32")
    raise ValueError(
        f"Labels should be one-hot, [batch, {classes}], or indices of classes, [batch], got {list(shape)}. Encode them "
        "with keras.utils.to_categorical."
    )


def add_loss_of_modalities(loss: Any, own: Any, weight: float, y_pred: Any, sample_weight: Any) -> Any:
    """A network's loss and that of its modalities.

    Args:
        loss: The loss of the output.
        own: Those of the modalities, ``[batch, modalities]``.
        weight: How much their mean counts.
        y_pred: The output. Its mask leaves samples out here too.
        sample_weight: Weights of the samples, as for the output; or None.

    Returns:
        The sum, in single precision or, where the loss of the output is in double, in that.
    """
    loss = at_least_single(loss)
    added = LossesOfSamples()(ops.mean(own, axis=1), y_pred, sample_weight)
    return loss + weight * ops.cast(added, loss.dtype)


class LossesOfSamples(losses.Loss):
    """Losses that are known: Keras only weighs, masks and averages them, as it does those of an output."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses ``[batch]`` that came in place of labels."""
        return y_true

    def get_config(self) -> dict[str, Any]:
        """None.

        Raises:
            NotImplementedError: In any case.
        """
        raise NotImplementedError("LossesOfSamples is never saved. Networks make one where they need it.")
