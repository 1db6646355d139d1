"""What all fusion layers share."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from tfq_fusion._keras import keras
from tfq_fusion._quiet import compile_quietly
from tfq_fusion.arguments import floating_point, seed_or_draw
from tfq_fusion.layers.fusion.modalities import Shape, batch_size, modality_widths


class Fusion(keras.layers.Layer):
    """A layer that fuses modalities: the base of all fusions, and of yours.

    A subclass keeps each argument of its constructor under the argument's name, makes its weights in
    :meth:`build_weights`, and computes in ``call``: :mod:`tfq_fusion.layers.fusion.modalities` has functions that take
    both forms of input and check them. Its output is ``[batch, units]``, unless it overrides :meth:`output_width`.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from tfq_fusion.layers import Fusion
        >>> from tfq_fusion.layers.fusion.modalities import concatenate_modalities
        >>> @keras.saving.register_keras_serializable()
        ... class SumFusion(Fusion):
        ...     def __init__(self, units, *, seed=None, **kwargs):
        ...         super().__init__(seed=seed, **kwargs)
        ...         self.units = units
        ...
        ...     def build_weights(self, widths):
        ...         uniform = keras.initializers.GlorotUniform(seed=self.seed)
        ...         self.kernel = self.add_weight(name="kernel", shape=(sum(widths), self.units), initializer=uniform)
        ...
        ...     def call(self, inputs):
        ...         return concatenate_modalities(inputs, self.widths) @ self.kernel
        >>> SumFusion(units=5)([np.ones((8, 4)), np.ones((8, 3))]).shape
        TensorShape([8, 5])

    Args:
        seed: Seed of all that is random, for a subclass whose constructor has this argument; None draws one, repeatable
            by ``keras.utils.set_random_seed``. It is saved.
        **kwargs: As for every Keras layer.

    Raises:
        TypeError: If a subclass takes a seed and does not hand it on.
        ValueError: If the layer's numbers have no fractions, or the seed is none.
    """

    _widths: tuple[int, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        seeded = "seed" in _arguments(type(self))
        if seeded and "seed" not in kwargs:
            raise TypeError(
                f"{type(self).__name__} takes a seed and keeps it from its base: call super().__init__(seed=seed, ...)."
            )
        seed = kwargs.pop("seed") if seeded else None
        super().__init__(**kwargs)
        floating_point("dtype", self.compute_dtype)
        if seeded:
            self.seed = seed_or_draw(seed)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of features of each modality that the layer was built for; empty before."""
        return self._widths

    def build(self, input_shape: Shape) -> None:
        """Learn the widths of the modalities, and make the weights.

        Raises:
            ValueError: If these are no shapes of at least two modalities, see
                :func:`tfq_fusion.layers.fusion.modalities.modality_widths`.
        """
        compile_quietly()
        self._widths = modality_widths(input_shape)
        self.build_weights(self._widths)
        super().build(input_shape)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights for modalities of these widths; a fusion without weights leaves this out."""

    def output_width(self, widths: tuple[int, ...]) -> int:
        """The width of the output for modalities of these widths: ``units``, unless a subclass knows better.

        Raises:
            NotImplementedError: If the layer has no ``units``.
        """
        if not hasattr(self, "units"):
            raise NotImplementedError(f"{type(self).__name__} has no `units`: override `output_width` there.")
        units: int = self.units
        return units

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, int]:
        """``(batch, width)``; what the shape leaves out is what the layer was built for."""
        widths = modality_widths(input_shape, self._widths)
        return batch_size(input_shape, self._widths), self.output_width(widths)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, read from the attributes of their names.

        Arrays become nested lists; initializers, regularizers and constraints what Keras makes of them.

        Raises:
            NotImplementedError: If there is no such attribute.
        """
        arguments = {}
        for name in _arguments(type(self)):
            if not hasattr(self, name):
                raise NotImplementedError(
                    f"{type(self).__name__} does not keep its argument {name!r}: set self.{name} in `__init__`, or "
                    "override `get_config`."
                )
            arguments[name] = self.serialize(name, getattr(self, name))
        return {**arguments, **super().get_config()}

    def serialize(self, name: str, value: Any) -> Any:
        """An argument as it is saved; a subclass overrides this for what is neither JSON nor one of Keras' objects."""
        if callable(value):  # an initializer, a regularizer, a constraint
            return keras.saving.serialize_keras_object(value)
        return value.tolist() if isinstance(value, np.ndarray) else value


def _arguments(kind: type) -> list[str]:
    """The names that the constructor of a fusion takes, those that it hands on to its bases included."""
    return list(dict.fromkeys(_own_arguments(kind)))


def _own_arguments(kind: type) -> Iterator[str]:
    for base in kind.__mro__[: kind.__mro__.index(Fusion)]:
        if "__init__" not in vars(base):
            continue
        _, *parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        named = [each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
        yield from named
        if len(named) == len(parameters):  # nothing is handed on
            return
