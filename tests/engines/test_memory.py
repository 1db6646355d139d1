"""The gradient's memory does not grow with depth."""

import os
import re
import subprocess
import sys

import pytest

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
    (file,) = folder.glob("*backward*buffer-assignment.txt")
    return sum(map(int, re.findall(r"size (\d+), preallocated-temp", file.read_text())))


@pytest.mark.slow
def test_memory_is_flat_in_depth(tmp_path):
    shallow, deep = (temporary_bytes(degree, tmp_path / str(degree)) for degree in (3, 15))
    one_state = 256 * 2**5 * 2 * 4
    assert one_state < shallow <= deep < 1.25 * shallow
