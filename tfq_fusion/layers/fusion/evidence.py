"""The evidence fusion block and its QCNN, as a layer."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tfq_fusion._keras import at_least_single, keras, ops, register, visible_values
from tfq_fusion._typing import FloatArray
from tfq_fusion.arguments import one_of
from tfq_fusion.circuits import ModelCircuit, evidence_fusion_circuit, qcnn_circuit
from tfq_fusion.circuits.evidence import fused_expectations
from tfq_fusion.engines import check_engine, expectation
from tfq_fusion.layers.circuit_layer import CircuitLayer
from tfq_fusion.layers.fusion.base import Fusion
from tfq_fusion.layers.fusion.modalities import concatenate_modalities

MARGIN = 1e-6
"""Masses are kept this far from 0 and 1, where the angle's derivative is infinite."""


METHODS = ("circuit", "mixture")


@register
class EvidenceFusion(Fusion):
    r"""Combines what modalities say about the same propositions, by trained rules of evidence theory, then a QCNN.

    **A reconstruction** of the fusion block of arXiv 2601.07856, whose circuits were not at hand: the circuit is
    :func:`tfq_fusion.circuits.evidence_fusion_circuit`, on ``(M + 1) * K`` qubits for M modalities and K propositions.
    The block trains ``K * (M + 3)`` weights. They begin as a vote in which all modalities count alike.

    Call it with a list of ``[batch, propositions]`` tensors or one ``[batch, modalities, propositions]`` tensor, float:
    the masses, degrees of possibility in [0, 1] (from a sigmoid, for instance), of the same propositions in one order.
    The output is ``[batch, observables]``, float32, each value in [-1, 1].

    Example:
        >>> import numpy as np
        >>> from tfq_fusion.layers import EvidenceFusion
        >>> image, text = np.array([[0.9, 0.2]]), np.array([[0.8, 0.5]])  # of two propositions each
        >>> EvidenceFusion(convolution=None)([image, text]).numpy().round(2)
        array([[-0.7,  0.3]], dtype=float32)

    Args:
        convolution: The QCNN's convolution, "su4" or "tutorial"; None for no QCNN: the output is then Z of each fused
            qubit, 1 - 2 p where p is the fused degree of possibility.
        readout: What is measured behind the QCNN: "pauli", all 15 Pauli strings on the last two qubits, or "z", Z of
            the last one.
        engine: Which engine runs the circuit, see :func:`tfq_fusion.engines.expectation`.
        seed: Seeds the initial weights of the QCNN; None draws one, repeatable by ``keras.utils.set_random_seed``.
        method: "circuit", all ``(M + 1) * K`` qubits; or "mixture", the same numbers from the closed form of the fused
            qubits (:func:`tfq_fusion.circuits.fused_states`) and ``3**K`` runs of the QCNN on K qubits, whatever the
            batch and the number of modalities: for those that are too many to simulate.
        initializer: Initialises the weights; None for the vote, and a QCNN uniform in [-pi, pi).
        regularizer: Regularises the weights.
        constraint: Constrains the weights.
        **kwargs: Keras layer arguments.

    Attributes:
        circuit: The layer of the circuit, a :class:`~tfq_fusion.layers.CircuitLayer`, once built.

    Raises:
        ValueError: If an argument is out of its range; if the input is no batch of at least two modalities, or its
            modalities have different numbers of propositions; in eager execution, if a mass is outside [0, 1].
    """

    def __init__(
        self,
        convolution: str | None = "su4",
        readout: str = "pauli",
        engine: str = "compiled",
        seed: int | None = None,
        method: str = "circuit",
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        check_engine(engine)
        self.convolution = convolution
        self.readout = readout
        self.engine = engine
        self.method = one_of("method", method, METHODS)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)
        # Arguments that no input can mend fail here, where the user wrote them, on the smallest possible circuit.
        self._spec(modalities=2, propositions=2)
        # TensorFlow Quantum's operations are opaque to XLA.
        self.supports_jit = engine != "tfq"

    def _spec(self, modalities: int, propositions: int) -> ModelCircuit:
        return evidence_fusion_circuit(modalities, propositions, self.convolution, self.readout)

    def build_weights(self, widths: tuple[int, ...]) -> None:
        """Make the circuit and its weights."""
        modalities, propositions = _size(widths)
        self.circuit = CircuitLayer(
            self._spec(modalities, propositions),
            initializer=self.initializer or self._initial_theta,
            regularizer=self.regularizer,
            constraint=self.constraint,
            engine=self.engine,
            seed=self.seed,
            # Half precision has no number between 1 and the largest mass, 1 - MARGIN.
            dtype="float64" if self.compute_dtype == "float64" else "float32",
            name="circuit",
        )
        if self.method == "mixture" and self.convolution is not None:
            self._qcnn = qcnn_circuit(propositions, self.convolution, readout=self.readout, encoding="angle")

    def _initial_theta(self, shape: tuple[int], dtype: Any = None) -> Any:
        modalities, propositions = _size(self.widths)
        vote = np.tile([0.0, *[math.pi / modalities] * modalities, 0.0, 0.0], propositions)
        qcnn = np.random.default_rng(self.seed).uniform(-math.pi, math.pi, shape[0] - len(vote))
        return ops.convert_to_tensor(np.concatenate([vote, qcnn]), dtype)

    @property
    def combination(self) -> FloatArray:
        r"""The block's weights ``[K, M + 3]`` in radians, $t_0, t_1, \ldots, t_M, t_\wedge, t_\vee$ per proposition."""
        modalities, propositions = _size(self.widths)
        theta: FloatArray = ops.convert_to_numpy(self.circuit.theta)
        return theta[: propositions * (modalities + 3)].reshape(propositions, -1)

    def call(self, inputs: Any) -> Any:
        """The expectation values, ``[batch, observables]``."""
        masses = at_least_single(ops.cast(concatenate_modalities(inputs, self.widths), self.compute_dtype))
        _require_masses(masses, self.widths[0])
        if self.method == "circuit":
            values = self.circuit(2 * ops.arcsin(ops.sqrt(ops.clip(masses, MARGIN, 1 - MARGIN))))
        else:
            values = self._mix(masses)
        return ops.cast(values, self.compute_dtype)

    def _mix(self, masses: Any) -> Any:
        theta = at_least_single(ops.convert_to_tensor(self.circuit.theta))
        modalities, propositions = _size(self.widths)
        count = propositions * (modalities + 3)
        table = ops.reshape(theta[:count], (propositions, modalities + 3))
        masses = ops.reshape(masses, (-1, modalities, propositions))
        z, x = fused_expectations(masses, ops.cos(table), ops.sin(table))
        if self.convolution is None:
            return z
        # A real state of a qubit is an affine combination of |0>, |1> and |+>, which these angles prepare.
        angles = itertools.product((0.0, math.pi, math.pi / 2), repeat=propositions)
        values = expectation(
            self._qcnn, ops.convert_to_tensor(list(angles), z.dtype), theta[count:], engine=self.engine
        )
        parts = ops.stack([(1 + z - x) / 2, (1 - z - x) / 2, x], axis=-1)
        shares = parts[:, 0]
        for k in range(1, propositions):
            shares = ops.reshape(shares[:, :, None] * parts[:, k, None], (-1, 3 ** (k + 1)))
        return ops.matmul(shares, values)

    def output_width(self, widths: tuple[int, ...]) -> int:
        """The number of observables."""
        return len(self._spec(*_size(widths)).operators)


def _size(widths: tuple[int, ...]) -> tuple[int, int]:
    """The number of modalities and of propositions."""
    if len(set(widths)) > 1:
        raise ValueError(
            f"All modalities should judge the same propositions, got modalities with {list(widths)} masses. "
            "Give each modality one mass per proposition, in the same order."
        )
    return len(widths), widths[0]


def _require_masses(masses: Any, propositions: int) -> None:
    values = visible_values(masses)
    if values is None or ((values >= 0) & (values <= 1)).all():
        return
    sample, column = np.argwhere((values < 0) | (values > 1))[0].tolist()
    modality, proposition = divmod(column, propositions)
    raise ValueError(
        f"Masses should be within [0, 1], got {values[sample, column]:g} from modality {modality} for proposition "
        f"{proposition} (sample {sample}). End each modality's module in a sigmoid."
    )
