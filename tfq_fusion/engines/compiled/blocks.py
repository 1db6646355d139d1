"""The matrices of all blocks, built once per step from the weights, many at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tfq_fusion._keras import ops
from tfq_fusion.engines.compiled.program import Element, Family

Complex = tuple[Any, Any]
"""Real and imaginary part."""


def block_matrices(families: tuple[Family, ...], constants: Mapping[str, Any], weights: Any) -> list[Any]:
    """The matrices of every family, ``[2, members, d, d]``: real and imaginary parts."""
    widths = {len(element.qubits) for family in families for layer in family.layers for element in layer}
    gates = {width: _gate_matrices(f"bank {width}", constants, weights) for width in sorted(widths)}
    return [ops.stack(_family_matrices(family, gates)) for family in families]


def _gate_matrices(bank: str, constants: Mapping[str, Any], weights: Any) -> Complex:
    exponents = ops.matmul(constants[f"{bank} mix"], weights[:, None])[:, 0] + constants[f"{bank} offset"]
    turns = math.pi * exponents[:, None] * constants[f"{bank} phases"]
    cos, sin = ops.cos(turns)[..., None, None], ops.sin(turns)[..., None, None]
    real, imaginary = constants[f"{bank} projectors"][0], constants[f"{bank} projectors"][1]
    return ops.sum(cos * real - sin * imaginary, axis=1), ops.sum(cos * imaginary + sin * real, axis=1)


def _family_matrices(family: Family, gates: Mapping[int, Complex]) -> Complex:
    product: Complex | None = None
    for layer in family.layers:
        matrix: Complex | None = None
        qubits: list[int] = []
        for element in layer:
            own = _element_matrices(element, family.members, gates[len(element.qubits)])
            matrix = own if matrix is None else _kron(matrix, own)
            qubits += element.qubits
        assert matrix is not None
        idle = [qubit for qubit in range(family.width) if qubit not in qubits]
        if idle:
            size = 2 ** len(idle)
            identity = ops.broadcast_to(ops.eye(size, dtype=matrix[0].dtype), (family.members, size, size))
            matrix = _kron(matrix, (identity, 0.0 * identity))
            qubits += idle
        matrix = _sorted_qubits(matrix, qubits)
        product = matrix if product is None else _matmul(matrix, product)
    assert product is not None
    return product


def _element_matrices(element: Element, members: int, gates: Complex) -> Complex:
    def at(position: int) -> Complex:
        start = element.start + position * members
        return gates[0][start : start + members], gates[1][start : start + members]

    product = at(0)
    for position in range(1, element.length):
        product = _matmul(at(position), product)
    return product


def _matmul(left: Complex, right: Complex) -> Complex:
    return _complex(ops.matmul, left, right)


def _kron(left: Complex, right: Complex) -> Complex:
    size = left[0].shape[-1] * right[0].shape[-1]

    # As a product of matrices: XLA would fuse broadcast multiplications, and their derivatives above all, into
    # expressions that take seconds to compile.
    def times(a: Any, b: Any) -> Any:
        return ops.reshape(ops.einsum("nij,nkl->nikjl", a, b), (-1, size, size))

    return _complex(times, left, right)


def _complex(times: Callable[[Any, Any], Any], left: Complex, right: Complex) -> Complex:
    return (
        times(left[0], right[0]) - times(left[1], right[1]),
        times(left[0], right[1]) + times(left[1], right[0]),
    )


def _sorted_qubits(matrix: Complex, qubits: list[int]) -> Complex:
    if qubits == sorted(qubits):
        return matrix
    count = len(qubits)
    axes = [qubits.index(qubit) for qubit in range(count)]

    def reorder(part: Any) -> Any:
        tensor = ops.reshape(part, (-1, *([2] * (2 * count))))
        tensor = ops.transpose(tensor, (0, *(1 + axis for axis in axes), *(1 + count + axis for axis in axes)))
        return ops.reshape(tensor, (-1, 2**count, 2**count))

    return reorder(matrix[0]), reorder(matrix[1])
