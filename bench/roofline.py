"""The least time that the floating-point operations of a Quantum Fusion Layer take on this machine.

The operations are those of the compiled engine's algorithm, one multiplication or addition each; the rate is that of
matrix products in the same run. Memory traffic, and building the blocks' small matrices from the weights, count as
nothing.
"""

from __future__ import annotations

import math
import statistics
import time

from bench.problem import Problem

BLOCK = 4
"""Qubits of the widest Kronecker factor of U."""
SIZE, REPEATS = 1024, 30


def operations(problem: Problem, degree: int) -> int:
    """Floating-point operations of one step of a Quantum Fusion Layer whose signal is ry.

    Per amplitude of the batch's states:

    - each of the ``degree`` unitaries U after the first data is a Kronecker product of blocks of at most 4 qubits. A
      block of w qubits takes 2**w complex multiply-adds, 8 operations each, in 4 passes: forward, back for the state
      and for the adjoint state, and the outer product of the two that is the block's gradient. Its entangler is a
      sign: 2 operations in 3 passes;
    - each of the ``degree`` multiplexed rotations takes 6 operations in 3 passes and 4 for its gradient;
    - each Pauli string takes 4 for its expectation value and 4 for its share of the adjoint state.

    The first U is applied to one state, as all samples still are alike.
    """
    count = math.ceil(problem.qubits / BLOCK)
    width = math.ceil(problem.qubits / count)
    widths = [min(width, problem.qubits - start) for start in range(0, problem.qubits, width)]
    unitary = sum(4 * 8 * 2**w for w in widths) + 3 * 2
    strings = sum(len(operator) for operator in problem.operators)
    per_amplitude = degree * (unitary + 3 * 6 + 4) + 8 * strings
    return 2**problem.qubits * (problem.batch * per_amplitude + unitary)


def matrix_product_rate() -> float:
    """Operations per second of float32 matrix products by TensorFlow, on all cores."""
    import tensorflow as tf

    left, right = (tf.random.stateless_normal((SIZE, SIZE), seed=(0, number)) for number in range(2))
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        tf.linalg.matmul(left, right).numpy()
        times.append(time.perf_counter() - start)
    return 2 * SIZE**3 / statistics.median(times)


if __name__ == "__main__":
    print(matrix_product_rate())
