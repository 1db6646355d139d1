"""Trigonometric targets of exact total degree across modalities, and the part of them that a fusion can have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tfq_fusion.arguments import one_of

Vector = npt.NDArray[np.float64]
Terms = Mapping[tuple[int, ...], int]
"""Powers of the cosines of all modalities -> the factor of their product."""

FORMS = ("product", "sum", "difference")


def target_terms(degree: int, modalities: int, form: str) -> dict[tuple[int, ...], int]:
    """The products of cosines that make a target.

    The one term of a "product" is ``prod_m cos(x_m)^a_m`` with ``a_m`` the number of ``k < degree`` that leave the
    remainder ``m`` when divided by ``modalities``: distinct modalities first, powers where the degree exceeds their
    number. A "sum" has this term and all that follow from it by shifting the modalities in a circle; a "difference" is
    this term less the first of these.

    Returns:
        The factor of each term, by its ``modalities`` powers, which sum to ``degree``.

    Raises:
        ValueError: If the form is unknown, or a difference would be zero.
    """
    one_of("form", form, FORMS)
    first = tuple(len(range(modality, degree, modalities)) for modality in range(modalities))
    shifts = [first[-shift:] + first[:-shift] for shift in range(modalities)]
    if form != "difference":
        return dict.fromkeys(shifts if form == "sum" else shifts[:1], 1)
    if shifts[0] == shifts[1]:
        raise ValueError(
            f"A difference of shifted products is zero where {modalities} modalities divide the degree {degree}: "
            "choose another degree or form."
        )
    return {shifts[0]: 1, shifts[1]: -1}


def spectrum_of(terms: Terms) -> Vector:
    """The Fourier coefficients of a target, scaled to mean 0 and variance 1 over all angles.

    Returns:
        ``[points, ..., points]``, an axis for each modality: the coefficient of ``exp(i k.x)`` at the place ``k``,
        counted from the end where negative, as ``numpy.fft`` orders them. They are real, and their squares sum to 1.
    """
    points = 2 * max(map(sum, terms)) + 2
    axes = np.meshgrid(*[2 * math.pi * np.arange(points) / points] * len(next(iter(terms))), indexing="ij")
    values = sum(factor * np.prod(np.cos(np.stack(axes, -1)) ** powers, axis=-1) for powers, factor in terms.items())
    coefficients = np.fft.fftn((values - values.mean()) / values.std()).real / values.size
    return np.where(np.abs(coefficients) > 1e-12, coefficients, 0)


def evaluate(spectrum: Vector, angles: Vector) -> Vector:
    """The function that has these coefficients, see :func:`spectrum_of`.

    Args:
        spectrum: Even in every axis.
        angles: ``[samples, modalities]`` in radians.

    Returns:
        ``[samples]``.
    """
    places = np.nonzero(spectrum)
    frequencies = np.stack([np.fft.fftfreq(len(spectrum), 1 / len(spectrum))[place] for place in places])
    return np.cos(angles @ frequencies) @ spectrum[places]


def within_reach(spectrum: Vector, fusion: str, degree: int | None) -> Vector:
    """The part of a target that a fusion with a linear read-out may have; the rest is orthogonal to all it can give.

    Args:
        spectrum: See :func:`spectrum_of`.
        fusion: "qfl", whose expectation values have total frequencies up to its degree; "tfn" or "lmf", which multiply
            modalities but no modality by itself; "concat"; or "gcn", which does not change if modalities are exchanged.
        degree: Of "qfl".

    Returns:
        The coefficients of that part. Their squares sum to the highest R^2 that any weights can reach.
    """
    modalities = spectrum.ndim
    if fusion == "gcn":
        return np.mean([spectrum.transpose(order) for order in itertools.permutations(range(modalities))], axis=0)
    frequencies = np.abs(np.fft.fftfreq(len(spectrum), 1 / len(spectrum)))
    axes = np.meshgrid(*[frequencies] * modalities, indexing="ij")
    inside = np.max(axes, axis=0) <= 1 if fusion in ("tfn", "lmf") else sum(axes) <= (1 if degree is None else degree)
    return np.where(inside, spectrum, 0)
