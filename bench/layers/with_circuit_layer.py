"""This library's layer, around either engine."""

from __future__ import annotations

import math

import keras
import sympy

from bench.layers.contenders import CONTENDERS
from bench.problem import Problem
from tfq_fusion.circuits import ModelCircuit
from tfq_fusion.layers import CircuitLayer

LIBRARIES = {"tensorflow": ("keras", "tensorflow"), "jax": ("keras", "jax"), "torch": ("keras", "torch", "jax")}[
    keras.backend.backend()
]


def make_layer(problem: Problem, contender: str) -> CircuitLayer:
    """The layer of a circuit."""
    data, weights = (tuple(map(sympy.Symbol, names)) for names in (problem.data_symbols, problem.weight_symbols))
    spec = ModelCircuit(problem.circuit, data, weights, problem.operators)
    return CircuitLayer(spec, engine="compiled" if CONTENDERS[contender].ours else "tfq", scale=math.pi / 2)
