"""Circuits that do not fit are refused, and the gradient's memory does not grow with depth."""

import os
import re
import subprocess
import sys

import cirq
import numpy as np
import psutil
import pytest
import sympy

from tfq_fusion.circuits import ModelCircuit, qcnn_circuit
from tfq_fusion.engines import ENGINES, expectation
from tfq_fusion.engines.memory import check_memory

STEP = """
import sys
import numpy as np
import tensorflow as tf
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation

spec = qfl_circuit(3, 4, degree=int(sys.argv[1]), observables=2)
weights = tf.zeros(len(spec.weight_symbols))
with tf.GradientTape() as tape:
    tape.watch(weights)
    values = expectation(spec, tf.zeros((256, len(spec.data_symbols))), weights)
tape.gradient(values, weights)
"""


def temporary_bytes(degree, folder):
    """What XLA sets aside for the temporary arrays of the way back, by its own account."""
    environment = os.environ | {"XLA_FLAGS": f"--xla_dump_to={folder}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", STEP, str(degree)], env=environment, check=True, capture_output=True)
    # Of what is compiled here, values alone and values with their gradients, the latter needs most.
    return max(
        sum(map(int, re.findall(r"size (\d+), preallocated-temp", file.read_text())))
        for file in folder.glob("*buffer-assignment.txt")
    )


@pytest.mark.slow
def test_memory_is_flat_in_depth(tmp_path):
    shallow, deep = (temporary_bytes(degree, tmp_path / str(degree)) for degree in (2, 8))
    one_state = 256 * 2**5 * 2 * 4
    assert one_state < deep < 1.25 * shallow


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("qubits", [45, 100])
def test_more_qubits_than_the_machine_can_hold_are_refused(engine, qubits):
    spec = qcnn_circuit(qubits)
    message = rf"circuit of {qubits} qubits needs at least [\d,]+ GiB .*'{engine}'.* has [\d,]+ GiB available"
    with pytest.raises(MemoryError, match=message):
        expectation(spec, np.zeros((1, 0)), np.zeros(len(spec.weight_symbols)), engine=engine)


def test_the_memory_needed_is_held_against_the_memory_there(monkeypatch):
    class Memory:
        available = 3 * 2**30

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    check_memory(30, 3, "tfq")
    with pytest.raises(MemoryError, match=r"30 qubits needs at least 4 GiB .* has 3 GiB available\. Use fewer qubits"):
        check_memory(30, 4, "tfq")


def test_a_batch_that_does_not_fit_is_refused(monkeypatch):
    class Memory:
        available = 5 * 2**30

    spec = qcnn_circuit(18)
    weights = np.zeros(len(spec.weight_symbols), np.float32)
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    # Three states of 2**18 complex numbers in single precision for each sample.
    with pytest.raises(MemoryError, match=r"18 qubits needs at least 6 GiB .* for 1,024 samples, .* smaller batches"):
        expectation(spec, np.zeros((1024, 0), np.float32), weights)


def test_memory_is_asked_once_for_a_circuit_and_a_size_of_batches(monkeypatch):
    asked = []

    def memory():
        asked.append(True)
        return type("Memory", (), {"available": 2**40})

    qubit, symbol = cirq.LineQubit(0), sympy.Symbol("x")
    spec = ModelCircuit(cirq.Circuit(cirq.rx(symbol).on(qubit)), [symbol], (), cirq.Z(qubit))
    monkeypatch.setattr(psutil, "virtual_memory", memory)
    counts = []
    for batch in (2, 2, 8, 9):  # two samples are padded to eight
        expectation(spec, np.zeros((batch, 1), np.float32), np.zeros(0))
        counts.append(len(asked))
    assert counts[0] == counts[1] == counts[2] < counts[3]
