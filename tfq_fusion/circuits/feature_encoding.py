"""How classical features become a state: angles, pairs of angles, or amplitudes."""

from __future__ import annotations

from collections.abc import Sequence

import cirq
import numpy as np
import numpy.typing as npt
import sympy

from tfq_fusion._typing import FloatArray
from tfq_fusion.circuits.encoding import MultiplexedRotation
from tfq_fusion.circuits.model import padded_symbols

ENCODINGS = ("angle", "dense_angle", "amplitude")
"""How :func:`encode_features` makes a state of features."""

MAX_AMPLITUDE_QUBITS = 12
"""4,095 angles; with more, the gates cost more than the states that they make."""


def encode_features(
    qubits: Sequence[cirq.Qid], encoding: str, prefix: str = "x"
) -> tuple[cirq.Circuit, tuple[sympy.Symbol, ...]]:
    r"""A circuit that encodes the features of a sample in qubits that are zero.

    Args:
        qubits: The ``n`` qubits, the first one most significant.
        encoding: How:

            - "angle": ``n`` angles in radians, $R_y(x_q)|0\rangle$ in qubit $q$;
            - "dense_angle": ``2n`` angles, $R_z(x_{2q+1}) R_y(x_{2q})|0\rangle$ in qubit $q$ (LaRose & Coyle, arXiv
              2003.01695): each qubit holds a point of the Bloch sphere;
            - "amplitude": ``2**n - 1`` angles, those that :func:`amplitude_angles` makes of ``2**n`` features; the
              features, divided by their norm, are the amplitudes. The circuit is one :class:`MultiplexedRotation`
              per qubit, addressed by the qubits before it (Möttönen et al., arXiv quant-ph/0407010).
        prefix: What the names of the symbols begin with.

    Returns:
        The circuit and its symbols.

    Raises:
        ValueError: If the encoding is unknown, if there is no qubit, or too many for "amplitude".
    """
    if not qubits:
        raise ValueError("Features are encoded in at least one qubit, got none.")
    if encoding == "angle":
        symbols = padded_symbols(prefix, len(qubits))
        return cirq.Circuit(cirq.ry(x).on(qubit) for x, qubit in zip(symbols, qubits, strict=True)), symbols
    if encoding == "dense_angle":
        symbols = padded_symbols(prefix, 2 * len(qubits))
        pairs = zip(symbols[::2], symbols[1::2], qubits, strict=True)
        return cirq.Circuit((cirq.ry(x).on(qubit), cirq.rz(y).on(qubit)) for x, y, qubit in pairs), symbols
    if encoding == "amplitude":
        if len(qubits) > MAX_AMPLITUDE_QUBITS:
            raise ValueError(
                f"Amplitudes are encoded in at most {MAX_AMPLITUDE_QUBITS} qubits, by an angle for each but one: "
                f"got {len(qubits)} qubits. Compress the features, or encode them as angles."
            )
        symbols = padded_symbols(prefix, 2 ** len(qubits) - 1)
        rotations = (
            MultiplexedRotation(symbols[2**depth - 1 : 2 ** (depth + 1) - 1]).on(*qubits[: depth + 1])
            for depth in range(len(qubits))
        )
        # One controlled rotation per angle, which TensorFlow Quantum can run.
        return cirq.Circuit(map(cirq.decompose_once, rotations)), symbols
    raise ValueError(f"encoding should be one of {list(ENCODINGS)}, got {encoding!r}.")


def amplitude_angles(features: FloatArray) -> npt.NDArray[np.float32]:
    """The angles with which :func:`encode_features` makes amplitudes of features.

    Args:
        features: ``[batch, 2**n]`` real numbers of either sign.

    Returns:
        ``[batch, 2**n - 1]`` angles in radians, float32: that of the first qubit, the two of the second, and so on.

    Raises:
        ValueError: If the number of features is no power of two, or a sample has no direction: all its features are
            zero, or one is NaN or infinite.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or features.shape[1] < 2 or features.shape[1].bit_count() != 1:
        raise ValueError(
            "features should have shape [batch, 2**n] with n qubits, n at least 1, "
            f"got {list(features.shape)}. Pad with zeros to the next power of two."
        )
    norms = np.linalg.norm(features, axis=1)
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if len(bad):
        raise ValueError(
            f"features should be finite and not all zero in any sample, got {features[bad[0]]} as sample {bad[0]}. "
            "Impute or drop such samples first."
        )
    levels: list[FloatArray] = []
    amplitudes = features
    while amplitudes.shape[1] > 1:
        left, right = amplitudes[:, ::2], amplitudes[:, 1::2]
        levels.append(2.0 * np.arctan2(right, left))
        amplitudes = np.hypot(left, right)
    return np.concatenate(levels[::-1], axis=1).astype(np.float32)
