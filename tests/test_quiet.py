"""TensorFlow says nothing when it starts, unless its user asked for it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy as np
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.engines import expectation
from tfq_fusion.layers import QuantumFusionLayer
spec = qfl_circuit(modalities=2, features=1, degree=1)
for engine in ("compiled", "tfq"):
    expectation(spec, np.zeros((1, 2)), np.zeros(18), engine=engine)
"""


def said(code, **environment):
    """What a program says on standard error."""
    unset = {name: value for name, value in os.environ.items() if name not in ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")}
    ran = subprocess.run([sys.executable, "-c", code], env=unset | environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("code", ["import tfq_fusion.layers", "import tfq_fusion.training.fit", PROGRAM])
def test_imports_and_circuits_say_nothing(code):
    assert said(code) == ""


@pytest.mark.slow
def test_whoever_asks_for_the_log_of_tensorflow_has_it():
    assert "Compiled cluster using XLA!" in said(PROGRAM, TF_CPP_MIN_LOG_LEVEL="0")


@pytest.mark.slow
def test_training_on_jax_says_nothing_of_tensorflow():
    code = """
import numpy as np
from tfq_fusion.layers import ConcatFusion
import keras
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(np.zeros((1, 1)), np.zeros(1), verbose=0)
"""
    assert said(code, KERAS_BACKEND="jax") == ""


def test_nothing_is_set_for_keras_on_something_else():
    code = "import os, tfq_fusion.layers; assert os.environ.get('TF_CPP_MIN_LOG_LEVEL') != '3'"  # JAX sets it to 1
    assert said(code, KERAS_BACKEND="jax") == ""
