"""The matrices of all blocks, built once per step from the weights, many at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tfq_fusion.engines.arrays import complex_array, einsum, ops
from tfq_fusion.engines.compiled.program import Bank, Family


def block_matrices(families: tuple[Family, ...], constants: Mapping[str, Any], weights: Any) -> list[Any]:
    """The matrices of every family, ``[members, 2d, 2d]``: the real form of complex ``[members, d, d]``."""
    banks = {element.bank for family in families for layer in family.layers for element in layer}
    elements = {bank: _elements(bank, constants, weights) for bank in sorted(banks)}
    return [_real_form(_family_matrices(family, elements)) for family in families]


def _elements(bank: Bank, constants: Mapping[str, Any], weights: Any) -> Any:
    """The product of each row of gates of a bank, complex ``[elements, d, d]``."""
    name = f"bank {bank.width} {bank.length}"
    exponents = ops.matmul(constants[f"{name} mix"], weights[:, None]) + constants[f"{name} offset"][:, None]
    turns = math.pi * exponents * constants[f"{name} phases"]
    projectors = constants[f"{name} projectors"]
    real = ops.cos(turns)
    if f"{name} linear" in constants:
        real = real + constants[f"{name} linear"] * (exponents - 1.0)  # their phases are zero
    factors = complex_array(real, ops.sin(turns))
    gates: Any = einsum("ge,geij->gij", factors, complex_array(projectors[0], projectors[1]))
    # Gates of one row stand together, and each row has a power of two of them: so pairs never mix rows.
    for _ in range(bank.length.bit_length() - 1):
        gates = einsum("nij,njk->nik", gates[1::2], gates[::2])
    return gates


def _family_matrices(family: Family, elements: Mapping[Bank, Any]) -> Any:
    product: Any = None
    for layer in family.layers:
        matrix: Any = None
        qubits: list[int] = []
        for element in layer:
            own = elements[element.bank][element.start : element.start + family.members]
            matrix = own if matrix is None else _kron(matrix, own)
            qubits += element.qubits
        idle = [qubit for qubit in range(family.width) if qubit not in qubits]
        if idle:
            size = 2 ** len(idle)
            matrix = _kron(matrix, ops.broadcast_to(ops.eye(size, dtype=matrix.dtype), (family.members, size, size)))
            qubits += idle
        matrix = _sorted_qubits(matrix, qubits)
        product = matrix if product is None else einsum("nij,njk->nik", matrix, product)
    return product


def _kron(left: Any, right: Any) -> Any:
    size = left.shape[-1] * right.shape[-1]
    # As a product of matrices: XLA would fuse broadcast multiplications, and their derivatives above all, into
    # expressions that take seconds to compile.
    return ops.reshape(einsum("nij,nkl->nikjl", left, right), (-1, size, size))


def _sorted_qubits(matrix: Any, qubits: list[int]) -> Any:
    if qubits == sorted(qubits):
        return matrix
    count = len(qubits)
    axes = [qubits.index(qubit) for qubit in range(count)]
    tensor = ops.reshape(matrix, (-1, *([2] * (2 * count))))
    tensor = ops.transpose(tensor, (0, *(1 + axis for axis in axes), *(1 + count + axis for axis in axes)))
    return ops.reshape(tensor, (-1, 2**count, 2**count))


def _real_form(matrices: Any) -> Any:
    real, imaginary = ops.real(matrices), ops.imag(matrices)
    upper, lower = ops.concatenate([real, -imaginary], axis=2), ops.concatenate([imaginary, real], axis=2)
    return ops.concatenate([upper, lower], axis=1)
