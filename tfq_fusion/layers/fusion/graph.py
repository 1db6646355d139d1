"""Graph fusion: a graph convolutional network with one node per modality."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from tfq_fusion._keras import keras, ops, register
from tfq_fusion.arguments import integer, weight_seeds
from tfq_fusion.fusions import FusionEntry
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import stack_modalities


@register
class GraphFusion(Fusion):
    """Graph Convolutional Network (GCN) over the modalities: two layers, then the mean over the nodes.

    ``H' = relu(D^-1/2 (A + I) D^-1/2 H W + b)`` with the degrees ``D`` of ``A + I`` (Kipf & Welling 2017,
    arXiv 1609.02907, equation 2). Row m of the first ``H`` is modality m; where widths differ, narrower ones are padded
    with zeros to the widest, which costs no weights.

    - Input: a list of ``[batch, features_m]`` tensors or one ``[batch, modalities, features]`` tensor.
    - Output: ``[batch, units]``.
    - Weights: ``F * units + units + units * units + units`` with ``F`` the widest modality; Glorot-uniform kernels,
      zero biases.

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import GraphFusion
        >>> sensors = np.ones((8, 3, 4))  # three in a row, four features each
        >>> layer = GraphFusion(units=16, adjacency=[[0, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> layer(sensors).shape, layer.count_params()
        (TensorShape([8, 16]), 352)

    Args:
        units: Width of both layers and of the output.
        adjacency: Weights ``A`` of the edges, ``[modalities, modalities]``, an array or a sparse one of SciPy, of which
            the layer keeps a copy: symmetric and non-negative. The layer adds the self loops, so the diagonal is
            usually zero. None is the complete graph, of which one layer makes all nodes equal: give the graph of the
            sensors where there is one.
        seed: Seed of the initial weights; None draws one, repeatable by ``keras.utils.set_random_seed``.
        **kwargs: As for every Keras layer.

    Raises:
        ValueError: If an argument is out of range, or if the adjacency is not a finite, symmetric, non-negative
            square matrix; when built, if its size is not the number of modalities; when called as
            :class:`ConcatFusion` does.
    """

    def __init__(
        self,
        units: int,
        *,
        adjacency: npt.ArrayLike | sparse.sparray | sparse.spmatrix | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.units = integer("units", units)
        self.adjacency = None if adjacency is None else _checked(adjacency)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the weights."""
        nodes = len(widths)
        adjacency = np.ones((nodes, nodes)) - np.eye(nodes) if self.adjacency is None else self.adjacency
        if len(adjacency) != nodes:
            raise ValueError(
                f"The adjacency is for {len(adjacency)} modalities, but there are {nodes}. "
                "Give one row and column per modality, in their order."
            )
        self._propagation = _normalized(adjacency)
        initializers = [keras.initializers.GlorotUniform(seed=seed) for seed in weight_seeds(self.seed, 2)]
        # An attribute for each: TensorFlow's checkpoints mistake one list of weights for another.
        self.kernel_0 = self.add_weight(name="kernel_0", shape=(max(widths), self.units), initializer=initializers[0])
        self.kernel_1 = self.add_weight(name="kernel_1", shape=(self.units, self.units), initializer=initializers[1])
        self.bias_0 = self.add_weight(name="bias_0", shape=(self.units,), initializer="zeros")
        self.bias_1 = self.add_weight(name="bias_1", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Fuse the modalities."""
        hidden = stack_modalities(inputs, self.widths)
        propagation = ops.cast(self._propagation, self.compute_dtype)
        for kernel, bias in ((self.kernel_0, self.bias_0), (self.kernel_1, self.bias_1)):
            hidden = ops.relu(ops.matmul(propagation, ops.matmul(hidden, kernel)) + bias)
        return ops.mean(hidden, axis=1)


def _checked(adjacency: Any) -> npt.NDArray[np.float64]:
    try:
        matrix = np.array(adjacency.toarray() if sparse.issparse(adjacency) else adjacency, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"The adjacency should be a square matrix of numbers, got {adjacency!r}.") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"The adjacency should be a square matrix, got shape {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise ValueError("The adjacency should be finite, got NaN or infinite entries.")
    if (matrix < 0).any():
        raise ValueError(f"The adjacency should be non-negative, got {matrix.min()}.")
    if not np.allclose(matrix, matrix.T):
        raise ValueError(
            "The adjacency should be symmetric. For a directed graph, pass (A + A.T) / 2 or np.maximum(A, A.T)."
        )
    return matrix


def _normalized(adjacency: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``D^-1/2 (A + I) D^-1/2``; no degree is zero, for every node has its self loop."""
    looped = adjacency + np.eye(len(adjacency))
    scale = 1 / np.sqrt(looped.sum(axis=1))
    normalized: npt.NDArray[np.float64] = scale[:, None] * looped * scale[None, :]
    return normalized


GCN = FusionEntry(name="gcn", caption="GCN", kind="classical", make=GraphFusion)
