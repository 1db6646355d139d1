"""Rotations about several axes, one after the other, as one: by quaternions, of every sample."""

from __future__ import annotations

from typing import Any

from tfq_fusion.engines.arrays import ops
from tfq_fusion.engines.compiled.program import Tables


def rotations(tables: Tables, halves: Any) -> Any:
    """What the state and what is turned of it are multiplied with.

    A rotation is ``c - i (x X + y Y + z Z)``: about one axis, c and the number of that axis are the cosine and the sine
    of half the angle, and several multiply as quaternions do.

    Args:
        tables: What is turned about.
        halves: Cosines and sines of half the angles, ``[2, tables, axes, addresses, batch]``.

    Returns:
        ``[tables, 2, addresses, batch]``; about several axes ``[tables, 4, addresses, batch]``: c, x, y, z.
    """
    cos, sin = ops.unstack(halves, num=2)
    if len(tables.axes) == 1:
        return ops.swapaxes(halves[:, :, 0], 0, 1)
    zero = ops.zeros_like(cos[:, 0])
    product: tuple[Any, ...] = ()
    for place, axis in enumerate(tables.axes):
        own = (cos[:, place], *(sin[:, place] if axis == each else zero for each in "xyz"))
        product = _product(own, product) if product else own
    return ops.stack(product, axis=1)


def _product(left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[Any, ...]:
    (a, b, c, d), (e, f, g, h) = left, right
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def angle_gradients(tables: Tables, halves: Any, gradients: Any) -> Any:
    """The loss's gradients in the angles, from those in the angles of rotations that would come last.

    What turns first does so about an axis that those after it have turned.

    Args:
        tables: What is turned about; several axes.
        halves: As for :func:`rotations`.
        gradients: About x, y and z, ``[3, tables, addresses, batch]``.

    Returns:
        ``[tables, axes, addresses, batch]``.
    """
    cos, sin = ops.unstack(halves, num=2)
    cos, sin = cos * cos - sin * sin, 2.0 * cos * sin
    vector = dict(zip("xyz", ops.unstack(gradients, num=3), strict=True))
    found = []
    for place, axis in reversed(list(enumerate(tables.axes))):
        found.append(vector[axis])
        second, third = {"x": ("y", "z"), "y": ("z", "x"), "z": ("x", "y")}[axis]
        c, s = cos[:, place], sin[:, place]
        vector[second], vector[third] = c * vector[second] + s * vector[third], c * vector[third] - s * vector[second]
    return ops.stack(found[::-1], axis=1)
