"""The matrices of all blocks, built once per step from the weights, many at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfq_fusion.engines.arrays import complex_array, einsum, ops
from tfq_fusion.engines.compiled.program import Bank, Family


def block_matrices(
    families: tuple[Family, ...], constants: Mapping[str, Any], data: Any, weights: Any, real: bool = False
) -> list[Any]:
    """The matrices of every family, ``[members, samples, 2d, 2d]``: the real form of complex ``d x d``.

    There is one sample if all share a matrix.

    Args:
        families: The families.
        constants: The program's constants.
        data: ``[batch, data]``.
        weights: ``[weights]``.
        real: Whether they act on Pauli components: then they are real, ``[members, samples, d, d]``.
    """
    banks = {element.bank for family in families for element in family.elements}
    elements = {bank: _elements(bank, constants, data, weights) for bank in sorted(banks)}
    form = ops.real if real else _real_form
    return [form(_family_matrices(family, elements)) for family in families]


def _elements(bank: Bank, constants: Mapping[str, Any], data: Any, weights: Any) -> Any:
    """The product of each row of gates of a bank, complex ``[elements, samples, d, d]``."""
    exponents = ops.matmul(constants[f"{bank.name} mix"], weights[:, None]) + constants[f"{bank.name} offset"][:, None]
    if bank.sampled:
        exponents = exponents + ops.matmul(constants[f"{bank.name} data"], ops.transpose(data))
    turns = math.pi * exponents[..., None] * constants[f"{bank.name} phases"][:, None]
    projectors = constants[f"{bank.name} projectors"]
    real = ops.cos(turns)
    if f"{bank.name} linear" in constants:
        real = real + constants[f"{bank.name} linear"][:, None] * (exponents[..., None] - 1.0)  # their phases are zero
    factors = complex_array(real, ops.sin(turns))
    gates: Any = einsum("gse,geij->gsij", factors, complex_array(projectors[0], projectors[1]))
    # Gates of one row stand together, and each row has a power of two of them: so pairs never mix rows.
    for _ in range(bank.length.bit_length() - 1):
        gates = einsum("nsij,nsjk->nsik", gates[1::2], gates[::2])
    return gates


def _family_matrices(family: Family, elements: Mapping[Bank, Any]) -> Any:
    """The products of their elements, complex ``[members, samples, d, d]``."""
    size, order = 2**family.width, list(range(family.width))
    product: Any = None
    for element in family.elements:
        own = elements[element.bank][element.start : element.start + family.members]
        before, order = order, [*element.qubits, *(qubit for qubit in order if qubit not in element.qubits)]
        if product is None:
            identity = np.eye(size).reshape((2,) * family.width + (size,)).transpose((*order, family.width))
            rows = ops.convert_to_tensor(identity.reshape(own.shape[-1], -1), dtype=own.dtype)
            product = einsum("nsij,jk->nsik", own, rows)
        else:
            shape = family.members, -1, own.shape[-1], size**2 // own.shape[-1]
            rows = ops.reshape(_reordered(product, before, order), shape)
            product = einsum("nsij,nsjk->nsik", own, rows)
        product = ops.reshape(product, (family.members, -1, size, size))
    return _reordered(product, order, sorted(order))


def _reordered(matrix: Any, before: list[int], after: list[int]) -> Any:
    """Matrices ``[members, samples, d, d]`` with the qubits of their rows in another order."""
    if before == after:
        return matrix
    tensor = ops.reshape(matrix, (matrix.shape[0], -1, *(2,) * len(before), matrix.shape[-1]))
    axes = (0, 1, *(2 + before.index(qubit) for qubit in after), 2 + len(before))
    return ops.reshape(ops.transpose(tensor, axes), (matrix.shape[0], -1, *matrix.shape[2:]))


def _real_form(matrices: Any) -> Any:
    real, imaginary = ops.real(matrices), ops.imag(matrices)
    upper, lower = ops.concatenate([real, -imaginary], axis=3), ops.concatenate([imaginary, real], axis=3)
    return ops.concatenate([upper, lower], axis=2)
