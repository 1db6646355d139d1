"""Hashed fusion: the classical control with exactly as many trained weights as it is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tfq_fusion._keras import keras, ops, register
from tfq_fusion.arguments import integer, weight_seeds
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities


@register
class HashedFusion(Fusion):
    """One dense layer over the concatenated modalities whose matrix shares ``parameters`` trained weights.

    ``h = tanh(W^T [z_1; ...; z_M])`` with ``W_ij = sign_ij w_hash(i,j)`` (HashedNets, Chen et al. 2015,
    arXiv 1504.04788). This library's control: a classical fusion with the same number of trained
    weights as a quantum one. Unlike the source's hash, ours is balanced: every weight occurs equally
    often in ``W``, give or take one, so that none is unused.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``, within [-1, 1].
    - Weights: ``parameters``, uniform within the Glorot limit of ``W``, so that outputs start as those of a dense
      layer.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import HashedFusion
        >>> image, text = np.ones((8, 4)), np.ones((8, 3))
        >>> layer = HashedFusion(units=32, parameters=60)
        >>> layer([image, text]).shape, layer.count_params()
        (TensorShape([8, 32]), 60)

    Args:
        units: Output width.
        parameters: Number of trained weights, at most the ``units * sum(features_m)`` entries of ``W``.
        seed: Seed of hash, signs and initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
            Hash and signs are not saved but drawn again from the seed, which is.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range; when built, if there are more parameters than entries; when called
            as :class:`ConcatFusion` does.
    """

    def __init__(self, units: int, *, parameters: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)
        self.parameters = integer("parameters", parameters)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        rows = sum(widths)
        entries = rows * self.units
        if self.parameters > entries:
            raise ValueError(
                f"HashedFusion has parameters={self.parameters}, but only {rows} features x {self.units} units = "
                f"{entries} matrix entries to share them. Lower parameters or raise units."
            )
        hashes, signs = _hash(entries, self.parameters, self.seed)
        self._hashes = hashes.reshape(rows, self.units)
        self._signs = signs.reshape(rows, self.units)
        limit = math.sqrt(6 / (rows + self.units))
        (seed,) = weight_seeds(self.seed, 1)
        self.shared = self.add_weight(
            name="shared",
            shape=(self.parameters,),
            initializer=keras.initializers.RandomUniform(-limit, limit, seed=seed),
        )

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        features = concatenate_modalities(inputs, self.widths)
        kernel = ops.take(self.shared, self._hashes)
        return ops.tanh(ops.matmul(features, kernel * ops.cast(self._signs, kernel.dtype)))


def _hash(entries: int, parameters: int, seed: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """For each matrix entry the index of its weight, balanced, and its sign."""
    # A saved model draws these again, perhaps with another NumPy. NumPy keeps the raw stream of a bit generator
    # for ever, but not what the methods of a Generator (`permutation`, `choice`) make of it.
    stream = np.random.PCG64(seed)
    order = np.argsort(stream.random_raw(entries), kind="stable")
    signs = np.where(stream.random_raw(entries) >> 63, 1, -1)
    return (order % parameters).astype(np.int32), signs.astype(np.int8)


def _control(widths: list[int], units: int, degree: int, seed: int | None, **arguments: Any) -> HashedFusion:
    weights = len(qfl_circuit(len(widths), widths, degree).weight_symbols)
    return HashedFusion(units, parameters=weights, seed=seed, **arguments)


CONTROL = FusionEntry(name="control", caption="Control", kind="control", has_degree=True, make=_control)
