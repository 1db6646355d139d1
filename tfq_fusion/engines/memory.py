"""Whether the states of a circuit fit into memory, asked before any of it is allocated."""

from __future__ import annotations

import psutil

TFQ_BYTES = 2 * 8
"""What TensorFlow Quantum needs per amplitude: two states of one sample, complex64. Measured: 16.0 at 24 qubits."""


STATES = 3
"""The states of the whole batch that the compiled engine holds at one time: two, and the one that it makes of them."""


def check_memory(qubits: int, bytes_per_amplitude: int, engine: str, batch: int | None = None) -> None:
    """Raise a MemoryError unless the machine has room for a circuit.

    TensorFlow Quantum would end the process, and XLA may. An accelerator's own memory is not looked at.

    Args:
        qubits: The number of qubits n of the circuit.
        bytes_per_amplitude: What the engine needs at least for each of ``2**n`` amplitudes.
        engine: The engine's name, for the message.
        batch: The number of samples that those bytes are for, for the message; None if they are for any number.

    Raises:
        MemoryError: If that is more than the machine has available now; the message gives both numbers.
    """
    needed, available = bytes_per_amplitude * 2**qubits, psutil.virtual_memory().available
    if needed > available:
        # Whole numbers: those of hundreds of qubits are no floats.
        raise MemoryError(
            f"A circuit of {qubits} qubits needs at least {-(-needed // 2**30):,} GiB of memory with engine {engine!r}"
            f"{'' if batch is None else f' for {batch:,} samples'}, but the machine has {available // 2**30:,} GiB "
            f"available. Use fewer qubits{'' if batch is None else ' or smaller batches'}."
        )
