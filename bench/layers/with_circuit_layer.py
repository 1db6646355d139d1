"""This library's layer, around either engine."""

from __future__ import annotations

import math

import keras

from bench.layers.contenders import CONTENDERS
from bench.ours import model_circuit
from bench.problem import Problem
from tfq_fusion.layers import CircuitLayer

LIBRARIES = {"tensorflow": ("keras", "tensorflow"), "jax": ("keras", "jax"), "torch": ("keras", "torch", "jax")}[
    keras.backend.backend()
]


def make_layer(problem: Problem, contender: str) -> CircuitLayer:
    """The layer of a circuit."""
    engine = "compiled" if CONTENDERS[contender].ours else "tfq"
    return CircuitLayer(model_circuit(problem), engine=engine, scale=math.pi / 2)
